"""Production (spallation) cross sections: what a nucleus leaves behind on hydrogen and helium.

Cumulative cross sections: a short-lived fragment counts as the nuclide it decays to, once and for
all. The kinds differ in where their channels come from; ``docs/theory/cross-sections.md`` has the
numbers side by side. Every kind takes nuisance factors per group of channels (``scale``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import AfterValidator, Field

from cyldiff.config.base import Model, Number
from cyldiff.errors import DataError
from cyldiff.particles.cross_sections import Extrapolation, FloatArray, check_energies
from cyldiff.particles.spallation_sets import (
    ChannelSet,
    FitSource,
    Layer,
    LithiumSource,
    TableSource,
    stack,
)
from cyldiff.particles.species import Species, element, hint, nuclides
from cyldiff.registry import register
from cyldiff.resources import Table, folder, read_table

__all__ = ["Evoli2019", "Spallation", "Webber2003", "Wks1998", "check_scale", "scale_factors"]

_ARROW = "->"


def check_scale(scale: Mapping[str, float]) -> dict[str, float]:
    """Check the keys and values of nuisance factors.

    Raises
    ------
    ValueError
        naming every unknown name with the nearest known one, and every factor that is negative or
        not finite.
    """
    known = [*dict.fromkeys(s.element for s in nuclides().values()), *nuclides()]
    problems = []
    for key, factor in scale.items():
        parts = [part.strip() for part in key.split(_ARROW)]
        if len(parts) > 2:
            problems.append(f'"{key}" is no channel; write e.g. "C12->B11", "O16->Li", "B" or "Be10"')
        problems += [f'"{p}" in "{key}" is unknown{hint(p, known)}' for p in parts if p not in known]
        if not (np.isfinite(factor) and factor >= 0):
            problems.append(f'factor {factor:g} of "{key}" must be a number from 0 upwards')
    if problems:
        raise ValueError("; ".join(problems))
    return dict(scale)


def scale_factors(
    scale: Mapping[str, float], parents: NDArray[np.str_], children: NDArray[np.str_]
) -> FloatArray:
    """Product of the nuisance factors that apply to each channel, shape (n,).

    A key is a child (``"Be10"``, or ``"B"`` for all isotopes of an element) or ``parent->child``,
    each side a nuclide or an element.
    """
    factors = np.ones(len(parents))
    for key, factor in scale.items():
        *parent, child = (part.strip() for part in key.split(_ARROW))
        applies = _matches(children, child)
        if parent:
            applies &= _matches(parents, parent[0])
        factors[applies] *= factor
    return factors


def _matches(names: NDArray[np.str_], wanted: str) -> NDArray[np.bool_]:
    if wanted in nuclides():
        return np.asarray(names == wanted)
    return np.array([element(str(name)) == wanted for name in names], dtype=bool)


#: nuisance factors by group of channels, checked
Scale = Annotated[dict[str, Number], AfterValidator(check_scale)]


class Spallation(Model):
    """Base of the kinds: cumulative production cross sections with nuisance factors.

    Parameters
    ----------
    extrapolation : "refuse" or "constant"
        outside the energies of a table: an error, or its last value. Fits and single
        measurements need none.
    scale : dict
        factor by child element (``"B"``), child nuclide (``"Be10"``) or channel (``"C12->B11"``,
        ``"O16->Li"``); where several apply they multiply. They act on the cumulative cross
        section, before the decay of long-lived nuclides: ``"B"`` leaves 10Be alone.
    """

    extrapolation: Extrapolation = Field(
        default="refuse", description="energies outside a table: an error, or its last value"
    )
    scale: Scale = Field(
        default_factory=dict,
        description='factors by child ("B", "Be10") or channel ("C12->B11"); several multiply',
    )

    set_name: ClassVar[str]

    def sigma(self, parent: Species | str, child: Species | str, kinetic_energy: ArrayLike) -> FloatArray:
        """Cumulative production cross section of one channel.

        Parameters
        ----------
        parent, child : Species or name of a nuclide
        kinetic_energy : array_like, shape (n_T,)   [GeV per nucleon]

        Returns
        -------
        ndarray, shape (2, n_T)                     [mb] on hydrogen and helium; zero for a channel
            that is not in the set

        Raises
        ------
        DataError
            if a name is unknown, or an energy outside the table while `extrapolation` is "refuse".
        """
        energies = check_energies(kinetic_energy)
        pair = (_known_name(parent), _known_name(child))
        channels = _channel_set(self.set_name)
        if pair not in channels.index:
            return np.zeros((2, energies.size))
        rows = np.array([channels.index[pair]])
        return np.asarray(self._evaluate(channels, rows, energies)[0])

    def production(
        self, parents: ArrayLike, kinetic_energy: ArrayLike
    ) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.str_], FloatArray]:
        """All channels of some parents.

        Parameters
        ----------
        parents : array_like of str
        kinetic_energy : array_like, shape (n_T,)   [GeV per nucleon]

        Returns
        -------
        parents, children, origins : ndarray of str, shape (n,)
        sigma : ndarray, shape (n, 2, n_T)          [mb], nuisance factors included

        Raises
        ------
        DataError
            as :meth:`sigma`.
        """
        energies = check_energies(kinetic_energy)
        channels = _channel_set(self.set_name)
        rows = np.flatnonzero(np.isin(channels.parents, np.asarray(parents)))
        sigma = self._evaluate(channels, rows, energies)
        return channels.parents[rows], channels.children[rows], channels.origins[rows], sigma

    def _evaluate(self, channels: ChannelSet, rows: NDArray[np.int64], energies: FloatArray) -> FloatArray:
        factors = scale_factors(self.scale, channels.parents[rows], channels.children[rows])
        return channels.evaluate(rows, energies, self.extrapolation) * factors[:, None, None]


@register("spallation", "evoli-2019")
class Evoli2019(Spallation):
    """Fits of Evoli, Aloisio & Blasi 2019 (PRD 99, 103023) for Li, Be, B from 12C, 14N, 16O.

    On hydrogen, above the threshold E, with T and all energies in MeV per nucleon:
    s0 G² (T-E)² / [(T²-M²)² + G² M²] + s1 (1-E/T)^xi [1 + D / (1 + (2000/T)²)].
    11C is folded into 11B. 14N → 10B and 11B, which have no fit, are the values measured by Webber
    et al. 1990, constant above threshold. Everything else is that of "webber-2003".
    """

    kind: Literal["evoli-2019"] = "evoli-2019"
    set_name: ClassVar[str] = "evoli-2019"


@register("spallation", "webber-2003")
class Webber2003(Spallation):
    """Webber, Soutoul, Kish & Rockstroh 2003 (ApJS 144, 153); 1H to 4He by Coste et al. 2012.

    Cumulative on hydrogen, on helium by the ratio of Ferrando et al. 1988; 0.11 to 10 GeV per
    nucleon. It has no lithium: that comes from the fits of Evoli et al. 2019 (12C, 16O), from single
    measurements, and otherwise follows beryllium.
    """

    kind: Literal["webber-2003"] = "webber-2003"
    set_name: ClassVar[str] = "webber-2003"


@register("spallation", "wks-1998")
class Wks1998(Spallation):
    """The code of Webber, Kish & Schrier 1990 (PRC 41, 566) in its version of 1998.

    Direct cross sections of parents from 9Be to 30Si into fragments from 7Be upwards, ghosts folded
    here; 0.01 to 10 GeV per nucleon. Other parents, and fragments up to lithium, as in "webber-2003".
    """

    kind: Literal["wks-1998"] = "wks-1998"
    set_name: ClassVar[str] = "wks-1998"


def _known_name(species: Species | str) -> str:
    name = species.name if isinstance(species, Species) else species
    if name not in nuclides():
        raise DataError(f'unknown species "{name}"{hint(name)}')
    return name


@lru_cache(maxsize=8)
def _channel_set(name: str) -> ChannelSet:
    """Channels of a kind: which layer goes first is the whole difference between them."""
    measured, fits = _measured(), _evoli_fits()
    webber = TableSource.read(_table("spallation_webber_2003"), "webber-2003")
    light = Layer.fold(TableSource.read(_table("spallation_coste_2012"), "coste-2012"))
    heavy = Layer.fold(webber)
    lithium = _lithium(fits, webber)
    if name == "evoli-2019":
        return stack(Layer.fold(fits, measured), lithium, heavy, light)
    only_lithium = Layer.fold(fits, measured, keep=lambda parent, child: element(child) == "Li")
    if name == "webber-2003":
        return stack(only_lithium, lithium, heavy, light)
    wks = TableSource.read(_table("spallation_wks_1998"), "wks-1998")
    covered = {parent for parent, _ in wks.pairs}
    return stack(
        only_lithium,
        lithium,
        # lithium and alpha particles left by ghosts are part of the inclusive numbers of other layers
        Layer.fold(wks, keep=lambda parent, child: nuclides()[child].A > 7 or child == "Be7"),
        Layer.fold(webber, keep=lambda parent, child: parent not in covered),
        light,
    )


def _lithium(fits: FitSource, webber: TableSource) -> Layer:
    """Lithium by the beryllium rule, for the parents from carbon upwards that have beryllium."""
    with_beryllium = dict.fromkeys(parent for parent, child in webber.pairs if element(child) == "Be")
    parents = [name for name in with_beryllium if nuclides()[name].Z >= 6]
    pairs = tuple((parent, child) for parent in parents for child in ("Li6", "Li7"))
    reference = tuple("C12" if element(parent) == "C" else "O16" for parent, _ in pairs)
    source = LithiumSource("lithium follows beryllium", pairs, reference, fits, webber)
    return Layer.fold(source)


def _evoli_fits() -> FitSource:
    table = _table("spallation_evoli_2019")
    names = (
        "threshold_MeV",
        "resonance_mb",
        "resonance_energy_MeV",
        "resonance_width_MeV",
        "plateau_mb",
        "rise",
        "slope",
    )
    return FitSource("evoli-2019 fit", _pairs(table), np.stack([table[n] for n in names], 1), _evoli_formula)


def _evoli_formula(parameters: FloatArray, energy: FloatArray) -> FloatArray:
    """Evoli et al. 2019: a resonance just above threshold and a plateau that may rise or fall."""
    threshold, s0, centre, width, s1, rise, slope = (column[:, None] for column in parameters.T)
    ratio = np.minimum(threshold / energy, 1.0)
    # rows without a resonance have s0 = 0 and no width; the small term keeps 0 / 0 away
    denominator = (energy**2 - centre**2) ** 2 + (width * centre) ** 2 + np.finfo(float).tiny
    resonance = s0 * width**2 * (energy - threshold) ** 2 / denominator
    plateau = s1 * (1.0 - ratio) ** rise * (1.0 + slope / (1.0 + (2000.0 / energy) ** 2))
    return np.where(energy > threshold, resonance + plateau, 0.0)


def _measured() -> FitSource:
    table = _table("spallation_measured")
    parameters = np.stack([table["threshold_MeV"], table["sigma_mb"]], axis=1)
    return FitSource("single measurement", _pairs(table), parameters, _step)


def _step(parameters: FloatArray, energy: FloatArray) -> FloatArray:
    return np.where(energy > parameters[:, :1], parameters[:, 1:], 0.0)


def _pairs(table: Table) -> tuple[tuple[str, str], ...]:
    return tuple(zip(map(str, table["parent"]), map(str, table["child"]), strict=True))


def _table(stem: str) -> Table:
    return read_table(folder("physics") / "particles" / f"{stem}.csv")
