"""Gas around point sources: closed forms of the density, lines of sight by brute force, fluxes of the whole."""

import numpy as np
import pytest
from scipy.special import erfc

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.galaxy.coordinates import from_sun, unit_vector
from cyldiff.observables.absorption import Absorption
from cyldiff.observables.emissivity import Emissivity
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.line_of_sight import LineOfSight
from cyldiff.observables.regions import REGIONS, Region, average
from cyldiff.observables.source_emission import SourceField
from cyldiff.observables.surroundings import Sun
from cyldiff.particles.pion_production import Kelner2006

PURE = Kelner2006(nuclear_enhancement="none")
T = np.geomspace(10.0, 1e8, 57)
ENERGY = np.array([1e3, 1e5])
TABLE = Emissivity.build(ENERGY, T, PURE)
SUN = Sun(8.5, 0.0)
PLACE = from_sun(40.0, 1.0, 3.0, SUN)


def diffusion(t):
    """kpc^2/Myr."""
    return 0.1 * (t / 1e3) ** 0.4


def continuous(place=PLACE, age=0.03):
    """Protons of a source that is on: Q/(4 pi D d) erfc(d / sqrt(4 D t)), as intensities in some unit."""

    def flux(points):
        d = np.sqrt(((points - place) ** 2).sum(axis=1))
        D = diffusion(T)[:, None]
        return {"H1": T[:, None] ** -2.2 / (4 * np.pi * D * d) * erfc(d / np.sqrt(4 * D * age))}

    return flux


def burst(place=PLACE, age=0.003):
    def flux(points):
        square = ((points - place) ** 2).sum(axis=1)
        D = diffusion(T)[:, None]
        return {"H1": T[:, None] ** -2.2 * (4 * np.pi * D * age) ** -1.5 * np.exp(-square / (4 * D * age))}

    return flux


def sight(result, density=1.0):
    mesh = DiffuseSky.of(result(gas="none"), PURE, energies=[1e3]).emission.mesh
    return LineOfSight(SUN, lambda r, z, phi: np.full(np.shape(r), density), mesh)


@pytest.mark.parametrize("flux", [continuous(), burst()])
def test_table_around_a_source(flux):
    field = SourceField.of("s", PLACE, flux, TABLE, 4.0)
    rng = np.random.default_rng(1)
    away = rng.normal(size=(400, 3))
    away *= (10.0 ** rng.uniform(-3.5, 0.0, 400) / np.sqrt((away**2).sum(axis=1)))[:, None]
    points = PLACE + away
    r, phi, z = np.hypot(points[:, 0], points[:, 1]), np.arctan2(points[:, 1], points[:, 0]), points[:, 2]
    exact = TABLE(flux(points)).T
    found = field.at(r, z, phi)
    # the interpolant follows the source; the last e-foldings of the tail of a burst carry nothing
    bright = exact > 1e-4 * exact.max(axis=0)
    assert found[bright] == pytest.approx(exact[bright], rel=1e-2)
    assert np.all(field.at(np.array([3.0]), np.array([4.5]), np.array([0.0])) == 0.0)


@pytest.mark.parametrize("absorbed", [False, True])
@pytest.mark.parametrize(("l", "b"), [(40.0, 1.01), (40.2, 1.0), (43.0, 0.0), (60.0, -10.0)])
@pytest.mark.parametrize("make", [continuous, burst])
def test_line_of_sight_next_to_a_source(result, make, l, b, absorbed):  # noqa: E741
    flux = make()
    field = SourceField.of("s", PLACE, flux, TABLE, 4.0)
    absorption = Absorption(np.array([0.0, 0.2]), np.zeros(2)) if absorbed else Absorption.none(2)
    line = sight(result, 0.5)
    seen = line.around(l, b, field, absorption)[:, 0]
    # brute force, geometric steps away from the point next to the source
    unit = unit_vector(l, b)
    nearest = float(unit @ (PLACE - [-8.5, 0.0, 0.0]))
    steps = np.concatenate([[0.0], np.geomspace(1e-6, 2.9, 4000)])
    s = np.concatenate([nearest - steps[::-1], nearest + steps[1:]])
    middle, length = 0.5 * (s[1:] + s[:-1]), np.diff(s)
    places = np.array([-8.5, 0.0, 0.0]) + middle[:, None] * unit
    expected = (TABLE(flux(places)) * np.exp(-np.outer(absorption.uniform, middle)) * length).sum(axis=1)
    expected *= 0.5 * const.KPC_CM
    # what lies beyond 2.9 kpc of the source is not in the sum
    assert seen == pytest.approx(expected, rel=1e-2)


