"""SS 433 and the microquasars of LHAASO 2024: numbers computed independently of this code."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.config.load_source import load_source
from cyldiff.observables.estimates import (
    diffusion_bound,
    jet_maximum_energy,
    leaky_box_intensity,
    residence_time,
    thin_disc_intensity,
)
from cyldiff.observables.single_source import sed
from cyldiff.sources.cooling import electron
from cyldiff.sources.energy_spectrum import energy_above
from cyldiff.transport.lepton_losses import energy_loss

TEV = 1e3
#: GeV/Myr in erg/s, kpc^2/Myr in cm^2/s
ERG_S = 1.0 / (const.ERG_GEV * const.MYR_S)
CM2_S = const.KPC_CM**2 / const.MYR_S


def spectrum(name, energies, part, *changes):
    model = load_source(name, changes).model
    found = sed(model, np.array(energies) * TEV)
    return found.of(found.parts[part]) / 1e-13


def digits(values, printed, step):
    """1 %, and what rounding to the printed digits leaves."""
    np.testing.assert_array_less(
        np.abs(values - printed), 0.01 * np.asarray(printed) + 0.5 * np.asarray(step)
    )


class TestProtonsInTheCloud:
    model = load_source("ss433-lepto-hadronic").model
    protons = model.components["cloud"]

    def test_density_of_the_cloud(self):
        assert self.protons.cloud.density == pytest.approx(30.2, rel=2e-3)
        with_helium = self.protons.cloud.model_copy(update={"helium_fraction": 0.1})
        assert with_helium.density == pytest.approx(21.6, rel=2e-3)

    def test_spectrum_of_protons_alone(self):
        found = spectrum(
            "ss433-lepto-hadronic", [10, 25, 100, 200, 400, 800], "cloud",
            'components.cloud.pion_production.nuclear_enhancement="none"',
        )  # fmt: skip
        digits(found, [1.63, 2.11, 1.79, 1.15, 0.52, 0.14], 0.01)

    def test_flux_at_100_tev(self):
        """With 1.8 for nuclei it is what LHAASO measures, 0.32 Crab units of 1e-12 erg/cm^2/s."""
        assert spectrum("ss433-lepto-hadronic", [100], "cloud")[0] == pytest.approx(3.2, rel=0.01)

    def test_power_at_1_pev(self):
        t = np.array([1e6])
        assert float((t**2 * self.protons.injected(t))[0]) * ERG_S == pytest.approx(8.6e37, rel=0.01)

    @pytest.mark.parametrize(("above", "power"), [(1e5, 3.5e38), (1e6, 5.6e37)])
    def test_power_above(self, above, power):
        share = energy_above(self.protons.injection, above) / energy_above(self.protons.injection, 1.0)
        assert share * 1e39 == pytest.approx(power, rel=0.01)

    def test_bound_of_the_diffusion(self):
        assert diffusion_bound(0.1, 0.02) * CM2_S == pytest.approx(3.77e28, rel=2e-3)

    def test_average_over_the_cloud_against_its_centre(self):
        """Gamma rays of 100 TeV: 4 % more than a cloud of the density at its centre."""
        point = self.protons.model_copy(
            update={"cloud": self.protons.cloud.model_copy(update={"radius": 1e-5})}
        )
        e = np.array([100.0 * TEV])
        ratio = self.protons.photons(e, age=0.02)["pions"] / point.photons(e, age=0.02)["pions"]
        assert ratio[0] == pytest.approx(1.04, abs=0.005)


class TestProtonsInUniformGas:
    def test_spectrum(self):
        found = spectrum("ss433-hadronic", [1, 10, 25, 100, 200, 400], "protons")
        digits(found, [18.2, 6.67, 4.20, 1.73, 0.96, 0.45], [0.1, 0.01, 0.01, 0.01, 0.01, 0.01])

    def test_power(self):
        model = load_source("ss433-hadronic").model
        power = model.components["protons"].energy / model.source.age * ERG_S
        assert power == pytest.approx(7.9e38, rel=0.01)


CMB_ALONE = 'components.lobes.radiation={ kind = "cmb" }'


class TestElectrons:
    energies = (1, 3, 10, 30, 100)

    def test_microwaves_alone(self):
        found = spectrum("ss433-leptonic", self.energies, "lobes inverse-compton", CMB_ALONE)
        digits(found, [4.4, 3.2, 1.9, 0.90, 0.17], [0.1, 0.1, 0.1, 0.01, 0.01])

    def test_with_greybodies(self):
        found = spectrum("ss433-leptonic", self.energies, "lobes inverse-compton")
        digits(found, [12.5, 7.6, 3.8, 1.6, 0.28], [0.1, 0.1, 0.1, 0.1, 0.01])

    def test_up_to_10_pev(self):
        """The independent numbers were normalised between 1 TeV and 2.5 PeV, which takes 3 % from the integral."""
        found = spectrum(
            "ss433-leptonic", self.energies, "lobes inverse-compton", CMB_ALONE,
            'components.lobes.injection.cutoff="10 PV"',
        )  # fmt: skip
        law = load_source(
            "ss433-leptonic", ['components.lobes.injection.cutoff="10 PV"']
        ).model.components["lobes"].injection  # fmt: skip
        whole = energy_above(law, 1e3)
        share = 1.0 - energy_above(law, 2.5e6) / whole
        assert share == pytest.approx(0.97, abs=0.005)
        digits(found / share, [3.8, 2.8, 1.8, 1.03, 0.46], [0.1, 0.1, 0.1, 0.01, 0.01])

    @pytest.mark.parametrize(("energy", "kyr"), [(1.0, 30.5), (10.0, 3.07), (100.0, 0.311)])
    def test_cooling_times(self, energy, kyr):
        """T / b in 20 microgauss and the microwave background."""
        lobes = load_source("ss433-leptonic", [CMB_ALONE]).model.components["lobes"]
        t = np.array([energy * TEV])
        found = 1e3 * float((t / energy_loss(electron(t), lobes.medium))[0])
        assert found == pytest.approx(kyr, rel=5e-3)

    def test_exact_cooling(self):
        """1/(s - 1) = 0.77 of the estimate where cooling is fast, less near the cut-off."""
        lobes = load_source("ss433-leptonic", [CMB_ALONE]).model.components["lobes"]
        steady = lobes.model_copy(update={"cooling": "steady"})
        t = np.geomspace(1e3, 1e6, 301)
        ratio = steady.number(t, age=0.02) / lobes.number(t, age=0.02)
        assert np.interp(2e3, t, ratio) == pytest.approx(0.77, rel=0.01)
        assert np.interp(1e4, t, ratio) == pytest.approx(0.735, rel=0.01)
        assert np.interp(3e5, t, ratio) == pytest.approx(0.14, rel=0.01)


#: the halo of LHAASO 2024
HALO = {"diffusion": 1e31 / CM2_S, "half_height": 4.0, "radius": 15.0}


class TestLeakyBox:
    power = 1e39 / ERG_S

    def test_residence_time(self):
        assert residence_time(1e31 / CM2_S, 4.0) == pytest.approx(0.121, rel=5e-3)

    def test_intensity(self):
        """3.41e4 eV/cm^2/s/sr; printed 3e4."""
        found = leaky_box_intensity(self.power, **HALO) * 1e9
        assert found == pytest.approx(3.41e4, rel=1e-3)

    def test_thin_disc(self):
        found = thin_disc_intensity(self.power, **HALO) * 1e9
        assert found == pytest.approx(1.37e5, rel=5e-3)
        assert found == pytest.approx(4.0 * leaky_box_intensity(self.power, **HALO) * 1e9, rel=1e-12)

    @pytest.mark.parametrize(("key", "power"), [("diffusion", -1.0), ("half_height", 1.0), ("radius", -2.0)])
    def test_scaling(self, key, power):
        changed = dict(HALO)
        changed[key] *= 2.0
        ratio = leaky_box_intensity(self.power, **changed) / leaky_box_intensity(self.power, **HALO)
        assert ratio == pytest.approx(2.0**power, rel=1e-12)

    def test_against_the_measured_protons(self):
        """9.3e4 eV/cm^2/s/sr at 1 PeV (second component of Aharonian & Zhang): within a factor of three."""
        measured = 34700.0 * (1e6) ** (2.0 - 2.75) * np.exp(-1.0 / 6.2) * 1e-4 * 1e9
        assert measured == pytest.approx(9.3e4, rel=0.01)
        found = leaky_box_intensity(self.power, **HALO) * 1e9
        assert 1.0 / 3.0 < found / measured < 3.0

    def test_maximum_energy_of_a_jet(self):
        """10 PeV for 1e39 erg/s and sigma v/c = 0.1."""
        assert jet_maximum_energy(1e39 / ERG_S, 0.1) == pytest.approx(1e7, rel=1e-12)
