"""Lines of sight against closed forms and brute force: columns, slabs, absorption, discs, the centre."""

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.galaxy.coordinates import unit_vector
from cyldiff.galaxy.radiation_field import CosmicMicrowaveBackground, Delahaye2010
from cyldiff.observables.absorption import Absorption, cmb_absorption
from cyldiff.observables.emission import EmissionField, EmissionStack
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.line_of_sight import GAUSS, KRONROD, NODES, LineOfSight
from cyldiff.observables.surroundings import Sun, gas_of, sun_of
from cyldiff.particles.pion_production import Kelner2006

KPC = const.KPC_CM
PURE = Kelner2006(nuclear_enhancement="none")
ENERGY = np.array([1e3, 1e5, 1e6])


def constant(result, value=1.0, *, per_atom=True, energy=ENERGY):
    """A field that is the same everywhere; on a mesh without edges, so that it has no rim."""
    dataset = result()
    field = EmissionField.on_grid(
        dataset, energy, np.ones((energy.size, *dataset["flux"].shape[2:])), per_atom=per_atom
    )
    return EmissionField(energy, field.mesh, np.full_like(field.values, value), "constant", per_atom)


def sight(gas, field, **changes):
    return LineOfSight(Sun(8.5, changes.pop("z_sun", 0.0)), gas, field.mesh, **changes)


def everywhere(density):
    return lambda r, z, phi: np.full(np.shape(r), density)


def test_rules():
    # 15 points are exact to degree 22, 7 points to degree 13
    for power in range(23):
        exact = 2.0 / (power + 1) if power % 2 == 0 else 0.0
        assert KRONROD @ NODES**power == pytest.approx(exact, abs=1e-14)
        if power <= 13:
            assert GAUSS @ NODES**power == pytest.approx(exact, abs=1e-14)


DIRECTIONS = [(0.0, 0.0), (33.0, 12.0), (90.0, 0.0), (180.0, -3.0), (247.0, 70.0), (0.0, 90.0), (10.0, -90.0)]


def length(l, b, z_sun=0.0, radius=20.0, height=4.0):  # noqa: E741
    """Way out of the box, by steps."""
    s = np.linspace(0.0, 40.0, 400_001)
    place = np.array([-8.5, 0.0, z_sun]) + s[:, None] * unit_vector(l, b)
    inside = (np.hypot(place[:, 0], place[:, 1]) <= radius) & (np.abs(place[:, 2]) <= height)
    return s[np.argmin(inside)]


@pytest.mark.parametrize(("l", "b"), DIRECTIONS)
@pytest.mark.parametrize("z_sun", [0.0, 0.02])
def test_uniform_gas_is_the_analytic_column(result, l, b, z_sun):  # noqa: E741
    field = constant(result)
    line = sight(everywhere(0.7), field, z_sun=z_sun)
    expected = 0.7 * length(l, b, z_sun) * KPC
    assert line.column(l, b)[0] == pytest.approx(expected, rel=2e-4)
    seen = line.intensity(l, b, EmissionStack.of([field]))
    assert seen[0, :, 0] == pytest.approx(np.full(3, expected), rel=2e-4)


@pytest.mark.parametrize(("l", "b"), DIRECTIONS)
def test_uniform_slab_with_absorption_is_exact(result, l, b):  # noqa: E741
    # I = n q (1 - e^{-K L})/K
    field = constant(result, 2.5)
    absorption = Absorption.by(CosmicMicrowaveBackground(), ENERGY)
    seen = sight(everywhere(0.7), field).intensity(l, b, EmissionStack.of([field]), absorption)[0, :, 0]
    rate, way = cmb_absorption(ENERGY), length(l, b)
    expected = 0.7 * 2.5 * KPC * np.where(rate > 0.0, -np.expm1(-rate * way) / np.maximum(rate, 1e-300), way)
    assert seen == pytest.approx(expected, rel=2e-4)


