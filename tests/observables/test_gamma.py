"""The diffuse sky of a result: components, models, neutrinos, profiles, what is refused."""

import numpy as np
import pytest
import xarray as xr

from cyldiff.errors import DataError
from cyldiff.galaxy.radiation_field import CosmicMicrowaveBackground
from cyldiff.observables.emissivity import supported
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.processes import energies_of
from cyldiff.observables.regions import REGIONS, region_named
from cyldiff.particles.pion_production import AAfrag, Kafexhiu2014, Kelner2006

INNER = REGIONS["lhaaso-inner"]


def halo(r, z):
    return np.exp(-(r - 8.5) / 6.0) * (1.0 - np.abs(z) / 4.0)


def test_components_add_up(result):
    dataset = result(halo, parts={"snr": 0.7, "xrb": 0.3})
    sky = DiffuseSky.of(dataset, Kelner2006(), energies=[1e3, 1e5])
    spectrum = sky.region(INNER)
    assert sky.names == ("snr", "xrb")
    parts = spectrum["intensity_component"]
    assert parts.sum("component").values == pytest.approx(spectrum["intensity"].values, rel=1e-12)
    assert (parts.sel(component="snr") / spectrum["intensity"]).values == pytest.approx([0.7, 0.7], rel=1e-5)
    # the whole is what the flux of all components gives
    whole = DiffuseSky.of(result(halo), Kelner2006(), energies=[1e3, 1e5]).region(INNER)
    assert whole["intensity"].values == pytest.approx(spectrum["intensity"].values, rel=1e-5)
    assert list(whole["component"].values) == ["snr"]


def test_weights_need_no_new_solve(result):
    dataset = result(halo, parts={"snr": 0.7, "xrb": 0.3})
    sky = DiffuseSky.of(dataset, Kelner2006(), energies=[1e3])
    heavier = sky.weighted({"xrb": 3.0})
    expected = sky.intensity(30.0, 0.0)[:, 0, 0] * [1.0, 3.0]
    assert heavier.intensity(30.0, 0.0)[:, 0, 0] == pytest.approx(expected, rel=1e-6)
    with pytest.raises(DataError, match=r"no component \"xrd\" .*did you mean \"xrb\""):
        sky.weighted({"xrd": 2.0})


def test_absorption_only_takes_away_and_spares_neutrinos(result):
    energies = [1e4, 1e5, 1e6, 2.5e6]
    dataset = result(halo, top=1e8)
    clear, dim = (
        DiffuseSky.of(dataset, Kelner2006(), energies=energies, radiation=field)
        .region(INNER)["intensity"]
        .values
        for field in (None, CosmicMicrowaveBackground())
    )
    share = dim / clear
    assert share[0] == pytest.approx(1.0, abs=1e-6)
    assert share[1] == pytest.approx(1.0, abs=1e-3)
    assert 0.3 < share[3] < share[2] < 0.75
    neutrinos = DiffuseSky.of(
        dataset, Kelner2006(), energies=energies, secondary="neutrino", radiation=CosmicMicrowaveBackground()
    )
    ratio = neutrinos.region(INNER)["intensity"].values / clear
    assert np.all((ratio > 0.6) & (ratio < 1.1))


def test_models_agree_within_their_spread(result):
    dataset = result(halo)
    energies = [1e3, 1e4]
    kelner, kafexhiu = (
        DiffuseSky.of(dataset, model, energies=energies).region(INNER)["intensity"].values
        for model in (Kelner2006(), Kafexhiu2014(nuclear_enhancement="mori-2009"))
    )
    assert kafexhiu == pytest.approx(kelner, rel=0.2)
    pytest.importorskip("aafragpy", reason="aafragpy is not installed")
    explicit = DiffuseSky.of(dataset, AAfrag(), energies=energies).region(INNER)["intensity"].values
    # protons and 5 % helium on gas with 10 % helium: less than 1.84 times p on H, more than p on H
    assert np.all((explicit > 0.6 * kelner) & (explicit < 1.1 * kelner))


def test_profile_averages_to_the_region(result):
    sky = DiffuseSky.of(result(halo), Kelner2006(), energies=[1e4])
    pieces = [region_named(f"l={low}..{low + 22},b=-5..5") for low in (15, 37, 59, 81, 103)]
    profile = sky.profile(pieces)
    assert profile["l_bounds"].values.tolist()[0] == [15.0, 37.0]
    mean = profile["intensity"].mean("region").values
    assert mean == pytest.approx(sky.region(INNER)["intensity"].values, rel=1e-3)
    assert np.all(np.diff(profile["intensity"].values[0]) < 0.0)


