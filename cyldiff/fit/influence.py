"""Which numbers of a model the chosen data can feel at all: known before anything is solved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from cyldiff.config.schema import RunConfig
from cyldiff.data.measurements import Measurement
from cyldiff.errors import quoted
from cyldiff.fit.point_sources import SECTION, JointConfig
from cyldiff.observables.abscissa import Nuclide, abscissa_named
from cyldiff.observables.modulation import ForceField
from cyldiff.observables.spectra import standard_name
from cyldiff.particles.network import Network
from cyldiff.particles.species import Species, element, nuclides, select

__all__ = ["Influence"]


class Influence:
    """What data feel, given the nuclides of a run and who feeds whom."""

    def __init__(self, config: RunConfig, data: Sequence[Measurement], *, dipoles: bool = False) -> None:
        self.config, self.data, self.dipoles = config, list(data), dipoles
        self.followed = select(max_z=config.species.max_z, include=config.species.include)
        momentum = config.grid.momentum
        self.range = np.array([momentum.min, momentum.max])
        network = Network.build(
            self.followed,
            inelastic=config.physics.inelastic,
            spallation=config.physics.spallation,
            kinetic_energy=np.geomspace(momentum.min, momentum.max, 3),
        )
        names = [s.name for s in network.species]
        feeds: dict[str, set[str]] = {}
        for parent, child in zip(network.parent, network.child, strict=True):
            feeds.setdefault(names[child], set()).add(names[parent])
        for parent, child, _ in network.decays:
            feeds.setdefault(names[child], set()).add(names[parent])
        self.parents = feeds
        self.felt = self._with_ancestors({name for m in self.data for name in self.measured(m)})

    def measured(self, measurement: Measurement) -> list[str]:
        """Followed nuclides that a measurement counts."""
        wanted = {standard_name(n) for n in (*measurement.numerator, *measurement.denominator)}
        return [s.name for s in self.followed if s.name in wanted or s.element in wanted]

    def _with_ancestors(self, names: set[str]) -> set[str]:
        found, new = set(names), set(names)
        while new:
            new = set().union(*(self.parents.get(name, set()) for name in new)) - found
            found |= new
        return found

    def uncovered(self, ranges: Sequence[tuple[float, float]]) -> list[tuple[int, str]]:
        """Data sets that the energies or nuclides of the run do not reach, with the reason."""
        problems = []
        for i, (m, (low, high)) in enumerate(zip(self.data, ranges, strict=True)):
            present = {s.name for s in self.followed} | {s.element for s in self.followed}
            absent = [n for n in (*m.numerator, *m.denominator) if standard_name(n) not in present]
            if absent:
                problems.append((i, f"{m.name} needs {', '.join(absent)}, which this run does not follow"))
                continue
            use = (m.x >= low) & (m.x <= high)
            reach = self._reach(m)
            if not ((m.x[use] >= reach[0]) & (m.x[use] <= reach[1])).any():
                problems.append(
                    (
                        i,
                        f"{m.name} has no points in the range of the grid, {reach[0]:.3g} to {reach[1]:.3g} {m.x_unit}",
                    )
                )
        return problems

    def _reach(self, measurement: Measurement) -> tuple[float, float]:
        axis = abscissa_named(measurement.abscissa)
        names = self.measured(measurement)
        species = [s for s in self.followed if s.name in names]
        ends = [axis.of(self.range, Nuclide(s.Z, s.A, s.mass_per_nucleon)) for s in species]
        return max(float(e[0]) for e in ends), min(float(e[1]) for e in ends)

    def idle(self, paths: Iterable[tuple[str, ...]]) -> str:
        """Why no datum depends on what stands at these paths; empty if one may."""
        reasons = [self._idle(path) for path in paths]
        return "" if not all(reasons) else reasons[0]

    def _idle(self, path: tuple[str, ...]) -> str:
        if path[:2] == ("physics", "modulation"):
            return self._idle_modulation(path[2:])
        if path[:2] == ("physics", "sources"):
            return self._idle_cutoff(path) or self._idle_source(path[3:])
        if path[:2] in (("physics", "magnetic_field"), ("physics", "radiation_field")):
            leptons = {"electron", "positron"} & self.felt
            return (
                ""
                if leptons
                else "only electrons and positrons feel it, and no datum of this fit counts them"
            )
        if path[:3] == ("physics", "spallation", "scale"):
            return self._idle_channel(path[3])
        if path[0] == SECTION:
            return self._idle_point_source(path[2:])
        return ""

    def _idle_modulation(self, path: tuple[str, ...]) -> str:
        law = self.config.physics.modulation
        felt = [m for m in self.data if not m.interstellar]
        if not isinstance(law, ForceField):
            return ""
        own = {m.experiment for m in felt if law.potential_for(m.experiment) != law.potential}
        if path[0] == "potential":
            return (
                ""
                if any(m.experiment not in own for m in felt)
                else "no data set of this fit is modulated with it"
            )
        probe = law.model_copy(update={"by_experiment": {path[1]: law.potential + 1.0}})
        hit = any(probe.potential_for(m.experiment) != probe.potential for m in felt)
        return "" if hit else f"no data set of this fit is of {quoted(path[1])}"

    def _idle_cutoff(self, path: tuple[str, ...]) -> str:
        if path[3] != "injection" or path[5:] != ("cutoff_sharpness",):
            return ""
        law = self.config.physics.sources[path[2]].injection[path[4]]
        return "there is no cutoff there" if getattr(law, "cutoff", None) is None else ""

    def _idle_source(self, path: tuple[str, ...]) -> str:
        if path[0] == "normalisation":
            alone = len(self.config.physics.sources) == 1
            ratios = all(m.denominator for m in self.data)
            return "scales everything alike, and all data are ratios" if alone and ratios else ""
        if path[0] not in ("abundances", "injection") or path[1] == "default":
            return ""
        mine = {name for name in self.felt if path[1] in (name, element(name))}
        return "" if mine else f"no datum of this fit depends on {quoted(path[1])}"

    def _idle_point_source(self, path: tuple[str, ...]) -> str:
        assert isinstance(self.config, JointConfig)
        if self.dipoles:  # which count all nuclei
            return ""
        mine = set(self.config.point_sources.sources[path[0]].species)
        measured = {name for m in self.data for name in self.measured(m)}
        return "" if mine & measured else f"no data set of this fit is of the species of {quoted(path[0])}"

    def _idle_channel(self, key: str) -> str:
        *parent, child = (part.strip() for part in key.split("->"))
        made = {c for c in self.felt & set(self.parents) if child in (c, _element(c))}
        if parent:
            made = {c for c in made if any(parent[0] in (p, _element(p)) for p in self.parents[c])}
        return "" if made else f"no datum of this fit depends on the channel {quoted(key)}"


def _element(name: str) -> str:
    species: Species | None = nuclides().get(name)
    return species.element if species else name
