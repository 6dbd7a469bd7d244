"""Places as text, and maps interpolated to them, against the functions that the maps were made of."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Galactic, Galactocentric, SkyCoord

from cyldiff.errors import DataError
from cyldiff.observables.place import parse_place, spectra_at
from cyldiff.observables.surroundings import Sun

SUN = Sun(8.5, 0.02)


def smooth(r, z):
    """Zero at r = 20 and |z| = 4, even in both."""
    return np.cos(0.5 * np.pi * r / 20.0) * np.cos(0.5 * np.pi * z / 4.0)


def twisted(r, phi, z):
    x, y = r * np.cos(phi), r * np.sin(phi)
    return smooth(r, z) * (1.0 + 0.03 * x - 0.02 * y)


def test_places():
    assert parse_place(" Sun ", SUN) is None
    assert parse_place("x=-8kpc y=1200pc, z=-3e21cm", SUN) == pytest.approx([-8.0, 1.2, -0.972233], rel=1e-5)
    assert parse_place("r=4kpc phi=90 deg z=0kpc", SUN) == pytest.approx([0.0, 4.0, 0.0], abs=1e-12)
    assert parse_place("b=0deg l=90deg d=2 kpc", SUN) == pytest.approx([-8.5, 2.0, 0.02])


@pytest.mark.parametrize(("longitude", "latitude", "distance"), [(80.0, 1.0, 1.4), (345.0, -30.0, 2.5)])
def test_a_place_in_the_sky_is_where_astropy_has_it(longitude, latitude, distance):
    """Their frame is tilted by asin(z_sun/d) about the Sun; a Sun in the plane has no tilt."""
    found = parse_place(f"l={longitude}deg b={latitude}deg d={distance}kpc", Sun(8.122, 0.0))
    centre = SkyCoord(0 * u.deg, 0 * u.deg, distance=8.122 * u.kpc, frame=Galactic())
    there = SkyCoord(longitude * u.deg, latitude * u.deg, distance=distance * u.kpc, frame=Galactic())
    frame = Galactocentric(galcen_coord=centre.icrs, galcen_distance=8.122 * u.kpc, z_sun=0 * u.pc)
    other = there.transform_to(frame).cartesian.xyz.to_value(u.kpc)
    np.testing.assert_allclose(found, other, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ('found ""', "expected")),
        ("nowhere", ('found "nowhere"', "expected")),
        ("x=1kpc y=2kpc", ("expected",)),
        ("x=1kpc y=2kpc q=3kpc", ('"q" unknown',)),
        ("x=1kpc x=2kpc z=3kpc", ("expected",)),
        ("x=1 y=2deg z=3kpc", ('x: "1" has no unit', 'y: found unit "deg"')),
        ("l=0deg b=91deg d=1kpc", ("b: found 91 deg",)),
        ("l=0deg b=1deg d=-1kpc", ("d: found -1 kpc",)),
    ],
)
def test_bad_places(text, parts):
    with pytest.raises(DataError) as caught:
        parse_place(text, SUN)
    assert all(part in str(caught.value) for part in parts), caught.value


PLACES = [
    (-8.5, 0.0, 0.0),
    (-3.0, 4.0, 1.3),
    (0.0, 0.0, -0.4),
    (0.1, -0.2, 3.9),
    (12.0, 15.9, -2.0),
    (0.0, 19.9, 0.0),
]


def half(dataset):
    """The upper half of a whole grid with a cell on the plane, as the package keeps a half-space."""
    bounds = dataset["z_bounds"].values[40:].copy()
    bounds[0, 0] = 0.0
    upper = dataset.isel(z=slice(40, None)).drop_vars("z_bounds")
    return upper.assign(z_bounds=(("z", "bounds"), bounds))


def on_the_plane(result, n=81):
    """As the fixture, with an odd number of cells."""
    faces = np.linspace(-4.0, 4.0, n + 1)
    z = 0.5 * (faces[1:] + faces[:-1])
    like = result(smooth, half_space=False).isel(z=[0]).drop_vars(["flux", "z_bounds"])
    r, t = like["r"].values, like["kinetic_energy"].values
    flux = np.stack([t**-2.7, 0.05 * t**-2.7])[..., None, None] * smooth(r[:, None], z)
    return like.assign_coords(z=z).assign(
        flux=(("species", "kinetic_energy", "r", "z"), flux),
        z_bounds=(("z", "bounds"), np.stack([faces[:-1], faces[1:]], axis=1)),
    )


@pytest.mark.parametrize("half_space", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_two_dimensions(result, place, half_space):
    """Fourth order: cells of 0.5 and 0.1 kpc leave below 2e-6 of the largest value."""
    dataset = on_the_plane(result)
    if half_space:
        dataset = half(dataset)
        assert dataset["z"].values[0] == pytest.approx(0.0, abs=1e-12)
    found = spectra_at(dataset, np.array(place))["flux_lis"].sel(species="H1").values
    t = dataset["kinetic_energy"].values
    np.testing.assert_allclose(found * t**2.7, smooth(np.hypot(*place[:2]), place[2]), atol=2e-6, rtol=0)


@pytest.mark.parametrize("place", PLACES)
def test_three_dimensions(result, place):
    """Cells of 7.5 deg; the axis is crossed with the values of the other side."""
    dataset = result(twisted, half_space=False, n_phi=48)
    # cells of the package: the first is centred on phi = 0
    phi = 2.0 * np.pi * np.arange(48) / 48
    values = twisted(dataset["r"].values[:, None, None], phi[:, None], dataset["z"].values)
    t = dataset["kinetic_energy"].values
    both = np.stack([values, 0.05 * values])[:, None]
    dataset["flux"] = dataset["flux"].copy(data=(t**-2.7)[:, None, None, None] * both)
    dataset = dataset.assign_coords(phi=phi)
    r, angle = np.hypot(*place[:2]), np.arctan2(place[1], place[0])
    found = spectra_at(dataset, np.array(place))["flux_lis"].sel(species="H1").values
    np.testing.assert_allclose(found * t**2.7, twisted(r, angle, place[2]), atol=1e-5, rtol=0)


def hollow(r, z):
    """So steep around the axis that a cubic through the cells is below zero there."""
    return np.minimum(0.01 + (r / 0.75) ** 8, 1.0) * smooth(r, z)


@pytest.mark.parametrize("n_phi", [1, 12])
@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (0.1, 0.05, 0.3), (0.0, -0.2, -1.0)])
def test_a_steep_hollow_is_not_empty(result, place, n_phi):
    """Where the cubic is negative, linear between the neighbours: never less than the smallest of them."""
    law = hollow if n_phi == 1 else (lambda r, phi, z: hollow(r, z))
    dataset = result(law, half_space=False, **({} if n_phi == 1 else {"n_phi": n_phi}))
    t = dataset["kinetic_energy"].values
    found = spectra_at(dataset, np.array(place))["flux_lis"].sel(species="H1").values * t**2.7
    r, z = dataset["r"].values, dataset["z"].values
    around = hollow(r[0], np.array([abs(place[2]) - 0.1, abs(place[2]) + 0.1]))
    assert r[0] == pytest.approx(0.25)
    assert np.all(found > 0.9 * around.min())
    assert np.all(found < 1.1 * around.max())
    assert np.abs(np.diff(z)).max() < 0.11


def test_a_slab_is_the_same_at_every_radius(result):
    dataset = half(on_the_plane(result)).isel(r=[17])
    bounds = dataset.assign(r_bounds=(("r", "bounds"), [[0.0, 20.0]]))
    found = [spectra_at(bounds, np.array([x, 0.0, 0.37]))["flux_lis"].values for x in (-8.5, 0.0, 19.0)]
    exact = dataset["flux"].sel(species="H1").isel(r=0, z=0).values * np.cos(0.5 * np.pi * 0.37 / 4.0)
    np.testing.assert_allclose(found[0][0], exact, rtol=1e-5)
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


def test_nothing_is_at_the_surface(result):
    dataset = result(smooth, half_space=False)
    for place in ((20.0, 0.0, 0.0), (-5.0, 0.0, 4.0), (-5.0, 0.0, -4.0)):
        assert np.all(
            spectra_at(dataset, np.array(place))["flux_lis"].values == pytest.approx(0.0, abs=1e-15)
        )


@pytest.mark.parametrize("place", [(20.1, 0.0, 0.0), (0.0, 0.0, -4.01)])
def test_outside_is_refused_with_the_range(result, place):
    with pytest.raises(DataError, match="r from 0 to 20 kpc and z from -4 to 4 kpc"):
        spectra_at(result(smooth), np.array(place))


def test_a_place_as_text(result):
    dataset = result(smooth, half_space=False, z_sun=0.02)
    there = parse_place("l=80deg b=1deg d=1.4kpc", SUN)
    for text, place in (("l=80deg b=1deg d=1.4kpc", there), (" Sun", None)):
        one, other = (spectra_at(dataset, position) for position in (text, place))
        np.testing.assert_array_equal(one["flux_lis"], other["flux_lis"])
        assert one.attrs == other.attrs
    with pytest.raises(DataError, match="expected"):
        spectra_at(dataset, "nowhere")
    assert "flux_lis" in spectra_at(dataset.drop_attrs(), "sun")


def test_without_maps_only_the_sun(result):
    dataset = result(smooth).drop_vars("flux")
    assert "flux_lis" in spectra_at(dataset, None)
    with pytest.raises(DataError, match="output"):
        spectra_at(dataset, np.array([-8.5, 0.0, 0.0]))


def test_components_add_up(result):
    dataset = result(smooth, parts={"snr": 0.7, "pulsars": 0.3}, half_space=False)
    found = spectra_at(dataset, np.array([1.0, 2.0, 0.3]))
    np.testing.assert_allclose(found["flux_lis_component"].sum("component"), found["flux_lis"], rtol=1e-6)
