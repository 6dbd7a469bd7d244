"""T19: dipoles against finite differences, exact gradients and new solves; from config to right ascension."""

from __future__ import annotations

import numpy as np
import pytest
from exact import bessel_cylinder, case_bhattacharya_1996
from galaxy_model import ALL_PROCESSES, SPATIALLY_DEPENDENT, small_run
from scipy.interpolate import CubicSpline

from cyldiff import constants as const
from cyldiff.galaxy.coordinates import angles, seen_from_sun
from cyldiff.observables.anisotropy import anisotropy
from cyldiff.observables.dipole import diffusive_dipole
from cyldiff.observables.local_transport import LocalTransport
from cyldiff.pipeline import run
from cyldiff.sources.greens_function import burst, continuous, finite_life

C = const.SPEED_OF_LIGHT
CENTRE, ANTICENTRE = 266.405, 86.405
EMPTY = (
    'physics.gas = { helium_fraction = 0.0, HI = { kind = "none" }, H2 = { kind = "none" }, '
    'HII = { kind = "none" } }',
    "physics.energy_losses = false",
    "physics.secondary_protons = false",
)
PLANE = 'physics.sources.remnants.distribution = { kind = "case-bhattacharya-1996", vertical = "plane" }'
BINARIES = (
    'physics.sources.binaries = { distribution = { kind = "uniform", vertical = "plane" }, '
    'reference_energy = "100 GeV", abundances = { H1 = 1.0, He4 = 0.1 }, '
    'normalisation = { kind = "luminosity", power = "2e40 erg/s", minimum_energy = "1 GeV" }, '
    'injection.default = { kind = "broken-power-law", indices = [2.1] } }'
)
HIGH = ("100 GeV", "1 PeV", 4.0)

# Green's functions ---------------------------------------------------------------------------------

GREENS_FUNCTIONS = {
    "burst": lambda x, s, **law: burst(x, s, age=1.3, **law),
    "steady": lambda x, s, **law: continuous(x, s, duration=np.inf, **law),
    "lasting": lambda x, s, **law: continuous(x, s, duration=2.0, **law),
    "extinct": lambda x, s, **law: finite_life(x, s, age=4.0, duration=1.0, **law),
}


@pytest.mark.parametrize("half_height", [None, 4.0, 1.0])
@pytest.mark.parametrize("kind", GREENS_FUNCTIONS)
def test_dipole_of_a_green_function_is_that_of_finite_differences(kind, half_height):
    """Uniform D, in free space and in the halo, all three components to 1e-3 of the largest."""
    D, sun, source = 0.7, np.array([-8.5, 0.0, 0.05]), np.array([-7.1, 0.6, -0.3])
    law = {"diffusion": D, "half_height": half_height}
    density, gradient = GREENS_FUNCTIONS[kind](sun, source, **law)
    dipole = diffusive_dipole(gradient / density, D, 0.9)
    step = 1e-4
    moved = np.array(
        [[GREENS_FUNCTIONS[kind](sun + s * step * e, source, **law)[0] for s in (1, -1)] for e in np.eye(3)]
    )
    expected = 3.0 * D / (0.9 * C) * (moved[:, 0] - moved[:, 1]) / (2.0 * step) / density
    np.testing.assert_allclose(dipole, expected, atol=1e-3 * np.abs(expected).max())


# the grid ------------------------------------------------------------------------------------------


def gradient_of_map(result, name):
    """d ln(intensity) / dr at the Sun from the stored map: a cubic spline through all cells of the plane."""
    plane = result["flux"].sel(species=name).isel(z=0).values.astype(float)
    spline = CubicSpline(result["r"].values, np.moveaxis(plane, -1, 0))
    return spline(8.5, 1) / spline(8.5)


