"""Which components of spectra the chosen data can feel; the counterpart of :mod:`cyldiff.fit.influence`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cyldiff.data.measurements import Measurement
from cyldiff.errors import nearest, quoted
from cyldiff.fit.components import SpectrumConfig
from cyldiff.observables.spectra import standard_name
from cyldiff.particles.species import nuclides

__all__ = ["SpectraInfluence"]


class SpectraInfluence:
    """What data feel, given the species of the components."""

    def __init__(self, config: SpectrumConfig, data: Sequence[Measurement]) -> None:
        self.data = list(data)
        self.names = {
            name: {one.species, nuclides()[one.species].element} for name, one in config.spectrum.items()
        }

    def uncovered(self, ranges: Sequence[tuple[float, float]]) -> list[tuple[int, str]]:
        """Data sets that no component stands for, with the reason; components reach all energies."""
        known = set().union(*self.names.values())
        problems = []
        for i, m in enumerate(self.data):
            absent = [n for n in (*m.numerator, *m.denominator) if standard_name(n) not in known]
            if absent:
                hint = nearest(absent[0], known)
                problems.append(
                    (i, f"{m.name} needs {', '.join(absent)}, of which there is no component{hint}")
                )
        return problems

    def idle(self, paths: Iterable[tuple[str, ...]]) -> str:
        """Why no datum depends on what stands at these paths; empty if one may."""
        wanted = {standard_name(n) for m in self.data for n in (*m.numerator, *m.denominator)}
        idle = [path[1] for path in paths if not wanted & self.names[path[1]]]
        return (
            ""
            if not idle or len(idle) < len(list(paths))
            else (f"no data set of this fit is of the species of {quoted(idle[0])}")
        )
