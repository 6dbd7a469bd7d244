"""Interstellar gas: published models of HI, H2 and HII, each one class with its paper.

Every class gives the density of hydrogen *nuclei* of its phase at (r, z); a molecule counts
twice. Helium is added by :class:`GasModel` with one ratio for all phases. A class whose gas is not
axisymmetric has a method ``around(r, phi)``, the density relative to its mean over phi.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from cyldiff import constants as const
from cyldiff import resources
from cyldiff.config.base import Kind, Model, Number, Quantity
from cyldiff.registry import register

__all__ = [
    "BronfmanH2",
    "CordesHII",
    "FerriereH2",
    "FerriereHI",
    "GasModel",
    "GordonBurtonHI",
    "NakanishiSofueH2",
    "NakanishiSofueHI",
    "NoGas",
    "UniformDisc",
]

Array = NDArray[np.float64]
LN2 = float(np.log(2.0))


@register("gas", "none")
class NoGas(Model):
    """No gas of this phase."""

    kind: Literal["none"] = "none"

    def density(self, r: Array, z: Array) -> Array:
        """Zero everywhere [cm^-3]."""
        return np.zeros(np.broadcast_shapes(r.shape, z.shape))


@register("gas", "uniform-disc")
class UniformDisc(Model):
    """A disc that does not depend on r, of given surface density: the thin disc of 1-D models.

    `surface_density` is the mass of the whole disc per area with helium, 1.4 m_H per H nucleus
    (2.3 mg/cm^2 in Evoli, Aloisio & Blasi 2019, PRD 99, 103023); `half_thickness` is h of a
    top-hat |z| < h. Density of H nuclei = mu / (1.4 m_H 2 h).
    """

    kind: Literal["uniform-disc"] = "uniform-disc"
    surface_density: Quantity("surface density") = Field(  # type: ignore[valid-type]
        gt=0, description="mass of the whole disc per area, helium included"
    )
    half_thickness: Quantity("length") = Field(gt=0, description="height at which the disc ends")  # type: ignore[valid-type]

    @property
    def edges(self) -> tuple[float, ...]:
        """Height at which the density jumps [kpc]."""
        return (self.half_thickness,)

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei [cm^-3]."""
        column = self.surface_density / (1.4 * const.HYDROGEN_MASS_G)
        inside = np.abs(z) < self.half_thickness
        return np.where(inside, column / (2.0 * self.half_thickness * const.KPC_CM), 0.0) + 0.0 * r


@register("gas", "gordon-burton-1976")
class GordonBurtonHI(Model):
    """HI of GALPROP's tradition: radial Gordon & Burton 1976, vertical Dickey & Lockman / Cox+.

    n = Y(r)/0.33 f(r, z) with f of Dickey & Lockman 1990 (ARA&A 28, 215) for r < 8 kpc, of Cox,
    Kruegel & Mezger 1986 (A&A 155, 380) for r > 10 kpc, linear between; Y linear between ring
    centres, exp(-r / 3 kpc) beyond the last. Radii are those of the papers (R_sun = 10 kpc), raw.
    """

    kind: Literal["gordon-burton-1976"] = "gordon-burton-1976"

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei [cm^-3]."""
        table = resources.read_table(resources.folder("physics") / "galaxy/gas/gordon-burton-1976.csv")
        centers, values = table["r_center"], table["density"]
        radial = np.interp(r, centers, values) * np.exp(-np.maximum(r - centers[-1], 0.0) / 3.0)
        inner = (
            0.395 * np.exp(-LN2 * (z / 0.106) ** 2)
            + 0.107 * np.exp(-LN2 * (z / 0.265) ** 2)
            + 0.064 * np.exp(-np.abs(z) / 0.403)
        )
        outer = 0.57 * np.exp(-((z / (0.0523 * np.exp(0.11 * r))) ** 2))
        share = np.clip((r - 8.0) / 2.0, 0.0, 1.0)
        return radial / 0.33 * ((1.0 - share) * inner + share * outer)


@register("gas", "bronfman-1988")
class BronfmanH2(Model):
    """H2 from the CO emissivity of Bronfman et al. 1988 (ApJ 324, 248, Table 3).

    n_H = 2 Y(r) X_CO exp(-ln2 ((z - z0)/h)^2), linear in r, zero beyond 10.25 kpc. With
    `mid_plane_offset` the measured offsets z0(r) are used and a half-space grid is refused.
    """

    kind: Literal["bronfman-1988"] = "bronfman-1988"
    X_CO: Quantity("X_CO") = Field(gt=0, description="H2 molecules per CO brightness")  # type: ignore[valid-type]
    mid_plane_offset: bool = Field(
        default=False, description="use the measured offsets of the plane; not with a half-space grid"
    )

    @property
    def symmetric(self) -> bool:
        """Whether the density is even in z."""
        return not self.mid_plane_offset

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei [cm^-3]."""
        table = resources.read_table(resources.folder("physics") / "galaxy/gas/bronfman-1988.csv")
        radius = table["r"]
        emissivity = np.interp(r, radius, table["emissivity"], right=0.0)
        offset = np.interp(r, radius, table["z_offset"]) if self.mid_plane_offset else 0.0
        width = np.interp(r, radius, table["half_width"])
        molecules = emissivity * self.X_CO * 1e20 / const.KPC_CM
        return 2.0 * molecules * np.exp(-LN2 * ((z - offset) / width) ** 2)


