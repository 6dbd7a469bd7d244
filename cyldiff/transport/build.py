"""Physics in, coefficients out: one nuclide or lepton of one model on one grid."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cyldiff.errors import GridError
from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid, Kinematics
from cyldiff.transport import lepton_losses
from cyldiff.transport.coefficients import TransportCoefficients
from cyldiff.transport.lepton_losses import Medium
from cyldiff.transport.losses import momentum_loss_rate

__all__ = ["Propagation"]

Array = NDArray[np.float64]

#: two Gauss-Legendre points of the unit interval
GAUSS_POINTS = (0.5 - 0.5 / math.sqrt(3.0), 0.5 + 0.5 / math.sqrt(3.0))


@dataclass(frozen=True)
class Propagation:
    """The laws of motion on a grid: diffusion, wind, reacceleration and the gas.

    ``coefficients(nucleus, sink_rate)`` evaluates them for one nuclide; what does not depend on
    the nuclide is kept.
    """

    grid: Grid
    galaxy: Galaxy
    diffusion: Any
    convection: Any
    reacceleration: Any
    losses: bool = True
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.grid.z.folded and not getattr(self.diffusion, "symmetric", True):
            raise GridError("the diffusion law is not symmetric in z; use a grid with half_space = false")

    def coefficients(self, nucleus: Kinematics, sink_rate: Array) -> TransportCoefficients:
        """Coefficients of one nuclide; `sink_rate` is that of its collisions and decay."""
        grid = self.grid
        faces = nucleus.at(grid.kinetic_energy_faces)
        velocity = self.convection.face_velocity(grid)
        loss_rate = self._in_space(self.divergence(velocity)[None] / 3.0) + np.zeros(grid.shape)
        if self.losses:
            loss_rate += self._losses(nucleus)
        log_p = np.log(nucleus.momentum)
        return TransportCoefficients(
            D_face={a.name: self._in_space(self._face_diffusion(nucleus, a.name)) for a in grid.axes},
            V_face={"z": self._in_space(np.broadcast_to(velocity, (1, 1, grid.z.n + 1)))},
            D_center=self._in_space(self._diffusion(nucleus, grid.r.centers, grid.z.centers, axis="r")),
            loss_rate=loss_rate,
            reacceleration_face=self._reacceleration(faces),
            sink_rate=sink_rate,
            log_momentum=log_p,
            log_momentum_width=nucleus.dlnp_dlnT * grid.log_step,
            log_momentum_spacing=np.diff(log_p),
        )

    def _losses(self, particle: Kinematics) -> Array:
        """Rate -(dp/dt)/p of the continuous losses in the cells [1/Myr]."""
        galaxy = self.galaxy
        if not particle.is_lepton:
            return momentum_loss_rate(
                particle,
                neutral=galaxy.neutral,
                ionised=galaxy.ionised,
                helium_fraction=galaxy.helium_fraction,
            )
        if galaxy.magnetic is None or galaxy.radiation is None:
            raise GridError("electrons and positrons need a magnetic_field and a radiation_field")
        medium = Medium(
            neutral=galaxy.neutral,
            ionised=galaxy.ionised,
            helium_fraction=galaxy.helium_fraction,
            magnetic=galaxy.magnetic,
            radiation=galaxy.radiation,
            profile=galaxy.radiation_profile,
        )
        return lepton_losses.momentum_loss_rate(particle, medium)

    def divergence(self, velocity: Array) -> Array:
        """Divergence of the wind in the cells, shape (n_r, n_z) [1/Myr]."""
        z = self.grid.z
        inflow = np.diff(velocity) / z.widths
        if z.folded:
            inflow[0] = velocity[1] / z.widths[0]
        return np.broadcast_to(inflow, (self.grid.r.n, z.n))

    def _in_space(self, meridional: Array) -> Array:
        """A field of (p, r, z) as one of the grid's dimensions, the same at every phi."""
        return meridional if self.grid.phi is None else meridional[:, :, None, :]

    def _face_diffusion(self, nucleus: Kinematics, axis: str) -> Array:
        """D on the faces of an axis, as a field of (p, r, z)."""
        if axis == "z":
            return self._vertical_diffusion(nucleus)
        r = self.grid.r.faces if axis == "r" else self.grid.r.centers
        return self._diffusion(nucleus, r, self.grid.z.centers, axis=axis)

    def _diffusion(self, nucleus: Kinematics, r: Array, z: Array, *, axis: str) -> Array:
        """D along an axis at the points (r, z); shape (n_p, 1, 1) if it is the same everywhere."""
        D = self.diffusion.coefficient(
            nucleus.rigidity[:, None, None],
            nucleus.beta[:, None, None],
            r[None, :, None],
            z[None, None, :],
            axis=axis,
        )
        return np.asarray(D, dtype=float)

    def _vertical_diffusion(self, nucleus: Kinematics) -> Array:
        """D on the z faces: the mean that carries the flux from one cell centre to the next.

        1/D is averaged over that line, in two halves that meet on the face. In one dimension this is
        exact whatever D does in between, so that a kink or a jump on a face costs no accuracy.
        """
        r, z = self.grid.r.centers, self.grid.z
        points = np.concatenate([z.faces[:1], z.centers, z.faces[-1:]])
        below, above = z.faces - points[:-1], points[1:] - z.faces
        # the symmetry plane of a folded axis is a line of no length, which nothing flows along
        whole = np.where(below + above > 0.0, below + above, 1.0)
        share_below = np.where(below + above > 0.0, below / whole, 0.5)
        resistance: Array = np.zeros(1)
        for start, length, share in ((points[:-1], below, share_below), (z.faces, above, 1.0 - share_below)):
            for node in GAUSS_POINTS:
                D = self._diffusion(nucleus, r, start + node * length, axis="z")
                if D.shape[-1] == 1:
                    return D
                resistance = resistance + 0.5 * share / D
        return 1.0 / resistance

    def _reacceleration(self, faces: Kinematics) -> Array | None:
        slope = self.diffusion.slope(self.grid.r.centers[:, None], self.grid.z.centers[None, :])
        # momentum diffusion comes from the scattering along the regular field, which is toroidal
        D = self._diffusion(faces, self.grid.r.centers, self.grid.z.centers, axis="phi")
        rate = self.reacceleration.rate(D, slope)
        if rate is None:
            return None
        n_p = len(self.grid.kinetic_energy)
        return np.broadcast_to(self._in_space(rate), (n_p + 1, *self.grid.shape[1:]))
