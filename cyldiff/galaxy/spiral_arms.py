"""Spiral arms in sources and gas: an axisymmetric law times a pattern whose mean over phi is one.

The pattern is a function of (r, phi) alone, so that the law keeps its radial profile, its vertical
profile and its mass; only the azimuth is redistributed. Needs a 3-D grid.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator
from scipy.special import ndtr

from cyldiff import resources
from cyldiff.config.base import Kind, Model, Number, Quantity
from cyldiff.grid import Grid
from cyldiff.registry import register

__all__ = ["LocalArm", "SpiralArmGas", "SpiralArmSources", "SpiralArms"]

Array = NDArray[np.float64]

#: azimuth of the papers' frame (Sun at 90 deg) in ours (Sun at 180 deg), both right-handed
FRAME = 0.5 * np.pi
#: width in radian above which a Gaussian on the circle is summed as a Fourier series
WIDE = 1.8
#: radius [kpc] below which the pattern is that of this radius, uniform to all digits
CENTRE = 1e-3


class LocalArm(Model):
    """A segment of a logarithmic spiral near the Sun, Gaussian across, with soft ends.

    ln(r / radius) = -(beta - azimuth) tan(pitch) for start < beta < end, the form of Reid et al. 2014,
    ApJ 783, 130, Eq. 3. The azimuth beta is zero at the Sun and grows with Galactic rotation, towards
    l = 90 deg: beta = pi - phi. Their Local Arm has radius 8.4 kpc at 8.9 deg, pitch 12.8 deg, width
    0.33 kpc. `width` holds at `radius` and grows like r; `strength` is the crest relative to that of a
    main arm.
    """

    radius: Quantity("length") = Field(gt=0, description="galactocentric radius at `azimuth`")  # type: ignore[valid-type]
    azimuth: Quantity("angle") = Field(  # type: ignore[valid-type]
        description="where the arm has that radius; 0 deg is the azimuth of the Sun"
    )
    pitch: Quantity("angle") = Field(gt=0, lt=60, description="pitch angle, trailing")  # type: ignore[valid-type]
    start: Quantity("angle") = Field(ge=-180, description="azimuth of one end")  # type: ignore[valid-type]
    end: Quantity("angle") = Field(le=180, description="azimuth of the other end, in the sense of rotation")  # type: ignore[valid-type]
    width: Quantity("length") = Field(gt=0, description="Gaussian sigma across the arm")  # type: ignore[valid-type]
    strength: Number = Field(gt=0, description="crest relative to that of a main arm")

    @model_validator(mode="after")
    def _is_a_segment(self) -> LocalArm:
        if not 1.0 <= self.end - self.start <= 270.0:
            raise ValueError(f"from {self.start:g} to {self.end:g} deg; expected an extent of 1 to 270 deg")
        return self

    @property
    def _inverse_pitch(self) -> float:
        return 1.0 / float(np.tan(np.radians(self.pitch)))

    def shape(self, r: Array, phi: Array) -> Array:
        """Height of the arm at (r, phi), 1 on its crest."""
        middle = 0.5 * np.radians(self.start + self.end)
        beta = middle + _wrapped(np.pi - phi - middle)
        crest, across, along = self._geometry(r)
        ends = ndtr((beta - np.radians(self.start)) / along) - ndtr((beta - np.radians(self.end)) / along)
        return np.exp(-0.5 * ((beta - crest) / across) ** 2) * ends

    def mean(self, r: Array) -> Array:
        """Mean of `shape` over the circle at r."""
        crest, across, along = self._geometry(r)
        both = np.hypot(across, along)
        ends = ndtr((crest - np.radians(self.start)) / both) - ndtr((crest - np.radians(self.end)) / both)
        return across / np.sqrt(2.0 * np.pi) * ends

    def _geometry(self, r: Array) -> tuple[Array, float, float]:
        """Azimuth beta of the crest at r, and the Gaussian widths in beta across the arm and at its ends."""
        k = self._inverse_pitch
        crest = np.radians(self.azimuth) - k * np.log(np.maximum(r, CENTRE) / self.radius)
        return crest, float(self.width / self.radius * np.hypot(1.0, k)), float(self.width / self.radius)


class SpiralArms(Model):
    """Four logarithmic arms, theta(r) = k ln(r / r0) + theta0, and a local one if wanted.

    The constants are those of Faucher-Giguere & Kaspi 2006, ApJ 643, 332, Table 2, for the Sun at
    8.5 kpc. Across an arm the profile is a Gaussian of the distance d = r dtheta / sqrt(1 + k^2), the
    same width everywhere (the paper smears by 0.07 r, 0.6 kpc at the Sun): towards the centre the arms
    overlap and leave a disc.
    """

    pattern: Literal["faucher-giguere-kaspi-2006"] = Field(description="published positions of the arms")
    width: Quantity("length") = Field(gt=0, description="Gaussian sigma across an arm")  # type: ignore[valid-type]
    local_arm: LocalArm | None = Field(default=None, description="an additional segment near the Sun")

    def azimuth(self, r: Array) -> dict[str, Array]:
        """Phi of the crest of every arm at r, any multiple of 2 pi [radian]."""
        return {name: k * np.log(r / r0) + theta0 + FRAME for name, k, r0, theta0 in self._arms()}

    def shape(self, r: Array, phi: Array) -> Array:
        """Sum of the arms at (r, phi); 1 on a crest that is alone."""
        r = np.maximum(r, CENTRE)
        total = np.zeros(np.broadcast_shapes(np.shape(r), np.shape(phi)))
        for (_, k, _, _), crest in zip(self._arms(), self.azimuth(r).values(), strict=True):
            total = total + _gaussian_on_circle(phi - crest, self.width * np.hypot(1.0, k) / r)
        return (
            total
            if self.local_arm is None
            else total + self.local_arm.strength * self.local_arm.shape(r, phi)
        )

    def mean(self, r: Array) -> Array:
        """Mean of `shape` over the circle at r."""
        r = np.maximum(r, CENTRE)
        arms = sum(np.hypot(1.0, k) for _, k, _, _ in self._arms()) * self.width / r / np.sqrt(2.0 * np.pi)
        return arms if self.local_arm is None else arms + self.local_arm.strength * self.local_arm.mean(r)

    def _arms(self) -> list[tuple[str, float, float, float]]:
        table = resources.read_table(
            resources.folder("physics") / "galaxy/spiral-arms" / f"{self.pattern}.csv"
        )
        return list(zip(*(table[name].tolist() for name in ("arm", "k", "r0", "theta0")), strict=True))


@register("source-distribution", "spiral-arms")
class SpiralArmSources(SpiralArms):
    """An axisymmetric source law gathered into spiral arms.

    q = q0(r, z) [1 - f + f s / <s>] with the arms s(r, phi), their mean <s>(r) over the circle and the
    share f of the sources that are in arms; f = 1 as in Faucher-Giguere & Kaspi 2006.
    """

    kind: Literal["spiral-arms"] = "spiral-arms"
    axisymmetric: Kind("source-distribution") = Field(description="law of the mean over phi")  # type: ignore[valid-type]
    arm_fraction: Number = Field(ge=0, le=1, description="share of the sources that follow the arms")

    @field_validator("axisymmetric")
    @classmethod
    def _once(cls, value: Any) -> Any:
        return _no_arms(value)

    @property
    def symmetric(self) -> bool:
        """Whether the density is even in z."""
        return bool(getattr(self.axisymmetric, "symmetric", True))

    def around(self, r: Array, phi: Array) -> Array:
        """Density relative to its mean over phi."""
        return 1.0 + self.arm_fraction * (self.shape(r, phi) / self.mean(r) - 1.0)

    def on_grid(self, grid: Grid, observer_radius: float) -> Array:
        """Cell averages with sum(q * volume) = 1, shape (n_r, n_phi, n_z) [kpc^-3].

        Raises
        ------
        GridError
            on a grid without phi.
        """
        density: Array = self.axisymmetric.on_grid(grid, observer_radius, around=self.around)
        return density


@register("gas", "spiral-arms")
class SpiralArmGas(SpiralArms):
    """An axisymmetric gas model gathered into spiral arms.

    n = n0(r, z) [1 + (C - 1) s] / [1 + (C - 1) <s>]: C is the density on the crest of an arm over that
    between arms, and the mean over phi stays n0 at every r.
    """

    kind: Literal["spiral-arms"] = "spiral-arms"
    axisymmetric: Kind("gas") = Field(description="model of the mean over phi")  # type: ignore[valid-type]
    contrast: Number = Field(ge=1, description="density on the crest of an arm over that between arms")

    @field_validator("axisymmetric")
    @classmethod
    def _once(cls, value: Any) -> Any:
        return _no_arms(value)

    @property
    def symmetric(self) -> bool:
        """Whether the density is even in z."""
        return bool(getattr(self.axisymmetric, "symmetric", True))

    @property
    def edges(self) -> tuple[float, ...]:
        """Heights at which the density jumps [kpc]."""
        return tuple(getattr(self.axisymmetric, "edges", ()))

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei, mean over phi [cm^-3]."""
        mean: Array = self.axisymmetric.density(r, z)
        return mean

    def around(self, r: Array, phi: Array) -> Array:
        """Density relative to its mean over phi."""
        more = self.contrast - 1.0
        return (1.0 + more * self.shape(r, phi)) / (1.0 + more * self.mean(r))


def _no_arms(law: Any) -> Any:
    if hasattr(law, "around"):
        raise ValueError(f'"{law.kind}" depends on phi itself; expected an axisymmetric kind')
    return law


def _wrapped(angle: Array) -> Array:
    """The same direction between -pi and pi."""
    return np.asarray((angle + np.pi) % (2.0 * np.pi) - np.pi)


def _gaussian_on_circle(angle: Array, sigma: Array) -> Array:
    """Sum over all n of exp(-(angle + 2 pi n)^2 / 2 sigma^2), to round-off."""
    angle, sigma = np.broadcast_arrays(_wrapped(angle), sigma)
    narrow = np.minimum(sigma, WIDE)
    images = sum(np.exp(-0.5 * ((angle + 2.0 * np.pi * n) / narrow) ** 2) for n in range(-2, 3))
    if np.all(sigma <= WIDE):
        return np.asarray(images)
    broad = np.maximum(sigma, WIDE)
    waves = 1.0 + 2.0 * sum(np.exp(-0.5 * (m * broad) ** 2) * np.cos(m * angle) for m in range(1, 5))
    return np.where(sigma <= WIDE, images, sigma / np.sqrt(2.0 * np.pi) * waves)
