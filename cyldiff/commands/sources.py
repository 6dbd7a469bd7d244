"""``cyldiff sources``: what the point sources of a catalogue give at the Sun."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.base import overwrites, reported, show, show_next
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted

if TYPE_CHECKING:
    import xarray as xr

    from cyldiff.sources.catalogue import Catalogue
    from cyldiff.sources.model import PropagationModel
    from cyldiff.sources.response import SourceResponse

__all__ = ["sources"]

#: energies at which the table compares the sources, those in range [GeV/n]
_SHOWN_AT = (1e4, 1e6)


@click.command(short_help="Point sources of a catalogue: their fluxes at the Sun.")
@click.argument("catalogue")
@click.option(
    "--model",
    metavar="NAME",
    help='Propagation model: a name (see "cyldiff list models"), a model or run file, or a result (.nc); '
    "default that of --response.",
)
@click.option(
    "--kernel",
    metavar="free|halo|grid",
    help="Free space, halo or response of the grid; default: halo for uniform D, else grid.",
)
@click.option(
    "--response",
    "responses",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='Response of "cyldiff response", solved already: the kernel is then "grid". One for each species.',
)
@click.option("--edge", is_flag=True, help="Let particles escape at the radius of the halo too.")
@click.option(
    "--energies",
    metavar="MIN..MAX",
    help='Kinetic energies per nucleon, e.g. "1 TeV..100 PeV"; default those of the run, result or response.',
)
@click.option(
    "--per-decade",
    type=click.FloatRange(1, 200),
    metavar="N",
    help="Points per decade of --energies; default 16.",
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
    model: str | None,
    kernel: str | None,
    responses: tuple[Path, ...],
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
    cyldiff sources example --response h1.nc -o sources.nc
    """  # noqa: D301 - \b keeps click from wrapping
    started = time.perf_counter()
    if model is None and not responses:
        raise click.MissingParameter(
            ctx=click.get_current_context(), param_hint="'--model' or '--response'", param_type="option"
        )
    asked = _Asked(catalogue, model, kernel, responses, energies, per_decade, overrides, output)
    found, put_into, solved, grid, path = _prepare(asked)
    from cyldiff.io.netcdf import write_result
    from cyldiff.sources.fluxes import source_fluxes

    dataset = source_fluxes(
        found, put_into, kernel=kernel, edge=edge, kinetic_energy=grid, response=solved or None
    )
    write_result(dataset, path)
    show(_summary(dataset))
    show(f"\n{path} written after {time.perf_counter() - started:.1f} s")
    show_next(f"cyldiff plot {path} sources -o sources.png")


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options."""

    catalogue: str
    model: str | None
    kernel: str | None
    responses: tuple[Path, ...]
    energies: str | None
    per_decade: float | None
    overrides: Sequence[str]
    output: Path | None


def _prepare(asked: _Asked) -> tuple[Catalogue, PropagationModel, dict[str, SourceResponse], Any, Path]:
    """Read everything that is named; all that is wrong with it in one message."""
    from cyldiff.io.netcdf import check_writable
    from cyldiff.sources.catalogue_file import load_catalogue
    from cyldiff.sources.stored_response import read_responses

    of_model = [text for text in asked.overrides if text.lstrip().startswith("physics")]
    of_catalogue = [text for text in asked.overrides if text not in of_model]
    problems = _kernel(asked)
    put_into, found, grid = None, None, None
    solved = read_responses(asked.responses, problems)
    try:
        put_into = _model(asked, of_model, solved)
    except (ConfigError, DataError) as error:
        problems += _inside(error, "--model" if asked.model else "--response", asked.model or "response")
    try:
        found = load_catalogue(asked.catalogue, of_catalogue, model=put_into.physics if put_into else None)
    except ConfigError as error:
        problems += error.problems
    try:
        grid = _grid(asked.energies, asked.per_decade)
    except (DataError, ValueError) as error:
        problems.append(Problem("--energies", str(error)))
    problems += _stored(solved, put_into, found, grid)
    path = asked.output if asked.output is not None else Path(f"{Path(asked.catalogue).stem}-sources.nc")
    inputs = [*(put_into.inputs if put_into else ()), *(found.inputs if found else ()), *asked.responses]
    reason = check_writable(path) or overwrites(path, inputs)
    problems += [Problem("--output", reason)] if reason else []
    if problems or put_into is None or found is None:
        raise ConfigError(asked.catalogue, problems)
    return found, put_into, solved, grid, path


def _kernel(asked: _Asked) -> list[Problem]:
    """What is wrong with --kernel, and with options that do not go with --response."""
    from cyldiff.sources.propagation import KERNELS

    kernel, problems = asked.kernel, []
    if kernel is not None and kernel not in KERNELS:
        known = f"known: {', '.join(KERNELS)}{nearest(kernel, KERNELS)}"
        problems.append(Problem("--kernel", f"{quoted(kernel)} unknown; {known}"))
    elif asked.responses and kernel not in (None, "grid"):
        problems.append(
            Problem("--kernel", f'{quoted(str(kernel))} with --response; expected none, or "grid"')
        )
    return problems


def _model(
    asked: _Asked, overrides: Sequence[str], solved: dict[str, SourceResponse]
) -> PropagationModel | None:
    """The model that is named, or that of the responses; None if these cannot be read."""
    from cyldiff.sources.model import load_model
    from cyldiff.sources.stored_response import model_of

    if asked.model is not None:
        return load_model(asked.model, overrides)
    if overrides:
        raise DataError(f"the model of a response cannot be changed; found --set {overrides[0]}")
    return model_of(solved) if solved else None


def _stored(
    solved: dict[str, SourceResponse], model: PropagationModel | None, found: Catalogue | None, grid: Any
) -> list[Problem]:
    """What keeps the sources from being read from the responses."""
    from cyldiff.sources.stored_response import energies_of, problems_with

    if not solved or model is None:
        return []
    try:
        energy = energies_of(solved) if grid is None else grid
    except DataError as error:
        return [Problem("--response", str(error))]
    return problems_with(solved, model, found, energy)


def _inside(error: ConfigError | DataError, option: str, name: str) -> list[Problem]:
    """Problems of another file, as those of the option that names it."""
    if isinstance(error, DataError):
        return [Problem(option, str(error))]
    return [
        Problem(option, p.message)
        if p.key in ("model", "file")
        or (p.key == "physics.use" and p.message.startswith(f'no file "{name}"'))
        else Problem(p.key, p.message, p.where or name)
        for p in error.problems
    ]


def _grid(energies: str | None, per_decade: float | None) -> Any:
    """Energies of ``"1 TeV..100 PeV"``; None for those of the model."""
    from cyldiff.grid import energy_grid
    from cyldiff.sources.fluxes import DEFAULT_ENERGIES, LARGEST_ENERGY, PER_DECADE
    from cyldiff.units import parse_quantity

    if energies is None and per_decade is None:
        return None
    if per_decade is not None and not per_decade > 0.0:  # not a number, which has no order
        raise DataError("--per-decade: found nan; expected a number from 1 to 200")
    low, high = DEFAULT_ENERGIES
    if energies is not None:
        first, dots, last = energies.partition("..")
        if not dots:
            raise DataError(f'found {quoted(energies)}; expected a range, e.g. "1 TeV..100 PeV"')
        low, high = (parse_quantity(text.strip(), "energy") for text in (first, last))
    if not 0.0 < low < high:
        raise DataError(f'found {quoted(energies)}; expected a range that rises, e.g. "1 TeV..100 PeV"')
    if high > LARGEST_ENERGY:
        raise DataError(f"found {quoted(energies)}; expected at most {LARGEST_ENERGY:g} GeV/n")
    return energy_grid(low, high, per_decade or PER_DECADE)


def _summary(dataset: xr.Dataset) -> str:
    """A line per source, their sum, and what to keep in mind."""
    species, at = str(dataset["species"].values[0]), _shown_at(dataset["kinetic_energy"].values)
    head = ["source", "d, kpc", "age, Myr", "given, erg", "now, erg/s"]
    rows = [[*head, *(_energy(dataset["kinetic_energy"].values[k]) for k in at)]]
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
    return "\n".join([*table, "", *_notes(dataset, species, at[-1])])


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


def _notes(dataset: xr.Dataset, shown: str, k: int) -> list[str]:
    """How it was done, and where it is doubtful."""
    attrs = dataset.attrs
    species = dataset["species"].values
    notes = [
        f"last columns: share of the {shown} intensity at the Sun; sum: the intensity itself, "
        "m^-2\u00a0s^-1\u00a0sr^-1\u00a0(GeV/n)^-1",
        f"given so far, and now: energy and power of {', '.join(species)}",
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
