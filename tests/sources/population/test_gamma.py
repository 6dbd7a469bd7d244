"""Gamma rays of random populations: sums, detection, masks, processes, bad input."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from microquasars import MICROQUASARS

from cyldiff.errors import ConfigError, CyldiffError
from cyldiff.plot import draw
from cyldiff.sources.population.api import population_fluxes, population_gamma
from cyldiff.sources.population.gamma import GammaEvaluation
from cyldiff.sources.population.gamma_parts import gamma_of
from cyldiff.sources.population.load import load_population_mapping
from cyldiff.sources.population.model import gamma_model

GAS = {
    "HI": {"kind": "ferriere-2001-hi"},
    "H2": {"kind": "ferriere-2001-h2"},
    "HII": {"kind": "cordes-1991"},
    "helium_fraction": 0.1,
}
GAMMA = {
    "regions": ["l=35..55,b=-2..2"],
    "energies": {"min": "60 TeV", "max": "300 TeV", "per_decade": 1},
    "production": {"kind": "kelner-2006", "nuclear_enhancement": 2.0},
    "absorption": {"kind": "cmb"},
    "nuclei_per_decade": 3,
    "detection": {"energy": "100 TeV", "sensitivity": "1e-14 erg cm^-2 s^-1", "point_spread": "0.3 deg"},
}
CLOUDS = (
    "gamma.clouds={density_min='30 cm^-3', density_max='300 cm^-3', radius_min='20 pc', radius_max='50 pc'}",
)


def load(*overrides, **gamma):
    raw = copy.deepcopy(MICROQUASARS)
    raw["model"]["gas"] = GAS
    raw["population"]["history_length"] = "3 Myr"
    raw["energies"] = {"min": "100 TeV", "max": "10 PeV", "per_decade": 2}
    raw["draw"]["realisations"] = 5
    raw["gamma"] = {**copy.deepcopy(GAMMA), **gamma}
    return load_population_mapping(raw, overrides)


def evaluation(*overrides):
    config = load(*overrides).config
    return GammaEvaluation(gamma_model(config), config.gamma)


def few(realisation, chosen):
    names = ("position", "age", "lifetime", "energy", "power", "spectral_index")
    return replace(realisation, **{name: getattr(realisation, name)[chosen] for name in names})


@pytest.fixture(scope="module")
def galaxy():
    ev = evaluation(*CLOUDS)
    return ev, ev.model.draw.realisation(0)


@pytest.fixture(scope="module")
def sample(galaxy):
    return gamma_of(*galaxy)


class TestSums:
    def test_the_sea_against_the_direct_sum(self, galaxy):
        """The meshes, at points of the region, against the closed forms there: 1 % at each, 0.1 % together."""
        ev, r = galaxy
        members = [m.number for m in ev.members(r)]
        old = np.setdiff1d(np.arange(len(r)), members)
        (grid,), (sea,) = ev.grids, ev.sea(r)
        rng = np.random.default_rng(1)
        i = np.argwhere(grid.inside)[rng.choice(grid.inside.sum(), 40)]
        k = rng.integers(0, grid.heights.size, 40)
        x, y = (p[i[:, 0], i[:, 1]] for p in grid.plane)
        one = few(r, old)
        direct = ev.emitted(one.segments(), ev.model.spectra_of(one), np.stack([x, y, grid.heights[k]], 1))[
            :-1
        ]
        got = sea[i[:, 0], i[:, 1], k].T
        assert got == pytest.approx(direct, rel=0.01)
        assert got.sum(axis=1) == pytest.approx(direct.sum(axis=1), rel=1e-3)

    def test_smaller_cells_change_nothing(self, galaxy, sample):
        """Twice as fine meshes follow fewer sources one by one; the whole region stays."""
        _, r = galaxy
        finer = gamma_of(evaluation(*CLOUDS, "gamma.cell=0.5 kpc"), r)
        assert len(finer.members["number"]) < len(sample.members["number"])
        total, other = (sum(s.regions[k] for k in ("sea", "active", "ended")) for s in (sample, finer))
        assert other == pytest.approx(total, rel=3e-3)

    def test_linear(self, galaxy):
        """Emission is the sum over halves of the sources, and twice the energy is twice the emission."""
        ev, r = galaxy
        half = np.arange(len(r)) % 2 == 0
        parts = [gamma_of(ev, few(r, h)).regions for h in (half, ~half)]
        whole = gamma_of(ev, r).regions
        for name in ("sea", "active", "ended"):
            assert parts[0][name] + parts[1][name] == pytest.approx(whole[name], rel=1e-9)
        double = gamma_of(ev, replace(r, energy=2.0 * r.energy)).regions
        assert double["sea"] == pytest.approx(2.0 * whole["sea"], rel=1e-12)

    def test_members_make_their_sum(self, sample):
        means, active = sample.members["mean"], sample.members["active"]
        assert means[active].sum(axis=0) == pytest.approx(sample.regions["active"], rel=1e-12)

    def test_nothing_is_lost(self, galaxy):
        """Without discs, sea, unresolved and what leaks of detected ones are everything."""
        ev = evaluation("gamma.detection.mask_factor=0")
        r = galaxy[1]
        got = gamma_of(ev, r).regions
        everything = got["sea"] + got["active"] + got["ended"]
        left = sum(got[f"diffuse_{k}"] for k in ("sea", "unresolved", "leaked"))
        assert left[0] == pytest.approx(everything, rel=1e-9)
        assert got["solid_angle"][0, 0] == pytest.approx(ev.grids[0].region.box_solid_angle)

    def test_no_sources(self, galaxy):
        ev, r = galaxy
        got = gamma_of(ev, few(r, np.zeros(0, dtype=int)))
        assert not any(got.regions[k].any() for k in ("sea", "active", "ended"))
        assert got.members["number"].size == 0


class TestDetection:
    def one(self, galaxy, position, *, age=0.05, strength=1.0):
        """A realisation of one source."""
        r = few(galaxy[1], np.array([0]))
        power = 6e54 * strength  # 3e38 erg/s
        return replace(
            r, position=np.array([position]), age=np.array([age]), lifetime=np.array([0.1]),
            power=np.array([power]), energy=np.array([power * min(age, 0.1)]),
        )  # fmt: skip

    def test_hand_made_sources(self, galaxy):
        """A strong source in the field of view is detected, a weak one, an old one and one in the south are not."""
        ev = evaluation("gamma.detection.declination_min=-20 deg")
        north, south = (-6.0, 2.5, 0.0), (-6.0, -2.5, 0.0)
        cases = [
            (north, {}, True),
            (north, {"strength": 1e-4}, False),
            (north, {"age": 0.15}, False),
            (south, {}, False),
        ]
        for place, how, expected in cases:
            found = gamma_of(ev, self.one(galaxy, place, **how)).members
            assert bool(found["detected"][0, 0]) is expected

    def test_flux_is_proportional_and_a_cloud_adds_to_it(self, galaxy):
        ev = galaxy[0]
        weak, strong = (
            gamma_of(ev, self.one(galaxy, (-6.0, 2.5, 0.0), strength=s)).members for s in (1.0, 3.0)
        )
        assert strong["flux"] == pytest.approx(3.0 * weak["flux"], rel=1e-9)
        assert weak["flux"][0, 1] > weak["flux"][0, 0]
        assert weak["extent"][0, 1] < weak["extent"][0, 0]
        assert weak["threshold"][0, 0] == pytest.approx(1e-14 * np.hypot(1.0, weak["extent"][0, 0] / 0.3))

    def test_ended_sources_as_candidates(self, galaxy):
        ev = evaluation("gamma.detection.candidates=young")
        assert gamma_of(ev, self.one(galaxy, (-6.0, 2.5, 0.0), age=0.15)).members["detected"][0, 0]

    def test_a_detected_source_is_removed(self, galaxy):
        """Its disc is cut out of the region, what is left of it is told apart."""
        ev = evaluation("gamma.detection.extent=best")
        lon, d = np.radians(45.0), 3.0
        got = gamma_of(ev, self.one(galaxy, (-8.5 + d * np.cos(lon), d * np.sin(lon), 0.0)))
        radius = 2.5 * np.hypot(got.members["extent"][0, 0], 0.3)
        box = ev.grids[0].region.box_solid_angle
        expected = ev.grids[0].solid_angles().sum() - got.regions["solid_angle"][0, 0]
        assert got.members["detected"][0, 0]
        if radius < 2.0:  # all of the disc is in the region
            assert expected == pytest.approx(2.0 * np.pi * (1.0 - np.cos(np.radians(radius))), rel=0.05)
        else:
            assert 0.0 < expected <= box
        assert not got.regions["diffuse_unresolved"].any()
        assert np.all(got.regions["diffuse_leaked"][0] < got.regions["active"])

    def test_a_region_that_is_hidden(self, galaxy):
        ev = evaluation("gamma.detection.mask_factor=20")
        got = gamma_of(ev, self.one(galaxy, (-7.5, 1.0, 0.0))).regions
        assert got["solid_angle"][0, 0] == 0.0
        assert np.isnan(got["diffuse_sea"]).all()
        assert got["active"].all()


class TestEnsemble:
    def test_two_processes_are_one(self, tmp_path):
        loaded = load(*CLOUDS)
        one, two = (population_gamma(loaded, processes=n) for n in (1, 2))
        xr.testing.assert_identical(one, two)
        assert one.sizes["gamma_realisation"] == 5
        assert one["number_detected"].values.sum() == one["member_detected"].values.sum()

    def test_with_the_fluxes_and_drawn(self, tmp_path):
        result = population_fluxes(load(*CLOUDS, "gamma.realisations=2"), processes=1)
        assert (result.sizes["realisation"], result.sizes["gamma_realisation"]) == (5, 2)
        assert result.attrs["population"] == "microquasars"
        for what in ("diffuse:clouds", "detections"):
            draw(result, what, path=tmp_path / "f.png")
        with pytest.raises(CyldiffError, match=r'"cloud" is no case.*did you mean "clouds"'):
            draw(result, "diffuse:cloud", path=tmp_path / "f.png")

    def test_without_the_section(self, population):
        with pytest.raises(CyldiffError, match="no section"):
            population_gamma(population())

    def test_clouds_do_not_change_the_sources(self):
        with_clouds, without = (
            population_gamma(load(*c, "draw.realisations=2"), processes=1) for c in (CLOUDS, ())
        )
        for name in ("gamma_sea", "gamma_active", "gamma_ended"):
            np.testing.assert_array_equal(with_clouds[name], without[name])


class TestBadInput:
    @pytest.mark.parametrize(
        ("override", "message"),
        [
            ("gamma.regions=['lhaaso-iner']", 'did you mean "lhaaso-inner"'),
            ("gamma.regions=['all-sky']", "not within 30 deg"),
            ("gamma.energies.max=60 TeV", "expected max above min"),
            ("gamma.energies.max=200 PeV", "kelner-2006"),
            ("gamma.detection.energy=1 TeV", "outside the energies"),
            ("gamma.detection.curve=none.csv", "both given"),
            ("gamma.detection.sensitivty=1e-14 erg cm^-2 s^-1", "did you mean gamma.detection.sensitivity"),
            ("gamma.detection.extent=contanment", 'did you mean "containment"'),
            ("gamma.detection.declination_min=90 deg", "more than declination_min"),
            ("gamma.realisations=7", "at most the 5"),
            ("population.older=mean", 'expected "neglected"'),
            ("gamma.absorption={kind='vernetto-lipari'}", "known"),
            ("population.history_length=300 kyr", "too short"),
        ],
    )
    def test_refused(self, override, message):
        with pytest.raises(ConfigError, match=message):
            load(override)

    def test_no_gas(self):
        raw = copy.deepcopy(MICROQUASARS)
        raw["gamma"] = GAMMA
        with pytest.raises(ConfigError, match=r"model.gas.*gamma rays need gas"):
            load_population_mapping(raw)

    def test_everything_at_once(self):
        with pytest.raises(ConfigError) as found:
            load(
                "gamma.regions=['x']", "gamma.detection.energy=1 TeV",
                "gamma.clouds={density_min='300 cm^-3', density_max='30 cm^-3', radius_min='50 pc', "
                "radius_max='20 pc'}",
            )  # fmt: skip
        assert {p.key for p in found.value.problems} >= {
            "gamma.regions[0]", "gamma.detection.energy", "gamma.clouds.density_max", "gamma.clouds.radius_max",
        }  # fmt: skip