@register("gas", "ferriere-2001-hi")
class FerriereHI(Model):
    """HI of Ferriere 2001 (RMP 73, 1031) and Ferriere 1998 in the analytic form of DRAGON."""

    kind: Literal["ferriere-2001-hi"] = "ferriere-2001-hi"

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei [cm^-3]."""
        inner = 0.57 * np.exp((np.minimum(r, 3.0) - 3.0) / 0.4) + 8.0 * np.exp(-((r / 0.2) ** 2))
        outer = 0.57 * np.exp(-(np.maximum(r, 13.0) - 13.0) / 4.0)
        plane = np.where(r < 3.0, inner, outer)
        flare = 0.115 * np.exp((np.maximum(r, 8.5) - 8.5) / 6.7)
        height = np.where(r < 2.5, 0.045, flare)
        return plane * np.exp(-LN2 * (z / height) ** 2)


@register("gas", "ferriere-2001-h2")
class FerriereH2(Model):
    """H2 of Bronfman et al. 1988 and Ferriere 2001 (RMP 73, 1031) in the analytic form of DRAGON."""

    kind: Literal["ferriere-2001-h2"] = "ferriere-2001-h2"

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei [cm^-3]."""
        molecules = (
            150.0 * np.exp(-(((r - 0.05) / 0.2) ** 2))
            + 0.49 * np.exp(-(((r - 5.3) / 2.2) ** 2))
            + 0.24 * np.exp(-(((r - 8.1) / 1.5) ** 2))
        )
        height = np.where(r > 2.5, 0.059, 0.015)
        return 2.0 * molecules * np.exp(-LN2 * (z / height) ** 2)


@register("gas", "nakanishi-sofue-2003")
class NakanishiSofueHI(Model):
    """HI of Nakanishi & Sofue 2003 (PASJ 55, 191), analytic fit as used by DRAGON and HERMES."""

    kind: Literal["nakanishi-sofue-2003"] = "nakanishi-sofue-2003"

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei [cm^-3]."""
        plane = 0.94 * (0.6 * np.exp(-r / 2.4) + 0.24 * np.exp(-(((r - 9.5) / 4.8) ** 2)))
        # the cubic fit turns over beyond the data; the disc keeps its last height there
        x = np.minimum(r, 30.0)
        height = 1.06e-3 * (116.3 + 19.3 * x + 4.1 * x**2 - 0.05 * x**3)
        return plane * np.exp(-LN2 * (z / height) ** 2)


@register("gas", "nakanishi-sofue-2006")
class NakanishiSofueH2(Model):
    """H2 of Nakanishi & Sofue 2006 (PASJ 58, 847), analytic fit as used by DRAGON and HERMES."""

    kind: Literal["nakanishi-sofue-2006"] = "nakanishi-sofue-2006"

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei [cm^-3]."""
        molecules = 0.94 * (11.2 * np.exp(-(r**2) / 0.874) + 0.83 * np.exp(-(((r - 4.0) / 3.2) ** 2)))
        height = 1.06e-3 * (10.8 * np.exp(0.28 * np.minimum(r, 30.0)) + 42.78)
        return 2.0 * molecules * np.exp(-LN2 * (z / height) ** 2)


