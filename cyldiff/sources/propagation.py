"""How particles of point sources travel in a propagation model, where it has a closed form.

D is that of the nucleus' own rigidity; decay, and collisions with the gas column at the Sun, remove particles on the
way. What the closed forms leave out (reacceleration, wind, energy losses) is said in words, with how much it
would matter at the lowest energy asked for. Where D depends on the place, or on the direction, there is no closed
form, and none is used unless it is asked for by name.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad

from cyldiff.config.schema import PhysicsConfig
from cyldiff.constants import SPEED_OF_LIGHT
from cyldiff.errors import CyldiffError
from cyldiff.grid import Kinematics
from cyldiff.particles.species import Species
from cyldiff.sources.superposition import PointPropagation
from cyldiff.transport.collisions import collision_rate, decay_rate

__all__ = [
    "KERNELS",
    "default_kernel",
    "gas_column",
    "is_uniform",
    "left_out",
    "propagation_at_sun",
    "require_uniform",
    "uniform_propagation",
]

Array = NDArray[np.float64]

#: closed forms, and the response of the grid
KERNELS = ("free", "halo", "grid")
_AXES = ("r", "phi", "z")
#: rigidities [GV] at which two places are compared
_RIGIDITIES = np.geomspace(1.0, 1e9, 10)
#: what is less than this at the lowest energy is not worth mentioning
_MENTIONED = 0.01


def is_uniform(physics: PhysicsConfig) -> bool:
    """Whether D is the same everywhere in the halo and in all directions."""
    halo = physics.halo
    r = np.linspace(0.0, halo.radius, 11)[:, None]
    z = np.linspace(-halo.half_height, halo.half_height, 41)[None, :]
    beta = np.ones((len(_RIGIDITIES), 1, 1))
    rigidity = _RIGIDITIES[:, None, None]
    values = [
        np.broadcast_to(physics.diffusion.coefficient(rigidity, beta, r, z, axis=axis), (10, 11, 41))
        for axis in _AXES
    ]
    return bool(np.allclose(np.stack(values), values[0][:, :1, :1], rtol=1e-9, atol=0.0))


def default_kernel(physics: PhysicsConfig) -> str:
    """The closed form of the halo where D is uniform, the response of the grid elsewhere."""
    return "halo" if is_uniform(physics) else "grid"


def uniform_propagation(
    physics: PhysicsConfig,
    species: Species,
    kinetic_energy: Array,
    *,
    kernel: str = "halo",
    edge: bool = False,
) -> PointPropagation:
    """How one nuclide travels in a model whose D is uniform.

    Parameters
    ----------
    physics : the model
    species : a nucleus
    kinetic_energy : per nucleon, shape (n_e,) [GeV/n]
    kernel : "halo", escape at |z| = H, or "free" space
    edge : also escape at r = R

    Raises
    ------
    CyldiffError
        if D depends on the place or the direction: there is no closed form.
    """
    _refuse_other_than_uniform(physics)
    return propagation_at_sun(physics, species, kinetic_energy, kernel=kernel, edge=edge)


def require_uniform(physics: PhysicsConfig, *, named: bool) -> None:
    """Refuse a closed form for a model that has none, unless the kernel was asked for by name."""
    if not named:
        _refuse_other_than_uniform(physics)


def _refuse_other_than_uniform(physics: PhysicsConfig) -> None:
    if not is_uniform(physics):
        raise CyldiffError(
            f'D of kind "{physics.diffusion.kind}" depends on the place or on the direction: particles of a point '
            "source have no closed form there. Use the response of the grid (kernel grid), or ask by name for "
            "free space or the uniform halo (--kernel free, --kernel halo), which then have D at the Sun everywhere"
        )


def propagation_at_sun(
    physics: PhysicsConfig,
    species: Species,
    kinetic_energy: Array,
    *,
    kernel: str = "halo",
    edge: bool = False,
) -> PointPropagation:
    """As :func:`uniform_propagation`, with D at the Sun taken for D everywhere, whatever the model says.

    Where D has a direction it is the mean of the three axes.
    """
    sun = physics.observer
    k = Kinematics(np.asarray(kinetic_energy, dtype=float), species.Z, species.A, species.mass_per_nucleon)
    r, z = np.array([sun.r]), np.array([sun.z])
    along = [
        physics.diffusion.coefficient(k.rigidity[:, None], k.beta[:, None], r, z, axis=axis)[:, 0]
        for axis in _AXES
    ]
    sigma = physics.inelastic.sigma(species, k.kinetic_energy)
    rate = collision_rate(sigma, k.beta, physics.gas.helium_fraction)
    return PointPropagation(
        diffusion=np.mean(along, axis=0),
        speed=k.beta * SPEED_OF_LIGHT,
        half_height=physics.halo.half_height if kernel == "halo" else None,
        edge=physics.halo.radius if edge else None,
        decay_rate=decay_rate(species.half_life, k.gamma),
        disc_rate=rate * gas_column(physics),
    )


def gas_column(physics: PhysicsConfig) -> float:
    """H nuclei through the whole disc at the Sun's radius, mean over phi [kpc / cm^3]."""
    gas, height = physics.gas, physics.halo.half_height
    r = np.array([physics.observer.r])

    def density(z: float) -> float:
        return float((gas.neutral(r, np.array([z])) + gas.ionised(r, np.array([z])))[0])

    # the layers are thin: split where they jump, and logarithmically towards the plane
    inner = [e for e in (*gas.edges, 0.01, 0.03, 0.1, 0.3, 1.0) if e < height]
    breaks = sorted({-height, *(-e for e in inner), 0.0, *inner, height})
    return sum(quad(density, a, b, epsabs=0.0, epsrel=1e-7)[0] for a, b in pairwise(breaks))


def left_out(physics: PhysicsConfig, species: Species, kinetic_energy: Array) -> list[str]:
    """What the closed forms leave out, with how much it would matter at the lowest energy; empty if nothing.

    Measured against the time H^2 / 2 D that particles of the disc stay in the halo.
    """
    lowest = np.min(kinetic_energy, keepdims=True)
    travel = propagation_at_sun(physics, species, lowest)
    D, height = float(travel.diffusion[0]), physics.halo.half_height
    stay = 0.5 * height**2 / D
    r, z = np.array([physics.observer.r]), np.array([physics.observer.z])
    D_pp = physics.reacceleration.rate(np.array([D]), physics.diffusion.slope(r, z))
    effects = [
        ("reacceleration, D_pp H^2 / 2 D p^2", 0.0 if D_pp is None else float(np.max(D_pp)) * stay),
        ("wind, V H / D", _wind(physics) * height / D),
    ]
    said = [
        f"{name} = {size:.2g} at {float(lowest[0]):.3g} GeV/n" for name, size in effects if size > _MENTIONED
    ]
    if physics.energy_losses and float(lowest[0]) < 10.0:
        said.append("ionisation and Coulomb losses")
    return said


def _wind(physics: PhysicsConfig) -> float:
    """Speed of the wind at the top of the halo [kpc/Myr]."""
    return float(physics.convection.velocity(physics.halo.half_height))
