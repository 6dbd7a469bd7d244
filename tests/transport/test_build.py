"""Wind, reacceleration, sinks and sources, and how the laws become coefficients on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from cyldiff import constants as const
from cyldiff.errors import GridError
from cyldiff.galaxy import Galaxy
from cyldiff.galaxy.gas import GasModel
from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.transport.build import Propagation
from cyldiff.transport.collisions import collision_rate, decay_rate, secondary_proton_source
from cyldiff.transport.convection import LinearWind, NoWind
from cyldiff.transport.diffusion import PowerLawDiffusion, SpatiallyDependentDiffusion
from cyldiff.transport.losses import momentum_loss_rate
from cyldiff.transport.reacceleration import NoReacceleration, SeoPtuskin1994

KM_S = 1e5 * const.MYR_S / const.KPC_CM
GAS = GasModel.model_validate(
    {
        "HI": {"kind": "ferriere-2001-hi"},
        "H2": {"kind": "ferriere-2001-h2"},
        "HII": {"kind": "cordes-1991"},
        "helium_fraction": 0.11,
    }
)
POWER_LAW = PowerLawDiffusion(D0="5e28 cm^2/s", reference_rigidity="4 GV", delta=0.4, eta=1.0)
TWO_ZONES = SpatiallyDependentDiffusion(
    D0="4e28 cm^2/s",
    reference_rigidity="4 GV",
    delta0=0.58,
    eta=0.05,
    N_m=0.62,
    xi=0.1,
    n=4,
    z0="4 kpc",
    r_s="8.5 kpc",
    z_s="0.2 kpc",
)


def make_grid(*, half_space=True, n_z=13, stretch=3.0, kinks=()):
    return Grid.build(
        kinetic_energy=energy_grid(0.01, 1e3, 4.0),
        radius=20.0,
        half_height=4.0,
        n_r=8,
        n_z=n_z,
        half_space=half_space,
        stretch=stretch,
        kinks=kinks,
    )


def make(grid=None, *, diffusion=POWER_LAW, wind=None, reacceleration=None, losses=True):
    grid = grid or make_grid()
    return Propagation(
        grid,
        Galaxy.on_grid(GAS, grid),
        diffusion,
        wind or NoWind(),
        reacceleration or NoReacceleration(),
        losses,
    )


def carbon(grid):
    return Kinematics(grid.kinetic_energy, 6, 12, const.ATOMIC_MASS_UNIT)


def test_wind_on_the_faces():
    wind = LinearWind(V0="10 km/s", gradient="5 km/s/kpc")
    for half_space, n_z in ((True, 13), (False, 25)):
        grid = make_grid(half_space=half_space, n_z=n_z)
        velocity = wind.face_velocity(grid)
        z = grid.z.faces
        np.testing.assert_allclose(velocity, np.sign(z) * (10.0 + 5.0 * np.abs(z)) * KM_S, rtol=1e-6)
        assert velocity[-1] == pytest.approx(30.0 * KM_S, rel=1e-6)


@pytest.mark.parametrize(
    ("half_space", "n_z", "stretch"), [(True, 13, 0.0), (True, 13, 3.0), (False, 25, 3.0)]
)
def test_divergence_of_the_wind(half_space, n_z, stretch):
    """V' in every cell, and 2 V0 in the one on the plane whatever its width."""
    grid = make_grid(half_space=half_space, n_z=n_z, stretch=stretch)
    wind = LinearWind(V0="10 km/s", gradient="5 km/s/kpc")
    divergence = make(grid).divergence(wind.face_velocity(grid))
    middle = 0 if half_space else n_z // 2
    others = np.delete(divergence[3], middle)
    np.testing.assert_allclose(others, 5.0 * KM_S, rtol=1e-6)
    thickness = grid.z.widths[middle] * (2.0 if half_space else 1.0)
    jump = (divergence[3, middle] - 5.0 * KM_S) * thickness
    assert jump == pytest.approx(2.0 * 10.0 * KM_S, rel=1e-6)
    # Gauss: the integral is what leaves through both lids
    fold = 2.0 if half_space else 1.0
    assert fold * np.sum(divergence[0] * grid.z.widths) == pytest.approx(2.0 * 30.0 * KM_S, rel=1e-6)


def test_no_wind():
    grid = make_grid()
    assert not NoWind().face_velocity(grid).any()


