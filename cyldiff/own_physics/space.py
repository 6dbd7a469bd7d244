"""The classes behind own functions of the place: diffusion, wind, gas, fields, sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from cyldiff import constants as const
from cyldiff.config.base import Quantity
from cyldiff.errors import OwnPhysicsError
from cyldiff.galaxy.magnetic_field import MagneticField
from cyldiff.galaxy.radiation_field import Greybody, RadiationField
from cyldiff.galaxy.source_distribution import SourceDistribution, normalised
from cyldiff.grid import Grid
from cyldiff.own_physics.law import Law, OwnLaw, Where
from cyldiff.transport.diffusion import Diffusion
from cyldiff.units import parse_quantity

__all__ = [
    "OwnDiffusion",
    "OwnGas",
    "OwnMagneticField",
    "OwnRadiationField",
    "OwnSourceDistribution",
    "OwnSourceVolume",
    "OwnWind",
]

Array = NDArray[np.float64]

#: rigidity at which the slope of an own D is taken if no function gives it [GV], "low" for the reacceleration
SLOPE_RIGIDITY = 1.0
#: half of the step in ln R of that difference: exact for power laws, an error of 2e-5 of the third derivative
_STEP = 0.01
#: relative difference between both sides of the plane that counts as rounding
_EVEN = 1e-9


class _Jumps(OwnLaw):
    """A law that may jump at heights, and says whether it is even in z."""

    jumps: ClassVar[tuple[str, ...]] = ()
    even: ClassVar[bool] = True

    @property
    def symmetric(self) -> bool:
        """Whether it is even in z, as the decorator says."""
        return self.even

    def _heights(self) -> tuple[float, ...]:
        """Heights of the jumps above the plane [kpc]: lengths, or keywords of the function.

        Grids and cell averages take them on both sides of the plane, whichever they are on.
        """
        heights = (
            abs(getattr(self, name) if name in type(self).model_fields else parse_quantity(name, "length"))
            for name in self.jumps
        )
        return tuple(height for height in heights if height > 0.0)

    def _check_even(self, above: Array, below: Array) -> None:
        if self.even and not np.allclose(above, below, rtol=_EVEN, atol=0.0):
            raise OwnPhysicsError(
                f"{self.law.title}: {self.law.result} is not the same at z and -z; "
                f"pass symmetric=False to cyldiff.own, or take abs(z) ({self.law.place})"
            )


class OwnDiffusion(_Jumps, Diffusion):
    """D(R, beta, r, z) by a function of the user."""

    slope_law: ClassVar[Law | None] = None

    def coefficient(self, rigidity: Array, beta: Array, r: Array, z: Array, *, axis: str) -> Array:
        """D [kpc^2/Myr]."""
        return self.law(self, rigidity=rigidity, beta=beta, r=r, z=z, axis=axis)

    def slope(self, r: Array, z: Array) -> Array:
        """Slope d ln D / d ln R at constant beta: by the second function, or by a central difference at 1 GV."""
        if self.slope_law is not None:
            return self.slope_law.full(self, r=r, z=z)
        step, one = np.exp(_STEP), np.ones(())
        low, high = (
            np.log(self.law.full(self, rigidity=SLOPE_RIGIDITY * R, beta=one, r=r, z=z, axis="phi"))
            for R in (one / step, one * step)
        )
        return np.asarray((high - low) / (2.0 * _STEP))

    def kinks(self, half_height: float) -> tuple[float, ...]:
        """Heights of the jumps inside the halo [kpc]."""
        return tuple(height for height in self._heights() if height < half_height)

    def try_over(self, where: Where) -> None:
        """D along all axes and its slope."""
        R, beta = where.rigidity[:, None, None], where.beta[:, None, None]
        r, z = where.r[None, :, None], where.z[None, None, :]
        for axis in ("r", "phi", "z"):
            D = self.coefficient(R, beta, r, z, axis=axis)
            self._check_even(D, D[..., ::-1])
        self.slope(where.r[:, None], where.z[None, :])


class OwnWind(OwnLaw):
    """V_z = sgn(z) V(|z|) by a function of the height.

    The divergence of a cell is the difference of its faces: no second function, no error of its own.
    """

    def velocity(self, z: ArrayLike) -> Array:
        """V_z at heights z [kpc], of their shape [kpc/Myr]; zero on the plane itself."""
        z = np.asarray(z, dtype=float)
        return np.asarray(np.sign(z) * self.law.full(self, height=np.abs(z)))

    def face_velocity(self, grid: Grid) -> Array:
        """V_z on the z faces, shape (n_z + 1,) [kpc/Myr]."""
        return self.velocity(grid.z.faces)

    def try_over(self, where: Where) -> None:
        """From the plane to the edge."""
        self.velocity(where.z)


class OwnGas(_Jumps):
    """Hydrogen nuclei at (r, z) by a function."""

    @property
    def edges(self) -> tuple[float, ...]:
        """Heights at which the density jumps [kpc]."""
        return self._heights()

    def density(self, r: Array, z: Array) -> Array:
        """H nuclei [cm^-3]."""
        return self.law.full(self, r=r, z=z)

    def try_over(self, where: Where) -> None:
        """Off the axis, where a cell average does not look."""
        n = self.density(where.r[1:, None], where.z[None, :])
        self._check_even(n, n[:, ::-1])


class OwnMagneticField(OwnLaw, MagneticField):
    """B(r, z) by a function."""

    def strength(self, r: ArrayLike, z: ArrayLike) -> Array:
        """B [microgauss]."""
        return self.law.full(self, r=r, z=z)

    def try_over(self, where: Where) -> None:
        """Over the box."""
        self.strength(where.r[1:, None], where.z[None, :])


class OwnRadiationField(OwnLaw, RadiationField):
    """The microwave background and a greybody whose energy density is a function of r and z."""

    temperature: Quantity("temperature") = Field(gt=0, le=1e6, description="temperature of the greybody")  # type: ignore[valid-type]
    reference_radius: Quantity("length") = Field(ge=0, description="r0: the Sun's")  # type: ignore[valid-type]

    def _at_sun(self) -> float:
        density = float(self.law(self, r=np.asarray(self.reference_radius), z=np.zeros(())))
        if density == 0.0:
            raise OwnPhysicsError(
                f"{self.law.title}: {self.law.result} is 0 at reference_radius; expected more ({self.law.place})"
            )
        return density

    @property
    def parts(self) -> tuple[Greybody, ...]:
        """The CMB first; the other as at the Sun."""
        black = const.BLACK_BODY_ENERGY_DENSITY * self.temperature**4
        microwaves = Greybody(const.CMB_TEMPERATURE_K, 1.0, uniform=True)
        return microwaves, Greybody(self.temperature, self._at_sun() / black)

    def profile(self, r: ArrayLike, z: ArrayLike) -> Array:
        """Energy density in units of that at the Sun."""
        return self.law.full(self, r=r, z=z) / self._at_sun()

    def try_over(self, where: Where) -> None:
        """Over the box."""
        self.profile(where.r[1:, None], where.z[None, :])


class OwnSourceDistribution(OwnLaw, SourceDistribution):
    """A surface density in r by a function; its profile in z is chosen in the config."""

    def radial(self, r: Array, observer_radius: float) -> Array:
        """Relative surface density, any normalisation."""
        return self.law.full(self, r=r, observer_radius=observer_radius)

    def try_over(self, where: Where) -> None:
        """From the first cells to the edge."""
        self.radial(where.r[1:], where.observer_radius)


class OwnSourceVolume(_Jumps):
    """A density of sources in r and z by a function."""

    maximum_radius: Quantity("length") | None = Field(default=None, description="no sources beyond")  # type: ignore[valid-type]

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

        def density(r: Array, z: Array) -> Array:
            q = self.law.full(self, r=r, z=z, observer_radius=observer_radius)
            edge = np.inf if self.maximum_radius is None or grid.slab else self.maximum_radius
            return np.where(r <= edge, q, 0.0)

        return normalised(grid.cell_average(density, edges=self._heights(), around=around), grid)

    def try_over(self, where: Where) -> None:
        """Off the axis, where a cell average does not look."""
        q = self.law.full(
            self, r=where.r[1:, None], z=where.z[None, :], observer_radius=where.observer_radius
        )
        self._check_even(q, q[:, ::-1])
