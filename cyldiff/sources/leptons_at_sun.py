"""Electrons and positrons of a catalogue at the Sun: the closed form with losses, in the medium around the Sun."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cyldiff.constants import SPEED_OF_LIGHT
from cyldiff.errors import CyldiffError
from cyldiff.particles.species import Species
from cyldiff.sources.at_sun import AtSun, to_intensity
from cyldiff.sources.catalogue import Catalogue
from cyldiff.sources.cooling import Cooling, electron
from cyldiff.sources.leptons import lepton_green
from cyldiff.sources.model import PropagationModel
from cyldiff.sources.superposition import PointPropagation
from cyldiff.sources.validity import validity
from cyldiff.transport.lepton_losses import local_medium

__all__ = ["leptons_at_sun"]

Array = NDArray[np.float64]

#: the table of losses reaches this far beyond the energies asked for, and beyond the highest cut-off
_ABOVE = 100.0


def leptons_at_sun(
    catalogue: Catalogue,
    lepton: Species,
    model: PropagationModel,
    energy: Array,
    *,
    half_height: float | None,
    to_sun: Array,
) -> AtSun:
    """Electrons or positrons of every source.

    Gas, magnetic and radiation field are those at the Sun, and D is, everywhere; the radial edge is left out.

    Parameters
    ----------
    energy : kinetic energies, shape (n_e,) [GeV]
    half_height : of the halo [kpc]; None: free space
    to_sun : rotation of a vector (x, y, z) to its parts along r, phi, z at the Sun

    Raises
    ------
    CyldiffError
        if the model has no magnetic field or no radiation field.
    """
    physics, sun = model.physics, model.physics.observer
    missing = [name for name in ("magnetic_field", "radiation_field") if getattr(physics, name) is None]
    if missing:
        raise CyldiffError(
            f"{model.name}: sources of {lepton.name}s need physics.{' and physics.'.join(missing)}; add "
            'e.g. magnetic_field = { kind = "uniform", B0 = "5 uG" }, radiation_field = { kind = "delahaye-2010" }'
        )
    medium = local_medium(
        sun.r,
        sun.z,
        gas=physics.gas,
        magnetic_field=physics.magnetic_field,
        radiation_field=physics.radiation_field,
    )
    cutoffs = [s.spectrum.cutoff for s in catalogue.sources if s.spectrum is not None]
    top = _ABOVE * max([float(energy[-1]), *(c for c in cutoffs if c is not None)])
    cooling = Cooling.of_medium(
        medium, physics.diffusion, r=sun.r, z=sun.z, minimum=0.5 * float(energy[0]), maximum=top
    )
    segments = catalogue.segments(sun)
    here = np.array([-sun.r, 0.0, sun.z])
    found, slope = lepton_green(
        segments, _laws(catalogue, lepton), here, energy, cooling=cooling, half_height=half_height
    )
    density, gradient = np.zeros((len(catalogue), len(energy))), np.zeros((len(catalogue), len(energy), 3))
    density[: len(found)], gradient[: len(slope)] = found[:, 0], slope[:, 0] @ to_sun.T
    relative = np.divide(
        gradient, density[..., None], out=np.zeros_like(gradient), where=density[..., None] > 0.0
    )
    k = electron(energy)
    D = physics.diffusion.coefficient(k.rigidity, k.beta, np.array([sun.r]), np.array([sun.z]), axis="z")
    travel = PointPropagation(
        diffusion=np.broadcast_to(np.asarray(D, dtype=float), energy.shape).copy(),
        speed=k.beta * SPEED_OF_LIGHT,
        half_height=half_height,
    )
    flags = validity(segments, len(catalogue), here, travel, physics.halo)
    return AtSun(density * to_intensity(lepton, energy), relative, flags)


def _laws(catalogue: Catalogue, lepton: Species) -> list[Callable[[Array], Array]]:
    """dN/dT of the lepton per GeV of a piece, for every number of a spectrum."""

    def law(number: int) -> Callable[[Array], Array]:
        def per_energy(kinetic_energy: Array) -> Array:
            flat = np.asarray(kinetic_energy, dtype=float).ravel()
            return catalogue.spectra((lepton,), flat)[number, 0].reshape(np.shape(kinetic_energy))

        return per_energy

    count = int(catalogue.spectra((lepton,), np.ones(1)).shape[0])
    return [law(number) for number in range(count)]
