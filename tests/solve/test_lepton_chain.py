"""Electrons and positrons in the chain: alone, with pulsars, as secondaries, in three dimensions, in time."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff import pipeline, resources
from cyldiff.config.load import load_mapping
from cyldiff.grid import per_momentum
from cyldiff.particles.species import known_species

FIELDS = {
    "magnetic_field": {
        "kind": "exponential",
        "B0": "5 uG",
        "reference_radius": "8.5 kpc",
        "r_scale": "10 kpc",
        "z_scale": "4 kpc",
    },
    "radiation_field": {"kind": "delahaye-2010", "z_scale": "5 kpc"},
}


def component(species, index, cutoff, distribution="case-bhattacharya-1998"):
    return {
        "distribution": {"kind": distribution, "vertical": "exponential", "scale_height": "0.1 kpc"},
        "injection": {"default": {"kind": "broken-power-law", "indices": [index], "cutoff": cutoff}},
        "abundances": dict.fromkeys(species, 1.0),
        "reference_energy": "10 GeV",
        "normalisation": {"kind": "luminosity", "power": "1e39 erg/s", "minimum_energy": "1 GeV"},
    }


PAIRS = component(["electron", "positron"], 1.8, "10 TV", "yusifov-kucuk-2004")
ELECTRONS = component(["electron"], 2.6, "1 TV")


def physics(include, sources):
    """The example model with fields; without its remnants if no nuclide is followed."""
    model = {"use": "example-plain-diffusion"}
    if "H1" not in include:
        model = resources.read_toml(resources.find("models", "example-plain-diffusion"))
        del model["sources"], model["schema"]
    return {**model, **FIELDS, "sources": copy.deepcopy(sources)}


def config(include, sources=None, secondary=False, **changes):
    raw = {
        "schema": 1,
        "run": {"name": "leptons"},
        "grid": {
            "space": {
                "geometry": "cylindrical",
                "half_space": True,
                "r": {"n": 11},
                "z": {"n": 11, "spacing": "sinh", "stretch": 4.0},
            },
            "momentum": {"min": "10 MeV", "max": "1 PeV", "per_decade": 8},
        },
        "physics": physics(include, sources or {}),
        "species": {"include": include},
        "solver": {"grid_error": {"enabled": False}},
        "output": {"components": True},
    }
    if secondary:
        raw["physics"]["secondary_leptons"] = {"kind": "aafrag"}
    overrides = [f"{k.replace('__', '.')}={v}" for k, v in changes.items()]
    return load_mapping(raw, overrides)


@pytest.fixture(scope="module")
def three_components():
    sources = {"pulsars": PAIRS, "remnants": ELECTRONS}
    return pipeline.run(config(["H1", "He4", "electron", "positron"], sources, secondary=True))


def test_leptons_come_last_in_the_result(three_components):
    assert three_components["species"].values.tolist() == ["H1", "He4", "electron", "positron"]
    assert three_components["charge"].values.tolist() == [1, 2, -1, 1]
    assert three_components["mass_number"].values.tolist() == [1, 4, 0, 0]


def test_particles_are_conserved_and_positive(three_components):
    assert np.abs(three_components["balance"]).max() < 1e-8
    assert three_components["minimum"].min() > -1.1e-9
    assert np.all(three_components["flux_lis"] >= 0.0)


def test_both_charges_of_a_pair_have_one_spectrum(three_components):
    """Whatever else makes electrons: a cut-off of another component must not change the scheme of this one."""
    pairs = three_components["flux_lis_component"].sel(component="pulsars")
    np.testing.assert_allclose(pairs.sel(species="electron"), pairs.sel(species="positron"), rtol=1e-7)


def test_protons_make_more_positrons_than_electrons(three_components):
    made = three_components["flux_lis_component"].sel(component="snr")
    ratio = made.sel(species="positron") / made.sel(species="electron")
    middle = (ratio["kinetic_energy"] > 1.0) & (ratio["kinetic_energy"] < 1e3)
    assert np.all((ratio[middle] > 1.05) & (ratio[middle] < 2.5))
    # measured positrons of 1 to 3 GeV are secondary: E^3 J of some 10 m^-2 s^-1 sr^-1 GeV^2
    at = int(np.argmin(np.abs(ratio["kinetic_energy"].values - 3.0)))
    level = float(made.sel(species="positron")[at]) * float(ratio["kinetic_energy"][at]) ** 3
    assert 5.0 < level < 25.0


def test_leptons_do_not_change_the_nuclei(three_components):
    alone = pipeline.run(config(["H1", "He4"]))
    np.testing.assert_allclose(
        alone["flux_lis"].sel(species="H1"), three_components["flux_lis"].sel(species="H1"), rtol=1e-7
    )


def test_electrons_alone_and_without_any_nuclide():
    """The spectrum steepens by about (1 + delta)/2 where losses rule."""
    result = pipeline.run(config(["electron"], {"electrons": component(["electron"], 2.4, "1 PV")}))
    flux = result["flux_lis"].sel(species="electron")
    energy = result["kinetic_energy"].values
    slope = np.gradient(np.log(flux.values), np.log(energy))
    at = np.argmin(np.abs(energy - 300.0))
    assert -3.35 < slope[at] < -3.0
    # 1e39 erg/s are those above 1 GeV; dN/dT = R^-2.4 / beta, one particle counts once
    t = np.geomspace(0.01, 1e6, 20001)
    r = np.sqrt(t * (t + 2.0 * const.ELECTRON_MASS))
    power = t * t * r**-2.4 * (t + const.ELECTRON_MASS) / r
    above = t >= 1.0
    share = np.trapezoid(power, np.log(t)) / np.trapezoid(power[above], np.log(t[above]))
    assert float(result["injected_power"][0]) == pytest.approx(1e39 * share, rel=0.01)


def test_the_iteration_agrees_with_a_factorisation():
    settings = {"solver__tolerance": 1e-10}
    one, other = (
        pipeline.run(
            config(["electron", "positron"], {"pulsars": PAIRS}, **settings, solver__backend=f'"{name}"')
        )
        for name in ("numba", "direct")
    )
    for species in ("electron", "positron"):
        a, b = (
            d["flux_lis_component"].sel(component="pulsars", species=species).values for d in (one, other)
        )
        np.testing.assert_allclose(a[b > 1e-12 * b.max()], b[b > 1e-12 * b.max()], rtol=1e-5)


def test_reacceleration_and_wind():
    result = pipeline.run(
        config(
            ["electron", "positron"],
            {"pulsars": PAIRS},
            physics__reacceleration='{ kind = "seo-ptuskin-1994", alfven_speed = "20 km/s" }',
            physics__convection='{ kind = "linear-wind", V0 = "5 km/s", gradient = "3 km/s/kpc" }',
            grid__momentum__per_decade=12,
        )
    )
    assert np.abs(result["balance"]).max() < 1e-7
    assert result["minimum"].min() > -1.1e-9


@pytest.mark.parametrize("per_decade", [4, 7])
def test_few_energies_do_not_make_it_negative(per_decade):
    """A third-order flux that undershoots is replaced where it does."""
    sources = {"pulsars": PAIRS, "remnants": ELECTRONS}
    result = pipeline.run(config(["electron", "positron"], sources, grid__momentum__per_decade=per_decade))
    assert result["minimum"].min() > -1.1e-9
    assert np.abs(result["balance"]).max() < 1e-8


def test_three_dimensions_equal_two():
    include, sources = ["electron", "positron"], {"pulsars": PAIRS}
    flat = pipeline.run(config(include, sources))
    full = pipeline.run(config(include, sources, grid__space__phi="{ n = 6 }"))
    for name in include:
        a, b = (d["flux_lis"].sel(species=name).values for d in (flat, full))
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-12 * a.max())


def test_a_run_in_time_reaches_the_steady_state():
    include, sources = ["electron", "positron"], {"pulsars": PAIRS}
    low = {"grid__momentum__min": '"1 GeV"', "grid__momentum__max": '"1 TeV"', "grid__space__z__n": 9}
    steady = pipeline.run(config(include, sources, **low))
    moving = pipeline.run(
        config(
            include,
            sources,
            **low,
            solver__kind='"crank-nicolson"',
            solver__time='{ times = ["3 Myr", "2 Gyr"], tolerance = 1e-3 }',
        )
    )
    for name in include:
        end = moving["flux_lis"].sel(species=name).isel(time=-1).values
        np.testing.assert_allclose(end, steady["flux_lis"].sel(species=name).values, rtol=2e-3)
        # what has cooled within 3 Myr is there already, what has not is not
        early = moving["flux_lis"].sel(species=name).isel(time=0).values / end
        assert early[-8] > 0.9
        assert early[0] < 0.5


@pytest.mark.parametrize("name", ["electron", "positron"])
def test_secondary_source_is_the_matrix_times_the_density(name):
    loaded = config(["H1", "He4", "electron", "positron"], secondary=True)
    chain = pipeline.build_chain(loaded.config, pipeline.build_grid(loaded.config))
    names = [s.name for s in chain.network.species]
    assert names == ["He4", "H1", "positron", "electron"]
    rng = np.random.default_rng(7)
    density = rng.uniform(0.5, 1.0, (len(names), *chain.grid.shape))
    index = names.index(name)
    found = chain.secondary_source(index, density, chain.kinematics(chain.network.species[index]))
    model = loaded.config.physics.secondary_leptons
    expected = np.zeros(chain.grid.shape)
    for parent in ("H1", "He4"):
        sigma = model.matrix(known_species()[parent], known_species()[name], chain.grid.kinetic_energy)
        rate = const.MILLIBARN_DENSITY_RATE * (sigma[0] + chain.galaxy.helium_fraction * sigma[1])
        expected += np.einsum("kj,jrz->krz", rate, density[names.index(parent)])
    expected *= chain.galaxy.hydrogen
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def lepton_operator(steep, reacceleration='{ kind = "none" }'):
    loaded = config(["electron"], {"pulsars": PAIRS}, physics__reacceleration=reacceleration)
    chain = pipeline.build_chain(loaded.config, pipeline.build_grid(loaded.config))
    return chain.operator(0, steep(chain.grid.shape))


@pytest.mark.parametrize(
    "kind", ['{ kind = "none" }', '{ kind = "seo-ptuskin-1994", alfven_speed = "20 km/s" }']
)
def test_marks_by_place_conserve_particles(kind):
    """Whatever is marked, what one cell loses another one gains: d/dt of all is sinks and outflow."""
    rng = np.random.default_rng(3)
    operator = lepton_operator(lambda shape: rng.random(shape) < 0.3, kind)
    x = rng.uniform(0.5, 1.0, operator.grid.shape)
    weight = per_momentum(operator.width, 2) * operator.grid.volume
    lost = np.sum(operator.apply(x) * weight)
    out = sum(operator.outflow(x).values()) + np.sum(operator.sink_rate * x * weight)
    assert lost == pytest.approx(out, rel=1e-10)


@pytest.mark.parametrize(
    "kind", ['{ kind = "none" }', '{ kind = "seo-ptuskin-1994", alfven_speed = "20 km/s" }']
)
def test_marks_that_are_the_same_everywhere(kind):
    """Marks of the shape of a field act as those per momentum."""
    rng = np.random.default_rng(4)
    everywhere = lepton_operator(lambda shape: np.arange(shape[0]) > 30, kind)
    by_place = lepton_operator(
        lambda shape: np.broadcast_to((np.arange(shape[0]) > 30)[:, None, None], shape), kind
    )
    x = rng.uniform(0.5, 1.0, everywhere.grid.shape)
    np.testing.assert_allclose(by_place.apply(x), everywhere.apply(x), rtol=1e-13)
    assert by_place.outflow(x) == pytest.approx(everywhere.outflow(x), rel=1e-13)
