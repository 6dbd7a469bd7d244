"""HEALPix maps and the plate-carree image: means of pixels, of regions, fluxes that interpolation keeps."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.observables import image
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.regions import REGIONS, Disc, average
from cyldiff.observables.sky import map_average, pixel_centers, pixel_fractions, pixel_means
from cyldiff.particles.pion_production import Kelner2006

pytest.importorskip("astropy_healpix", reason="astropy-healpix is not installed")
NSIDE = 16


def disc(l, b):  # noqa: E741
    """A disc of a degree and more, brighter towards the centre, with a floor."""
    return np.stack([(2.0 + np.cos(np.radians(l))) / (1.0 + (b / 2.5) ** 2) + 0.01, np.ones_like(l * b)])


@pytest.fixture(scope="module")
def means():
    return pixel_means(NSIDE, disc)


def test_all_sky_mean(means):
    b = np.radians(np.linspace(-90.0, 90.0, 400_001))
    expected = np.trapezoid(np.cos(b) / (1.0 + (np.degrees(b) / 2.5) ** 2), b) * 0.5 * 2.0 + 0.01
    assert means.shape == (2, 12 * NSIDE**2)
    assert means[0].mean() == pytest.approx(expected, rel=2e-3)
    assert means[1] == pytest.approx(np.ones(12 * NSIDE**2), rel=1e-12)


def test_a_pixel_is_the_mean_of_its_parts(means):
    pixels = np.array([0, 517, 1030, 2047, 3071])
    children = (pixels[:, None] * 1024 + np.arange(1024)).ravel()
    fine = disc(*pixel_centers(NSIDE * 32, children))[0].reshape(5, 1024).mean(axis=1)
    assert means[0, pixels] == pytest.approx(fine, rel=5e-3)


def test_pixels_lie_where_astropy_healpix_says():
    from astropy import units as u
    from astropy_healpix import HEALPix

    grid = HEALPix(nside=NSIDE, order="nested")
    l, b = pixel_centers(NSIDE)  # noqa: E741
    assert np.array_equal(grid.lonlat_to_healpix(l * u.deg, b * u.deg), np.arange(grid.npix))


@pytest.mark.parametrize("name", ["lhaaso-inner", "lhaaso-outer", "all-sky"])
def test_solid_angle_of_a_region_in_pixels(name):
    pixels, share = pixel_fractions(NSIDE, REGIONS[name])
    assert np.unique(pixels).size == pixels.size
    solid_angle = share.sum() * 4 * np.pi / (12 * NSIDE**2)
    assert solid_angle == pytest.approx(REGIONS[name].solid_angle, rel=2e-3)


def test_region_average_equals_direct_quadrature(result):
    dataset = result(lambda r, z: np.exp(-(r - 8.5) / 6.0) * (1.0 - np.abs(z) / 4.0))
    sky = DiffuseSky.of(dataset, Kelner2006(), energies=[1e4])
    pixels = sky.pixels(64)
    for name in ("lhaaso-inner", "lhaaso-outer"):
        direct = sky.region(REGIONS[name])["intensity"].values
        assert map_average(pixels["intensity"].values, REGIONS[name]) == pytest.approx(direct, rel=5e-3)
    # with discs cut out as well
    masked = REGIONS["lhaaso-inner"].without((Disc(40.0, 0.0, 2.5), Disc(79.0, 1.0, 4.0)))
    direct = average(masked, lambda l, b: sky.intensity(l, b)[0])  # noqa: E741
    assert map_average(pixels["intensity"].values, masked) == pytest.approx(direct, rel=5e-3)


def test_map_of_uniform_gas_is_the_analytic_column(result):
    # a disc: column n h / sin b where the lines leave it through its lid
    dataset = result(gas="disc")
    sky = DiffuseSky.of(dataset, Kelner2006(nuclear_enhancement="none"), energies=[1e4])
    l, b = pixel_centers(16)  # noqa: E741
    steep = np.abs(b) > 10.0
    l, b = l[steep], b[steep]  # noqa: E741
    column = 0.5 * 2e-3 / (1.4 * const.HYDROGEN_MASS_G) / np.sin(np.radians(np.abs(b)))
    assert sky.sight.column(l, b) == pytest.approx(column, rel=1e-6)
    # the intensity is q N_H / 4 pi with one q for all pixels: that of the table of moments, 1.538 mb at 10 TeV
    emissivity = 1.538e-27 * 1e-4 * 1e4**-2.7
    assert sky.intensity(l, b)[0, 0] / column == pytest.approx(np.full(b.size, emissivity), rel=1e-2)


def test_map_without_gas_is_zero(result):
    sky = DiffuseSky.of(result(gas="none"), Kelner2006(), energies=[1e4])
    assert np.all(sky.pixels(8)["intensity"].values == 0.0)


@pytest.mark.parametrize("nside", [0, 3, 48, 2048])
def test_resolutions_that_are_no_power_of_two(nside):
    with pytest.raises(DataError, match="power of two"):
        pixel_centers(nside)


class TestImage:
    """The interpolant of the image has the fluxes of the sky."""

    @pytest.mark.parametrize("step", [1.0, 0.5])
    def test_fluxes_of_regions(self, step):
        longitude, latitude = image.nodes(step)
        values = image.plate_carree(disc, longitude, latitude)
        assert values.shape == (2, latitude.size, longitude.size)
        for region in (REGIONS["lhaaso-inner"], REGIONS["lhaaso-outer"]):
            (l_low, l_high), (b_low, b_high) = region.longitude, region.latitude
            l = l_low + (l_high - l_low) * (np.arange(660) + 0.5) / 660  # noqa: E741
            b = b_low + (b_high - b_low) * (np.arange(400) + 0.5) / 400
            where = np.stack(np.meshgrid(b, (l + 180.0) % 360.0 - 180.0, indexing="ij"), axis=-1)
            weight = np.cos(np.radians(b))[:, None] / np.cos(np.radians(b)).mean() / where[..., 0].size
            expected = average(region, disc)
            for row, mean in zip(values, expected, strict=True):
                curve = RegularGridInterpolator((latitude, longitude[::-1]), np.log(row[:, ::-1]))
                assert (np.exp(curve(where)) * weight).sum() == pytest.approx(mean, rel=3e-4)

    def test_no_seam(self):
        longitude, latitude = image.nodes(0.7)
        assert (longitude[0], longitude[-1], latitude[0], latitude[-1]) == (180.0, -180.0, -90.0, 90.0)
        assert 0.0 in latitude or np.abs(latitude).min() < 1e-12 or latitude.size % 2 == 0
        values = image.plate_carree(disc, longitude, latitude)
        assert np.array_equal(values[..., 0], values[..., -1])

    def test_a_dark_sky(self):
        values = image.plate_carree(lambda l, b: np.zeros((1, l.size)), *image.nodes(10.0))  # noqa: E741
        assert np.all(values == 0.0)
