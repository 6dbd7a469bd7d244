"""Electrons on the grid against closed forms: T9 (losses alone) and diffusion with losses.

The exact solutions are written for the losses as they are, with the speed and the Klein-Nishina reduction, by
quadrature; where losses are b0 E^2 there is the closed form of Bulanov & Dogiel 1974 (Ap&SS 29, 305).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from problems import direct, iterate, observed_orders, plane_source, slab_grid
from scipy.special import beta as beta_function
from scipy.special import erfc

from cyldiff import constants as const
from cyldiff.galaxy import Galaxy
from cyldiff.galaxy.gas import GasModel
from cyldiff.galaxy.magnetic_field import UniformField
from cyldiff.galaxy.radiation_field import CosmicMicrowaveBackground
from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.sources.cooling import Cooling
from cyldiff.sources.greens_function import vertical_kernel
from cyldiff.sources.leptons import lepton_green
from cyldiff.sources.point import PointSource
from cyldiff.sources.segments import Segments
from cyldiff.transport.build import Propagation
from cyldiff.transport.convection import NoWind
from cyldiff.transport.diffusion import PowerLawDiffusion
from cyldiff.transport.lepton_losses import local_medium
from cyldiff.transport.reacceleration import NoReacceleration

EMPTY = GasModel.model_validate(
    {"HI": {"kind": "none"}, "H2": {"kind": "none"}, "HII": {"kind": "none"}, "helium_fraction": 0.0}
)
FIELD, LIGHT = UniformField(B0="6 uG"), CosmicMicrowaveBackground()
DIFFUSION = PowerLawDiffusion(D0="3e28 cm^2/s", reference_rigidity="4 GV", delta=0.4, eta=0.0)
STILL = PowerLawDiffusion(D0="1 cm^2/s", reference_rigidity="4 GV", delta=0.0, eta=0.0)
H = 4.0


def electron(grid):
    return Kinematics(grid.kinetic_energy, -1, 0, const.ELECTRON_MASS)


def operator(grid, diffusion, scheme="third-order"):
    galaxy = Galaxy.on_grid(EMPTY, grid, magnetic_field=FIELD, radiation_field=LIGHT)
    laws = Propagation(grid, galaxy, diffusion, NoWind(), NoReacceleration())
    terms = laws.coefficients(electron(grid), np.zeros(grid.shape))
    return TransportOperator.build(grid, terms, scheme=scheme)


def cooling(diffusion=DIFFUSION, maximum=1e9):
    medium = local_medium(8.5, 0.0, magnetic_field=FIELD, radiation_field=LIGHT)
    return Cooling.of_medium(medium, diffusion, minimum=0.05, maximum=maximum)


def column(values, grid):
    return values.reshape(-1, *[1] * len(grid.axes))


def line_error(per_decade, scheme):
    """A Gaussian line in ln T: largest error of b N relative to all that was injected."""
    grid = slab_grid(5, energies=energy_grid(0.1, 1e6, per_decade))
    lepton = electron(grid)
    x, middle, width = np.log(grid.kinetic_energy), np.log(1e3), 1.2
    number = np.exp(-(((x - middle) / width) ** 2)) / grid.kinetic_energy
    source = np.broadcast_to(column(number * lepton.momentum_per_energy, grid), grid.shape)
    found = direct(operator(grid, STILL, scheme), source.copy())[:, 0, 0] / lepton.momentum_per_energy
    loss = cooling(STILL).loss(grid.kinetic_energy)
    exact = 0.5 * width * np.sqrt(np.pi) * erfc((x - middle) / width)
    return np.abs(loss * found - exact).max() / exact.max()


@pytest.mark.parametrize(("scheme", "order", "at_32"), [("third-order", 3.0, 1e-4), ("upwind", 1.0, 3e-2)])
def test_order_with_losses_alone(scheme, order, at_32):
    """T9: N = (1/b) int Q dT above T, to the order of the scheme."""
    errors = [line_error(n, scheme) for n in (8, 16, 32, 64)]
    orders = observed_orders(errors)
    assert np.all(np.abs(orders - order) < 0.1), orders
    assert errors[2] < at_32


def test_power_law_with_losses_alone():
    """T9: Q = T^-s gives T^(1-s) / [(s - 1) b(T)] where b ~ T^2 (s = 2.3)."""
    grid = slab_grid(5, energies=energy_grid(10.0, 1e7, 12.0))
    lepton, s = electron(grid), 2.3
    energy = grid.kinetic_energy
    source = column(energy**-s * lepton.momentum_per_energy, grid) + np.zeros(grid.shape)
    found = iterate(operator(grid, STILL), source)[:, 0, 0] / lepton.momentum_per_energy
    top = grid.kinetic_energy_faces[-1]
    exact = (energy ** (1.0 - s) - top ** (1.0 - s)) / (s - 1.0) / cooling(STILL).loss(energy)
    # the flux through the bottom is extrapolated: 1.1 % in the lowest cell, gone in the fifth
    used = (energy > 20.0) & (energy < 3e5)
    np.testing.assert_allclose(found[used], exact[used], rtol=2e-3)
    assert np.all(found > 0.0)


def cooled(per_decade):
    """A line that cools for 1 Myr: found and exact N at the end."""
    grid = slab_grid(5, energies=energy_grid(1.0, 3e3, per_decade))
    lepton, end = electron(grid), 1.0
    x = np.log(grid.kinetic_energy)
    line = lambda u: np.exp(-(((u - np.log(60.0)) / 0.8) ** 2))  # noqa: E731
    start = column(line(x) * lepton.momentum_per_energy, grid) + np.zeros(grid.shape)
    stepper = Stepper([operator(grid, STILL)], lambda i, t, f: 0.0, tolerance=3e-5)
    found = stepper.advance([start], [end])[0][0][:, 0, 0] / lepton.momentum_per_energy
    table = cooling(STILL, 1e12)
    source_energy, compression, _ = table.look_back(grid.kinetic_energy, end)
    reached = np.isfinite(source_energy)
    exact = np.zeros(len(x))
    exact[reached] = line(np.log(source_energy[reached])) * compression[reached]
    return found, exact


def test_cooling_in_time():
    """T9 in time: N(T, t) = N_0(T_s) b(T_s) / b(T)."""
    errors = []
    for per_decade in (8, 16, 32):
        found, exact = cooled(per_decade)
        errors.append(np.abs(found - exact).max() / exact.max())
    assert errors[-1] < 1e-3
    assert np.all(observed_orders(errors) > 2.6), errors


def thin_disc(z, energy, s, table, half_height):
    """N(T, z) of a disc q T^-s delta(z): (1/b) int Q(T_s) G_z(z, 0; s(T, T_s)) dT_s, per unit q."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    total = np.zeros(energy.shape)
    # panels in ln v, v = ln(T_s / T); the kernel goes as v^-1/2 exp(-z^2 / 4 D v) for small v
    edges = np.concatenate([np.linspace(-32.0, 0.0, 41), np.log(np.arange(2, 18))])
    for low, high in pairwise(edges):
        for node, weight in zip(nodes, weights, strict=True):
            v = np.exp(0.5 * (low + high) + 0.5 * (high - low) * node)
            source_energy = energy * np.exp(v)
            inside = source_energy < table.maximum
            spread = table.spread_between(energy[inside], source_energy[inside])
            kernel = vertical_kernel(z, 0.0, spread, half_height)[0]
            measure = 0.5 * weight * (high - low) * v * source_energy[inside]
            total[inside] += measure * source_energy[inside] ** -s * kernel
    return total / table.loss(energy)


