"""Point sources in a tuning file: a run with a section ``[point_sources]``.

    [point_sources]
    kernel = "halo"                        # or "free": what the sources travel in

    [point_sources.sources.microquasar]    # keys of a row of a catalogue
    l = "337 deg"
    ...

Any number of a source can vary: ``point_sources.sources.microquasar.distance``. The grid solves the smooth
components, closed forms give the sources, and the two add up because transport is linear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from cyldiff import resources
from cyldiff.config.base import Model
from cyldiff.config.checks import cross_checks
from cyldiff.config.layers import Layers
from cyldiff.config.load import LoadedConfig, assemble, load_run_file, run_file
from cyldiff.config.parts import Parts, followed_species
from cyldiff.config.schema import PhysicsConfig, RunConfig
from cyldiff.config.toml import to_toml
from cyldiff.config.validate import validate_as
from cyldiff.errors import DataError, Problem, quoted
from cyldiff.sources.catalogue import Catalogue, CatalogueSource
from cyldiff.sources.catalogue_checks import MISSING, in_halo, populations

__all__ = [
    "SECTION",
    "JointConfig",
    "LoadedJoint",
    "PointSources",
    "catalogue_of",
    "is_joint",
    "load_joint",
    "load_joint_mapping",
]

#: of a tuning file
SECTION = "point_sources"


class PointSources(Model):
    """Sources that are added to what the grid gives, in the model of the run."""

    kernel: Literal["halo", "free"] = Field(
        default="halo", description="closed form: escape at |z| = H, or free space"
    )
    edge: bool = Field(default=False, description="particles also escape at the radius of the halo")
    sources: dict[str, CatalogueSource] = Field(
        min_length=1, description="the sources, by a name of your choice; keys as in a catalogue"
    )

    @field_validator("sources", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """The key of a table is the name of its source."""
        if not isinstance(value, Mapping):
            return value
        return {
            key: {**row, "name": str(key)} if isinstance(row, Mapping) else row for key, row in value.items()
        }


class JointConfig(RunConfig):
    """A run and point sources."""

    point_sources: PointSources = Field(description="sources that closed forms stand for")


@dataclass(frozen=True)
class LoadedJoint(LoadedConfig):
    """A valid run with point sources; `config` is a :class:`JointConfig`."""

    def changed(self, overrides: Sequence[str], *, source: str) -> LoadedJoint:
        """The same with other values; ConfigError if they are not valid."""
        return load_joint_mapping(self.resolved, overrides, source=source)

    def run_toml(self) -> str:
        """The run without the sources; it runs by itself."""
        return to_toml({key: value for key, value in self.resolved.items() if key != SECTION})

    def catalogue_toml(self) -> str:
        """The sources as a catalogue."""
        config = self.config
        assert isinstance(config, JointConfig)
        rows = self.resolved[SECTION]["sources"]
        title = f"point sources of {config.run.name}"
        return to_toml({"schema": 1, "title": title, "source": [dict(row) for row in rows.values()]})


def is_joint(name: str | Path) -> bool:
    """Whether a name or file has point sources beside a run; what cannot be read is left to those who say why."""
    try:
        return SECTION in resources.read_toml(run_file(name))
    except DataError:
        return False


def load_joint(path: str | Path, overrides: Sequence[str] = ()) -> LoadedJoint:
    """Read a run with point sources, a section ``[fit]`` being left aside.

    Raises
    ------
    ConfigError
        with every problem found.
    """
    return load_run_file(load_joint_mapping, path, overrides)


def load_joint_mapping(
    raw: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = "config",
    beside: Path | None = None,
) -> LoadedJoint:
    """Validate a run with point sources given as nested dicts; the twin of :func:`load_joint`."""
    config, resolved, origin, inputs = assemble(raw, overrides, Layers(source, beside), _validate)
    return LoadedJoint(config, resolved, origin, source, inputs)


def catalogue_of(config: JointConfig) -> Catalogue:
    """The point sources of a run, in the order of the file."""
    return Catalogue(tuple(config.point_sources.sources.values()), source=config.run.name)


def _validate(raw: Any, incomplete: frozenset[Any]) -> tuple[JointConfig | None, list[Problem]]:
    return validate_as(JointConfig, _checks, raw, incomplete)


def _checks(parts: Parts) -> list[Problem]:
    return [*cross_checks(parts), *_sources(parts)]


def _sources(parts: Parts) -> Iterator[Problem]:
    """Every source is complete, in the halo, of species that are followed, and not in the model already."""
    physics = parts.at("physics")
    followed = {s.name for s in followed_species(parts)}
    place = f"{SECTION}.sources"
    for name in parts.under(place):
        source = parts.at(place, name)
        if not isinstance(source, CatalogueSource):
            continue
        given = source.by_key()
        for key in (key for key in MISSING if key not in given):
            yield Problem(f"{place}.{name}.{key}", MISSING[key])
        absent = [s for s in source.species if followed and s not in followed]
        if absent:
            yield Problem(
                f"{place}.{name}.species", f"{', '.join(map(quoted, absent))}: not followed by this run"
            )
        if isinstance(physics, PhysicsConfig):
            for problem in in_halo(source.place(physics.observer), physics, source.place_key):
                yield Problem(f"{place}.{name}.{problem.key}", problem.message)
            for problem in populations([(f"{place}.{name}", name)], physics):
                yield problem