def test_one_energy_of_a_sky(result):
    sky = DiffuseSky.of(
        result(halo), Kelner2006(), energies=[1e3, 1e6], radiation=CosmicMicrowaveBackground()
    )
    one = sky.at_energy(1)
    assert one.intensity(40.0, 1.0)[0, 0] == pytest.approx(sky.intensity(40.0, 1.0)[0, 1], rel=3e-4)


def test_mirror_images_are_the_same(result):
    sky = DiffuseSky.of(result(halo), Kelner2006(), energies=[1e4])
    assert sky.mirror == (True, True)
    seen = sky.intensity([30.0, -30.0, 330.0, 30.0], [2.0, 2.0, -2.0, -2.0])[0, 0]
    assert np.all(seen == seen[0])
    above = DiffuseSky.of(result(halo, z_sun=0.02), Kelner2006(), energies=[1e4])
    assert above.mirror == (True, False)
    seen = above.intensity([30.0, 30.0], [2.0, -2.0])[0, 0]
    assert seen[0] < seen[1]
    round_ = DiffuseSky.of(
        result(lambda r, phi, z: halo(r, z) + 0 * phi, n_phi=12), Kelner2006(), energies=[1e4]
    )
    assert round_.mirror[0] is False


def test_energies(result):
    t = np.geomspace(1.0, 1e8, 65)
    energies = energies_of({"pion-decay": supported(t, Kelner2006())})
    assert (energies[0], energies[-1]) == pytest.approx((100.0, 1e7))
    assert energies.size == 41
    dataset = result(halo, top=1e6)
    assert DiffuseSky.of(dataset, Kelner2006()).energy[-1] == pytest.approx(1e5)
    with pytest.raises(DataError, match="expected 100 to 100000 GeV"):
        DiffuseSky.of(dataset, Kelner2006(), energies=[1e6])
    with pytest.raises(DataError, match="supports no energy"):
        DiffuseSky.of(result(halo, top=1e2), Kelner2006())


def test_what_comes_from_above_the_grid_is_told(result):
    sky = DiffuseSky.of(result(halo, top=1e6), Kelner2006(), energies=[1e2, 1e5])
    low, high = sky.continued_share
    assert low < 1e-3
    assert 0.2 < high < 0.6
    # a longer grid of the same spectrum changes nothing
    longer = DiffuseSky.of(result(halo, top=1e8), Kelner2006(), energies=[1e2, 1e5])
    assert sky.intensity(30.0, 0.0) == pytest.approx(longer.intensity(30.0, 0.0), rel=5e-3)


def test_results_without_what_is_needed(result):
    dataset = result(halo)
    with pytest.raises(DataError, match=r'quantities = \["flux"\]'):
        DiffuseSky.of(dataset.drop_vars("flux"), Kelner2006())
    with pytest.raises(DataError, match="slab"):
        DiffuseSky.of(dataset.isel(r=[0]), Kelner2006())
    del dataset.attrs["config"]
    with pytest.raises(DataError, match="config"):
        DiffuseSky.of(dataset, Kelner2006())


def test_public_function(result):
    import cyldiff

    dataset = result(halo)
    sky = cyldiff.diffuse_sky(dataset, enhancement=2.0, energies=[1e4, 1e6])
    same = DiffuseSky.of(
        dataset,
        Kelner2006(nuclear_enhancement=2.0),
        energies=[1e4, 1e6],
        radiation=CosmicMicrowaveBackground(),
    )
    assert np.array_equal(sky.intensity(30.0, 1.0), same.intensity(30.0, 1.0))
    two = xr.concat([dataset, dataset], dim="time").assign_coords(time=[1.0, 2.0])
    for name in ("charge", "mass_number", "r_bounds", "z_bounds"):
        two[name] = dataset[name]
    assert np.array_equal(
        cyldiff.diffuse_sky(two, energies=[1e4], absorption=None).intensity(30.0, 1.0),
        DiffuseSky.of(dataset, Kelner2006(), energies=[1e4]).intensity(30.0, 1.0),
    )
    with pytest.raises(DataError, match='did you mean "aafrag"'):
        cyldiff.diffuse_sky(dataset, model="aafrg")
    with pytest.raises(DataError, match="nuclear_enhancement"):
        cyldiff.diffuse_sky(dataset, model="aafrag", enhancement=1.84)
    with pytest.raises(DataError, match="radiation-field"):
        cyldiff.diffuse_sky(dataset, absorption="cbm")