def disc_error(per_decade, n_z, stretch):
    grid = slab_grid(n_z, H, energies=energy_grid(0.5, 1e7, per_decade), stretch=stretch)
    lepton, s = electron(grid), 2.3
    spectrum = column(grid.kinetic_energy**-s * lepton.momentum_per_energy, grid)
    found = iterate(operator(grid, DIFFUSION), plane_source(grid) * spectrum) / column(
        lepton.momentum_per_energy, grid
    )
    assert found.min() > -1e-9 * found.max()
    table = cooling(maximum=float(grid.kinetic_energy_faces[-1]))
    used = (grid.kinetic_energy > 2.0) & (grid.kinetic_energy < 1e4)
    energy = grid.kinetic_energy[used]
    places = [0, np.searchsorted(grid.z.centers, 0.5)]
    exact = [thin_disc(grid.z.centers[j], energy, s, table, H) for j in places]
    return [np.abs(found[used, 0, j] / e - 1.0) for j, e in zip(places, exact, strict=True)], energy


def test_steady_thin_disc():
    """The steady disc with diffusion and losses to 1 %, in the plane and half a kiloparsec above it."""
    (plane, above), _ = disc_error(16, 61, 6.0)
    assert plane.max() < 5e-3
    assert above.max() < 1e-2