@register("gas", "cordes-1991")
class CordesHII(Model):
    """Ionised gas of Cordes et al. 1991 (Nature 354, 121): a thick and an annular component."""

    kind: Literal["cordes-1991"] = "cordes-1991"

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei = free electrons [cm^-3]."""
        thick = 0.025 * np.exp(-np.abs(z) - (r / 20.0) ** 2)
        ring = 0.2 * np.exp(-np.abs(z) / 0.15 - ((r - 4.0) / 2.0) ** 2)
        return thick + ring


class GasModel(Model):
    """The three phases and the helium-to-hydrogen ratio by number, the same in all phases."""

    HI: Kind("gas") = Field(description="neutral atomic hydrogen")  # type: ignore[valid-type]
    H2: Kind("gas") = Field(description="molecular hydrogen")  # type: ignore[valid-type]
    HII: Kind("gas") = Field(description="ionised hydrogen")  # type: ignore[valid-type]
    helium_fraction: Number = Field(
        ge=0.0, le=1.0, description="helium nuclei per hydrogen nucleus, the same in all phases"
    )

    @field_validator("helium_fraction")
    @classmethod
    def _plausible(cls, value: float) -> float:
        if value > 0.3:
            raise ValueError(f"{value:g} helium atoms per hydrogen atom; expected about 0.1")
        return value

    @property
    def symmetric(self) -> bool:
        """Whether every phase is even in z."""
        return all(getattr(phase, "symmetric", True) for phase in (self.HI, self.H2, self.HII))

    @property
    def edges(self) -> tuple[float, ...]:
        """Heights at which a phase jumps [kpc]; cell averages are split there."""
        return tuple(e for phase in (self.HI, self.H2, self.HII) for e in getattr(phase, "edges", ()))

    @property
    def thickness(self) -> float:
        """Half-thickness below which half of the local gas lies [kpc]; the halo must be thicker."""
        return _half_mass_height(self)

    def neutral(self, r: Any, z: Any) -> Array:
        """Neutral hydrogen nuclei, HI + 2 H2, mean over phi [cm^-3]."""
        r, z = np.asarray(r, dtype=float), np.asarray(z, dtype=float)
        return np.asarray(self.HI.density(r, z) + self.H2.density(r, z))

    def ionised(self, r: Any, z: Any) -> Array:
        """Free electrons = ionised hydrogen, mean over phi [cm^-3]."""
        r, z = np.asarray(r, dtype=float), np.asarray(z, dtype=float)
        return np.asarray(self.HII.density(r, z))

    def hydrogen(self, r: Any, z: Any, phi: Any = None) -> Array:
        """All H nuclei at points [cm^-3]; with `phi` [radian] where a phase depends on it, else the mean."""
        r, z = np.asarray(r, dtype=float), np.asarray(z, dtype=float)
        total: Any = 0.0
        for phase in (self.HI, self.H2, self.HII):
            around = getattr(phase, "around", None)
            factor = 1.0 if around is None or phi is None else around(r, np.asarray(phi, dtype=float))
            total = total + phase.density(r, z) * factor
        return np.asarray(total)


@lru_cache(maxsize=32)
def _half_mass_height(gas: GasModel) -> float:
    z = np.linspace(0.0, 5.0, 5001)
    # near the Sun, at the radius that the models are given for (Ferriere 2001: 8.5 kpc)
    column = np.cumsum(gas.neutral(8.5, z) + gas.ionised(8.5, z))
    if column[-1] == 0.0:
        return 0.0
    return float(z[np.searchsorted(column, 0.5 * column[-1])])
