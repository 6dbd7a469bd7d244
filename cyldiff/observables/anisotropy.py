"""The anisotropy at the Sun: dipoles of components, point sources and species, added as arrays see them.

At fixed energy per particle (air showers), or at fixed rigidity::

    delta(E) = sum_k J_k(E) delta_k(E) / sum_k J_k(E)       k over components, sources and species

with D of each nucleus at its own rigidity. Everything comes from the saved result and source list; a weight
multiplies a component without any new solve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import DataError, nearest, quoted
from cyldiff.galaxy.coordinates import equatorial_vector
from cyldiff.observables.abscissa import Abscissa, Nuclide, abscissa_named
from cyldiff.observables.anisotropy_parts import Part, parts_of_result, parts_of_sources
from cyldiff.observables.dipole import (
    along_sun,
    diffusive_dipole,
    equatorial_projection,
    first_harmonic,
    streaming_dipole,
)
from cyldiff.observables.interpolation import LogLogCurve
from cyldiff.observables.local_transport import LocalTransport, same_model
from cyldiff.observables.spectra import members, nuclide_of

__all__ = ["COMPTON_GETTING", "anisotropy", "mixture", "supported_range"]

Array = NDArray[np.float64]

#: name of the part that the motion of the observer makes
COMPTON_GETTING = "compton-getting"
#: what "at" may be, and the abscissa of each
AT = {"energy": "total_energy", "rigidity": "rigidity"}


def anisotropy(
    dataset: xr.Dataset,
    *,
    sources: xr.Dataset | None = None,
    energies: ArrayLike | None = None,
    species: str = "all",
    at: str = "energy",
    weights: Mapping[str, float] | None = None,
    wind: bool = False,
    motion: ArrayLike | None = None,
    band: tuple[float, float] | None = None,
    transport: LocalTransport | None = None,
) -> xr.Dataset:
    """Dipole of a result against energy, whole and by part.

    Parameters
    ----------
    dataset : xarray.Dataset    a result at one time
    sources : optional          point sources: ``flux_lis(source, species, kinetic_energy)`` and
                                ``gradient_lis(source, species, kinetic_energy, direction)`` of the logarithm
    energies : optional         where [GeV, total energy per particle; GV at fixed rigidity]; default: all
                                that the result supports, in the steps of its grid
    species : str               "p", "p+He", "all" nuclei, or species and elements joined by "+"
    at : str                    "energy" or "rigidity": at what species are added
    weights : optional          factors of components and sources by name
    wind : bool                 add what the Galactic wind sweeps past the Sun
    motion : optional           velocity of the observer through the cosmic rays, Galactic frame [kpc/Myr]
    band : optional             declinations [deg] that are seen: amplitudes become first harmonics of the
                                counts from there; default: amplitude of the equatorial dipole
    transport : optional        laws of motion at the Sun; default: those of the run

    Returns
    -------
    Dataset                     over `energy` (or `rigidity`): ``vector`` (Galactic x, y, z), ``amplitude``,
                                ``phase`` (right ascension of the excess [deg]), ``declination``; the same by
                                `part` with the ending ``_part``, parts adding up to the whole vector; and
                                ``share`` of a part in the intensity. The dipole of a part by itself is its
                                vector over its share.

    Raises
    ------
    DataError
        for names that do not exist, energies outside the range, or files that lack what is needed.
    """
    axis = _axis(at)
    names = mixture(dataset, species)
    parts = _weighted([*parts_of_result(dataset), *parts_of_sources(sources, dataset)], weights or {})
    nuclides = {name: nuclide_of(dataset, name) for name in names}
    x = _where(energies, axis, nuclides, parts)
    laws = transport or LocalTransport.of(dataset)
    if sources is not None:
        same_model(dataset, sources)
    added = [_Sum.of(part, nuclides, axis, x, laws, wind=wind, motion=motion) for part in parts]
    labels = [part.name for part in parts]
    intensity = np.array([one.intensity for one in added])
    flow = np.array([one.flow for one in added])
    if motion is not None:
        labels.append(COMPTON_GETTING)
        intensity = np.concatenate([intensity, np.zeros((1, x.size))])
        flow = np.concatenate([flow, [np.sum([one.seen_moving for one in added], axis=0)]])
    with np.errstate(divide="ignore", invalid="ignore"):
        total = intensity.sum(axis=0)
        described = _described(labels, axis, x, flow / total[:, None], intensity / total, band)
    return described.assign_attrs(
        species=", ".join(names), mixture=species, at=at, wind=int(wind),
        weights=", ".join(f"{part.name}={part.weight:g}" for part in parts if part.weight != 1.0),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sum:
    """Sums over the species of a part.

    Attributes
    ----------
    intensity : J, shape (n,)
    flow : J delta, shape (n, 3)
    seen_moving : J delta that the motion of the observer adds, shape (n, 3)
    """

    intensity: Array
    flow: Array
    seen_moving: Array

    @classmethod
    def of(
        cls,
        part: Part,
        nuclides: Mapping[str, Nuclide],
        axis: Abscissa,
        x: Array,
        laws: LocalTransport,
        *,
        wind: bool,
        motion: ArrayLike | None,
    ) -> _Sum:
        intensity, flow, seen_moving = np.zeros(x.shape), np.zeros((x.size, 3)), np.zeros((x.size, 3))
        for name, nuclide in nuclides.items():
            if name not in part.species:
                continue
            energy = axis.kinetic_energy(x, nuclide)
            kinematics = nuclide.kinematics(energy)
            curve = LogLogCurve(part.kinetic_energy, part.flux_of(name))
            here = part.weight * curve(energy) * axis.jacobian(energy, nuclide)
            diffusion = laws.along(part.directions, kinematics.rigidity, kinematics.beta)
            dipole = diffusive_dipole(part.gradient_at(name, energy), diffusion, kinematics.beta)
            # a spectrum that has run out has no slope; it is multiplied with an intensity of 0
            slope = np.nan_to_num(curve.slope(energy)) / kinematics.dlnp_dlnT
            intensity += here
            flow += here[:, None] * along_sun(dipole, part.directions)
            if wind:
                flow -= here[:, None] * streaming_dipole(laws.wind, slope, kinematics.beta)
            if motion is not None:
                seen_moving += here[:, None] * streaming_dipole(motion, slope, kinematics.beta)
        return cls(intensity, flow, seen_moving)


def mixture(dataset: xr.Dataset, species: str) -> tuple[str, ...]:
    """Species of a result that a mixture stands for: "p", "p+He", "all" nuclei, or names joined by "+".

    Raises
    ------
    DataError
        naming the nearest, if something is not in the result.
    """
    if species.strip() == "all":
        kept = (dataset["charge"].values > 0) & (dataset["mass_number"].values > 0)
        found = tuple(str(name) for name in dataset["species"].values[kept])
        if not found:
            raise DataError("the result holds no nuclei")
        return found
    wanted = ["H1" if name.strip() in ("p", "proton") else name.strip() for name in species.split("+")]
    if not all(wanted):
        raise DataError(f'species {quoted(species)}: expected "p", "p+He", "all", or names joined by "+"')
    return members(dataset, wanted)


def supported_range(
    nuclides: Mapping[str, Nuclide], parts: Sequence[Part], at: str = "energy"
) -> tuple[float, float]:
    """Lowest and highest energy [GeV] (rigidity [GV]) that all parts know of all species.

    Raises
    ------
    DataError
        if there is none.
    """
    axis = _axis(at)
    ends = [axis.of(part.kinetic_energy[[0, -1]], nuclide) for part in parts for nuclide in nuclides.values()]
    low, high = max(end[0] for end in ends), min(end[1] for end in ends)
    if not low < high:
        raise DataError(f"the species {', '.join(nuclides)} have no {axis.long_name} in common")
    # back on the way through T the ends may fall outside by rounding
    return float(low) * (1.0 + 1e-12), float(high) * (1.0 - 1e-12)


def _axis(at: str) -> Abscissa:
    if at not in AT:
        raise DataError(f"at {quoted(at)} unknown; known: {', '.join(AT)}{nearest(at, AT)}")
    return abscissa_named(AT[at])


def _weighted(parts: Sequence[Part], weights: Mapping[str, float]) -> list[Part]:
    """The parts with their factors; all that is wrong with the factors in one message."""
    names = [part.name for part in parts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{', '.join(twice)}: a component and a source, or two sources, have the same name")
    wrong = [
        f"{quoted(name)} unknown; known: {', '.join(names)}{nearest(name, names)}"
        for name in weights
        if name not in names
    ]
    wrong += [
        f"{name}={factor:g}: expected a finite factor of at least 0"
        for name, factor in weights.items()
        if not 0.0 <= factor < np.inf
    ]
    if wrong:
        raise DataError("weight: " + "; ".join(wrong))
    return [part.times(float(weights.get(part.name, 1.0))) for part in parts]


def _where(
    energies: ArrayLike | None, axis: Abscissa, nuclides: Mapping[str, Nuclide], parts: Sequence[Part]
) -> Array:
    """Where to evaluate; refuses what is outside the range of any part."""
    at = next(key for key, name in AT.items() if name == axis.name)
    low, high = supported_range(nuclides, parts, at)
    if energies is None:
        t = parts[0].kinetic_energy
        steps = max(round(np.log(high / low) / np.log(t[-1] / t[0]) * (t.size - 1)), 1)
        x = np.geomspace(low, high, steps + 1)
        x[0], x[-1] = low, high
        return x
    x = np.atleast_1d(np.asarray(energies, dtype=float))
    if x.ndim != 1 or x.size == 0 or not np.all(np.isfinite(x) & (x > 0.0)):
        raise DataError(f"{axis.long_name}: expected positive numbers")
    outside = x[(x < low * (1.0 - 1e-9)) | (x > high * (1.0 + 1e-9))]
    if outside.size:
        raise DataError(
            f"{axis.long_name} {', '.join(f'{value:.4g}' for value in outside[:5])}{' …' if outside.size > 5 else ''} "
            f"{axis.unit} not in the result; expected {low:.6g} to {high:.6g} {axis.unit} "
            f"for {', '.join(nuclides) if len(nuclides) < 6 else f'these {len(nuclides)} nuclides'}"
        )
    return np.clip(x, low, high)


def _described(
    labels: list[str], axis: Abscissa, x: Array, vector: Array, share: Array, band: tuple[float, float] | None
) -> xr.Dataset:
    """Vectors by part, shape (parts, n, 3), as a dataset of them, their sum and their projections."""
    name = "energy" if axis.name == "total_energy" else axis.name
    whole = vector.sum(axis=0)
    data = {}
    for ending, dims, one in (("", (name,), whole), ("_part", ("part", name), vector)):
        amplitude, phase, declination = equatorial_projection(one)
        if band is not None:
            # the denominator is that of all counts: parts go on adding up to the whole
            amplitude = first_harmonic(amplitude, equatorial_vector(whole)[..., 2], band)
        data[f"vector{ending}"] = ((*dims, "direction"), one, {"units": "1", "long_name": "dipole"})
        data[f"amplitude{ending}"] = (
            dims,
            amplitude,
            {"units": "1", "long_name": "amplitude of the dipole in the equatorial plane"},
        )
        data[f"phase{ending}"] = (
            dims,
            phase,
            {"units": "degree", "long_name": "right ascension of the excess"},
        )
        data[f"declination{ending}"] = (
            dims,
            declination,
            {"units": "degree", "long_name": "declination of the dipole"},
        )
    data["share"] = (("part", name), share, {"units": "1", "long_name": "share of a part in the intensity"})
    attrs = {"units": axis.unit, "long_name": axis.long_name}
    return xr.Dataset(data, coords={name: (name, x, attrs), "part": labels, "direction": ["x", "y", "z"]})
