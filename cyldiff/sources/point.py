"""Point sources on a grid: a steady one as a Gaussian of a few cells, a burst as its analytic kernel.

A single cell does not resolve a point. A Gaussian of a little more than a cell is resolved, and from four
cells on a point looks the same: of a steady source, density and gradient are too small by erfc(x) and
erfc(x) + (2/sqrt(pi)) x exp(-x^2), x = d/(sqrt(2) width), which is 0.1 and 1.7 % at four cells for a width of
1.25 cells. With 1.5 cells the gradient would be 7 % too small there.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import erf

from cyldiff.config.base import Model, Quantity
from cyldiff.errors import GridError
from cyldiff.grid import Grid
from cyldiff.registry import register

__all__ = ["KERNEL_CELLS", "SOURCE_CELLS", "PointSource", "kernel_on_grid", "local_cell"]

Array = NDArray[np.float64]

#: standard deviation of a steady source, in units of the largest local cell size
SOURCE_CELLS = 1.25
#: and of the narrowest kernel that a burst starts from
KERNEL_CELLS = 1.5
#: part of a kernel that may lie beyond the radius of the box
BEYOND_EDGE = 1e-3
#: Gauss-Legendre points per cell in r and in phi
POINTS = 6


@register("source-distribution", "point")
class PointSource(Model):
    """One place in the Galaxy, as a Gaussian that the grid resolves.

    Right-handed frame with the Galactic centre at the origin and the Sun at x = -r_sun, +y towards l = 90 deg
    at the Sun. Off the axis it needs a 3-D grid. A source that has been on for t looks like one that has
    been for t + width^2 / 2 D, since it starts as wide as a burst of that age.
    """

    kind: Literal["point"] = "point"
    x: Quantity("length") = Field(description="the Sun is at x = -r_sun")  # type: ignore[valid-type]
    y: Quantity("length") = Field(description="towards Galactic longitude 90 deg at the Sun")  # type: ignore[valid-type]
    z: Quantity("length") = Field(description="height above the plane")  # type: ignore[valid-type]
    width: Quantity("length") | None = Field(  # type: ignore[valid-type]
        default=None, gt=0, description="standard deviation of the Gaussian; default 1.25 local cell sizes"
    )

    @property
    def symmetric(self) -> bool:
        """Whether it is even in z."""
        return bool(self.z == 0.0)

    def on_grid(self, grid: Grid, observer_radius: float) -> Array:
        """Cell averages normalised with the discrete volumes: sum(q * volume) = 1 [kpc^-3].

        Raises
        ------
        GridError
            if the place is outside the box, off the axis of a 2-D grid, off the plane of a half-space, or
            `width` is below the local cell size.
        """
        place = (self.x, self.y, self.z)
        _check_place(grid, place)
        cell = local_cell(grid, place)
        width = SOURCE_CELLS * cell if self.width is None else self.width
        if width < cell * (1.0 - 1e-9):
            raise GridError(
                f"width = {width:.3g} kpc is not resolved by the cells there, {cell:.3g} kpc; "
                f"expected at least {cell:.3g} kpc, or a finer grid"
            )
        planar = _planar(grid, place, np.array([width]))[0]
        faces = (grid.z.faces - self.z) / (np.sqrt(2.0) * width)
        vertical = np.diff(0.5 * erf(faces)) / grid.z.widths
        density = planar[..., None] * vertical
        return density / np.sum(density * grid.volume)


def kernel_on_grid(
    grid: Grid, position: tuple[float, float, float], injected: ArrayLike, *, diffusion: ArrayLike, age: float
) -> tuple[Array, Array]:
    """What a burst has become after `age`: the start of a run that follows it from there.

    The Green's function of the halo (absorbing |z| = H, uniform D per momentum) as cell averages, scaled
    such that the discrete sum holds exactly what is analytically left in the halo: all of it at first. It
    is exact where the kernel is resolved, sqrt(2 D age) >= 1.5 cells. At low momenta, whose D is smaller, it
    is not yet: they start with the width of 1.5 cells, that is, as old as they would then be. Their clock
    is ahead by the time returned as `ahead`. Diffusion alone makes no other error: the field of such a
    momentum at run time t is that of a burst of age t + ahead, so that reading it at t - ahead is exact,
    and taking it for that at t is wrong by about 1.5 ahead / t near the source. Losses and reactions
    during `ahead` are left out.

    Parameters
    ----------
    grid : 3-D; or 2-D for a place on the axis
    position : (x, y, z) [kpc]
    injected : shape (n_p,), number per unit of the field, e.g. per ln p for U
    diffusion : D, shape (n_p,) or one number [kpc^2/Myr]
    age : time since the burst, not negative [Myr]

    Returns
    -------
    field, shape of the grid [kpc^-3 times the unit of injected]; ahead, shape (n_p,) [Myr]

    Raises
    ------
    GridError
        as :meth:`PointSource.on_grid`, and if more than 1e-3 of a kernel lies beyond the radius of the box.
    """
    # compiled kernels: not needed to read a config, which registers this module
    from cyldiff.sources.greens_function import vertical_content, vertical_share

    _check_place(grid, position)
    n_p = len(grid.kinetic_energy)
    injected = np.broadcast_to(np.asarray(injected, dtype=float), (n_p,))
    D = np.broadcast_to(np.asarray(diffusion, dtype=float), (n_p,))
    variance, narrowest = 2.0 * D * age, (KERNEL_CELLS * local_cell(grid, position)) ** 2
    width = np.sqrt(np.maximum(variance, narrowest))
    planar = _planar(grid, position, width)
    area = grid.ring_area.reshape(-1, *[1] * (planar.ndim - 2))
    inside = np.sum(planar * area, axis=tuple(range(1, planar.ndim)))
    if np.any(inside < 1.0 - BEYOND_EDGE):
        worst = int(np.argmin(inside))
        raise GridError(
            f"the kernel of {width[worst]:.3g} kpc at T = {grid.kinetic_energy[worst]:.3g} GeV/n reaches "
            f"beyond r = {grid.r.faces[-1]:g} kpc; expected an earlier start, or a larger radius"
        )
    spread, height = 0.5 * width**2, float(grid.z.faces[-1])
    below = vertical_content(grid.z.faces, position[2], spread[:, None], height)
    field = planar[..., None] * (np.diff(below) / grid.z.widths).reshape(n_p, *[1] * (planar.ndim - 1), -1)
    in_space = tuple(range(1, field.ndim))
    total = injected * vertical_share(position[2], spread, height)
    field *= (total / np.sum(field * grid.volume, axis=in_space)).reshape(-1, *[1] * len(in_space))
    return field, np.where(variance < narrowest, spread / D - age, 0.0)


def local_cell(grid: Grid, position: tuple[float, float, float]) -> float:
    """Largest size of the cell at a place [kpc]; around the axis cells count as long as they are wide."""
    r, z = float(np.hypot(position[0], position[1])), position[2]
    i = _cell(grid.r.faces, r)
    j = _cell(grid.z.faces, abs(z) if grid.z.folded else z)
    around = 0.0 if grid.phi is None else float(grid.r.centers[i] * 2.0 * np.pi / grid.phi.n)
    above = float(grid.z.widths[j]) * (2.0 if grid.z.folded and j == 0 else 1.0)
    return max(float(grid.r.widths[i]), around, above)


def _cell(faces: Array, where: float) -> int:
    return int(np.clip(np.searchsorted(faces, where, side="right") - 1, 0, len(faces) - 2))


def _check_place(grid: Grid, position: tuple[float, float, float]) -> None:
    x, y, z = position
    r = float(np.hypot(x, y))
    where = f"the point ({x:g}, {y:g}, {z:g}) kpc"
    if grid.slab:
        raise GridError(f"{where}: a slab holds no point source; use a cylindrical grid")
    if not (r < grid.r.faces[-1] and abs(z) < grid.z.faces[-1]):
        raise GridError(
            f"{where} is outside the halo (r < {grid.r.faces[-1]:g} kpc, |z| < {grid.z.faces[-1]:g} kpc)"
        )
    if grid.phi is None and r > 0.0:
        raise GridError(f"{where} is off the axis, which needs a 3-D grid; add e.g. space.phi = {{ n = 64 }}")
    if grid.z.folded and z != 0.0:
        raise GridError(f"{where} is off the plane; use a grid with half_space = false")


def _planar(grid: Grid, position: tuple[float, float, float], width: Array) -> Array:
    """Cell averages of 2-D Gaussians in the plane, shape (n, n_r) or (n, n_r, n_phi) [kpc^-2]."""
    x, y, _ = position
    r_s, phi_s = float(np.hypot(x, y)), float(np.arctan2(y, x))
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    low, high = grid.r.faces[:-1, None], grid.r.faces[1:, None]
    r = 0.5 * (low + high) + 0.5 * (high - low) * nodes
    # r dr over the area of the ring, per angle
    r_weight = (r * weights * (high - low) / (high**2 - low**2))[None, :, None, :, None]
    phi, phi_weight = np.zeros((1, 1)), np.ones(1)
    if grid.phi is not None:
        phi = grid.phi.centers[:, None] + np.pi / grid.phi.n * nodes - phi_s
        phi_weight = 0.5 * weights
    r, phi = r[:, None, :, None], phi[None, :, None, :]
    distance2 = (r - r_s) ** 2 + 4.0 * r * r_s * np.sin(0.5 * phi) ** 2
    result = np.empty((len(width), grid.r.n, phi.shape[1]))
    for k, w in enumerate(width):
        gauss = np.exp(-distance2 / (2.0 * w * w)) / (2.0 * np.pi * w * w)
        result[k] = np.sum(gauss * r_weight[0] * phi_weight, axis=(2, 3))
    return result if grid.phi is not None else result[..., 0]