def test_order_of_the_steady_thin_disc():
    """Both meshes refined together: second order in space rules."""
    errors = [disc_error(n, c, 5.0)[0][0].max() for n, c in ((6, 16), (12, 31), (24, 61))]
    assert np.all(observed_orders(errors) > 1.7), errors


def test_thin_disc_in_closed_form():
    """b = b0 E^2, no edge: N(E, 0) = q0 E^-(s + (1+delta)/2) B((s-1)/(1-delta), 1/2) / sqrt(4 pi b0 D0 (1-delta))."""
    b0, D0, delta, s = 5e-3, 0.1, 0.4, 2.3
    table = Cooling.build(lambda t: b0 * t**2, lambda t: D0 * t**delta, minimum=0.5, maximum=1e12)
    energy = np.geomspace(1.0, 1e3, 5)
    exact = energy ** -(s + 0.5 * (1.0 + delta)) * beta_function((s - 1.0) / (1.0 - delta), 0.5)
    exact /= np.sqrt(4.0 * np.pi * b0 * D0 * (1.0 - delta))
    np.testing.assert_allclose(thin_disc(0.0, energy, s, table, 1e4), exact, rtol=1e-6)


def test_point_source_on_the_grid():
    """A steady point source on the axis of a cylinder against the closed form of its history (T17)."""
    grid = Grid.build(
        kinetic_energy=energy_grid(1.0, 1e5, 10),
        radius=8.0,
        half_height=2.0,
        n_r=121,
        n_z=31,
        half_space=True,
    )
    lepton, s = electron(grid), 2.3
    density = PointSource(x="0 kpc", y="0 kpc", z="0 kpc").on_grid(grid, 8.5)
    spectrum = column(grid.kinetic_energy**-s * lepton.momentum_per_energy, grid)
    found = iterate(operator(grid, DIFFUSION), density * spectrum, tolerance=1e-9)
    found = grid.at(found, 0.8) / lepton.momentum_per_energy
    # on since long ago: one particle per Myr and GeV at 1 GeV
    age = 1e4
    always = Segments(
        position=np.zeros((1, 3)),
        oldest=np.array([age]),
        youngest=np.zeros(1),
        energy=np.array([age]),
        source=np.zeros(1, dtype=np.int64),
        spectrum=np.zeros(1, dtype=np.int64),
    )
    used = grid.kinetic_energy < 1e3
    exact, _ = lepton_green(
        always, [lambda t: t**-s], [0.8, 0.0, 0.0], grid.kinetic_energy[used],
        cooling=cooling(maximum=float(grid.kinetic_energy_faces[-1])), half_height=2.0,
    )  # fmt: skip
    np.testing.assert_allclose(found[used], exact[0, 0], rtol=2e-2)