def test_uniform_slab_of_a_result(result):
    # I = n_H q_gamma L / 4 pi for uniform cosmic rays: T20, with q from the table of moments Z
    dataset = result(gas="disc")
    sky = DiffuseSky.of(dataset, PURE, energies=[1e3, 1e5])
    # straight up through half of a disc of 2 mg/cm^2; nothing absorbs
    column = 0.5 * 2e-3 / (1.4 * const.HYDROGEN_MASS_G)
    assert sky.sight.column(0.0, 90.0)[0] == pytest.approx(column, rel=1e-6)
    flux = 1e-4 * np.array([1e3, 1e5]) ** -2.7
    expected = column * 1e-27 * np.array([1.245, 1.837]) * flux
    assert sky.intensity(0.0, 90.0)[0, :, 0] == pytest.approx(expected, rel=1e-2)


def test_gas_free_space_is_dark(result):
    sky = DiffuseSky.of(result(gas="none"), PURE, energies=[1e3, 1e5])
    assert np.all(sky.intensity([0.0, 40.0, 0.0], [0.0, 1.0, 90.0]) == 0.0)


def brute(line, field, absorption, l, b, n=400_000):  # noqa: E741
    """Midpoint sum over very many steps."""
    end = length(l, b, line.sun.z)
    s = (np.arange(n) + 0.5) / n * end
    place = np.array([-line.sun.r, 0.0, line.sun.z]) + s[:, None] * unit_vector(l, b)
    r, z, phi = np.hypot(place[:, 0], place[:, 1]), place[:, 2], np.arctan2(place[:, 1], place[:, 0])
    dimmed = field.at(r, z, phi) * np.exp(-np.outer(s, absorption.uniform))
    return (line.gas(r, z, phi)[:, None] * dimmed).sum(axis=0) * end / n * KPC


@pytest.mark.parametrize("z_sun", [0.0, 0.017])
@pytest.mark.parametrize(
    ("l", "b"),
    [
        (0.0, 0.0),
        (0.4, 0.1),
        (357.0, -0.4),
        (20.0, 1.0),
        (30.0, 0.2),
        (75.0, -4.0),
        (120.0, 0.0),
        (205.0, 30.0),
    ],
)
def test_stated_accuracy(result, l, b, z_sun):  # noqa: E741
    dataset = result(lambda r, z: np.exp(-(r - 8.5) / 6.0) * (1.0 - np.abs(z) / 4.0), z_sun=z_sun)
    sky = DiffuseSky.of(dataset, PURE, energies=ENERGY, radiation=CosmicMicrowaveBackground())
    field = EmissionField(ENERGY, sky.emission.mesh, np.ascontiguousarray(sky.emission.values[:, :, :, 0]))
    expected = brute(sky.sight, field, sky.absorption, l, b)
    assert sky.intensity(l, b)[0, :, 0] == pytest.approx(expected, rel=5e-4)


def test_gas_that_jumps(result):
    field = constant(result)
    line = sight(lambda r, z, phi: np.where(np.abs(z) < 0.15, 1.0, 0.0), field, edges=(0.15,), z_sun=0.01)
    for b in (2.0, 10.0, 80.0):
        assert line.column(30.0, b)[0] == pytest.approx(0.14 / np.sin(np.radians(b)) * KPC, rel=1e-9)
    assert line.column(30.0, -10.0)[0] == pytest.approx(0.16 / np.sin(np.radians(10.0)) * KPC, rel=1e-9)
    # where nobody told about the jump it is found, to the tolerance
    blind = sight(line.gas, field, z_sun=0.01)
    assert blind.column(30.0, 10.0)[0] == pytest.approx(line.column(30.0, 10.0)[0], rel=5e-4)


def test_emission_of_the_volume_needs_no_gas(result):
    fields = [constant(result, 3.0, per_atom=False), constant(result, 2.0)]
    seen = sight(everywhere(0.5), fields[0]).intensity(90.0, 0.0, EmissionStack.of(fields))
    way = length(90.0, 0.0) * KPC
    assert seen[0, :, 0] == pytest.approx(np.full(3, 3.0 * way), rel=2e-4)
    assert seen[1, :, 0] == pytest.approx(np.full(3, 2.0 * 0.5 * way), rel=2e-4)