@pytest.fixture(scope="module")
def smooth():
    """Two components, p and He, all processes, a law of diffusion that varies in space."""
    return run(
        small_run(
            ("H1", "He4"), (*ALL_PROCESSES, *SPATIALLY_DEPENDENT, BINARIES), n_r=41, n_z=21, energies=HIGH
        )
    )


def test_dipole_of_smooth_sources_is_that_of_the_map_of_the_flux(smooth):
    """To 1e-3, with D of the model at the Sun, for protons and helium at their own rigidities."""
    sun = LocalTransport.of(smooth)
    energies = smooth["kinetic_energy"].values[2:-2]
    for name, mass_number, charge in (("H1", 1, 1), ("He4", 4, 2)):
        mass = float(smooth["mass_per_nucleon"].sel(species=name))
        found = anisotropy(smooth, species=name, energies=mass_number * (energies + mass))
        momentum = np.sqrt(energies * (energies + 2.0 * mass))
        beta, rigidity = momentum / (energies + mass), mass_number * momentum / charge
        D = sun.diffusion.coefficient(rigidity, beta, np.full_like(beta, 8.5), 0.0 * beta, axis="r")
        expected = -3.0 * D / (beta * C) * gradient_of_map(smooth, name)[2:-2]
        np.testing.assert_allclose(found["vector"].sel(direction="x"), expected, rtol=1e-3)
        np.testing.assert_allclose(found["vector"].sel(direction=["y", "z"]), 0.0, atol=1e-15)


def test_components_add_up_to_the_sum_that_was_solved(smooth):
    """gradient_lis of the sum against the components weighted with their fluxes."""
    flux, slope = smooth["flux_lis_component"], smooth["gradient_lis_component"]
    assert slope.dims == ("component", "species", "kinetic_energy", "direction")
    assert slope.attrs["units"] == "kiloparsec-1"
    mean = (flux * slope).sum("component") / flux.sum("component")
    np.testing.assert_allclose(mean, smooth["gradient_lis"].transpose(*mean.dims), rtol=1e-9, atol=1e-12)


def test_a_weight_is_a_new_solve(smooth):
    """Binaries twice as strong: on the file, and solved again."""
    stronger = BINARIES.replace("2e40", "4e40")
    solved = run(
        small_run(
            ("H1", "He4"), (*ALL_PROCESSES, *SPATIALLY_DEPENDENT, stronger), n_r=41, n_z=21, energies=HIGH
        )
    )
    weighted = anisotropy(smooth, weights={"binaries": 2.0})
    np.testing.assert_allclose(weighted["vector"], anisotropy(solved)["vector"], rtol=1e-6, atol=1e-15)


def test_smooth_sources_around_the_centre_point_to_it(smooth):
    """In the plane of a symmetric Galaxy: along +-r only. A uniform disc is denser inside too."""
    found = anisotropy(smooth)
    np.testing.assert_allclose(found["phase"], CENTRE, atol=1e-3)
    np.testing.assert_allclose(found["phase_part"], CENTRE, atol=1e-3)
    np.testing.assert_allclose(found["declination"], -28.936, atol=1e-3)


def test_sources_outside_point_to_the_anticentre():
    """A ring around 17 kpc."""
    ring = (
        'physics.sources.remnants.distribution = { kind = "power-exponential", a = 30.0, b = 15.0, R1 = "0 kpc", '
        'vertical = "plane" }'
    )
    found = anisotropy(run(small_run(("H1",), (*EMPTY, ring), n_r=41, n_z=21, energies=HIGH)))
    np.testing.assert_allclose(found["phase"], ANTICENTRE, atol=1e-3)


