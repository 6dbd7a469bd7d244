"""``cyldiff sources``: what the point sources of a catalogue give at the Sun."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.base import overwrites, reported
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted

if TYPE_CHECKING:
    import xarray as xr

    from cyldiff.sources.catalogue import Catalogue
    from cyldiff.sources.model import PropagationModel

__all__ = ["sources"]

#: energies at which the table compares the sources, those in range [GeV/n]
_SHOWN_AT = (1e4, 1e6)


@click.command(short_help="Point sources of a catalogue: their fluxes at the Sun.")
@click.argument("catalogue")
@click.option(
    "--model",
    required=True,
    metavar="NAME",
    help='Propagation model: a name (see "cyldiff list models"), a model or run file, or a result (.nc).',
)
@click.option(
    "--kernel",
    metavar="free|halo|grid",
    help="Free space, halo or response of the grid; default: halo for uniform D, else grid.",
)
@click.option("--edge", is_flag=True, help="Let particles escape at the radius of the halo too.")
@click.option(
    "--energies",
    metavar="MIN..MAX",
    help='Kinetic energies per nucleon, e.g. "1 TeV..100 PeV"; default those of the run or result.',
)
@click.option(
    "--per-decade", type=click.FloatRange(1, 200), help="Points per decade of --energies; default 16."
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help='Replace a key of all sources (defaults.KEY), of one (source."NAME".KEY) or of the model (physics.…).',
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Result file; default NAME-sources.nc.")
@reported
def sources(
    catalogue: str,
    model: str,
    kernel: str | None,
    edge: bool,
    energies: str | None,
    per_decade: float | None,
    overrides: tuple[str, ...],
    output: Path | None,
) -> None:
    """Intensity and gradient at the Sun of every source of CATALOGUE, and the energy it gave.

    CATALOGUE is a TOML or ECSV file, or a name of the library (see "cyldiff list catalogues"). The result is a
    NetCDF file; "cyldiff plot FILE sources -o FIG.png" draws it.

    \b
    cyldiff sources example --model nie-2026 -o sources.nc
    cyldiff sources example --model result.nc -o sources.nc
    """  # noqa: D301 - \b keeps click from wrapping
    started = time.perf_counter()
    found, put_into, grid, path = _prepare(catalogue, model, kernel, energies, per_decade, overrides, output)
    from cyldiff.io.netcdf import write_result
    from cyldiff.sources.fluxes import source_fluxes

    dataset = source_fluxes(found, put_into, kernel=kernel, edge=edge, kinetic_energy=grid)
    write_result(dataset, path)
    click.echo(_summary(dataset))
    click.echo(f"\n{path} written after {time.perf_counter() - started:.1f} s")


def _prepare(
    catalogue: str,
    model: str,
    kernel: str | None,
    energies: str | None,
    per_decade: float | None,
    overrides: Sequence[str],
    output: Path | None,
) -> tuple[Catalogue, PropagationModel, Any, Path]:
    """Read everything that is named; all that is wrong with it in one message."""
    from cyldiff.io.netcdf import check_writable
    from cyldiff.sources.catalogue_file import load_catalogue
    from cyldiff.sources.model import load_model
    from cyldiff.sources.propagation import KERNELS

    of_model = [text for text in overrides if text.lstrip().startswith("physics")]
    of_catalogue = [text for text in overrides if text not in of_model]
    problems: list[Problem] = []
    if kernel is not None and kernel not in KERNELS:
        known = f"known: {', '.join(KERNELS)}{nearest(kernel, KERNELS)}"
        problems.append(Problem("--kernel", f"{quoted(kernel)} unknown; {known}"))
    put_into, found, grid = None, None, None
    try:
        put_into = load_model(model, of_model)
    except (ConfigError, DataError) as error:
        problems += _inside(error, "--model", model)
    try:
        found = load_catalogue(catalogue, of_catalogue, model=put_into.physics if put_into else None)
    except ConfigError as error:
        problems += error.problems
    try:
        grid = _grid(energies, per_decade)
    except (DataError, ValueError) as error:
        problems.append(Problem("--energies", str(error)))
    path = output if output is not None else Path(f"{Path(catalogue).stem}-sources.nc")
    inputs = [*(put_into.inputs if put_into else ()), *(found.inputs if found else ())]
    reason = check_writable(path) or overwrites(path, inputs)
    problems += [Problem("--output", reason)] if reason else []
    if problems or put_into is None or found is None:
        raise ConfigError(catalogue, problems)
    return found, put_into, grid, path


def _inside(error: ConfigError | DataError, option: str, name: str) -> list[Problem]:
    """Problems of another file, as those of the option that names it."""
    if isinstance(error, DataError):
        return [Problem(option, str(error))]
    return [
        Problem(option, p.message)
        if p.key in ("model", "file")
        else Problem(p.key, p.message, p.where or name)
        for p in error.problems
    ]


def _grid(energies: str | None, per_decade: float | None) -> Any:
    """Energies of ``"1 TeV..100 PeV"``; None for those of the model."""
    from cyldiff.grid import energy_grid
    from cyldiff.sources.fluxes import DEFAULT_ENERGIES, PER_DECADE
    from cyldiff.units import parse_quantity

    if energies is None and per_decade is None:
        return None
    low, high = DEFAULT_ENERGIES
    if energies is not None:
        first, dots, last = energies.partition("..")
        if not dots:
            raise DataError(f'found {quoted(energies)}; expected a range, e.g. "1 TeV..100 PeV"')
        low, high = (parse_quantity(text.strip(), "energy") for text in (first, last))
    if not 0.0 < low < high:
        raise DataError(f'found {quoted(energies)}; expected a range that rises, e.g. "1 TeV..100 PeV"')
    return energy_grid(low, high, per_decade or PER_DECADE)


def _summary(dataset: xr.Dataset) -> str:
    """A line per source, their sum, and what to keep in mind."""
    species, at = str(dataset["species"].values[0]), _shown_at(dataset["kinetic_energy"].values)
    head = ["source", "d [kpc]", "age [Myr]", "given [erg]", "now [erg/s]"]
    rows = [[*head, *(f"{species} at {_energy(dataset['kinetic_energy'].values[k])}" for k in at)]]
    flux = dataset["flux_lis"].isel(species=0, kinetic_energy=at).values
    total = flux.sum(axis=0)
    given, power = (dataset[name].sum("species").values for name in ("injected_energy", "present_power"))
    for i, name in enumerate(map(str, dataset["source"].values)):
        numbers = (dataset["distance"].values[i], dataset["age"].values[i], given[i], power[i])
        shares = [
            f"{100.0 * j / sum_:.3g} %" if sum_ > 0.0 else "none"
            for j, sum_ in zip(flux[i], total, strict=True)
        ]
        rows.append([name, *(f"{number:.3g}" for number in numbers), *shares])
    rows.append(["sum", "", "", f"{given.sum():.3g}", f"{power.sum():.3g}", *(f"{j:.3g}" for j in total)])
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join(
            [row[0].ljust(width[0]), *(text.rjust(w) for text, w in zip(row[1:], width[1:], strict=True))]
        )
        for row in rows
    ]
    return "\n".join([*table, "", *_notes(dataset, at[-1])])


def _shown_at(energy: Any) -> list[int]:
    """Places of the energies at which the sources are compared; the middle if none is in range."""
    import numpy as np

    inside = [e for e in _SHOWN_AT if energy[0] <= e <= energy[-1]] or [
        float(np.sqrt(energy[0] * energy[-1]))
    ]
    return [int(np.argmin(np.abs(np.log(energy / e)))) for e in inside]


def _energy(energy: float) -> str:
    """An energy per nucleon with a handy unit."""
    for unit, size in (("PeV/n", 1e6), ("TeV/n", 1e3)):
        if energy >= size * 0.999:
            return f"{energy / size:.3g} {unit}"
    return f"{energy:.3g} GeV/n"


def _notes(dataset: xr.Dataset, k: int) -> list[str]:
    """How it was done, and where it is doubtful."""
    attrs = dataset.attrs
    species = dataset["species"].values
    notes = [
        f"sums of intensities in m^-2 s^-1 sr^-1 (GeV/n)^-1; energies and powers are those of {', '.join(species)}",
        f"model {attrs['config_source']}, kernel {attrs['kernel']}, diffusion {attrs['diffusion']}; "
        f"left out: {attrs['left_out']}",
    ]
    at = _energy(dataset["kinetic_energy"].values[k])
    flags = dataset["validity"].isel(species=0, kinetic_energy=k).values
    bits = dataset["validity"].attrs
    for mask, meaning in zip(bits["flag_masks"], str(bits["flag_meanings"]).split(), strict=True):
        names = [str(n) for n, flag in zip(dataset["source"].values, flags, strict=True) if flag & mask]
        if names:
            more = ", …" if len(names) > 5 else ""
            notes.append(f"{meaning.replace('_', ' ')} at {at}: {', '.join(names[:5])}{more}")
    return notes