def test_a_source_in_gas_free_space_is_dark(result):
    field = SourceField.of("s", PLACE, continuous(), TABLE, 4.0)
    assert np.all(sight(result, 0.0).around([40.0, 41.0], [1.0, 0.0], field) == 0.0)


def test_map_of_a_source_in_gas_free_space_is_zero(result):
    pytest.importorskip("astropy_healpix", reason="astropy-healpix is not installed")
    sky = DiffuseSky.of(result(gas="none"), PURE, energies=ENERGY)
    sky = sky.with_sources([SourceField.of("x", PLACE, continuous(), TABLE, 4.0)])
    assert np.all(sky.pixels(4)["intensity"].values == 0.0)


def test_flux_of_a_compact_source(result):
    # all protons of a burst are within 0.1 kpc: F = n_H c Int N sigma / (4 pi d^2), whatever D is
    field = SourceField.of("s", PLACE, burst(age=0.001), TABLE, 4.0)
    line = sight(result, 0.7)
    region = Region("r", (20.0, 60.0), (-19.0, 21.0))
    mean = average(region, lambda l, b: line.around(l, b, field), peaks=[(40.0, 1.0)])  # noqa: E741
    total = TABLE({"H1": T**-2.2}) * const.KPC_CM  # per kpc^2 of distance, the density in kpc^-3
    assert mean * region.solid_angle == pytest.approx(0.7 * total / 3.0**2, rel=1e-2)


def test_sources_are_components_of_the_sky(result):
    dataset = result(lambda r, z: np.exp(-(r - 8.5) / 6.0) * (1.0 - np.abs(z) / 4.0))
    sky = DiffuseSky.of(dataset, PURE, energies=ENERGY)
    table = Emissivity.build(ENERGY, dataset["kinetic_energy"].values, PURE)
    t = dataset["kinetic_energy"].values

    def flux(points):
        d = np.sqrt(((points - PLACE) ** 2).sum(axis=1))
        return {"H1": 1e-4 * t[:, None] ** -2.4 * 0.05 / d}

    field = SourceField.of("x", PLACE, flux, table, 4.0)
    both = sky.with_sources([field])
    assert both.names == ("snr", "x")
    assert both.peaks[0] == pytest.approx([40.0, 1.0])
    spectrum = both.region(REGIONS["lhaaso-inner"])
    alone = sky.region(REGIONS["lhaaso-inner"])["intensity"].values
    parts = spectrum["intensity_component"]
    assert parts.sel(component="snr").values == pytest.approx(alone, rel=1e-3)
    assert spectrum["intensity"].values == pytest.approx(parts.sum("component").values, rel=1e-12)
    # the same number from many directions
    rng = np.random.default_rng(2)
    lon = rng.uniform(15.0, 125.0, 4000)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 4000) * np.sin(np.radians(5))))
    drawn = both.intensity(lon, lat)[1]
    error = drawn.std(axis=1) / np.sqrt(lon.size)
    assert np.all(np.abs(drawn.mean(axis=1) - parts.sel(component="x").values) < 4.0 * error)
    assert both.at_energy(1).intensity(41.0, 1.0)[1, 0] == pytest.approx(
        both.intensity(41.0, 1.0)[1, 1], rel=1e-3
    )
    with pytest.raises(DataError, match="same name"):
        sky.with_sources([SourceField.of("snr", PLACE, flux, table, 4.0)])


def test_map_of_a_source(result):
    pytest.importorskip("astropy_healpix", reason="astropy-healpix is not installed")
    dataset = result(gas="disc")
    sky = DiffuseSky.of(dataset, PURE, energies=[1e3])
    table = Emissivity.build([1e3], T, PURE)
    sky = sky.with_sources([SourceField.of("x", PLACE, continuous(), table, 4.0)])
    pixels = sky.pixels(8)["intensity_component"].sel(component="x").values[0]
    region = Region("r", (20.0, 60.0), (-15.0, 15.0))
    from cyldiff.observables.sky import map_average

    direct = sky.region(region)["intensity_component"].sel(component="x").values[0]
    assert map_average(pixels, region) == pytest.approx(direct, rel=2e-2)
