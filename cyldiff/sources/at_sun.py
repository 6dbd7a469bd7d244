"""One species of all sources at the Sun: what the evaluators of point sources hand to the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cyldiff.constants import SPEED_OF_LIGHT
from cyldiff.errors import CyldiffError
from cyldiff.grid import Kinematics
from cyldiff.particles.species import Species
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.component import FLUX_UNIT
from cyldiff.sources.model import PropagationModel
from cyldiff.sources.propagation import propagation_at_sun
from cyldiff.sources.segments import Segments
from cyldiff.sources.validity import validity

if TYPE_CHECKING:
    from cyldiff.sources.response import SourceResponse

__all__ = ["AtSun", "response_at_sun", "to_intensity"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AtSun:
    """One species of every source.

    Attributes
    ----------
    flux : intensity, shape (n, n_e) [m^-2 s^-1 sr^-1 (GeV/n)^-1]
    gradient : of the logarithm of the density along r, phi, z, shape (n, n_e, 3) [1/kpc]; 0 where nothing is
    flags : where it is doubtful, shape (n, n_e), see :mod:`cyldiff.sources.validity`
    """

    flux: Array
    gradient: Array
    flags: NDArray[np.int8]

    @classmethod
    def of_pieces(
        cls,
        nucleus: Species,
        energy: Array,
        segments: Segments,
        count: int,
        density: Array,
        gradient: Array,
        flags: NDArray[np.int8],
    ) -> AtSun:
        """Sum the pieces of every source: density N(T) of each, (n_pieces, n_e), and gradients (..., 3)."""
        total, slope = np.zeros((count, len(energy))), np.zeros((count, len(energy), 3))
        np.add.at(total, segments.source, density)
        np.add.at(slope, segments.source, gradient)
        relative = np.divide(slope, total[..., None], out=np.zeros_like(slope), where=total[..., None] > 0.0)
        return cls(total * to_intensity(nucleus, energy), relative, flags)


def to_intensity(nucleus: Species, energy: Array) -> Array:
    """J / N = beta c / 4 pi: from a density per kinetic energy to an intensity.

    Parameters
    ----------
    energy : kinetic energy per nucleon, shape (n_e,) [GeV/n]

    Returns
    -------
    ndarray, shape (n_e,) [m^-2 s^-1 sr^-1 kpc^3]
    """
    k = Kinematics(energy, nucleus.Z, nucleus.A, nucleus.mass_per_nucleon)
    return k.beta * SPEED_OF_LIGHT / (4.0 * np.pi) * FLUX_UNIT


def response_at_sun(
    catalogue: Catalogue,
    model: PropagationModel,
    energy: Array,
    stored: Mapping[str, SourceResponse] | None = None,
) -> tuple[list[AtSun], str]:
    """What the adjoint solve on the grid says, for any D(r, z, R), and what it leaves out.

    Parameters
    ----------
    stored : responses by species that are solved already, of the same model; default: solve them

    Raises
    ------
    CyldiffError
        for leptons, of which the response of the grid knows nothing.
    """
    from cyldiff.sources.response import source_response

    leptons = [s.name for s in catalogue.species if s.is_lepton]
    if leptons:
        raise CyldiffError(
            f"{model.name}: D depends on the place or on the direction, and the response of the grid knows nuclei, "
            f"not {', '.join(leptons)}. Ask by name for a closed form with D at the Sun everywhere: --kernel halo "
            "or --kernel free; the file will say so"
        )
    sun = model.physics.observer
    segments, spectra = catalogue.segments(sun), catalogue.spectra(catalogue.species, energy)
    here = np.array([-sun.r, 0.0, sun.z])
    parts, changes = [], []
    for i, nucleus in enumerate(catalogue.species):
        if stored is not None:
            response = stored[nucleus.name]
        else:
            response = source_response(
                model.run or model.physics,
                species=nucleus.name,
                kinetic_energy=energy,
                ages=[1.01 * float(segments.oldest.max())],
                coupling="decoupled",
            )
        injected = spectra[:, i]
        if response.coupled:
            injected = catalogue.spectra((nucleus,), response.injected_energy)[:, 0]
        density, gradient = response.evaluate(segments, injected, energy)
        travel = propagation_at_sun(model.physics, nucleus, energy, kernel="halo", edge=True)
        flags = validity(segments, len(catalogue), here, travel, model.physics.halo)
        parts.append(AtSun.of_pieces(nucleus, energy, segments, len(catalogue), density, gradient, flags))
        changes.append(float(np.max(response.neglected)))
    if not max(changes) > 0.0:
        return parts, ""
    return parts, f"motion in momentum, {100.0 * max(changes):.2g} % of the flux or less"
