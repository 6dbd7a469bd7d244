"""T18: limits of the two-zone diffusion law, and the slab integral psi(0) = (q/2) int_0^H dz/D."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from problems import CARBON, iterate, observed_orders, plane_source, slab_grid
from scipy.integrate import quad

from cyldiff.galaxy import Galaxy
from cyldiff.galaxy.gas import GasModel
from cyldiff.grid import Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.transport.build import Propagation
from cyldiff.transport.convection import NoWind
from cyldiff.transport.diffusion import PowerLawDiffusion, SpatiallyDependentDiffusion
from cyldiff.transport.reacceleration import NoReacceleration

H = 5.0
ENERGIES = energy_grid(0.01, 1e7, 1.0)
EMPTY = GasModel.model_validate(
    {"HI": {"kind": "none"}, "H2": {"kind": "none"}, "HII": {"kind": "none"}, "helium_fraction": 0.0}
)


def two_zones(**changes):
    values = {
        "D0": "4e28 cm^2/s",
        "reference_rigidity": "4 GV",
        "delta0": 0.58,
        "eta": 0.05,
        "N_m": 0.62,
        "xi": 0.1,
        "n": 4,
        "z0": f"{H} kpc",
        "r_s": "8.5 kpc",
        "z_s": "0.2 kpc",
    }
    return SpatiallyDependentDiffusion(**(values | changes))


def plane_density(law, n_z, *, stretch=5.0, half_space=True):
    """Density on the plane at every energy, and the grid."""
    grid = slab_grid(n_z, H, energies=ENERGIES, stretch=stretch, kinks=law.kinks(H), half_space=half_space)
    laws = Propagation(grid, Galaxy.on_grid(EMPTY, grid), law, NoWind(), NoReacceleration(), losses=False)
    nucleus = Kinematics(ENERGIES, *CARBON)
    problem = TransportOperator.build(grid, laws.coefficients(nucleus, np.zeros(grid.shape)))
    return grid.at(iterate(problem, plane_source(grid)), 8.5), grid


def integral(law):
    """(1/2) int_0^H dz / D at every energy, by adaptive quadrature on both sides of the edge."""
    nucleus = Kinematics(ENERGIES, *CARBON)
    edge = law.xi * H
    r = np.array(8.5)
    values = []
    # the steeper the edge, the closer to it the law changes
    breaks = edge * (1.0 - np.array([1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 0.0]))
    for R, beta in zip(nucleus.rigidity, nucleus.beta, strict=True):

        def resistance(z, R=R, beta=beta):
            return float(1.0 / law.coefficient(R, beta, r, np.array(z), axis="z"))

        inner = sum(quad(resistance, a, b)[0] for a, b in pairwise(breaks))
        values.append(0.5 * (inner + quad(resistance, edge, H)[0]))
    return np.array(values)


@pytest.mark.parametrize("half_space", [True, False])
@pytest.mark.parametrize("modulation", [True, False])
def test_slab_integral_at_every_rigidity(modulation, half_space):
    law = two_zones(N_m=0.3, disc_modulation=modulation)
    found, _ = plane_density(law, 33 if half_space else 65, half_space=half_space)
    np.testing.assert_allclose(found, integral(law), rtol=1e-5)


@pytest.mark.parametrize(("stretch", "n_z"), [(0.0, 75), (5.0, 17)])
def test_slab_integral_on_other_meshes(stretch, n_z):
    """On the uniform mesh no face lies at the edge of the inner zone."""
    law = two_zones()
    found, _ = plane_density(law, n_z, stretch=stretch)
    np.testing.assert_allclose(found, integral(law), rtol=1e-4)


def test_two_zones_with_a_jump():
    """n -> infinity: D_in for |z| < xi H, D_out beyond: psi(0) = (q/2) (h/D_in + (H - h)/D_out)."""
    law = two_zones(n=1e9, N_m=0.3, disc_modulation=False)
    nucleus = Kinematics(ENERGIES, *CARBON)
    inner = law.D0 * nucleus.beta**0.05 * 0.3 * (nucleus.rigidity / 4.0) ** (0.58 * 0.3)
    outer = law.D0 * nucleus.beta**0.05 * (nucleus.rigidity / 4.0) ** 0.58
    exact = 0.5 * (0.5 / inner + (H - 0.5) / outer)
    found, _ = plane_density(law, 17)
    np.testing.assert_allclose(found, exact, rtol=1e-3)


def test_a_steep_edge_converges():
    law = two_zones(n=20, N_m=0.3)
    exact = integral(law)
    errors = [np.abs(plane_density(law, n)[0] / exact - 1.0).max() for n in (17, 33, 65)]
    assert errors[1] < 1e-3
    assert np.all(observed_orders(errors) > 2.0), errors


@pytest.mark.parametrize("n", [4, 20])
def test_thin_inner_zone_disappears(n):
    """xi -> 0: the law of the halo everywhere; what is left is of order xi D_out / D_in."""
    homogeneous = PowerLawDiffusion(D0="4e28 cm^2/s", reference_rigidity="4 GV", delta=0.58, eta=0.05)
    law = two_zones(xi=1e-6, n=n, z0="5 kpc")
    found, _ = plane_density(law, 33)
    expected, _ = plane_density(homogeneous, 33)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_without_modulation_and_contrast_it_is_homogeneous():
    """N_m = 1, f = 0: F = 1 and D, its slope and the density are those of the power law."""
    homogeneous = PowerLawDiffusion(D0="4e28 cm^2/s", reference_rigidity="4 GV", delta=0.58, eta=0.05)
    law = two_zones(N_m=1.0, disc_modulation=False)
    r, z = np.meshgrid(np.linspace(0.0, 20.0, 7), np.linspace(-H, H, 11), indexing="ij")
    np.testing.assert_allclose(law.factor(r, z), 1.0, rtol=1e-14)
    np.testing.assert_allclose(law.slope(r, z), 0.58, rtol=1e-14)
    np.testing.assert_allclose(plane_density(law, 17)[0], plane_density(homogeneous, 17)[0], rtol=1e-9)


def test_a_face_lies_on_the_edge_of_the_inner_zone():
    law = two_zones()
    _, grid = plane_density(law, 33)
    assert np.abs(grid.z.faces - 0.5).min() < 1e-9
    without = slab_grid(33, H, energies=ENERGIES, stretch=5.0)
    assert np.abs(without.z.faces - 0.5).min() > 1e-3


def test_uniform_halo_closed_form():
    """The same integral for D that does not depend on z is H / 2D, to round-off."""
    law = PowerLawDiffusion(D0="4e28 cm^2/s", reference_rigidity="4 GV", delta=0.58, eta=0.05)
    nucleus = Kinematics(ENERGIES, *CARBON)
    D = law.coefficient(nucleus.rigidity, nucleus.beta, np.array(0.0), np.array(0.0), axis="z")
    np.testing.assert_allclose(plane_density(law, 9)[0], 0.5 * H / D, rtol=1e-9)
