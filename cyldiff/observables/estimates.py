"""Estimates made for sources of cosmic rays with jets: what they do for the Galaxy, how far they accelerate.

A power P per ln E (the energy-weighted injection E^2 Q), a disc of radius R, a halo of half-height H.
LHAASO 2024 (black-hole jets, Methods): a leaky box, in which particles stay for H^2 / 4 D in the volume 2 pi R^2 H,

    E^2 J = (c / 4 pi) P t / (2 pi R^2 H),   t = H^2 / 4 D.

Diffusion from a thin disc out of the halo, one-dimensional and exact, n(0) = Q H / (2 D pi R^2), is four times as
much: the mean time a particle spends in the halo is H^2 / 2 D, and the density at the disc is twice the mean.
"""

from __future__ import annotations

import numpy as np

from cyldiff import constants as const

__all__ = [
    "diffusion_bound",
    "jet_maximum_energy",
    "leaky_box_intensity",
    "residence_time",
    "thin_disc_intensity",
]


def residence_time(diffusion: float, half_height: float) -> float:
    """H^2 / 4 D [Myr], D [kpc^2/Myr], H [kpc]."""
    return half_height**2 / (4.0 * diffusion)


def leaky_box_intensity(power: float, *, diffusion: float, half_height: float, radius: float) -> float:
    """E^2 J of a leaky box.

    Parameters
    ----------
    power : E^2 Q of all sources [GeV/Myr]
    diffusion : D at that energy [kpc^2/Myr]
    half_height, radius : of the halo [kpc]

    Returns
    -------
    float       E^2 J [GeV cm^-2 s^-1 sr^-1]
    """
    volume = 2.0 * np.pi * radius**2 * half_height * const.KPC_CM**3
    stored = power * residence_time(diffusion, half_height)
    return float(const.SPEED_OF_LIGHT_CM_S / (4.0 * np.pi) * stored / volume)


def thin_disc_intensity(power: float, *, diffusion: float, half_height: float, radius: float) -> float:
    """E^2 J in the middle of a thin disc of sources; arguments as :func:`leaky_box_intensity`."""
    column = power * half_height / (2.0 * diffusion * np.pi * radius**2)
    return float(const.SPEED_OF_LIGHT_CM_S / (4.0 * np.pi) * column / const.KPC_CM**3)


def diffusion_bound(distance: float, age: float) -> float:
    """D with which particles reach a distance [kpc] in a time [Myr]: d^2 / 4 t [kpc^2/Myr].

    LHAASO 2024 bounds D around SS 433 by it: 4e28 cm^2/s for a cloud at 100 pc and 20 kyr.
    """
    return distance**2 / (4.0 * age)


def jet_maximum_energy(power: float, magnetisation_speed: float) -> float:
    """Highest energy of protons in a jet [GeV]: 10 PeV (L / 1e38 erg/s)^1/2 (sigma v / c)^1/2.

    Aharonian & Zhang, Eq. 3, for a kinetic power L [GeV/Myr] and the product of magnetisation and v/c.
    """
    scale = power / (1e38 * const.ERG_GEV * const.MYR_S)
    return float(1e7 * np.sqrt(scale * magnetisation_speed))