def test_radiation_that_falls_off(result):
    # K(r, z) = K_cmb + K_rest f: against an integral of the optical depth
    radiation = Delahaye2010(reference_radius="8.5 kpc", r_scale="4 kpc", z_scale="2 kpc")
    energy = np.array([1e5])
    field = constant(result, energy=energy)
    absorption = Absorption.by(radiation, energy)
    assert absorption.varying[0] > 0.0
    seen = sight(everywhere(1.0), field).intensity(15.0, 3.0, EmissionStack.of([field]), absorption)[0, 0, 0]
    end = length(15.0, 3.0)
    s = (np.arange(100_000) + 0.5) / 100_000 * end
    place = np.array([-8.5, 0.0, 0.0]) + s[:, None] * unit_vector(15.0, 3.0)
    rate = absorption.uniform + absorption.varying * radiation.profile(
        np.hypot(place[:, 0], place[:, 1]), place[:, 2]
    )
    tau = np.cumsum(rate) * end / s.size
    assert seen == pytest.approx(np.exp(-tau).sum() * end / s.size * KPC, rel=3e-4)
    # uniform radiation of the same kind goes through the other table
    flat = Absorption.by(Delahaye2010(), energy)
    seen = sight(everywhere(1.0), field).intensity(15.0, 3.0, EmissionStack.of([field]), flat)[0, 0, 0]
    both = flat.uniform[0] + flat.varying[0]
    assert seen == pytest.approx(-np.expm1(-both * end) / both * KPC, rel=3e-4)


def test_three_dimensions(result):
    # what does not depend on phi is the same as in two; what does is read at the right azimuth
    def flat(r, z):
        return np.exp(-r / 8.0) * (1.0 - np.abs(z) / 4.0)

    two = DiffuseSky.of(result(flat), PURE, energies=[1e4])
    three = DiffuseSky.of(result(lambda r, phi, z: flat(r, z), n_phi=24), PURE, energies=[1e4])
    directions = [0.0, 30.0, 90.0, 200.0, 300.0], [0.0, 1.0, -5.0, 2.0, 40.0]
    assert three.intensity(*directions) == pytest.approx(two.intensity(*directions), rel=1e-2)
    # cosmic rays only where y > 0: that is where l is between 0 and 180
    side = DiffuseSky.of(
        result(lambda r, phi, z: 1.0 + np.tanh(20.0 * np.sin(phi)) + 0.0 * z, n_phi=120), PURE, energies=[1e4]
    )
    left, right = side.intensity([60.0, 300.0], [0.5, 0.5])[0, 0]
    assert right < 0.05 * left


def test_mesh_of_a_full_and_a_half_space_agree(result):
    def shape(r, z):
        return np.exp(-r / 8.0) * (1.0 - np.abs(z) / 4.0)

    seen = [
        DiffuseSky.of(result(shape, half_space=half), PURE, energies=[1e4]).intensity(25.0, 0.7)[0, 0, 0]
        for half in (True, False)
    ]
    assert seen[0] == pytest.approx(seen[1], rel=1e-6)


def test_field_between_the_cells(result):
    def shape(r, z):
        return (1.0 - (r / 20.0) ** 2) * np.cos(np.pi * z / 8.0)

    dataset = result(shape)
    cells = shape(dataset["r"].values[:, None], dataset["z"].values)[None]
    field = EmissionField.on_grid(dataset, np.array([1.0]), cells)
    r, z = np.meshgrid(np.linspace(0.0, 19.9, 57), np.linspace(-3.95, 3.95, 41), indexing="ij")
    assert field.at(r, z)[..., 0] == pytest.approx(shape(r, z), abs=2e-3)
    # zero on the surface and outside
    assert field.at(np.array([20.0, 5.0, 30.0]), np.array([0.0, 4.0, 0.0])).ravel() == pytest.approx(
        np.zeros(3)
    )


def test_gas_and_sun_of_a_result(result):
    dataset = result(z_sun=0.02)
    assert (sun_of(dataset).r, sun_of(dataset).z) == (8.5, 0.02)
    gas = gas_of(dataset)
    # check values of the gas at r = 8.5, z = 0: HI 0.570, H2 0.283 molecules of Bronfman, HII 0.0221
    assert gas.hydrogen(8.5, 0.0) == pytest.approx(float(gas.neutral(8.5, 0.0) + gas.ionised(8.5, 0.0)))
