"""Fluxes at the Sun: closed forms, the numbers of the papers, gradients, the energy budget, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.special import erfc

import cyldiff
from cyldiff import constants as const
from cyldiff.errors import ConfigError, CyldiffError, DataError
from cyldiff.particles.species import nuclides
from cyldiff.sources.catalogue_file import load_catalogue, load_catalogue_mapping
from cyldiff.sources.component import FLUX_UNIT
from cyldiff.sources.fluxes import DEFAULT_ENERGIES, density_of_sources, source_fluxes
from cyldiff.sources.model import as_model
from cyldiff.sources.propagation import (
    default_kernel,
    gas_column,
    is_uniform,
    left_out,
    propagation_at_sun,
    uniform_propagation,
)

PEV = 1e6
H1 = nuclides()["H1"]


def row(**keys):
    """One proton source of 1e50 erg, its law one of the kinetic energy."""
    spectrum = {"kind": "power-law", "index": 2.0, "cutoff": "1 PV", "variable": "kinetic-energy"}
    base = {
        "name": "x", "position": ["-7.5 kpc", "0.4 kpc", "0.2 kpc"], "age": "1 Myr", "spectrum": spectrum,
        "history": {"kind": "burst", "energy": "1e50 erg"},
    }  # fmt: skip
    return load_catalogue_mapping({"schema": 1, "source": [{**base, **keys}]})


@pytest.fixture(scope="module")
def example(model):
    return source_fluxes("example", model)


class TestClosedForms:
    """In free space without gas, written out here: E is the kinetic energy of a proton."""

    @pytest.fixture
    def empty(self):
        """A model without gas, H = 4.5 kpc, D = 3.2e28 beta (R/GV)^0.33 cm^2/s."""
        none = "{ kind = 'none' }"
        gas = [f"physics.gas.{phase}={none}" for phase in ("HI", "H2", "HII")]
        return as_model("nie-2026", overrides=[*gas, "physics.reacceleration={ kind = 'none' }"])

    def flux(self, density, energy):
        beta = np.sqrt(energy * (energy + 2 * const.PROTON_MASS)) / (energy + const.PROTON_MASS)
        return density * beta * const.SPEED_OF_LIGHT / (4.0 * np.pi) * FLUX_UNIT

    def number(self, energy, amount):
        """amount [erg] / 13.238 E^-2 exp(-E / 1 PeV), the integral of the normalisation from scipy."""
        from scipy.special import exp1

        return amount * const.ERG_GEV / exp1(1e-6) * energy**-2.0 * np.exp(-energy / 1e6)

    def D(self, energy):
        momentum = np.sqrt(energy * (energy + 2 * const.PROTON_MASS))
        beta = momentum / (energy + const.PROTON_MASS)
        return 3.2e28 * const.MYR_S / const.KPC_CM**2 * beta * momentum**0.33

    def test_burst(self, empty):
        energy = np.array([1e3, 1e5, 1e6])
        found = source_fluxes(row(), empty, kernel="free", kinetic_energy=energy)
        s, d2 = self.D(energy) * 1.0, 1.0**2 + 0.4**2 + 0.2**2
        green = (4.0 * np.pi * s) ** -1.5 * np.exp(-d2 / (4.0 * s))
        exact = self.flux(self.number(energy, 1e50) * green, energy)
        np.testing.assert_allclose(found["flux_lis"].values[0, 0], exact, rtol=1e-10)
        # grad ln n = -(x - x_s) / 2 D t; e_r = -e_x and e_phi = -e_y at the Sun
        away = np.array([-1.0, -0.4, -0.2])
        slope = -away * np.array([-1.0, -1.0, 1.0]) / (2.0 * s[:, None])
        np.testing.assert_allclose(found["gradient_lis"].values[0, 0], slope, rtol=1e-9)

    def test_source_that_is_on(self, empty):
        energy = np.array([1e4, 1e6])
        history = {"kind": "constant", "luminosity": "1e38 erg/s"}
        found = source_fluxes(row(history=history), empty, kernel="free", kinetic_energy=energy)
        D, d = self.D(energy), np.sqrt(1.2)
        per_Myr = self.number(energy, 1e38 * const.MYR_S)
        # what is younger than d / c is cut off
        late = d / const.SPEED_OF_LIGHT
        tail = erfc(d / np.sqrt(4.0 * D * 1.0)) - erfc(d / np.sqrt(4.0 * D * late))
        exact = self.flux(per_Myr * tail / (4.0 * np.pi * D * d), energy)
        np.testing.assert_allclose(found["flux_lis"].values[0, 0], exact, rtol=1e-6)

    def test_beyond_the_horizon(self, empty):
        """d > c t: nothing has arrived, the flag says so, and no gradient is made of it."""
        found = source_fluxes(row(age="1 kyr"), empty, kinetic_energy=[1e6])
        assert found["flux_lis"].values.max() == 0.0
        assert np.all(found["gradient_lis"].values == 0.0)
        assert found["validity"].values[0, 0, 0] & 1

    def test_dipole_of_the_candidate_of_nie(self, empty):
        """3 d / 2 c t = 2.68e-3 at 2.64 kpc and 4.82 Myr, towards the source."""
        energy = np.array([1e5, 1e6])
        source = row(position=None, l="337.4 deg", b="0 deg", distance="2.64 kpc", age="4.82 Myr")
        found = source_fluxes(source, empty, kernel="free", kinetic_energy=energy)
        beta = propagation_at_sun(empty.physics, H1, energy).speed / const.SPEED_OF_LIGHT
        size = np.sqrt(np.sum(found["gradient_lis"].values[0, 0] ** 2, axis=-1))
        dipole = 3.0 * self.D(energy) / (beta * const.SPEED_OF_LIGHT) * size
        np.testing.assert_allclose(dipole, 2.68e-3, rtol=1e-3)
        to_source = found["gradient_lis"].sel(direction="r").values[0, 0]
        assert np.all(to_source < 0.0), "inwards, with e_r = -e_x"

    def test_dipole_of_the_local_remnant(self, empty):
        """3 d / 2 c t = 4.89e-3."""
        found = source_fluxes("local-snr", empty, kernel="free", kinetic_energy=[1e4])
        travel = propagation_at_sun(empty.physics, H1, np.array([1e4]))
        size = np.sqrt(np.sum(found["gradient_lis"].values[0, 0] ** 2))
        assert 3.0 * travel.diffusion[0] / travel.speed[0] * size == pytest.approx(4.89e-3, rel=1e-3)

    def test_halo_edge_and_free_space(self, empty):
        """Escape only takes away: next to nothing for D t = 0.1 H^2, two thirds for H^2."""
        by = {
            kernel: source_fluxes(row(age="4 Myr"), empty, kernel=kernel, kinetic_energy=[1e2, 1e5])
            for kernel in ("free", "halo")
        }
        edge = source_fluxes(row(age="4 Myr"), empty, edge=True, kinetic_energy=[1e2, 1e5])
        free, halo, both = (d["flux_lis"].values[0, 0] for d in (by["free"], by["halo"], edge))
        assert free[0] == pytest.approx(halo[0], rel=1e-3)
        assert 0.2 * free[1] < halo[1] < 0.4 * free[1]
        assert np.all(both <= halo * (1 + 1e-12))
        assert by["free"]["validity"].values[0, 0, 1] & 4
        assert not by["halo"]["validity"].values[0, 0, 1] & 4


class TestPapers:
    @pytest.mark.parametrize(
        ("reference", "printed"),
        [("1 GV", (3.6e-4, 1.1e-3, 2.2e-2)), ("4 GV", (1.3e-4, 1.3e-3, 1.7e-2))],
    )
    def test_known_microquasars_of_nie(self, reference, printed):
        """Protons at 1 PeV over the measured ones, free space: independent numbers, two digits.

        The measured ones are component II of Aharonian & Zhang: 34700 E^-2.75 exp(-1/6.2) at 1 PeV. SS 433 is
        below 1e-13. Ours have the collisions on the way and the horizon in them.
        """
        model = as_model("nie-2026", overrides=[f"physics.diffusion.reference_rigidity={reference}"])
        found = source_fluxes("nie-2026-microquasars", model, kernel="free", kinetic_energy=[PEV])
        measured = 34700.0 * PEV**-2.75 * np.exp(-1.0 / 6.2)
        share = dict(zip(found["source"].values, found["flux_lis"].values[:, 0, 0] / measured, strict=True))
        assert share["SS 433"] < 1e-13
        for name, value in zip(("GRS 1915+105", "MAXI J1820+070", "V4641 Sgr"), printed, strict=True):
            assert share[name] == pytest.approx(value, rel=0.05)

    def test_luminosities_of_nie(self):
        catalogue = load_catalogue("nie-2026-microquasars")
        power = catalogue.power(catalogue.species).sum(axis=1)
        np.testing.assert_allclose(power, [1.5e39, 1e38, 2e39, 5e38], rtol=1e-10)


class TestBudget:
    @pytest.mark.parametrize("name", ["example", "nie-2026-microquasars", "local-snr"])
    def test_energy_of_every_source(self, name, model):
        """int E Q dE dt in erg, integrated over the spectra that are written, is the energy printed."""
        energy = np.concatenate([np.geomspace(0.25, 1.0, 200)[:-1], np.geomspace(1.0, 1e9, 3001)])
        found = source_fluxes(name, model, kinetic_energy=energy)
        for species in map(str, found["species"].values):
            A = nuclides()[species].A
            one = found.sel(species=species)
            t = energy[energy * A >= 1.0 - 1e-9]  # from 1 GeV per particle on
            number = one["injected_number"].sel(kinetic_energy=t).values
            integral = np.trapezoid(A * t**2 * number, x=np.log(t), axis=-1) / const.ERG_GEV
            np.testing.assert_allclose(integral, one["injected_energy"].values, rtol=1e-3)

    def test_efficiency_and_normalisation(self, model):
        """1e38 erg/s, 10 %, as Kaci et al. Eq. 1: 0.964 of 1e37 erg/s."""
        catalogue = load_catalogue("example")
        k = catalogue.names.index("active")
        power = catalogue.power(catalogue.species)[k].sum()
        assert power == pytest.approx(0.964 * 1e37, rel=1e-3)


class TestDataset:
    def test_sum(self, example):
        xr.testing.assert_allclose(example["flux_lis"].sum("source"), example["flux_lis_total"])
        slope = (example["flux_lis"] * example["gradient_lis"]).sum("source")
        np.testing.assert_allclose(
            slope.transpose("species", "kinetic_energy", "direction").values,
            (example["flux_lis_total"].values[..., None] * example["gradient_lis_total"].values),
            rtol=1e-12,
        )

    def test_gradient_is_that_of_the_density(self, example, model):
        """Against differences of what density_of_sources says around the Sun.

        Of a source that is on, the horizon d = c t moves with the observer; the gradient is that at a fixed one.
        """
        energy, step = [1e4, 1e6], 1e-4
        sun = np.array([-8.5, 0.0, 0.0])
        places = np.array([sun + sign * step * e for e in np.eye(3) for sign in (1, -1)])
        field = density_of_sources("example", model, points=places, kinetic_energy=energy).values
        middle = density_of_sources("example", model, points=[sun], kinetic_energy=energy).values
        slope = (field[..., 0::2] - field[..., 1::2]) / (2.0 * step) / middle
        exact = source_fluxes("example", model, kinetic_energy=energy)["gradient_lis_total"].values
        np.testing.assert_allclose(slope * np.array([-1.0, -1.0, 1.0]), exact, rtol=1e-4)

    def test_what_is_said_of_it(self, example, model, tmp_path):
        assert example["flux_lis"].dims == ("source", "species", "kinetic_energy")
        assert example["flux_lis"].attrs["units"] == "m-2 s-1 sr-1 (GeV/n)-1"
        assert example["gradient_lis"].attrs["units"] == "kiloparsec-1"
        assert list(example["direction"].values) == ["r", "phi", "z"]
        assert example["kinetic_energy"].values[[0, -1]] == pytest.approx(DEFAULT_ENERGIES)
        assert example.attrs["kernel"] == "halo"
        assert example.attrs["diffusion"] == "uniform"
        assert "reacceleration" in example.attrs["left_out"]
        assert len(example.attrs["catalogue_sha256"]) == 64
        assert all(v.attrs.get("long_name") for v in example.data_vars.values())
        cyldiff.write_result(example, tmp_path / "x.nc")
        xr.testing.assert_identical(cyldiff.read_result(tmp_path / "x.nc"), example)

    def test_observables_work_on_the_sum(self, example):
        whole = example.assign(flux_lis=example["flux_lis_total"])
        assert cyldiff.spectrum(whole, "He", abscissa="rigidity", x=[1e4]).item() > 0.0

    def test_a_mesh(self, model):
        mesh = density_of_sources(
            "example", model, r=[7.0, 8.5], phi=[np.pi, 3.0], z=[0.0, 1.0, -1.0], kinetic_energy=[1e5]
        )
        assert mesh.dims == ("species", "kinetic_energy", "r", "phi", "z")
        at_sun = source_fluxes("example", model, kinetic_energy=[1e5])["flux_lis_total"]
        here = mesh.sel(r=8.5, phi=np.pi, z=0.0)
        np.testing.assert_allclose(here.values, at_sun.values, rtol=1e-10)


class TestModels:
    @pytest.mark.parametrize(
        ("name", "uniform"),
        [
            ("nie-2026", True),
            ("example-plain-diffusion", True),
            ("evoli-2019-like", True),
            ("yue-2025", False),
        ],
    )
    def test_uniform_or_not(self, name, uniform):
        physics = as_model(name).physics
        assert is_uniform(physics) is uniform
        assert default_kernel(physics) == ("halo" if uniform else "grid")

    def test_a_limit_of_two_zones_is_uniform(self):
        same = ["physics.diffusion.N_m=1.0", "physics.diffusion.disc_modulation=false"]
        assert is_uniform(as_model("yue-2025", overrides=same).physics)

    def test_no_closed_form(self):
        physics = as_model("yue-2025").physics
        with pytest.raises(CyldiffError, match="depends on the place or on the direction"):
            uniform_propagation(physics, H1, np.array([1e3]))
        law = "{ kind = 'power-law', D0 = '%s cm^2/s', reference_rigidity = '4 GV', delta = 0.3, eta = 1 }"
        sides = f"{{ kind = 'anisotropic', parallel = {law % '1e29'}, perpendicular = {law % '1e28'} }}"
        turned = as_model("nie-2026", overrides=[f"physics.diffusion={sides}"]).physics
        with pytest.raises(CyldiffError, match='kind "anisotropic"'):
            uniform_propagation(turned, H1, np.array([1e3]))

    def test_by_name_it_is_that_at_the_sun(self):
        found = source_fluxes("local-snr", "yue-2025", kernel="halo", kinetic_energy=[1e4])
        assert found.attrs["diffusion"] == "that at the Sun, taken for all places"
        physics = as_model("yue-2025").physics
        k = propagation_at_sun(physics, H1, np.array([1e4]))
        # N_m = 0.62, f = 1 at the Sun: D0 F (R/4 GV)^(0.58 F), F = 0.31
        rigidity = np.sqrt(1e4 * (1e4 + 2 * const.PROTON_MASS))
        D = 4e28 * const.MYR_S / const.KPC_CM**2 * 0.31 * (rigidity / 4.0) ** (0.58 * 0.31)
        assert k.diffusion[0] == pytest.approx(D, rel=1e-6)

    @pytest.mark.parametrize(
        ("name", "column"), [("evoli-2019-like", 2.3), ("example-plain-diffusion", 1.82)]
    )
    def test_gas_column(self, name, column):
        """Of the uniform disc 2.3 mg/cm^2, with 1.4 m_H per hydrogen nucleus."""
        found = gas_column(as_model(name).physics) * const.KPC_CM * 1.4 * const.HYDROGEN_MASS_G * 1e3
        assert found == pytest.approx(column, rel=3e-3)

    def test_losses_on_the_way(self):
        """Collisions of protons: beta c (sigma_H + f sigma_He) times the column, spread over 2 H."""
        physics = as_model("evoli-2019-like").physics
        energy = np.array([1e5])
        travel = propagation_at_sun(physics, H1, energy)
        sigma = physics.inelastic.sigma("H1", energy)
        column = 2.3e-3 / (1.4 * const.HYDROGEN_MASS_G)  # cm^-2
        rate = 2.99792458e10 * 1e-27 * (sigma[0, 0] + 0.08 * sigma[1, 0]) * column / const.KPC_CM
        assert travel.disc_rate[0] == pytest.approx(rate * const.MYR_S, rel=1e-4)
        assert travel.decay_rate[0] == 0.0
        be10 = propagation_at_sun(physics, nuclides()["Be10"], np.array([10.0]))
        gamma = 1.0 + 10.0 / nuclides()["Be10"].mass_per_nucleon
        assert be10.decay_rate[0] == pytest.approx(np.log(2.0) / (1.387 * gamma), rel=1e-3)

    def test_what_is_left_out(self):
        energy = np.array([1.0, 1e3])
        said = {
            name: " ".join(left_out(as_model(name).physics, H1, energy))
            for name in ("nie-2026", "evoli-2019-like")
        }
        assert "reacceleration" in said["nie-2026"]
        assert "wind" not in said["nie-2026"]
        assert "wind" in said["evoli-2019-like"]
        assert "ionisation" in said["nie-2026"]
        assert left_out(as_model("example-plain-diffusion").physics, H1, np.array([1e3])) == []

    def test_names_of_models(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        run = as_model("quickstart")
        assert run.kinetic_energy is not None
        (tmp_path / "mine.toml").write_text('schema = 1\ntitle = "x"\n')
        with pytest.raises(ConfigError, match=r"physics.halo +is missing"):
            as_model("mine.toml")
        with pytest.raises(ConfigError, match='did you mean "nie-2026"'):
            as_model("nie-2025x")
        with pytest.raises(ConfigError, match=r"physics.diffusion.D0 +found"):
            as_model("nie-2026", overrides=["physics.diffusion.D0=-1 cm^2/s"])
        with pytest.raises(DataError, match="no such file"):
            as_model("none.nc")


class TestRefused:
    def test_kernel(self, model):
        with pytest.raises(DataError, match='"hallo" unknown; known: free, halo, grid; did you mean "halo"'):
            source_fluxes("example", model, kernel="hallo")

    @pytest.mark.parametrize("energy", [[0.0, 1.0], [2.0, 1.0], [1.0, float("nan")], [[1.0]]])
    def test_energies(self, model, energy):
        with pytest.raises(DataError, match="positive numbers that increase"):
            source_fluxes("example", model, kinetic_energy=energy)

    def test_outside_of_the_halo(self, model):
        with pytest.raises(ConfigError, match="outside the halo"):
            source_fluxes(row(position=["1 kpc", "0 kpc", "6 kpc"]), model)

    @pytest.mark.parametrize(
        "where", [{}, {"points": [[1.0, 2.0]]}, {"r": [1.0], "z": [0.0]}, {"points": [[1, 2, 3]], "r": [1.0]}]
    )
    def test_places(self, model, where):
        with pytest.raises(DataError, match="expected"):
            density_of_sources("example", model, kinetic_energy=[1e5], **where)

    def test_places_outside(self, model):
        with pytest.raises(CyldiffError, match="outside of"):
            density_of_sources("example", model, points=[[0.0, 0.0, 5.0]], kinetic_energy=[1e5])
