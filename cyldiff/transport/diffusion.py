"""Spatial diffusion: one class per law, its formula as a method.

Every law evaluates D at the nucleus' own rigidity and speed, never a proton table rescaled by
A/Z (which is wrong near a break). Arrays broadcast: rigidity and beta carry the momentum
dimension first, r and z the spatial ones.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from cyldiff.config.base import Model, Number, Quantity
from cyldiff.registry import register

__all__ = [
    "AnisotropicDiffusion",
    "BrokenPowerLawDiffusion",
    "Diffusion",
    "PowerLawDiffusion",
    "SpatiallyDependentDiffusion",
]

Array = NDArray[np.float64]

#: spectral index of D; 0 and 2 are the limits of the reacceleration formula's validity
Slope = Annotated[Number, Field(gt=-1.0, lt=2.0)]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Diffusion(Model):
    """Base of all diffusion laws: D(R, beta, r, z) and its slope for the reacceleration."""

    def coefficient(self, rigidity: Array, beta: Array, r: Array, z: Array, *, axis: str) -> Array:
        """Diffusion coefficient along a spatial axis ("r", "phi" or "z"), broadcast shape [kpc^2/Myr].

        Along "phi" it is the one parallel to the regular field, which the reacceleration depends on.
        """
        raise NotImplementedError

    def slope(self, r: Array, z: Array) -> Array:
        """Index delta of D at low rigidity, which enters D_pp (Seo & Ptuskin 1994)."""
        raise NotImplementedError

    def kinks(self, half_height: float) -> tuple[float, ...]:
        """Heights [kpc] at which D or its slope jumps; a face of the grid belongs there."""
        return ()

    @property
    def symmetric(self) -> bool:
        """Whether D is even in z."""
        return True


@register("diffusion", "power-law")
class PowerLawDiffusion(Diffusion):
    """D = D0 beta^eta (R/R0)^delta, the same everywhere (Strong, Moskalenko & Ptuskin 2007)."""

    kind: Literal["power-law"] = "power-law"
    D0: Quantity("length²/time") = Field(gt=0, description="D at the reference rigidity and beta = 1")  # type: ignore[valid-type]
    reference_rigidity: Quantity("rigidity") = Field(gt=0, description="R0")  # type: ignore[valid-type]
    delta: Slope = Field(description="index of D in rigidity")
    eta: Annotated[Number, Field(ge=-5.0, le=5.0)] = Field(
        description="power of beta; 1 where D is physical, below 1 raises D at low energy"
    )

    def coefficient(self, rigidity: Array, beta: Array, r: Array, z: Array, *, axis: str) -> Array:
        """D [kpc^2/Myr]; shape of rigidity."""
        return self.D0 * beta**self.eta * (rigidity / self.reference_rigidity) ** self.delta

    def slope(self, r: Array, z: Array) -> Array:
        """The index delta."""
        return np.asarray(self.delta)


@register("diffusion", "broken-power-law")
class BrokenPowerLawDiffusion(Diffusion):
    """D = D0 beta^eta (R/R0)^delta[0] prod_i [1 + (R/R_i)^(1/s_i)]^(s_i (delta[i+1] - delta[i])).

    Each break R_i turns the slope from delta[i] to delta[i+1] with smoothness s_i; s_i = 0 is a
    sharp break. With one break this is Evoli, Aloisio & Blasi 2019, PRD 99, 103023, Eq. 4 (their
    s is s here for Ddelta s_i = ...: the exponent there is [1 + (R/Rb)^(Ddelta/s)]^s, which is this
    form with s_i = s / Ddelta). D is D0 beta^eta at R0 only where R0 lies below all breaks.
    `floor` is added everywhere: the constant 2 v_A H of that paper.
    """

    kind: Literal["broken-power-law"] = "broken-power-law"
    D0: Quantity("length²/time") = Field(  # type: ignore[valid-type]
        gt=0, description="D at the reference rigidity and beta = 1, if that lies below all breaks"
    )
    reference_rigidity: Quantity("rigidity") = Field(gt=0, description="R0")  # type: ignore[valid-type]
    delta: Annotated[tuple[Slope, ...], BeforeValidator(_as_tuple)] = Field(
        description="index of D below the first break, between the breaks, above the last"
    )
    breaks: Annotated[tuple[Quantity("rigidity"), ...], BeforeValidator(_as_tuple)] = Field(  # type: ignore[valid-type]
        description="rigidities R_i of the breaks, increasing"
    )
    smoothness: Annotated[tuple[Annotated[Number, Field(ge=0.0)], ...], BeforeValidator(_as_tuple)] = Field(
        description="s_i of each break, 0 is sharp"
    )
    eta: Annotated[Number, Field(ge=-5.0, le=5.0)] = Field(
        description="power of beta; 1 where D is physical, below 1 raises D at low energy"
    )
    floor: Quantity("length²/time") = Field(default=0.0, ge=0, description="constant added to D")  # type: ignore[valid-type]

    def model_post_init(self, context: Any) -> None:
        """One more slope than breaks, one smoothness per break, breaks positive and increasing."""
        n = len(self.breaks)
        if len(self.delta) != n + 1:
            raise ValueError(f"{n} breaks need {n + 1} slopes in delta, found {len(self.delta)}")
        if len(self.smoothness) != n:
            raise ValueError(f"{n} breaks need {n} values of smoothness, found {len(self.smoothness)}")
        if any(b <= 0 for b in self.breaks) or list(self.breaks) != sorted(set(self.breaks)):
            raise ValueError("breaks must be positive and increasing")

    def coefficient(self, rigidity: Array, beta: Array, r: Array, z: Array, *, axis: str) -> Array:
        """D [kpc^2/Myr]; shape of rigidity."""
        D = self.D0 * beta**self.eta * (rigidity / self.reference_rigidity) ** self.delta[0]
        steps = np.diff(self.delta)
        for position, s, step in zip(self.breaks, self.smoothness, steps, strict=True):
            x = rigidity / position
            # (1 + x^(1/s))^s; the power itself overflows far above a break that is nearly sharp
            base = np.maximum(x, 1.0) if s == 0.0 else np.exp(s * np.logaddexp(0.0, np.log(x) / s))
            D = D * base**step
        return D + self.floor

    def slope(self, r: Array, z: Array) -> Array:
        """The index below the first break."""
        return np.asarray(self.delta[0])


@register("diffusion", "spatially-dependent")
class SpatiallyDependentDiffusion(Diffusion):
    """Two-zone diffusion of Guo, Tian & Jin 2016 as in Yue et al. 2025, Eqs. 8-10.

    D = D0 F beta^eta (R/R0)^(delta0 F), F = g + (1 - g) (|z|/(xi z0))^n inside |z| <= xi z0 and 1
    outside, g = N_m / (1 + f), f = (r/rs)^1.25 exp(-3.87 (r - rs)/rs) exp(-|z|/zs), unnormalised
    (f = 1 at the Sun). `disc_modulation = false` sets f = 0, so that N_m = 1 is the homogeneous law.
    """

    kind: Literal["spatially-dependent"] = "spatially-dependent"
    D0: Quantity("length²/time") = Field(gt=0, description="D at the reference rigidity, beta = 1 and F = 1")  # type: ignore[valid-type]
    reference_rigidity: Quantity("rigidity") = Field(gt=0, description="R0")  # type: ignore[valid-type]
    delta0: Slope = Field(description="index of D in rigidity where F = 1")
    eta: Annotated[Number, Field(ge=-5.0, le=5.0)] = Field(description="power of beta")
    N_m: Annotated[Number, Field(gt=0.0)] = Field(
        description="suppression of D in the disc: F = N_m / (1 + f) at the plane"
    )
    xi: Annotated[Number, Field(gt=0.0, le=1.0)] = Field(
        description="half-thickness of the inner zone in units of z0"
    )
    n: Annotated[Number, Field(gt=0.0)] = Field(
        description="power with which F goes from the disc to the halo"
    )
    z0: Quantity("length") = Field(gt=0, description="half-height of the halo that xi refers to")  # type: ignore[valid-type]
    r_s: Quantity("length") = Field(  # type: ignore[valid-type]
        gt=0, description="radial scale of the disc: galactocentric radius of the Sun"
    )
    z_s: Quantity("length") = Field(gt=0, description="vertical scale of f")  # type: ignore[valid-type]
    disc_modulation: bool = Field(
        default=True, description="let F follow the source distribution f(r, z); false sets f = 0"
    )

    def factor(self, r: Array, z: Array) -> Array:
        """F(r, z)."""
        height = np.abs(z)
        f = 0.0 * r * z
        if self.disc_modulation:
            x = r / self.r_s
            f = x**1.25 * np.exp(-3.87 * (x - 1.0)) * np.exp(-height / self.z_s)
        g = self.N_m / (1.0 + f)
        inside = np.minimum(height / (self.xi * self.z0), 1.0) ** self.n
        return g + (1.0 - g) * inside

    def coefficient(self, rigidity: Array, beta: Array, r: Array, z: Array, *, axis: str) -> Array:
        """D [kpc^2/Myr], full broadcast shape."""
        F = self.factor(r, z)
        slope = np.log(rigidity / self.reference_rigidity)
        return F * np.exp(self.delta0 * F * slope) * (self.D0 * beta**self.eta)

    def slope(self, r: Array, z: Array) -> Array:
        """Local index delta0 F(r, z): the paper is silent on D_pp, the local slope is used."""
        return self.delta0 * self.factor(r, z)

    def kinks(self, half_height: float) -> tuple[float, ...]:
        """The edge of the inner zone."""
        edge = self.xi * self.z0
        return (edge,) if edge < half_height else ()


@register("diffusion", "anisotropic")
class AnisotropicDiffusion(Diffusion):
    """Power laws along and across a toroidal regular field: D_phiphi parallel, D_rr = D_zz perpendicular.

    The tensor D_ij = D_perp delta_ij + (D_par - D_perp) b_i b_j of a field along phi (Berezinskii et al.
    1990; Evoli et al. 2012, PRL 108, 211102) is diagonal in cylindrical coordinates. Reacceleration
    follows from the scattering along the field: D_pp = p^2 v_A^2 / D_par up to a factor that depends on
    the slope of D_par (Seo & Ptuskin 1994, ApJ 431, 705, where D is the coefficient along the field).
    On a 2-D grid the parallel part acts through the reacceleration only.
    """

    kind: Literal["anisotropic"] = "anisotropic"
    parallel: PowerLawDiffusion = Field(description="along the field, in phi")
    perpendicular: PowerLawDiffusion = Field(description="across the field, in r and z")

    def coefficient(self, rigidity: Array, beta: Array, r: Array, z: Array, *, axis: str) -> Array:
        """D [kpc^2/Myr]; shape of rigidity."""
        law = self.parallel if axis == "phi" else self.perpendicular
        return law.coefficient(rigidity, beta, r, z, axis=axis)

    def slope(self, r: Array, z: Array) -> Array:
        """The index delta of the parallel part."""
        return self.parallel.slope(r, z)
