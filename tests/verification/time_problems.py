"""Helpers of the tests in time: uniform three-dimensional problems, and fixed steps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from problems import CARBON

from cyldiff.grid import Grid, Kinematics
from cyldiff.operators import TransportOperator
from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.transport.coefficients import TransportCoefficients

__all__ = ["cartesian", "fixed_steps", "no_source", "sphere_of_cells", "uniform_box", "uniform_operator"]

#: two energies: enough for a grid, and room for two values of D
TWO_ENERGIES = np.array([10.0, 20.0])


def uniform_box(n_r, n_phi, n_z, *, radius, half_height, half_space=True, energies=TWO_ENERGIES):
    """Three-dimensional grid with equal cells in z."""
    return Grid.build(
        kinetic_energy=np.asarray(energies),
        radius=radius,
        half_height=half_height,
        n_r=n_r,
        n_z=n_z,
        half_space=half_space,
        n_phi=n_phi,
    )


def uniform_operator(grid, D, *, sink=0.0):
    """Diffusion, one D per energy, and sinks; no motion in momentum."""
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    log_p, space = np.log(nucleus.momentum), len(grid.axes)
    D = np.broadcast_to(D, grid.shape[:1]).reshape(-1, *[1] * space)
    terms = TransportCoefficients(
        D_face={axis.name: D for axis in grid.axes},
        V_face={},
        D_center=np.broadcast_to(D, grid.shape),
        loss_rate=np.zeros(grid.shape),
        reacceleration_face=None,
        sink_rate=np.broadcast_to(sink, grid.shape),
        log_momentum=log_p,
        log_momentum_width=nucleus.dlnp_dlnT * grid.log_step,
        log_momentum_spacing=np.diff(log_p),
    )
    return TransportOperator.build(grid, terms)


def cartesian(grid):
    """Cartesian coordinates of the cell centres of a 3-D grid, shape (n_r, n_phi, n_z, 3)."""
    r, phi, z = np.broadcast_arrays(*(grid.coordinate(name)[0] for name in ("r", "phi", "z")))
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=-1)


def sphere_of_cells(grid, position, *, nearest, farthest):
    """Cells of a 3-D grid whose centres have a distance from a place between two limits."""
    away = np.linalg.norm(cartesian(grid) - np.asarray(position), axis=-1)
    return (away >= nearest) & (away <= farthest)


def no_source(index, time, fields):
    """Nothing is injected."""
    return 0.0


def fixed_steps(operator, start, times, *, source=no_source, damped=True, tolerance=1e-7):
    """Field at all of `times`, the first of which is the start; steps are not controlled.

    damped : the first step is made of backward Euler steps
    """
    stepper = Stepper([operator], source, tolerance=tolerance)
    half, account = [np.full(operator.grid.shape[0], 0.5)], [dict.fromkeys(stepper.accounts[0], 0.0)]
    fields, result = [np.array(start, dtype=float)], [np.array(start, dtype=float)]
    for n, (before, after) in enumerate(pairwise(times)):
        if damped and n == 0:
            fields = list(stepper.damped_steps(fields, before, after, account)[-1][1])
        else:
            fields = stepper.step(fields, before, after - before, half, account)
        result.append(fields[0])
    return result
