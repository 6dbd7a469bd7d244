"""Maps as files: NetCDF, FITS with its HEALPix table, and gammapy reading and evaluating it."""

import numpy as np
import pytest
import xarray as xr
from astropy.io import fits

from cyldiff.errors import DataError
from cyldiff.galaxy.radiation_field import CosmicMicrowaveBackground
from cyldiff.io.sky_map import map_path, write_sky
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.regions import REGIONS, Region
from cyldiff.particles.pion_production import Kelner2006

pytest.importorskip("astropy_healpix", reason="astropy-healpix is not installed")
ENERGIES = np.array([1e3, 1e4, 1e5, 1e6])
NSIDE = 32


@pytest.fixture(scope="module")
def sky(result):
    dataset = result(lambda r, z: np.exp(-(r - 8.5) / 6.0) * (1.0 - np.abs(z) / 4.0))
    return DiffuseSky.of(dataset, Kelner2006(), energies=ENERGIES, radiation=CosmicMicrowaveBackground())


@pytest.fixture(scope="module")
def pixels(sky):
    return sky.pixels(NSIDE)


@pytest.fixture(scope="module")
def written(sky, pixels, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.fits"
    write_sky(pixels, sky.image(0.5), path)
    return path


def test_netcdf(pixels, tmp_path):
    write_sky(pixels, None, tmp_path / "map.nc")
    with xr.open_dataset(tmp_path / "map.nc") as read:
        assert read["intensity"].dtype == np.float32
        assert read["intensity"].dims == ("energy", "pixel")
        assert read["intensity"].values == pytest.approx(pixels["intensity"].values, rel=1e-6)
        assert (read.attrs["nside"], read.attrs["ordering"], read.attrs["frame"]) == (
            NSIDE,
            "nested",
            "galactic",
        )
        assert read["intensity"].attrs["units"] == "GeV-1 cm-2 s-1 sr-1"


def test_fits_headers(written, pixels):
    with fits.open(written, checksum=True) as hdus:
        assert [h.name for h in hdus] == ["PRIMARY", "ENERGIES", "SKYMAP"]
        assert hdus["ENERGIES"].data["Energy"] == pytest.approx(ENERGIES * 1e3)
        header = hdus["SKYMAP"].header
        assert (header["PIXTYPE"], header["ORDERING"], header["NSIDE"]) == ("HEALPIX", "NESTED", NSIDE)
        column = hdus["SKYMAP"].data["ENERGY3"]
        assert column == pytest.approx(pixels["intensity"].values[2] / 1e3, rel=1e-6)


def test_the_image_points_where_it_says(written, sky):
    from astropy.wcs import WCS

    with fits.open(written) as hdus:
        frame = WCS(hdus[0].header).celestial
        x, y = frame.world_to_pixel_values([45.0, 300.0], [20.0, -60.0])
        values = hdus[0].data[1, np.round(y).astype(int), np.round(x).astype(int)]
    assert [x % 1, y % 1] == pytest.approx(np.zeros((2, 2)), abs=1e-6)
    assert values * 1e3 == pytest.approx(sky.intensity([45.0, 300.0], [20.0, -60.0])[0, 1], rel=1e-3)


@pytest.mark.parametrize("name", ["lhaaso-inner", "lhaaso-outer", "anticentre"])
def test_gammapy_evaluates_the_map_to_the_same_region_flux(written, sky, name):
    pytest.importorskip("gammapy.modeling.models", reason="gammapy does not import", exc_type=ImportError)
    from astropy import units as u
    from gammapy.modeling.models import TemplateSpatialModel

    model = TemplateSpatialModel.read(written, normalize=False)
    region = REGIONS.get(name, Region("anticentre", (170.0, 190.0), (-2.0, 3.0)))
    (l_low, l_high), (b_low, b_high) = region.longitude, region.latitude
    l = l_low + (l_high - l_low) * (np.arange(550) + 0.5) / 550  # noqa: E741
    b = b_low + (b_high - b_low) * (np.arange(400) + 0.5) / 400
    lon, lat = np.meshgrid(l, b)
    weight = np.cos(np.radians(lat)) / np.cos(np.radians(lat)).sum()
    expected = sky.region(region)["intensity"].values
    for energy, flux in zip(ENERGIES, expected, strict=True):
        values = model.evaluate(lon * u.deg, lat * u.deg, energy=np.full(lon.shape, energy) * u.GeV)
        mean = (values.to_value("GeV-1 cm-2 s-1 sr-1") * weight).sum()
        assert mean == pytest.approx(flux, rel=1e-3)


def test_gammapy_takes_it_as_a_sky_model(written, sky):
    pytest.importorskip("gammapy.modeling.models", reason="gammapy does not import", exc_type=ImportError)
    from astropy import units as u
    from astropy.coordinates import SkyCoord
    from gammapy.maps import MapAxis, WcsGeom
    from gammapy.modeling.models import PowerLawNormSpectralModel, SkyModel, TemplateSpatialModel

    model = SkyModel(
        spatial_model=TemplateSpatialModel.read(written, normalize=False),
        spectral_model=PowerLawNormSpectralModel(),
    )
    axis = MapAxis.from_nodes([1e1, 1e2] * u.TeV, name="energy_true", interp="log")
    geom = WcsGeom.create(
        skydir=SkyCoord(70.0, 0.0, unit="deg", frame="galactic"), width=(110.0, 10.0), binsz=0.25,
        frame="galactic", proj="CAR", axes=[axis],
    )  # fmt: skip
    seen = model.evaluate_geom(geom).to_value("GeV-1 cm-2 s-1 sr-1")
    area = geom.solid_angle().to_value("sr")
    mean = (seen * area).sum(axis=(1, 2)) / area.sum(axis=(1, 2))
    assert area[0].sum() == pytest.approx(0.33465, rel=1e-4)
    expected = sky.region(REGIONS["lhaaso-inner"])["intensity"].values[1:3]
    assert mean == pytest.approx(expected, rel=3e-3)  # its own pixels of a quarter of a degree


@pytest.fixture(scope="module")
def lopsided(result):
    """A sky whose mirror image is another one: more cosmic rays towards l = 90 deg."""
    dataset = result(
        lambda r, phi, z: (1.0 - np.abs(z) / 4.0) * (1.0 + 0.8 * r / (r + 3.0) * np.sin(phi)), n_phi=36
    )
    energies = ENERGIES[1:3]
    return DiffuseSky.of(dataset, Kelner2006(), energies=energies, radiation=CosmicMicrowaveBackground())


def test_the_sky_is_the_right_way_round(lopsided, tmp_path):
    """l = 60 deg is not l = 300 deg, in the image as gammapy reads it and in the table; each energy is a node."""
    pytest.importorskip("gammapy.modeling.models", reason="gammapy does not import", exc_type=ImportError)
    from astropy import units as u
    from astropy_healpix import HEALPix
    from gammapy.maps import Map
    from gammapy.modeling.models import TemplateSpatialModel

    write_sky(lopsided.pixels(16), lopsided.image(2.0), tmp_path / "sky.fits")
    model = TemplateSpatialModel.read(tmp_path / "sky.fits", normalize=False)
    image = Map.read(tmp_path / "sky.fits")
    assert image.geom.wcs.wcs.cdelt[0] < 0.0 < image.geom.wcs.wcs.cdelt[1]  # longitude grows to the left
    axis = image.geom.axes[0]
    assert axis.node_type == "center"
    np.testing.assert_allclose(axis.center.to_value("GeV"), lopsided.energy, rtol=1e-6)
    l, b = np.array([60.0, 300.0, 45.0, 315.0]), np.array([4.0, 4.0, -4.0, -4.0])  # noqa: E741
    expected = lopsided.intensity(l, b)[0]
    assert np.all(expected[:, ::2] > 1.15 * expected[:, 1::2])
    at_pixel = HEALPix(16, order="nested").lonlat_to_healpix(l * u.deg, b * u.deg)
    with fits.open(tmp_path / "sky.fits") as hdus:
        columns = [hdus["SKYMAP"].data[f"ENERGY{i + 1}"].astype(float) for i in range(len(expected))]
    for energy, column, values in zip(lopsided.energy, columns, expected, strict=True):
        at = model.evaluate(l * u.deg, b * u.deg, energy=np.full(l.shape, energy) * u.GeV)
        np.testing.assert_allclose(at.to_value("GeV-1 cm-2 s-1 sr-1"), values, rtol=0.07)  # pixels of 2 deg
        assert np.all(column[at_pixel][::2] > 1.15 * column[at_pixel][1::2])  # means over pixels of 3.7 deg


def test_a_file_that_cannot_be_written(sky, tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        write_sky(sky.pixels(1), sky.image(20.0), tmp_path / "no" / "map.fits")
    with pytest.raises(DataError, match='"fit" unknown; known: fits, nc; did you mean "fits"'):
        map_path(tmp_path / "map.fit")
    assert list(tmp_path.iterdir()) == []
