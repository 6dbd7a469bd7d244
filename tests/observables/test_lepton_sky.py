"""Diffuse inverse Compton radiation and bremsstrahlung: closed forms, direct sums, components, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.special import gamma, zeta

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.galaxy.coordinates import unit_vector
from cyldiff.galaxy.gas import CordesHII
from cyldiff.galaxy.radiation_field import CosmicMicrowaveBackground, Delahaye2010
from cyldiff.observables.absorption import Absorption
from cyldiff.observables.gamma import DiffuseSky
from cyldiff.observables.lepton_emission import LeptonEmission
from cyldiff.observables.lepton_sky import LeptonSky, lepton_density, lepton_range
from cyldiff.observables.regions import REGIONS
from cyldiff.observables.surroundings import gas_of
from cyldiff.particles.pion_production import Kafexhiu2014, Kelner2006

INNER = REGIONS["lhaaso-inner"]
INDEX = 3.0
CMB = 'kind = "cmb"'
FALLING = 'kind = "delahaye-2010"\nreference_radius = "8.5 kpc"\nr_scale = "6 kpc"\nz_scale = "3 kpc"'


def halo(r, z):
    return np.exp(-(r - 8.5) / 6.0) * (1.0 - np.abs(z) / 4.0)


def flat(r, z):
    return np.ones_like(r * z)


def law(t):
    """Electrons and positrons together [GeV^-1 m^-2 s^-1 sr^-1]."""
    return 200.0 * (t + const.ELECTRON_MASS) ** -INDEX


def with_leptons(dataset, shape=halo, radiation=CMB, parts=None):
    """The result with four parts in five electrons and one positrons."""
    t = dataset["kinetic_energy"].values
    space = shape(dataset["r"].values[:, None], dataset["z"].values)
    if "phi" in dataset.dims:
        space = np.repeat(space[:, None], dataset.sizes["phi"], axis=1)
    each = law(t).reshape(-1, *[1] * space.ndim) * space
    leptons = np.stack([0.8 * each, 0.2 * each])
    dims = dataset["flux"].dims
    variables = {
        "flux": (dims, np.concatenate([dataset["flux"].values, leptons.astype(np.float32)])),
        "flux_lis": (dims[:2], np.concatenate([dataset["flux_lis"].values, [0.8 * law(t), 0.2 * law(t)]])),
        "charge": ("species", [1, 2, -1, 1]),
        "mass_number": ("species", [1, 4, 0, 0]),
        "r_bounds": dataset["r_bounds"],
        "z_bounds": dataset["z_bounds"],
    }
    coords = {"species": ["H1", "He4", "electron", "positron"], "kinetic_energy": t}
    coords |= {axis: dataset[axis] for axis in ("r", "phi", "z") if axis in dataset.dims}
    coords["component"] = ["all"]
    if parts is not None:
        # share of nuclei and of leptons of every source component
        shares = np.array([[nuclei, nuclei, lepton, lepton] for nuclei, lepton in parts.values()])
        split = shares[:, :, None, None, None] * variables["flux"][1]
        variables["flux_component"] = (("component", *dims), split.astype(np.float32))
        coords["component"] = list(parts)
    config = dataset.attrs["config"] + "\n[physics.radiation_field]\n" + radiation
    return xr.Dataset(variables, coords=coords, attrs={"config": config})


def density(t):
    """4 pi J / beta c [GeV^-1 cm^-3]."""
    beta = np.sqrt(t * (t + 2.0 * const.ELECTRON_MASS)) / (t + const.ELECTRON_MASS)
    return 4.0 * np.pi * 1e-4 * law(t) / (beta * const.SPEED_OF_LIGHT_CM_S)


def test_power_law_on_the_microwaves_in_closed_form(result):
    """N = K gamma^-p, Blumenthal & Gould 1970, Eq. 2.65: from the fluxes of a result to its emission."""
    dataset = with_leptons(result(flat), flat)
    # Thomson range, and electrons on the grid from 1 GeV to 1e8 GeV
    photons = np.array([1e-5, 1e-4])
    (field,) = LeptonSky.of(dataset, photons, ["inverse-compton"]).fields(dataset)
    assert not field.per_atom
    amount = 4.0 * np.pi * 1e-4 * 200.0 / const.SPEED_OF_LIGHT_CM_S  # beta = 1
    per_gamma = amount * const.ELECTRON_MASS ** (1.0 - INDEX)
    p, kt = INDEX, const.BOLTZMANN_GEV_K * const.CMB_TEMPERATURE_K
    F = 2.0 ** (p + 3.0) * (p**2 + 4.0 * p + 11.0) / ((p + 3.0) ** 2 * (p + 1.0) * (p + 5.0))
    F *= gamma((p + 5.0) / 2.0) * zeta((p + 5.0) / 2.0)
    lead = const.CLASSICAL_ELECTRON_RADIUS_CM**2 / (np.pi * const.HBAR_C_GEV_CM**3)
    expected = lead * const.SPEED_OF_LIGHT_CM_S * per_gamma * kt ** ((p + 5.0) / 2.0) * F
    expected = expected * photons ** (-(p + 1.0) / 2.0) / (4.0 * np.pi)
    assert field.at(np.array(8.5), np.array(0.0)) == pytest.approx(expected, rel=2e-3)


def test_uniform_box(result):
    """I = q L / 4 pi without gas; with absorption q (1 - exp(-K L)) / 4 pi K."""
    energies = np.array([1e2, 1e4, 1e6])
    dataset = with_leptons(result(flat, gas="none"), flat)
    sky = DiffuseSky.of(dataset, Kelner2006(), energies=energies, only=["inverse-compton"])
    t = dataset["kinetic_energy"].values
    expected = LeptonEmission.inverse_compton(energies, t, CosmicMicrowaveBackground().parts)(density(t))
    expected = expected / (4.0 * np.pi)
    # the emission of the result, without the rim of the box
    inside = sky.emission.values[5:-8, :, 10:-10]
    assert inside == pytest.approx(np.broadcast_to(expected, inside.shape), rel=1e-5)
    box = replace(sky.emission, values=np.ones_like(sky.emission.values) * expected)
    absorption = Absorption.by(CosmicMicrowaveBackground(), energies)
    rate = absorption.uniform
    for l, b, length in ((0.0, 90.0, 4.0), (180.0, 0.0, 11.5), (0.0, 0.0, 28.5)):  # noqa: E741
        clear = sky.sight.intensity(l, b, box)[0, :, 0]
        assert clear == pytest.approx(expected * length * const.KPC_CM, rel=1e-12)
        dim = sky.sight.intensity(l, b, box, absorption)[0, :, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            way = np.where(rate > 0.0, -np.expm1(-rate * length) / rate, length)
        assert dim == pytest.approx(expected * way * const.KPC_CM, rel=1e-5)


def test_radiation_of_the_place(result):
    """At any r and z the emission is that in the radiation of the place."""
    energies = np.array([0.1, 10.0, 1e4])
    dataset = with_leptons(result(flat), flat, FALLING)
    radiation = Delahaye2010(reference_radius="8.5 kpc", r_scale="6 kpc", z_scale="3 kpc")
    (field,) = LeptonSky.of(dataset, energies, ["inverse-compton"]).fields(dataset)
    t = dataset["kinetic_energy"].values
    for r, z in ((0.3, 0.0), (4.1, 0.7), (8.5, -1.3), (15.0, 2.2)):
        expected = LeptonEmission.inverse_compton(energies, t, radiation.at(r, z))(density(t)) / (4.0 * np.pi)
        assert field.at(np.array(r), np.array(z)) == pytest.approx(expected, rel=2e-3)


def test_bremsstrahlung_on_the_gas_of_the_place(result):
    """Along a line of sight: neutral and ionised gas each with its cross section, by a sum of small steps."""

    def dome(r, z):
        return (1.0 - (z / 4.0) ** 2) * (1.0 - (r / 20.0) ** 2)

    energies = np.array([2.0, 1e2, 1e3])
    dataset = with_leptons(result(dome), dome)
    sky = DiffuseSky.of(dataset, Kafexhiu2014(), energies=energies, only=["bremsstrahlung"])
    t, gas = dataset["kinetic_energy"].values, gas_of(dataset)
    neutral, ionised = (
        LeptonEmission.bremsstrahlung(energies, t, targets)(density(t)) / (4.0 * np.pi)
        for targets in ({"H": 1.0, "He": 0.1}, {"ionised": 1.0})
    )
    assert np.all(ionised > 1.1 * neutral)
    for l, b in ((30.0, 0.5), (90.0, 20.0), (200.0, -60.0)):  # noqa: E741
        s = (np.arange(200_000) + 0.5) * 30.0 / 200_000
        place = np.array([-8.5, 0.0, 0.0]) + s[:, None] * unit_vector(l, b)
        r, z = np.hypot(place[:, 0], place[:, 1]), place[:, 2]
        weight = np.where((r < 20.0) & (np.abs(z) < 4.0), dome(r, z), 0.0) * 30.0 / 200_000 * const.KPC_CM
        expected = neutral * (gas.neutral(r, z) @ weight) + ionised * (CordesHII().density(r, z) @ weight)
        assert sky.intensity(l, b)[0, :, 0] == pytest.approx(expected, rel=1e-3)


def test_without_gas_only_scattering_is_left(result):
    sky = DiffuseSky.of(with_leptons(result(halo, gas="none")), Kelner2006(), energies=[1e3])
    assert sky.names == ("pion-decay", "inverse-compton", "bremsstrahlung")
    pions, scattered, radiated = sky.intensity(40.0, 1.0)[:, 0, 0]
    assert pions == radiated == 0.0
    assert scattered > 0.0


def test_processes_of_a_result(result):
    bare = result(halo)
    dataset = with_leptons(bare)
    energies = [1e2, 1e4]
    spectrum = DiffuseSky.of(dataset, Kelner2006(), energies=energies).region(INNER)
    each = spectrum["intensity_component"]
    assert list(each["component"].values) == ["pion-decay", "inverse-compton", "bremsstrahlung"]
    assert each.sum("component").values == pytest.approx(spectrum["intensity"].values, rel=1e-12)
    assert np.all(each.values > 0.0)
    # nuclei shine as they do without electrons; one process alone as it does with the others
    pions = DiffuseSky.of(bare, Kelner2006(), energies=energies).region(INNER)["intensity"].values
    assert each.sel(component="pion-decay").values == pytest.approx(pions, rel=1e-3)
    alone = DiffuseSky.of(dataset, Kelner2006(), energies=energies, only=["inverse-compton"]).region(INNER)
    assert alone["intensity"].values == pytest.approx(each.sel(component="inverse-compton").values, rel=2e-3)
    assert np.all(alone["continued_share"].values == 0.0)
    # without pion decay its model does not limit the energies
    low = DiffuseSky.of(dataset, Kelner2006(), energies=[5.0], only=["inverse-compton", "bremsstrahlung"])
    assert np.all(low.intensity(30.0, 0.0) > 0.0)
    # neutrinos are left to the nuclei
    assert DiffuseSky.of(dataset, Kelner2006(), energies=[1e3], secondary="neutrino").names == ("pion-decay",)


def test_source_components_and_their_weights(result):
    dataset = with_leptons(result(halo), parts={"snr": (1.0, 0.3), "pulsars": (0.0, 0.7)})
    sky = DiffuseSky.of(dataset, Kelner2006(), energies=[1e3])
    assert sky.names == (
        "pion-decay:snr", "inverse-compton:snr", "inverse-compton:pulsars", "bremsstrahlung:snr",
        "bremsstrahlung:pulsars",
    )  # fmt: skip
    seen = sky.intensity(30.0, 1.0)[:, 0, 0]
    whole = DiffuseSky.of(with_leptons(result(halo)), Kelner2006(), energies=[1e3]).intensity(30.0, 1.0)
    assert [seen[0], seen[1] + seen[2], seen[3] + seen[4]] == pytest.approx(whole[:, 0, 0], rel=1e-5)
    assert seen[2] / seen[1] == pytest.approx(7.0 / 3.0, rel=1e-5)
    for weights, factors in (
        ({"pulsars": 2.0}, [1, 1, 2, 1, 2]),
        ({"inverse-compton": 3.0}, [1, 3, 3, 1, 1]),
        ({"bremsstrahlung:snr": 5.0}, [1, 1, 1, 5, 1]),
        ({"pulsars": 2.0, "inverse-compton": 3.0}, [1, 3, 6, 1, 2]),
    ):
        heavier = sky.weighted(weights).intensity(30.0, 1.0)[:, 0, 0]
        assert heavier == pytest.approx(seen * factors, rel=1e-4)
    with pytest.raises(DataError, match=r"no component \"pulsar\" .*did you mean"):
        sky.weighted({"pulsar": 2.0})


def test_three_dimensions(result):
    """What does not depend on phi is the same on a grid that does."""
    flat_, round_ = (
        DiffuseSky.of(with_leptons(dataset, radiation=FALLING), Kelner2006(), energies=[1e3])
        for dataset in (result(halo), result(lambda r, phi, z: halo(r, z) + 0.0 * phi, n_phi=12))
    )
    directions = [0.0, 30.0, 90.0, 200.0], [0.5, 1.0, -5.0, 40.0]
    assert round_.names == flat_.names
    assert round_.intensity(*directions) == pytest.approx(flat_.intensity(*directions), rel=1e-2)


@pytest.mark.parametrize("top", [1e3, 1e4, 1e5, 1e6])
@pytest.mark.parametrize("radiation", [CosmicMicrowaveBackground(), Delahaye2010()])
def test_what_a_grid_supports(top, radiation):
    """Electrons below and above the grid would add little at the ends of the range."""
    grid = np.geomspace(0.1, top, 1 + round(20 * np.log10(top / 0.1)))
    longer = np.geomspace(1e-3, 100.0 * top, 81 + round(20 * np.log10(top / 0.1)))
    low, high = lepton_range("inverse-compton", grid, radiation)
    assert 0.0 < low < high <= top / 10.0
    few, all_ = (
        LeptonEmission.inverse_compton([low, high], t, radiation.parts)(t**-3.0) for t in (grid, longer)
    )
    assert few == pytest.approx(all_, rel=0.02)
    assert few[0] == pytest.approx(all_[0], rel=3e-3)
    # the range is not much too small either
    few, all_ = (
        LeptonEmission.inverse_compton([high * 30.0], t, radiation.parts)(t**-3.0)[0] for t in (grid, longer)
    )
    assert few < 0.95 * all_
    low, high = lepton_range("bremsstrahlung", grid)
    few, all_ = (LeptonEmission.bremsstrahlung([low, high], t, {"H": 1.0})(t**-3.0) for t in (grid, longer))
    assert few == pytest.approx(all_, rel=0.02)
    assert (low, high) == pytest.approx((0.1, top / 10.0))


def test_density_of_leptons(result):
    dataset = with_leptons(result(flat), flat)
    t = dataset["kinetic_energy"].values
    assert lepton_density(dataset)[:, 3, 3] == pytest.approx(density(t), rel=1e-6)


@pytest.mark.parametrize(
    ("only", "secondary", "energies", "words"),
    [
        (["inverse-comptn"], "gamma", None, 'did you mean "inverse-compton"'),
        (["inverse-compton"], "neutrino", None, "makes gamma rays, not neutrinos"),
        (None, "gamma", [10.0], r"pion-decay 100 to 1e\+07 GeV.* expected 100 to 9.97\d*e\+06 GeV .*--only"),
        (["bremsstrahlung"], "gamma", [0.5], "bremsstrahlung 1 to .* expected 1 to"),
        (["bremsstrahlung"], "gamma", [2e7], "energies 2e"),
    ],
)
def test_refused(result, only, secondary, energies, words):
    with pytest.raises(DataError, match=words):
        DiffuseSky.of(
            with_leptons(result(halo)), Kelner2006(), energies=energies, secondary=secondary, only=only
        )


def test_results_that_lack_something(result):
    with pytest.raises(
        DataError, match=r"holds no electrons or positrons, which inverse-compton need.*species"
    ):
        DiffuseSky.of(result(halo), Kelner2006(), only=["inverse-compton"])
    with pytest.raises(DataError, match=r"species\.include"):
        lepton_density(result(halo))
    dataset = with_leptons(result(halo))
    with pytest.raises(DataError, match=r"output\.quantities"):
        lepton_density(dataset.drop_vars("flux"))
    without = dataset.assign_attrs(config=dataset.attrs["config"].split("[physics.radiation")[0])
    with pytest.raises(DataError, match="radiation field of this result"):
        DiffuseSky.of(without, Kelner2006())
    no_nuclei = dataset.isel(species=[2, 3])
    assert DiffuseSky.of(no_nuclei, Kelner2006()).names == ("inverse-compton", "bremsstrahlung")
    with pytest.raises(DataError, match="holds no nuclei, which pion-decay need"):
        DiffuseSky.of(no_nuclei, Kelner2006(), only=["pion-decay"])
