"""Files for HERMES, read back by the rules that HERMES reads them with."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from cyldiff.errors import DataError
from cyldiff.io.hermes import HermesGrid, hermes_axis, write_hermes
from cyldiff.observables.place import spectra_at
from cyldiff.observables.resample import Resampling


class HermesFile:
    """A reader with the conventions of HERMES, written from a description of them.

    Header keys Ekmin, Ekin_fac, dimE, rmin … dimz; image data with the energy fastest. Along each axis the step is
    (max - min)/(n - 1), sample i lies at origin + (i + 1/2) step, the origin of r is -rmax; the grid is periodic and
    linear in between. Nothing is there beyond zmin, zmax and rmax.
    """

    def __init__(self, path):
        with fits.open(path) as hdus:
            head = hdus[0].header
            axes = ["z", "r"] if "DIMR" in head else ["z", "y", "x"]
            self.n = [head[f"dim{a}"] for a in axes]
            self.limits = [(head[f"{a}min"], head[f"{a}max"]) for a in axes]
            self.step = [(high - low) / (n - 1) for (low, high), n in zip(self.limits, self.n, strict=True)]
            self.origin = [low for low, _ in self.limits]
            if axes[1] == "r":
                self.origin[1] = -head["rmax"]
            self.radius = (
                self.limits[1][1] if axes[1] == "r" else np.hypot(self.limits[1][1], self.limits[2][1])
            )
            self.two = axes[1] == "r"
            i = np.arange(head["dimE"])
            self.energy = np.exp(np.log(head["Ekmin"]) + i * np.log(head["Ekin_fac"]))
            # a flat list of floats, as cfitsio hands it over
            self.images = {}
            for hdu in hdus[1:]:
                assert hdu.is_image
                flat = np.asarray(hdu.data, dtype=np.float32).ravel()
                self.images[hdu.header["Z_"], hdu.header["A"]] = flat.reshape(*self.n, head["dimE"])

    def at(self, particle, x, y, z):
        rho = np.hypot(x, y)
        if not self.limits[0][0] <= z <= self.limits[0][1] or rho > self.radius:
            return np.zeros(self.energy.size)
        place = [z, rho] if self.two else [z, y, x]
        values = self.images[particle]
        for value, origin, step, n in zip(place, self.origin, self.step, self.n, strict=True):
            index = (value - (origin + 0.5 * step)) / step
            low = int(np.floor(index))
            values = values[low % n] * (1.0 - (index - low)) + values[(low + 1) % n] * (index - low)
        return values


def smooth(r, z):
    """Zero at r = 20 and |z| = 4; falls with r so that an offset shows."""
    return (1.0 - (r / 20.0) ** 2) * (1.0 - (z / 4.0) ** 2)


def twisted(r, phi, z):
    return smooth(r, z) * (1.0 + 0.03 * r * np.cos(phi) - 0.02 * r * np.sin(phi))


def centred(result, **options):
    """The fixture's 3-D cells with the package's azimuths, the first on phi = 0."""
    dataset = result(lambda r, phi, z: twisted(r, phi - np.pi / 36, z), half_space=False, n_phi=36, top=100.0)
    return dataset.assign_coords(phi=2.0 * np.pi * np.arange(36) / 36)


@pytest.mark.parametrize(("half", "step"), [(4.0, 0.1), (20.0, 0.25), (5.0, 0.3)])
def test_axis(half, step):
    samples = hermes_axis(half, step)
    assert samples.size % 2 == 0
    assert np.abs(samples).min() < 1e-12
    d = np.diff(samples)
    assert d == pytest.approx(np.full(d.shape, d[0]))
    assert d[0] <= step * (1 + 1e-12)
    assert samples[-1] == pytest.approx(half + 0.5 * d[0])


PLACES = [
    (8.5, 0.0, 0.0),
    (-3.0, 4.0, 1.3),
    (0.0, 0.0, 0.0),
    (0.02, 0.01, -0.35),
    (12.0, 9.0, -2.0),
    (0.0, -6.1, 3.5),
]


def test_two_dimensions(result, tmp_path):
    """Linear between samples: the parabolas leave d^2/8 of their curvature, 1e-4 in r and 2e-4 in z."""
    dataset = result(smooth, half_space=False, top=100.0)
    write_hermes(dataset, tmp_path / "h.fits", species=["H1", "He4"], grid=HermesGrid.of(dataset))
    file = HermesFile(tmp_path / "h.fits")
    t = dataset["kinetic_energy"].values
    np.testing.assert_allclose(file.energy, t, rtol=1e-10)
    assert list(file.images) == [(1, 1), (2, 4)]
    for x, y, z in PLACES:
        exact = smooth(np.hypot(x, y), z)
        np.testing.assert_allclose(file.at((1, 1), x, y, z) * t**2.7, exact, atol=3e-4, rtol=0)
        np.testing.assert_allclose(file.at((2, 4), x, y, z) * t**2.7, 0.05 * exact, atol=2e-5, rtol=0)
    assert not file.at((1, 1), 20.1, 0.0, 0.0).any()
    assert not file.at((1, 1), 8.5, 0.0, 4.1).any()


def test_at_its_samples_it_is_the_interpolated_map(result, tmp_path):
    dataset = result(smooth, half_space=False, top=100.0)
    grid = HermesGrid.of(dataset)
    write_hermes(dataset, tmp_path / "h.fits", species=["H1"], grid=grid)
    file = HermesFile(tmp_path / "h.fits")
    for r, z in ((grid.across[100], grid.heights[50]), (grid.across[140], grid.heights[3])):
        expected = spectra_at(dataset, np.array([r, 0.0, z]))["flux_lis"].sel(species="H1").values
        np.testing.assert_allclose(file.at((1, 1), r, 0.0, z), expected, rtol=1e-5)


def test_samples_read_as_points_from_rmin_to_rmax_would_be_shifted(result, tmp_path):
    """What a file without regard to the offsets would do: half a step off in z, and wrong in r."""
    dataset = result(smooth, half_space=False, top=100.0)
    write_hermes(dataset, tmp_path / "h.fits", species=["H1"], grid=HermesGrid.of(dataset, 0.5, 0.4))
    file = HermesFile(tmp_path / "h.fits")
    right = file.at((1, 1), 8.5, 0.0, 2.0)[0]
    exact = smooth(8.5, 2.0)
    assert right == pytest.approx(exact, rel=2e-2)
    file.origin = [origin - 0.5 * step for origin, step in zip(file.origin, file.step, strict=True)]
    assert abs(file.at((1, 1), 8.5, 0.0, 2.0)[0] - exact) > 3 * abs(right - exact)


def sloped(r, z):
    """Linear in r and in z, so that a reader that interpolates linearly gives it exactly: nowhere zero."""
    return (1.0 - r / 25.0) * (1.0 + z / 8.0)


class TestPlacesOfALinearDensity:
    """A density that is a known function of place comes back at its places; half a cell would show."""

    PLACES = ((8.5, 0.0, 0.3), (-3.0, 4.0, 1.3), (0.0, -6.1, -2.5), (1.0, 1.0, 0.05), (9.0, 12.0, -1.7))

    def read(self, result, path):
        dataset = result(sloped, half_space=False, top=100.0)
        write_hermes(dataset, path, species=["H1"], grid=HermesGrid.of(dataset, 0.4, 0.25))
        return HermesFile(path), dataset["kinetic_energy"].values

    def worst(self, file, t):
        off = [file.at((1, 1), x, y, z) * t**2.7 / sloped(np.hypot(x, y), z) - 1.0 for x, y, z in self.PLACES]
        return np.abs(off).max()

    def test_it_is_exact(self, result, tmp_path):
        assert self.worst(*self.read(result, tmp_path / "h.fits")) < 2e-6  # single precision

    @pytest.mark.parametrize("axis", [0, 1])
    @pytest.mark.parametrize("cells", [0.5, -0.5])
    def test_half_a_cell_shows(self, result, tmp_path, axis, cells):
        """0.12 kpc in z is 1.5 % of 8 kpc, 0.2 kpc in r 0.8 % of 25 kpc, and more where the density is low."""
        file, t = self.read(result, tmp_path / "h.fits")
        file.origin[axis] += cells * file.step[axis]
        assert self.worst(file, t) > 1e-2


def test_the_sun_is_in_the_header(result, tmp_path):
    dataset = result(smooth, half_space=False, top=100.0, z_sun=0.02)
    write_hermes(dataset, tmp_path / "h.fits", species=["H1"], grid=HermesGrid.of(dataset))
    head = fits.getheader(tmp_path / "h.fits")
    assert (head["RSUN"], head["ZSUN"]) == (8.5, 0.02)


def test_three_dimensions(result, tmp_path):
    """The Sun of HERMES is at +x, and l = 90 deg points to -y there."""
    dataset = centred(result)
    grid = HermesGrid.of(dataset, 0.4, 0.2)
    assert grid.three_dimensions
    write_hermes(dataset, tmp_path / "h.fits", species=["H1"], grid=grid)
    file = HermesFile(tmp_path / "h.fits")
    t = dataset["kinetic_energy"].values
    for x, y, z in PLACES:
        ours = np.array([-x, -y, z])
        exact = twisted(np.hypot(x, y), np.arctan2(ours[1], ours[0]), z)
        np.testing.assert_allclose(file.at((1, 1), x, y, z) * t**2.7, exact, atol=2e-3, rtol=0)
        there = spectra_at(dataset, ours)["flux_lis"].sel(species="H1").values
        np.testing.assert_allclose(file.at((1, 1), x, y, z), there, rtol=5e-3)
    # the pattern would show a mirror image
    assert abs(twisted(5.0, np.arctan2(4.0, 3.0), 0.0) - twisted(5.0, np.arctan2(-4.0, 3.0), 0.0)) > 0.1


@pytest.mark.parametrize("place", [(-8.5, 0.0, 0.3), (0.1, 0.2, -1.0), (0.0, 0.0, 0.0), (14.0, 13.9, 3.9)])
def test_resampling_is_interpolation(result, place):
    for dataset in (result(smooth, half_space=False, top=100.0), centred(result)):
        r, phi = np.hypot(*place[:2]), np.arctan2(place[1], place[0])
        found = Resampling.of(dataset, [r], [phi], [place[2]])(dataset["flux"].sel(species="H1").values)
        expected = spectra_at(dataset, np.array(place))["flux_lis"].sel(species="H1").values
        np.testing.assert_allclose(found[:, 0, 0], expected, rtol=1e-9, atol=1e-12)


def test_it_is_refused(result, tmp_path):
    dataset = result(smooth, top=100.0)
    with pytest.raises(DataError, match="no maps"):
        write_hermes(
            dataset.drop_vars("flux"), tmp_path / "h.fits", species=["H1"], grid=HermesGrid.of(dataset)
        )
    with pytest.raises(DataError, match="GB"):
        write_hermes(dataset, tmp_path / "h.fits", species=["H1"], grid=HermesGrid.of(dataset, 1e-3, 1e-3))
    assert not list(tmp_path.iterdir())
