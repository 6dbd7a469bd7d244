"""``cyldiff population``: random histories of sources and how their flux is spread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cyldiff.commands.base import overwrites, reported, show, show_next
from cyldiff.errors import ConfigError, Problem

if TYPE_CHECKING:
    import xarray as xr

    from cyldiff.sources.population.load import LoadedPopulation

__all__ = ["check_population", "is_population", "population"]

#: energies per nucleon shown in the summary, at most
_ROWS = 7


@click.command(short_help="Draw random histories of sources; how their flux is spread.")
@click.argument("config")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Result file; default NAME.nc.")
@click.option("--realisations", type=int, metavar="N", help="Number of realisations; default as in CONFIG.")
@click.option("--processes", type=int, metavar="N", help="Processes; default one per core.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help='Replace what stands at a path, e.g. population.rate="0.2 kyr^-1". May be repeated.',
)
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path),
    help="Write the sources of one realisation (.toml or .ecsv), for cyldiff sources, instead of fluxes.",
)
@click.option("--index", type=int, metavar="K", help="With --catalogue: which realisation; default 0.")
@reported
def population(
    config: str,
    output: Path | None,
    realisations: int | None,
    processes: int | None,
    overrides: tuple[str, ...],
    catalogue: Path | None,
    index: int | None,
) -> None:
    """Draw realisations of the population CONFIG, write and print how the flux is spread.

    CONFIG is a TOML file, or a name of the library (see "cyldiff list populations"). The same seed gives the
    same result on any number of processes.
    """
    started = time.perf_counter()
    if realisations is not None:
        overrides = (*overrides, f"draw.realisations={realisations}")
    loaded, path = _prepare(config, overrides, output, catalogue, _options(processes, catalogue, index))
    if catalogue is not None:
        _write_catalogue(loaded, path, index or 0)
        return
    from cyldiff.io.netcdf import write_result
    from cyldiff.sources.population.api import population_fluxes
    from cyldiff.sources.population.ensemble import forget_batches

    result = population_fluxes(loaded, processes=processes, quiet=False)
    write_result(result, path)
    forget_batches(loaded)
    show(summary(result, path, time.perf_counter() - started))
    show_next(f"cyldiff plot {path} band -o band.png")


def _options(processes: int | None, catalogue: Path | None, index: int | None) -> list[Problem]:
    """What is wrong with the options by themselves."""
    problems = []
    if processes is not None and processes < 1:
        problems.append(Problem("--processes", f"found {processes}; expected at least 1"))
    if index is not None and catalogue is None:
        problems.append(Problem("--index", "has no meaning without --catalogue"))
    if index is not None and index < 0:
        problems.append(Problem("--index", f"found {index}; expected a number from 0 on"))
    if catalogue is not None and catalogue.suffix not in (".toml", ".ecsv"):
        problems.append(Problem("--catalogue", f'found suffix "{catalogue.suffix}"; expected .toml or .ecsv'))
    return problems


def _prepare(
    config: str,
    overrides: Sequence[str],
    output: Path | None,
    catalogue: Path | None,
    problems: list[Problem],
) -> tuple[LoadedPopulation, Path]:
    """Load a population and find out where its result goes; all that is wrong in one message."""
    from cyldiff.io.netcdf import check_writable
    from cyldiff.sources.population.load import load_population

    loaded, inputs = None, [Path(config)]
    try:
        loaded = load_population(config, overrides)
        inputs = list(loaded.inputs)
    except ConfigError as error:
        problems = [*problems, *error.problems]
    option, path = ("--catalogue", catalogue) if catalogue is not None else ("--output", output)
    if path is None and loaded is not None:
        path = Path(f"{loaded.config.population.name}.nc")
    if path is not None:
        reason = check_writable(path) or overwrites(path, inputs)
        problems = [*problems, Problem(option, reason)] if reason else problems
    if problems or loaded is None or path is None:
        raise ConfigError(config, problems)
    return loaded, path


def is_population(name: str) -> bool:
    """Whether a name or file is a population and no run; what cannot be read is left to those who say why."""
    from cyldiff import resources
    from cyldiff.errors import CyldiffError

    try:
        raw = resources.read_toml(resources.find("populations", name))
    except CyldiffError:
        return False
    return "population" in raw and "run" not in raw


def check_population(config: str, overrides: Sequence[str], *, toml: bool) -> str:
    """What ``cyldiff check`` prints of a population."""
    from cyldiff.config.show import listing
    from cyldiff.sources.population.draw import PopulationDraw
    from cyldiff.sources.population.load import load_population

    loaded = load_population(config, overrides)
    if toml:
        return loaded.toml()
    draw = PopulationDraw(loaded.config)
    births = loaded.config.population.rate * loaded.config.population.history_length
    sizes = (
        f"{loaded.config.draw.realisations} realisations of {births - draw.mean_excluded:.0f} sources on average, "
        f"{draw.mean_active:.3g} of them on now; probability of the selection {_percent(draw.probability)}"
    )
    return f"{listing(loaded)}\n\n{sizes}\n\n{config}: valid"


def _write_catalogue(loaded: LoadedPopulation, path: Path, index: int) -> None:
    from cyldiff.sources.population.api import draw_population
    from cyldiff.sources.population.export import catalogue_of, write_catalogue

    realisation = draw_population(loaded, index)
    write_catalogue(catalogue_of(loaded, realisation), path)
    active = int(realisation.active.sum())
    show(f"{path} written: {len(realisation)} sources of realisation {index}, {active} of them on now")
    show_next(f"cyldiff sources {path} --model NAME")


def summary(result: xr.Dataset, path: Path, seconds: float) -> str:
    """What the command prints when it is done."""
    a = result.attrs
    active = result["number_active"].values
    lines = [
        f"{a['population']}: {a['realisations']} realisations, {result['number'].values.mean():.0f} sources each, "
        f"{active.mean():.2f} of them on now (expected {a['mean_active']:.2f})",
    ]
    if a["selection"] != "none":
        lines.append(f"selection: {a['selection']}; probability {_percent(a['selection_probability'])}")
    if a["neglected_at_lowest_energy"] > 1e-3:
        lines.append(
            f"births before the history: {_percent(a['neglected_at_lowest_energy'])} of the mean flux at the "
            "lowest energy are neglected"
        )
    for species in result["species"].values:
        lines += ["", *_table(result, str(species))]
    if "number_detected" in result:
        lines += ["", *_gamma_lines(result)]
    return "\n".join([*lines, "", f"{path} written after {seconds:.1f} s"])


def _gamma_lines(result: xr.Dataset) -> list[str]:
    """Detected sources, and the diffuse intensity at the middle energy, by case."""
    number = result["number_detected"]
    lines = [f"gamma rays of {number.sizes['gamma_realisation']} realisations"]
    energy = result["gamma_energy"].values
    middle = len(energy) // 2
    for case in result["cloud_case"].values:
        n = number.sel(cloud_case=case).values
        lines.append(f"  {case}: {n.mean():.2f} sources detected on average, {n.min()} to {n.max()}")
        for region in result["region"].values:
            low, median, high = (
                float(
                    result["gamma_diffuse_quantiles"].sel(quantile=q, cloud_case=case, region=region)[middle]
                )
                for q in (0.16, 0.5, 0.84)
            )
            lines.append(
                f"    {region}: diffuse {median:.3g} (68 %: {low:.3g} to {high:.3g}) GeV^-1 cm^-2 s^-1 sr^-1 "
                f"at {energy[middle]:.3g} GeV"
            )
    return lines


def _percent(part: float) -> str:
    return f"{100.0 * part:.3g} %"


def _table(result: xr.Dataset, species: str) -> list[str]:
    """Quantiles at a few energies, relative to the measured flux if there is one."""
    import numpy as np

    sun = result.isel(observer=0).sel(species=species)
    energy = sun["kinetic_energy"].values
    chosen = np.unique(np.linspace(0, len(energy) - 1, min(_ROWS, len(energy))).round().astype(int))
    relative = "flux_reference" in result
    unit = sun["flux_reference"].values if relative else np.ones_like(energy)
    what = "relative to the reference" if relative else "m^-2 s^-1 sr^-1 (GeV/n)^-1"
    names = ("minimum", "2.5 %", "16 %", "median", "84 %", "97.5 %", "maximum")
    spread = [_row(("GeV/n", *names))]
    means = [_row(("GeV/n", "mean", "expected", "top 1 %", "tail"))]
    for k in chosen:
        values: list[Any] = [
            sun["flux_minimum"].values[k],
            *sun["flux_quantiles"].values[:, k],
            sun["flux_maximum"].values[k],
        ]
        means_here = [sun[name].values[k] / unit[k] for name in ("flux_mean", "flux_expected")]
        share, tail = sun["largest_share"].values[k], sun["tail_index"].values[k]
        spread.append(_row([f"{v:.3g}" for v in (energy[k], *(v / unit[k] for v in values))]))
        means.append(
            _row(
                [f"{v:.3g}" for v in (energy[k], *means_here)]
                + [_percent(share), f"{tail:.2f}" if np.isfinite(tail) else "none"]
            )
        )
    return [
        f"{species} at the Sun, {what}",
        *spread,
        "",
        *means,
        "  expected: mean of all realisations there could be",
        "  top 1 %: part of the mean from the largest hundredth of the realisations",
        "  tail: a in P(> F) ~ F^-a; none if there are too few realisations",
    ]


def _row(texts: Sequence[str]) -> str:
    return "  " + " ".join(f"{text:>8}" for text in texts)