@pytest.mark.parametrize(
    ("delta", "prefactor"), [(1.0 / 3.0, 0.28052), (0.33, 0.28293), (0.5, 0.20317), (0.58, 0.18347)]
)
def test_reacceleration_prefactor(delta, prefactor):
    """4 / [3 d (4 - d^2)(4 - d)] of Seo & Ptuskin 1994: D_pp D = prefactor p^2 v_A^2."""
    law = SeoPtuskin1994(alfven_speed="30 km/s")
    rate = law.rate(np.array(2.0), np.array(delta))
    assert float(rate) * 2.0 / (30.0 * KM_S) ** 2 == pytest.approx(prefactor, rel=4e-5)


def test_no_reacceleration():
    assert NoReacceleration().rate(np.ones(3), np.array(0.3)) is None
    assert SeoPtuskin1994(alfven_speed="0 km/s").rate(np.ones(3), np.array(0.3)) is None
    with pytest.raises(ValidationError):
        SeoPtuskin1994(alfven_speed="-1 km/s")


def test_coefficients_of_a_nucleus():
    grid = make_grid()
    wind = LinearWind(V0="0 km/s", gradient="6 km/s/kpc")
    laws = make(grid, wind=wind, reacceleration=SeoPtuskin1994(alfven_speed="20 km/s"))
    nucleus = carbon(grid)
    sink = np.full(grid.shape, 0.123)
    c = laws.coefficients(nucleus, sink)
    D = POWER_LAW.coefficient(nucleus.rigidity, nucleus.beta, *np.zeros(2), axis="r")
    np.testing.assert_allclose(np.broadcast_to(c.D_center, grid.shape)[:, 2, 3], D, rtol=1e-12)
    np.testing.assert_allclose(c.log_momentum, np.log(nucleus.momentum))
    np.testing.assert_allclose(c.log_momentum_spacing, np.diff(np.log(nucleus.momentum)))
    # widths of the cells: d ln p = (d ln p / d ln T) d ln T
    np.testing.assert_allclose(c.log_momentum_width.sum(), c.log_momentum_spacing.sum() * 1.04, rtol=0.03)
    losses = momentum_loss_rate(
        nucleus, neutral=laws.galaxy.neutral, ionised=laws.galaxy.ionised, helium_fraction=0.11
    )
    np.testing.assert_allclose(c.loss_rate, losses + 2.0 * KM_S, rtol=1e-6)
    faces = nucleus.at(grid.kinetic_energy_faces)
    D_face = POWER_LAW.coefficient(faces.rigidity, faces.beta, *np.zeros(2), axis="r")
    prefactor = 4.0 / (3.0 * 0.4 * (4.0 - 0.16) * 3.6)
    np.testing.assert_allclose(
        c.reacceleration_face[:, 0, 0], prefactor * (20.0 * KM_S) ** 2 / D_face, rtol=1e-6
    )
    assert c.sink_rate is sink


def test_losses_can_be_left_out():
    grid = make_grid()
    c = make(grid, losses=False).coefficients(carbon(grid), np.zeros(grid.shape))
    assert not np.any(c.loss_rate)
    assert c.reacceleration_face is None


@pytest.mark.parametrize(("half_space", "n_z"), [(True, 25), (False, 49)])
def test_faces_carry_the_flux_between_centres(half_space, n_z):
    """1/D on a z face is the mean of 1/D from one centre to the next, whatever D does between them."""
    grid = make_grid(half_space=half_space, n_z=n_z, stretch=4.0, kinks=TWO_ZONES.kinks(4.0))
    nucleus = carbon(grid)
    D = make(grid, diffusion=TWO_ZONES).coefficients(nucleus, np.zeros(grid.shape)).D_face["z"]
    assert D.shape == (len(nucleus.momentum), 8, n_z + 1)
    points = np.concatenate([grid.z.faces[:1], grid.z.centers, grid.z.faces[-1:]])
    k, i = 20, 4
    first = 1 if half_space else 0
    for j in range(first, n_z + 1):
        line = np.linspace(points[j], points[j + 1], 2001)
        values = TWO_ZONES.coefficient(
            nucleus.rigidity[k], nucleus.beta[k], grid.r.centers[i], line, axis="z"
        )
        mean = np.trapezoid(1.0 / values, line) / (line[-1] - line[0])
        assert 1.0 / D[k, i, j] == pytest.approx(mean, rel=2e-4)
    assert np.all(np.isfinite(D))
    assert np.all(D > 0.0)