def test_order_of_the_gradient_at_the_sun():
    """Thin disc in uniform D against the derivative of its Bessel series: 1e-3 from 41 cells on."""
    step = 1e-3
    exact = bessel_cylinder(
        case_bhattacharya_1996,
        8.5 + step * np.arange(-1, 2),
        np.zeros(3),
        radius=20.0,
        half_height=4.0,
        modes=1500,
    )
    slope = (exact[2] - exact[0]) / (2.0 * step) / exact[1]
    errors = []
    for n_r in (11, 21, 41):
        result = run(small_run(("H1",), (*EMPTY, PLANE), n_r=n_r, n_z=max(11, n_r // 2), energies=HIGH))
        errors.append(float(np.abs(result["gradient_lis"].sel(direction="r") / slope - 1.0).max()))
    assert errors[2] < 1e-3
    assert errors[0] / errors[1] > 4.0
    assert errors[1] / errors[2] > 4.0
    # and as a vector on the sky
    found = anisotropy(result, species="p", energies=[1e4, 1e5])
    D = 5.8e28 * const.MYR_S / const.KPC_CM**2 * (np.array([1e4, 1e5]) / 4.0) ** 0.35
    np.testing.assert_allclose(found["vector"].sel(direction="x"), -3.0 * D * slope / C, rtol=1.5e-3)


def test_above_the_plane_the_excess_comes_from_below():
    """The Sun at z = 0.3 kpc: a component towards the disc, with D_zz of its own."""
    tensor = (
        'physics.diffusion = { kind = "anisotropic", '
        'parallel = { D0 = "5.8e28 cm^2/s", reference_rigidity = "4 GV", delta = 0.35, eta = 1.0 }, '
        'perpendicular = { D0 = "5.8e27 cm^2/s", reference_rigidity = "4 GV", delta = 0.35, eta = 1.0 } }'
    )
    found = {}
    for name, overrides in (("isotropic", ()), ("anisotropic", (tensor,))):
        result = run(
            small_run(
                ("H1",),
                (*EMPTY, PLANE, 'physics.observer.z = "0.3 kpc"', *overrides),
                n_r=21,
                n_z=31,
                energies=HIGH,
            )
        )
        found[name] = anisotropy(result, energies=[1e5])["vector"].values[0]
    assert found["isotropic"][2] < 0.0 < found["isotropic"][0]
    # 1-D estimate of the slope: n falls as H - z
    assert found["isotropic"][2] == pytest.approx(
        -3.0 * 5.8e28 * const.MYR_S / const.KPC_CM**2 * (1e5 / 4.0) ** 0.35 / C / 3.7, rel=0.2
    )
    # the density is the same, a tenth of the source strength aside: the dipole has a tenth of D
    np.testing.assert_allclose(found["anisotropic"], 0.1 * found["isotropic"], rtol=1e-6, atol=1e-15)


def test_point_source_on_a_3d_grid_is_seen_where_it_is():
    """Its direction to 6 degrees and its dipole to 15 %, four cells away (see T17 for the errors of the point)."""
    place = np.array([-4.5, 2.0, 0.0])
    point = (
        'physics.sources.remnants.distribution = { kind = "point", x = "-4.5 kpc", y = "2 kpc", z = "0 kpc" }'
    )
    result = run(
        small_run(
            ("H1",),
            (*EMPTY, point, "grid.space.phi.n = 48", 'physics.observer.r = "8.5 kpc"'),
            n_r=20,
            n_z=11,
            energies=HIGH,
        )
    )
    assert list(result["direction"].values) == ["r", "phi", "z"]
    vector = anisotropy(result, energies=[1e5])["vector"].values[0]

    class Sun:
        r, z = 8.5, 0.0

    longitude, _, distance = seen_from_sun(place, Sun())
    assert angles(vector)[0] == pytest.approx(longitude, abs=6.0)
    D = 5.8e28 * const.MYR_S / const.KPC_CM**2 * (1e5 / 4.0) ** 0.35
    density, gradient = continuous(
        np.array([-8.5, 0.0, 0.0]), place, diffusion=D, duration=np.inf, half_height=4.0
    )
    expected = diffusive_dipole(gradient / density, D, 1.0)
    assert np.linalg.norm(vector) == pytest.approx(np.linalg.norm(expected), rel=0.15)
    assert distance > 4.0
