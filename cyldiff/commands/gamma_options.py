"""What the options of ``cyldiff gamma`` say, read and checked before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyldiff.commands.base import overwrites
from cyldiff.commands.options import read_weights
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted

if TYPE_CHECKING:
    from cyldiff.galaxy.radiation_field import RadiationField
    from cyldiff.observables.regions import Disc, Region
    from cyldiff.particles.pion_production import PionProduction

__all__ = ["DRAWINGS", "Request", "discs", "read_options"]

DRAWINGS = ("spectrum", "profile", "sky", "plane")
#: points per decade of a range of energies
PER_DECADE = 8


@dataclass(frozen=True)
class _Sun:
    """Where the Sun is as long as no result says it."""

    r: float = 8.5
    z: float = 0.0


@dataclass(frozen=True)
class Request:
    """The options, read."""

    arguments: dict[str, Any]
    weights: dict[str, float]
    mask: str | None
    sources: Path | None
    region: Region
    output: Path | None
    figure: Path | None
    map_file: Path | None
    draw: str
    nside: int


def read_options(result: Path, options: Mapping[str, Any]) -> Request:
    """Read all options; what is wrong with any of them in one message."""
    problems: list[Problem] = []

    def read(option: str, reader: Callable[[], Any]) -> Any:
        try:
            return reader()
        except ConfigError as error:  # of a file that an option names
            problems.extend(Problem(option, f"{error.source}: {p.key}: {p.message}") for p in error.problems)
        except (DataError, ValueError) as error:
            problems.append(Problem(option, str(error)))
        return None

    files = (options["sources"], options["mask"], options["gas"])
    inputs = [result, *(Path(file) for file in files if file is not None)]
    outputs = {"--output": options["output"], "--plot": options["figure"], "--map": options["map_file"]}
    for option, path in outputs.items():
        read(option, partial(_writable, path, inputs, option))
    read("--plot", lambda: _apart([path for path in outputs.values() if path is not None]))
    region = read("--region", lambda: _region(options["region"]))
    # places of catalogues may hang on the Sun of the result, which is not read yet
    read("--mask", lambda: discs(options["mask"], _Sun()))
    if options["enhancement"] is not None and options["model"] == "aafrag":
        problems.append(
            Problem(
                "--enhancement",
                "aafrag sums projectiles and targets itself; expected no enhancement, or another --model",
            )
        )
    draw = read("--draw", lambda: _drawing(options["draw"], options["figure"]))
    nside = read("--nside", lambda: _nside(options["nside"], options["map_file"]))
    arguments = {
        "model": read(_of_model(options), lambda: _model(options["model"], options["enhancement"])),
        "energies": read("--energies", lambda: _energies(options["energies"])),
        "secondary": "neutrino" if options["neutrinos"] else "gamma",
        "radiation": read(
            "--absorption", lambda: _radiation(options["absorption"], options["no_absorption"])
        ),
        "own_gas": read("--gas", lambda: _gas(options["gas"])),
        "only": read("--only", lambda: _only(options["only"], options["sources"])),
    }
    weights = read("--weight", lambda: read_weights(options["weights"]))
    if problems:
        raise ConfigError("cyldiff gamma", problems)
    return Request(
        arguments=arguments,
        weights=weights,
        mask=options["mask"],
        sources=options["sources"],
        region=region,
        output=options["output"],
        figure=options["figure"],
        map_file=options["map_file"],
        draw=draw,
        nside=nside,
    )


def _writable(path: Path | None, inputs: list[Path], option: str) -> None:
    from cyldiff.io.netcdf import check_writable
    from cyldiff.io.sky_map import map_path
    from cyldiff.plot.output import figure_path

    if path is None:
        return
    if option == "--plot":
        figure_path(path)
    if option == "--map":
        map_path(path)
    if reason := check_writable(path) or overwrites(path, inputs):
        raise DataError(reason)


def _apart(paths: list[Path]) -> None:
    absolute = [path.absolute() for path in paths]
    if len(set(absolute)) < len(absolute):
        raise DataError("the table, the map and the figure need files of their own")


def _region(text: str) -> Region:
    from cyldiff.observables.regions import region_named

    return region_named(text)


def discs(mask: str | None, sun: Any) -> tuple[Disc, ...]:
    """Discs of a table, or around the objects of a catalogue."""
    from cyldiff.observables.regions import read_discs
    from cyldiff.sources.masks import discs_around

    if mask is None:
        return ()
    return read_discs(Path(mask)) if mask.endswith(".csv") else discs_around(mask, sun)


def _gas(path: Path | None) -> Any:
    from cyldiff.observables.user_gas import read_gas

    return None if path is None else read_gas(path)


def _only(text: str | None, sources: Path | None) -> list[str] | None:
    """Names of processes."""
    from cyldiff.observables.processes import known_process

    if text is None:
        return None
    names = [known_process(part.strip()) for part in text.split(",")]
    if sources is not None and "pion-decay" not in names:
        raise DataError(f"found {quoted(text)}; point sources (--sources) radiate by pion-decay only")
    return names


def _drawing(text: str, figure: Path | None) -> str:
    if text not in DRAWINGS:
        raise DataError(f"{quoted(text)} unknown; known: {', '.join(DRAWINGS)}{nearest(text, DRAWINGS)}")
    if figure is None and text != "spectrum":
        raise DataError(f"{quoted(text)} is a figure: give --plot FIG.png too")
    return text


def _nside(nside: int, map_file: Path | None) -> int:
    from cyldiff.observables.sky import pixel_centers

    if nside < 1 or nside > 1024 or nside & (nside - 1):
        raise DataError(f"found {nside}; expected a power of two from 1 to 1024")
    if map_file is not None:
        import numpy as np

        pixel_centers(nside, np.zeros(1, dtype=np.int64))  # says what is not installed
    return nside


def _of_model(options: Mapping[str, Any]) -> str:
    """The option that is wrong if the pion production cannot be made."""
    from cyldiff import kinds, registry  # noqa: F401 - the kinds register themselves

    known = options["model"] in registry.kinds("pion-production")
    return "--enhancement" if known and options["enhancement"] is not None else "--model"


def _model(kind: str, enhancement: str | None) -> PionProduction:
    from cyldiff import kinds  # noqa: F401 - the kinds register themselves
    from cyldiff.observables.gamma import of_kind

    fields: dict[str, Any] = {}
    if enhancement is not None and kind != "aafrag":
        try:
            fields["nuclear_enhancement"] = float(enhancement)
        except ValueError:
            fields["nuclear_enhancement"] = enhancement
    model: PionProduction = of_kind("pion-production", kind, fields)
    assert model.energies  # says what is not installed
    return model


def _energies(text: str | None) -> Any:
    """``"1 TeV..1 PeV"``, or values with commas between them [GeV]."""
    import numpy as np

    from cyldiff.units import parse_quantity

    if text is None:
        return None
    low, dots, high = text.partition("..")
    if not dots:
        values = [parse_quantity(part, "energy") for part in text.split(",")]
        if min(values) <= 0.0 or sorted(set(values)) != values:
            raise DataError(f"found {quoted(text)}; expected positive energies in increasing order")
        return np.array(values)
    first, last = parse_quantity(low, "energy"), parse_quantity(high, "energy")
    if not 0.0 < first < last:
        raise DataError(f'found {quoted(text)}; expected the lower end first, e.g. "1 TeV..1 PeV"')
    return np.geomspace(first, last, max(round(PER_DECADE * np.log10(last / first)), 1) + 1)


def _radiation(name: str | None, nothing: bool) -> RadiationField | None:
    """The radiation field that absorbs: a kind that needs no fields, or a TOML file with one."""
    from cyldiff import kinds, registry, resources  # noqa: F401 - the kinds register themselves
    from cyldiff.observables.gamma import of_kind

    if nothing:
        if name is not None:
            raise DataError("--absorption and --no-absorption exclude each other")
        return None
    if name is not None and name.endswith(".toml"):
        fields = dict(resources.read_toml(Path(name)))
        kind = fields.pop("kind", None)
        if not isinstance(kind, str):
            raise DataError(
                f'{name}: "kind" is missing; known: {", ".join(registry.kinds("radiation-field"))}'
            )
        field: RadiationField = of_kind("radiation-field", kind, fields)
        return field
    chosen: RadiationField = of_kind("radiation-field", name or "cmb", {})
    return chosen