def test_faces_of_a_homogeneous_halo_are_not_repeated():
    grid = make_grid()
    c = make(grid).coefficients(carbon(grid), np.zeros(grid.shape))
    assert c.D_face["z"].shape == (len(grid.kinetic_energy), 1, 1)


def test_diffusion_that_is_not_symmetric_needs_the_whole_space():
    class Lopsided(PowerLawDiffusion):
        @property
        def symmetric(self):
            return False

    law = Lopsided(D0="5e28 cm^2/s", reference_rigidity="4 GV", delta=0.4, eta=1.0)
    with pytest.raises(GridError, match="not symmetric"):
        make(make_grid(), diffusion=law)
    make(make_grid(half_space=False, n_z=13), diffusion=law)


def test_collision_rate():
    """c times 1 mb times 1 per cm^3 is 9.460730e-4 per Myr."""
    sigma = np.array([[1.0, 100.0], [3.0, 200.0]])
    np.testing.assert_allclose(
        collision_rate(sigma, np.array([1.0, 0.5]), 0.1),
        [9.460730e-4 * 1.3, 9.460730e-4 * 0.5 * 120.0],
        rtol=1e-6,
    )


def test_decay_rate():
    gamma = np.array([1.0, 2.0, 10.0])
    np.testing.assert_allclose(decay_rate(1.387, gamma), np.log(2.0) / (1.387 * gamma))
    np.testing.assert_array_equal(decay_rate(np.inf, gamma), 0.0)


@pytest.mark.parametrize("per_decade", [12.0, 24.0])
def test_secondary_protons_of_a_power_law(per_decade):
    """N ~ T^-a and a constant rate: Q = rate N / a, since int_T^inf T'^-a dT'/T' = T^-a / a."""
    energy = energy_grid(100.0, 1e9, per_decade)
    grid = Grid.build(
        kinetic_energy=energy, radius=20.0, half_height=4.0, n_r=5, n_z=5, half_space=True, stretch=0.0
    )
    galaxy = Galaxy(neutral=np.full((5, 5), 0.9), ionised=np.full((5, 5), 0.1), helium_fraction=0.0)
    proton = Kinematics(energy, 1, 1, const.PROTON_MASS)
    density = np.broadcast_to((energy**-2.7 / proton.beta)[:, None, None], grid.shape)
    sigma = np.stack([np.full_like(energy, 30.0), np.zeros_like(energy)])
    source = secondary_proton_source(
        density, proton=proton, sigma=sigma, galaxy=galaxy, log_step=grid.log_step
    )
    expected = 9.460730e-4 * 30.0 * energy**-2.7 / 2.7
    below = energy < 1e6
    # trapezoid in ln T: (a h)^2 / 12
    error = (2.7 * grid.log_step) ** 2 / 12.0
    np.testing.assert_allclose(source[below, 2, 2], expected[below], rtol=1.1 * error)
    assert error < 0.03


def test_secondary_protons_are_one_per_reaction():
    """Flat between 0 and the energy of the parent: particles are conserved down to T = 0."""
    energy = energy_grid(1e-3, 1e3, 24.0)
    grid = Grid.build(
        kinetic_energy=energy, radius=20.0, half_height=4.0, n_r=5, n_z=5, half_space=True, stretch=0.0
    )
    galaxy = Galaxy(neutral=np.ones((5, 5)), ionised=np.zeros((5, 5)), helium_fraction=0.0)
    proton = Kinematics(energy, 1, 1, const.PROTON_MASS)
    line = np.exp(-(((np.log(energy) - np.log(30.0)) / 0.5) ** 2))
    sigma = np.stack([np.full_like(energy, 30.0), np.zeros_like(energy)])
    density = np.broadcast_to(line[:, None, None], grid.shape)
    source = secondary_proton_source(
        density, proton=proton, sigma=sigma, galaxy=galaxy, log_step=grid.log_step
    )
    made = np.sum(source[:, 0, 0] * energy) * grid.log_step
    rate = 9.460730e-4 * 30.0 * proton.beta
    assert made == pytest.approx(np.sum(rate * line * energy) * grid.log_step, rel=2e-3)
