"""Diffusion along and across a toroidal field: limits, reacceleration, and what each part moves."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.solve.steady import SteadySolver
from cyldiff.transport.build import Propagation
from cyldiff.transport.convection import NoWind
from cyldiff.transport.diffusion import AnisotropicDiffusion, PowerLawDiffusion
from cyldiff.transport.reacceleration import NoReacceleration, SeoPtuskin1994

PARALLEL = {"D0": "6e28 cm^2/s", "reference_rigidity": "4 GV", "delta": 0.33, "eta": 1.0}
PERPENDICULAR = {"D0": "2e28 cm^2/s", "reference_rigidity": "2 GV", "delta": 0.55, "eta": -0.4}
CARBON = (6, 12, 0.93149410242)


def law(parallel=PARALLEL, perpendicular=PERPENDICULAR):
    return AnisotropicDiffusion.model_validate({"parallel": parallel, "perpendicular": perpendicular})


def mesh(n_phi: int | None = 12):
    return Grid.build(
        kinetic_energy=energy_grid(0.5, 50.0, 4.0), radius=12.0, half_height=4.0, n_r=9, n_z=7,
        half_space=True, stretch=3.0, n_phi=n_phi,
    )  # fmt: skip


def operator(diffusion, grid, reacceleration=None):
    empty = np.zeros(grid.shape[1:])
    gas = Galaxy(empty + 0.5 * np.exp(-grid.z.centers / 0.3), empty, 0.1)
    motion = Propagation(grid, gas, diffusion, NoWind(), reacceleration or NoReacceleration())
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    return TransportOperator.build(grid, motion.coefficients(nucleus, np.full(grid.shape, 0.01)))


def solved(problem, source):
    return SteadySolver(1e-11).solve(problem, source)[0]


def blob(grid):
    source = np.zeros(grid.shape)
    source[:, 5, 4, 0] = 1.0
    return source


def test_each_axis_has_its_power_law():
    rigidity, beta = np.array([1.0, 10.0, 300.0]), np.array([0.5, 0.9, 1.0])
    diffusion = law()
    for axis, raw in (("r", PERPENDICULAR), ("z", PERPENDICULAR), ("phi", PARALLEL)):
        D0 = float(raw["D0"].split()[0]) * 3.15576e13 / 3.0856775815e21**2
        expected = (
            D0 * beta ** raw["eta"] * (rigidity / float(raw["reference_rigidity"].split()[0])) ** raw["delta"]
        )
        found = diffusion.coefficient(rigidity, beta, np.array(8.5), np.array(0.0), axis=axis)
        np.testing.assert_allclose(found, expected, rtol=1e-8)
    assert float(diffusion.slope(np.array(8.5), np.array(0.0))) == 0.33


@pytest.mark.parametrize("reacceleration", [None, SeoPtuskin1994(alfven_speed="25 km/s")])
def test_equal_parts_are_isotropic_diffusion(reacceleration):
    grid = mesh()
    both = operator(law(PARALLEL, PARALLEL), grid, reacceleration)
    one = operator(PowerLawDiffusion.model_validate(PARALLEL), grid, reacceleration)
    field = np.random.default_rng(3).random(grid.shape)
    np.testing.assert_allclose(both.apply(field), one.apply(field), rtol=1e-13, atol=1e-13)


def test_an_axisymmetric_source_does_not_feel_the_parallel_part():
    grid = mesh()
    ring = np.zeros(grid.shape)
    ring[:, 5, :, 0] = 1.0
    weak, strong = (
        solved(operator(law({**PARALLEL, "D0": D0}), grid), ring) for D0 in ("1e27 cm^2/s", "1e32 cm^2/s")
    )
    np.testing.assert_allclose(weak, strong, rtol=1e-8)


def test_the_parallel_part_spreads_a_blob_along_phi_only():
    """The mean over phi does not change; the contrast around the circle falls."""
    grid = mesh()
    weak, strong = (
        solved(operator(law({**PARALLEL, "D0": D0}), grid), blob(grid))
        for D0 in ("1e27 cm^2/s", "1e32 cm^2/s")
    )
    np.testing.assert_allclose(weak.mean(axis=2), strong.mean(axis=2), rtol=1e-8)
    contrast = [x[:, 5, 4, 0] / x[:, 5].mean(axis=1)[:, 0] for x in (weak, strong)]
    assert np.all(contrast[0] > 3.0 * contrast[1])


def test_without_parallel_diffusion_the_sectors_are_apart():
    """D_par -> 0: what is injected in one sector stays there."""
    grid = mesh()
    found = solved(operator(law({**PARALLEL, "D0": "1e10 cm^2/s"}), grid), blob(grid))
    assert np.delete(found, 4, axis=2).max() < 1e-12 * found.max()


def test_reacceleration_follows_the_parallel_part():
    """D_pp = 4 p^2 v_A^2 / [3 delta (4 - delta^2)(4 - delta) D_par], whatever D_perp is."""
    grid = mesh(None)
    alfven = SeoPtuskin1994(alfven_speed="25 km/s")
    gas = Galaxy(np.zeros(grid.shape[1:]), np.zeros(grid.shape[1:]), 0.1)
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    g = (
        Propagation(grid, gas, law(), NoWind(), alfven)
        .coefficients(nucleus, np.zeros(grid.shape))
        .reacceleration_face
    )
    faces = nucleus.at(grid.kinetic_energy_faces)
    parallel = law().coefficient(faces.rigidity, faces.beta, np.array(8.5), np.array(0.0), axis="phi")
    delta = 0.33
    speed = 25e5 * 3.15576e13 / 3.0856775815e21
    expected = 4.0 * speed**2 / (3.0 * delta * (4.0 - delta**2) * (4.0 - delta) * parallel)
    np.testing.assert_allclose(g[:, 3, 2], expected, rtol=1e-8)


@pytest.mark.parametrize("missing", ["parallel", "perpendicular"])
def test_both_parts_are_needed(missing):
    raw = {"parallel": PARALLEL, "perpendicular": PERPENDICULAR}
    del raw[missing]
    with pytest.raises(ValidationError, match=missing):
        AnisotropicDiffusion.model_validate(raw)
