"""The mesh of a response: cells that are small around the Sun, modes in phi, nodes of the table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.config.schema import RunConfig
from cyldiff.errors import GridError
from cyldiff.grid import Grid, Kinematics
from cyldiff.grid.axis import MINIMUM_CELLS, azimuthal_axis, refined_radial_axis, vertical_axis
from cyldiff.solve.adjoint import mode_numbers
from cyldiff.solve.chain import ChainSolver
from cyldiff.sources.response.kernel_modes import kernel_mode
from cyldiff.stages import build_chain, build_grid

__all__ = ["ResponseMesh"]

Array = NDArray[np.float64]

#: modes in phi beyond which the starting kernel has nothing: exp(-4.8^2 / 2) = 1e-5
KERNEL_MODES = 4.8
#: growth of the nodes of the table in psi
PSI_GROWTH = 0.16


@dataclass(frozen=True)
class ResponseMesh:
    """Cells around the Sun, modes, and nodes of the table.

    Attributes
    ----------
    run : its physics, with one nuclide
    grid : 3-D, with the fewest cells in phi there can be; they only tell D along phi
    core : standard deviation of the starting kernel [kpc]
    modes : those to solve
    psi : nodes of the table, two beyond either end
    rows : cells in r that become nodes of the table
    """

    run: RunConfig
    grid: Grid
    core: float
    modes: Array
    psi: Array
    rows: NDArray[np.int64]

    @classmethod
    def build(cls, run: RunConfig, core: float, growth: float, modes: int | None) -> ResponseMesh:
        """Mesh for a starting kernel of the width `core` [kpc]; cells in r grow by `growth` from the Sun on.

        Both half-spaces, with the cells in z of the run. `modes`: the highest, default as the core needs.

        Raises
        ------
        GridError    for a slab, or a core or growth that makes no mesh
        """
        physics, space = run.physics, run.grid.space
        if space.geometry == "slab":
            raise GridError("a slab has no point sources; use a cylindrical grid")
        if not (core > 0.0 and 0.0 < growth <= 0.3):
            raise GridError(f"core = {core:g} kpc, growth = {growth:g}; expected a length, and at most 0.3")
        H, sun = physics.halo.half_height, physics.observer
        grid = build_grid(run)
        n_z = 2 * space.z.n - 1 if space.half_space else space.z.n
        grid = replace(
            grid,
            r=refined_radial_axis(physics.halo.radius, sun.r, 0.5 * core, growth),
            phi=azimuthal_axis(MINIMUM_CELLS),
            z=vertical_axis(
                n_z, H, half_space=False, kinks=physics.diffusion.kinks(H),
                stretch=space.z.stretch if space.z.spacing == "sinh" else 0.0,
            ),
        )  # fmt: skip
        highest = KERNEL_MODES * sun.r / core if modes is None else float(modes)
        # in the table every second cell in r; angles as dense as these at the Sun
        first = core / sun.r
        n = int(np.ceil(np.arcsinh(np.pi * PSI_GROWTH / first) / PSI_GROWTH))
        top = np.arcsinh(np.pi * PSI_GROWTH / first)
        inside = first / PSI_GROWTH * np.sinh(np.linspace(0.0, top, n + 1))
        # two nodes beyond either end, where R is the mirror image
        psi = np.concatenate([-inside[2:0:-1], inside, 2.0 * np.pi - inside[-2:-4:-1]])
        return cls(run, grid, core, mode_numbers(highest), psi, np.arange(0, grid.r.n, 2))

    def chain(self, energy: Array) -> ChainSolver:
        """The nuclide on this mesh at some energies."""
        return build_chain(self.run, replace(self.grid, kinetic_energy=energy))

    @property
    def spread(self) -> float:
        """Spread of the starting kernel [kpc^2]."""
        return 0.5 * self.core**2

    def start(self, mode: float) -> Array:
        """Observations of value, slope in r and slope in z, as they are after the first spread."""
        sun = self.run.physics.observer
        return kernel_mode(self.grid.meridional, sun.r, sun.z, self.spread, mode)

    def local_diffusion(self, nucleus: Kinematics, x: ArrayLike = 0.0, z: ArrayLike = 0.0) -> Array:
        """D along r at points beside the observer, shape (n_e, *x.shape) [kpc^2/Myr]."""
        sun = self.run.physics.observer
        x, z = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(z, dtype=float))
        momenta = (slice(None), *[None] * x.ndim)
        D = self.run.physics.diffusion.coefficient(
            nucleus.rigidity[momenta], nucleus.beta[momenta], np.abs(sun.r + x), sun.z + z, axis="r"
        )
        return np.broadcast_to(D, (len(nucleus.kinetic_energy), *x.shape)).astype(float)

    def begin(self, nucleus: Kinematics) -> Array:
        """Age at which the starting kernel has its spread, with the mean of D over the kernel [Myr].

        ``t = int_0^s ds' / <D>_s'``, the mean over a Gaussian of the variance 2 s' (D depends on r and z).
        """
        points = np.linspace(-4.0, 4.0, 25)
        weights = np.exp(-0.5 * points**2)
        weights = np.outer(weights, weights) / weights.sum() ** 2
        x, z = np.meshgrid(points, points, indexing="ij")
        nodes, shares = np.polynomial.legendre.leggauss(6)
        age = np.zeros(len(nucleus.kinetic_energy))
        for u, share in zip(0.5 * (nodes + 1.0), 0.5 * shares, strict=True):
            width = self.core * u  # the variance is 2 s u^2
            mean = np.sum(self.local_diffusion(nucleus, width * x, width * z) * weights, axis=(1, 2))
            age += share * 2.0 * u * self.spread / mean
        return age
