"""Properties of every mesh and of every nuclide: drawn sizes, stretchings, kinks, energies and masses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cyldiff.constants import ELECTRON_MASS
from cyldiff.errors import GridError
from cyldiff.grid import Grid, Kinematics, energy_grid, kinetic_energy_of_rigidity
from cyldiff.grid.axis import azimuthal_axis, radial_axis, refined_radial_axis, vertical_axis
from cyldiff.particles.species import nuclides

QUIET = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
CELLS, LENGTHS = st.integers(5, 40), st.floats(0.1, 100.0)
STRETCHES = st.one_of(st.just(0.0), st.floats(0.5, 8.0))


def orderly(axis, low, high):
    """Faces rise from `low` to `high`, every centre is in its cell, the cells fill the range."""
    assert (axis.faces[0], axis.faces[-1]) == pytest.approx((low, high), rel=1e-12, abs=1e-12)
    assert np.all(np.diff(axis.faces) > 0.0)
    assert np.all(axis.centers >= axis.faces[:-1])
    assert np.all(axis.centers < axis.faces[1:])
    assert axis.n == axis.centers.size == axis.faces.size - 1
    assert axis.widths.sum() == pytest.approx(high - low, rel=1e-12)


@QUIET
@given(CELLS, LENGTHS)
def test_radial_axes(n, radius):
    axis = radial_axis(n, radius)
    orderly(axis, 0.0, radius)
    twice = radial_axis(2 * n, radius)
    # a refinement keeps every face
    np.testing.assert_allclose(twice.faces[::2], axis.faces, rtol=1e-12)
    np.testing.assert_allclose(axis.spacings[1:-1], np.diff(axis.centers), rtol=1e-12)


@QUIET
@given(CELLS, LENGTHS, STRETCHES, st.booleans(), st.lists(st.floats(0.01, 1.5), max_size=2))
def test_vertical_axes(n, height, stretch, half_space, kinks):
    n = n if half_space else 2 * n + 1
    axis = vertical_axis(
        n, height, half_space=half_space, stretch=stretch, kinks=tuple(height * k for k in kinks)
    )
    orderly(axis, 0.0 if half_space else -height, height)
    assert axis.folded == half_space
    assert axis.centers[0 if half_space else n // 2] == pytest.approx(0.0, abs=1e-12 * height)
    if not half_space:
        np.testing.assert_allclose(axis.faces, -axis.faces[::-1], atol=1e-12 * height)
    if stretch:
        upper = axis.widths if half_space else axis.widths[n // 2 :]
        # cells grow away from the plane; the first one of a folded axis is half of one
        assert np.all(np.diff(upper[1:]) > 0.0)


@QUIET
@given(st.integers(5, 200))
def test_azimuthal_axes(n):
    axis = azimuthal_axis(n)
    orderly(axis, axis.faces[0], axis.faces[0] + 2.0 * np.pi)
    assert axis.periodic


@QUIET
@given(st.floats(5.0, 40.0), st.floats(0.05, 0.95), st.floats(0.02, 0.5), st.floats(0.02, 0.3))
def test_axes_refined_around_the_sun(radius, part, cell, growth):
    around = part * radius
    axis = refined_radial_axis(radius, around, cell, growth)
    orderly(axis, 0.0, radius)
    near = np.abs(axis.centers - around) < 2.0 * cell
    assert np.all(axis.widths[near] < 4.0 * cell)


@QUIET
@given(CELLS, CELLS, LENGTHS, LENGTHS, STRETCHES, st.booleans(), st.one_of(st.none(), st.integers(5, 24)))
def test_volumes_fill_the_cylinder(n_r, n_z, radius, height, stretch, half_space, n_phi):
    n_z = n_z if half_space else 2 * n_z + 1
    grid = Grid.build(
        kinetic_energy=energy_grid(1.0, 10.0, 4.0), radius=radius, half_height=height, n_r=n_r, n_z=n_z,
        half_space=half_space, stretch=stretch, n_phi=n_phi,
    )  # fmt: skip
    assert np.all(grid.volume > 0.0)
    assert grid.volume.sum() == pytest.approx(np.pi * radius**2 * 2.0 * height, rel=1e-12)
    side = grid.face_area("r")
    assert np.all(side >= 0.0)
    # in 3-D that of one of n_phi equal sectors
    assert (n_phi or 1) * side[-1].sum() == pytest.approx(2.0 * np.pi * radius * 2.0 * height, rel=1e-12)
    average = grid.cell_average(lambda r, z: 3.0 + 0.0 * r * z)
    np.testing.assert_allclose(average, 3.0, rtol=1e-12)


@QUIET
@given(st.integers(-3, 4), STRETCHES, st.booleans())
def test_too_few_cells_are_refused(n, stretch, half_space):
    for make in (
        lambda: radial_axis(n, 20.0),
        lambda: vertical_axis(n, 4.0, half_space=half_space, stretch=stretch),
    ):
        with pytest.raises(GridError):
            make()


@QUIET
@given(st.floats(1e-3, 1e8), st.floats(1.001, 1e9), st.floats(1.0, 60.0))
def test_energies(low, ratio, per_decade):
    energy = energy_grid(low, low * ratio, per_decade)
    assert (energy[0], energy[-1]) == (low, low * ratio)
    assert len(energy) % 2 == 1
    steps = np.diff(np.log(energy))
    assert np.all(steps > 0.0)
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-6)


PARTICLES = [(s.name, s.Z, s.A, s.mass_per_nucleon) for s in nuclides().values()]
PARTICLES += [("electron", -1, 0, ELECTRON_MASS), ("positron", 1, 0, ELECTRON_MASS)]


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=5, unique=True).map(sorted))
def test_kinematics_of_every_particle(energies):
    """T, p, R, beta and gamma of the same particle, there and back."""
    energy = np.array(energies)
    for name, charge, mass_number, mass in PARTICLES:
        n = max(mass_number, 1)
        k = Kinematics(energy, charge, mass_number, mass)
        assert np.all((k.beta > 0.0) & (k.beta <= 1.0)), name
        back = kinetic_energy_of_rigidity(
            k.rigidity, charge=charge, mass_number=mass_number, mass_per_nucleon=mass
        )
        # gamma = 1 + T/m; beta gamma = p / (A m), which keeps its digits at both ends
        for found, expected in (
            (k.gamma, 1.0 + energy / mass),
            (k.beta * k.gamma, k.momentum / (n * mass)),
            (k.rigidity * abs(charge), k.momentum),
            (k.momentum, n * np.sqrt(energy * (energy + 2.0 * mass))),
            (back, energy),
        ):
            assert np.all(np.abs(found - expected) <= 1e-12 * expected), name
        # d ln p / d ln T goes from 1/2 to 1
        assert np.all(np.abs(k.dlnp_dlnT - 0.75) <= 0.25 + 1e-12), name
        for rising in (k.momentum, k.rigidity, k.beta):
            assert np.all(np.diff(rising) >= -1e-15 * rising[1:]), name


@pytest.mark.parametrize("particle", PARTICLES[::9], ids=[p[0] for p in PARTICLES[::9]])
def test_limits_of_kinematics(particle):
    _, charge, mass_number, mass = particle
    n = max(mass_number, 1)
    slow, fast = 1e-8 * mass, 1e8 * mass
    k = Kinematics(np.array([slow, fast]), charge, mass_number, mass)
    # p = A sqrt(2 m T), beta = sqrt(2 T / m); p = A T, beta = 1
    np.testing.assert_allclose(k.momentum, n * np.array([np.sqrt(2.0 * mass * slow), fast]), rtol=2e-8)
    np.testing.assert_allclose(k.beta, [np.sqrt(2.0 * slow / mass), 1.0], rtol=2e-8)
    np.testing.assert_allclose(k.dlnp_dlnT, [0.5, 1.0], rtol=2e-8)
