"""Where cosmic rays are injected: published surface-density laws with a vertical profile.

All radial laws are densities per area of the disc (physics: q dA, not q dr). With
x = (r + R1)/(r_sun + R1) the common form is q = x^a exp(-b (r - r_sun)/(r_sun + R1)).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cyldiff.config.base import Model, Number, Quantity
from cyldiff.grid import Grid
from cyldiff.registry import register

__all__ = [
    "CaseBhattacharya1996",
    "CaseBhattacharya1998",
    "Faucher2006",
    "Green2015",
    "Lorimer2006",
    "PowerExponential",
    "SourceDistribution",
    "Trotta2011",
    "UniformSources",
    "Yue2025Binaries",
    "Yue2025Remnants",
    "YusifovKucuk2004",
    "normalised",
]

Array = NDArray[np.float64]


class SourceDistribution(Model):
    """A surface-density law in r times a profile in z.

    Attributes
    ----------
    vertical : "exponential" exp(-|z|/h), "gaussian" exp(-(z/h)^2), "uniform" for |z| <= h, or "plane", a
        delta function
    scale_height : h [kpc]; not for "plane"
    maximum_radius : no sources beyond [kpc]
    """

    vertical: Literal["exponential", "gaussian", "uniform", "plane"] = Field(
        default="exponential",
        description="profile in z: exp(-|z|/h), exp(-(z/h)^2), the same up to |z| = h, or all in the plane",
    )
    scale_height: Quantity("length") | None = Field(  # type: ignore[valid-type]
        default=None, description="h of the profile; not for a plane"
    )
    maximum_radius: Quantity("length") | None = Field(default=None, description="no sources beyond")  # type: ignore[valid-type]

    symmetric: ClassVar[bool] = True

    def model_post_init(self, context: Any) -> None:
        """A profile with a height needs one; the delta function must not have one."""
        if self.vertical == "plane" and self.scale_height is not None:
            raise ValueError('scale_height has no meaning with vertical = "plane"; remove it')
        if self.vertical != "plane" and self.scale_height is None:
            raise ValueError(f'scale_height is missing for vertical = "{self.vertical}"; e.g. "0.2 kpc"')
        if self.scale_height is not None and self.scale_height <= 0:
            raise ValueError("scale_height must be positive")

    def radial(self, r: Array, observer_radius: float) -> Array:
        """Relative surface density at r [kpc], any normalisation."""
        raise NotImplementedError

    def profile(self, z: Array) -> Array:
        """Relative density at height z [kpc], 1 at the plane; not for "plane"."""
        if self.vertical == "uniform":
            return np.where(np.abs(z) <= self.scale_height, 1.0, 0.0)
        return np.exp(-((np.abs(z) / self.scale_height) ** (1 if self.vertical == "exponential" else 2)))

    def on_grid(
        self, grid: Grid, observer_radius: float, *, around: Callable[[Array, Array], Array] | None = None
    ) -> Array:
        """Cell averages normalised with the discrete volumes, sum(q * volume) = 1 [kpc^-3].

        Parameters
        ----------
        around : factor at (r, phi) whose mean over phi is one; needs a 3-D grid

        Returns
        -------
        ndarray, shape (n_r, n_z) or (n_r, n_phi, n_z)
        """

        def radial(r: Array, z: Array) -> Array:
            q = self.radial(r, observer_radius)
            if self.maximum_radius is not None and not grid.slab:
                q = np.where(r <= self.maximum_radius, q, 0.0)
            return q + 0.0 * z

        if self.vertical == "plane":
            density = grid.cell_average(radial, around=around)
            in_plane = (grid.z.faces[:-1] <= 0.0) & (grid.z.faces[1:] > 0.0)
            density = np.where(in_plane, density, 0.0)
        else:
            edges = (self.scale_height,) if self.vertical == "uniform" and self.scale_height else ()
            density = grid.cell_average(
                lambda r, z: radial(r, z) * self.profile(z), around=around, edges=edges
            )
        return normalised(density, grid)


def normalised(density: Array, grid: Grid) -> Array:
    """Cell averages divided by their integral, sum(q * volume) = 1; ValueError where that is zero."""
    total = grid.integral(density)
    if not total > 0.0:
        raise ValueError("the source distribution is zero everywhere on the grid")
    return np.asarray(density / total)


class PowerExponential(SourceDistribution):
    """q = x^a exp(-b (r - r_sun)/(r_sun + R1)), x = (r + R1)/(r_sun + R1)."""

    a: ClassVar[float]
    b: ClassVar[float]
    R1: ClassVar[float] = 0.0

    def radial(self, r: Array, observer_radius: float) -> Array:
        """Relative surface density, 1 at the Sun."""
        scale = observer_radius + self.R1
        return ((r + self.R1) / scale) ** self.a * np.exp(-self.b * (r - observer_radius) / scale)


@register("source-distribution", "power-exponential")
class CustomPowerExponential(SourceDistribution):
    """The common form with free exponents a, b and offset R1."""

    kind: Literal["power-exponential"] = "power-exponential"
    a: Number = Field(description="power of x")
    b: Number = Field(description="strength of the exponential cut")
    R1: Quantity("length") = Field(ge=0, description="offset added to all radii")  # type: ignore[valid-type]
    constant_beyond: Quantity("length") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="from here outwards the density stays what it is here"
    )

    def radial(self, r: Array, observer_radius: float) -> Array:
        """Relative surface density, 1 at the Sun if that is not beyond `constant_beyond`."""
        scale = observer_radius + self.R1
        r = r if self.constant_beyond is None else np.minimum(r, self.constant_beyond)
        return ((r + self.R1) / scale) ** self.a * np.exp(-self.b * (r - observer_radius) / scale)


@register("source-distribution", "uniform")
class UniformSources(SourceDistribution):
    """The same at every radius."""

    kind: Literal["uniform"] = "uniform"

    def radial(self, r: Array, observer_radius: float) -> Array:
        """One."""
        return np.ones_like(r)


@register("source-distribution", "case-bhattacharya-1996")
class CaseBhattacharya1996(PowerExponential):
    """Supernova remnants, Case & Bhattacharya 1996, A&AS 120, 437 (a = 1.69, b = 3.33)."""

    kind: Literal["case-bhattacharya-1996"] = "case-bhattacharya-1996"
    a: ClassVar[float] = 1.69
    b: ClassVar[float] = 3.33


@register("source-distribution", "case-bhattacharya-1998")
class CaseBhattacharya1998(PowerExponential):
    """Supernova remnants, Case & Bhattacharya 1998, ApJ 504, 761 (a = 2.00, b = 3.53)."""

    kind: Literal["case-bhattacharya-1998"] = "case-bhattacharya-1998"
    a: ClassVar[float] = 2.00
    b: ClassVar[float] = 3.53


@register("source-distribution", "green-2015")
class Green2015(PowerExponential):
    """Supernova remnants, Green 2015, MNRAS 454, 1517 (a = 1.09, b = 3.87)."""

    kind: Literal["green-2015"] = "green-2015"
    a: ClassVar[float] = 1.09
    b: ClassVar[float] = 3.87


@register("source-distribution", "yusifov-kucuk-2004")
class YusifovKucuk2004(PowerExponential):
    """Pulsars, Yusifov & Kucuk 2004, A&A 422, 545 (a = 1.64, b = 4.01, R1 = 0.55 kpc)."""

    kind: Literal["yusifov-kucuk-2004"] = "yusifov-kucuk-2004"
    a: ClassVar[float] = 1.64
    b: ClassVar[float] = 4.01
    R1: ClassVar[float] = 0.55


@register("source-distribution", "lorimer-2006")
class Lorimer2006(PowerExponential):
    """Pulsars, Lorimer et al. 2006, MNRAS 372, 777 (a = 1.9, b = 5.0)."""

    kind: Literal["lorimer-2006"] = "lorimer-2006"
    a: ClassVar[float] = 1.9
    b: ClassVar[float] = 5.0


@register("source-distribution", "trotta-2011")
class Trotta2011(PowerExponential):
    """Supernova remnants tuned to gamma rays, Trotta et al. 2011, ApJ 729, 106 (a = 1.25, b = 3.56)."""

    kind: Literal["trotta-2011"] = "trotta-2011"
    a: ClassVar[float] = 1.25
    b: ClassVar[float] = 3.56


@register("source-distribution", "yue-2025-snr")
class Yue2025Remnants(PowerExponential):
    """Supernova remnants as printed in Yue et al. 2025, Eq. 10 (a = 1.25, b = 3.87, a mixed law)."""

    kind: Literal["yue-2025-snr"] = "yue-2025-snr"
    a: ClassVar[float] = 1.25
    b: ClassVar[float] = 3.87


@register("source-distribution", "yue-2025-xrb")
class Yue2025Binaries(PowerExponential):
    """X-ray binaries, shape of Yue et al. 2025, Eq. 7 (a = -5.3, R1 = 9.5 kpc)."""

    kind: Literal["yue-2025-xrb"] = "yue-2025-xrb"
    a: ClassVar[float] = -5.3
    b: ClassVar[float] = 0.0
    R1: ClassVar[float] = 9.5


@register("source-distribution", "faucher-giguere-kaspi-2006")
class Faucher2006(SourceDistribution):
    """Pulsar births, Faucher-Giguere & Kaspi 2006, ApJ 643, 332: Gaussian ring at 7.04, width 1.83 kpc."""

    kind: Literal["faucher-giguere-kaspi-2006"] = "faucher-giguere-kaspi-2006"

    def radial(self, r: Array, observer_radius: float) -> Array:
        """Relative surface density."""
        return np.exp(-0.5 * ((r - 7.04) / 1.83) ** 2)
