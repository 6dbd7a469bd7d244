"""Magnetic and radiation fields against closed formulas, astropy and naima's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.modeling.physical_models import BlackBody
from pydantic import ValidationError
from scipy.integrate import quad

from cyldiff import constants as const
from cyldiff.config.load import load_mapping
from cyldiff.galaxy.magnetic_field import ExponentialField, UniformField
from cyldiff.galaxy.radiation_field import (
    CosmicMicrowaveBackground,
    Delahaye2010,
    Greybodies,
    Greybody,
    energy_density_of,
    photon_density_of,
)

EV = 1e-9


def test_uniform_field():
    field = UniformField(B0="6 uG")
    np.testing.assert_array_equal(field.strength([1.0, 2.0], 0.0), [6.0, 6.0])
    density = float(field.energy_density(8.5, 0.0))
    assert density / EV == pytest.approx(0.8941, rel=1e-4)
    # B^2 / 2 mu_0 in SI
    si = ((6e-10 * u.T) ** 2 / (2.0 * u.Quantity(1.25663706212e-6, "N / A2"))).to_value("GeV / cm3")
    assert density == pytest.approx(si, rel=1e-8)


def test_exponential_field():
    field = ExponentialField(B0="6.1 uG", reference_radius="8.5 kpc", r_scale="10 kpc", z_scale="2 kpc")
    assert float(field.strength(8.5, 0.0)) == pytest.approx(6.1, rel=1e-15)
    assert float(field.strength(18.5, -2.0)) == pytest.approx(6.1 * np.exp(-2.0), rel=1e-14)
    assert field.strength(np.zeros((3, 1)), np.zeros(4)).shape == (3, 4)
    with pytest.raises(ValidationError, match="hundredth"):
        ExponentialField(B0="6 uG", reference_radius="8.5 kpc", r_scale="10 pc", z_scale="2 kpc")


@pytest.mark.parametrize("temperature", [2.7255, 33.07, 6150.4])
def test_black_body_against_astropy(temperature):
    body = Greybody(temperature, 1.0)
    x = np.geomspace(0.01, 30.0, 40)
    energy = x * body.thermal_energy
    frequency = (energy * u.GeV).to("Hz", equivalencies=u.spectral())
    intensity = BlackBody(temperature=temperature * u.K)(frequency)
    # n(eps) = 4 pi I_nu / (c h eps)
    planck, light = 6.62607015e-34 * u.J * u.s, 2.99792458e10 * u.cm / u.s
    expected = (4.0 * np.pi * u.sr * intensity / (light * planck * energy * u.GeV)).to_value("cm-3 GeV-1")
    np.testing.assert_allclose(body.photon_density(energy), expected, rtol=1e-7)


def test_energy_density_is_the_integral_of_the_photons():
    for body in Delahaye2010().parts:
        total, _ = quad(
            lambda x, body=body: np.exp(2 * x) * float(body.photon_density(np.exp(x))),
            np.log(body.thermal_energy) - 12.0,
            np.log(body.thermal_energy) + 4.5,
            epsabs=0.0,
            epsrel=1e-10,
        )
        assert total == pytest.approx(body.energy_density, rel=1e-9)


def test_delahaye_2010():
    """Energy densities of the local field [eV/cm^3]."""
    parts = Delahaye2010().parts
    np.testing.assert_allclose(
        [p.energy_density / EV for p in parts], [0.261, 0.254, 0.055, 0.370, 0.229, 0.119], rtol=8e-3
    )
    assert [p.uniform for p in parts] == [True, *[False] * 5]
    energy = np.geomspace(1e-13, 1e-8, 5)
    np.testing.assert_allclose(
        Delahaye2010().photon_density(energy, 8.5, 0.0), photon_density_of(parts, energy), rtol=1e-14
    )


def test_only_the_background_stays_with_distance():
    field = Delahaye2010(reference_radius="8.5 kpc", r_scale="3 kpc", z_scale="5 kpc")
    cmb = CosmicMicrowaveBackground().parts
    assert energy_density_of(cmb) / EV == pytest.approx(0.2606, rel=1e-3)
    here, there = float(field.energy_density(8.5, 0.0)), float(field.energy_density(11.5, -5.0))
    background = energy_density_of(cmb)
    assert there - background == pytest.approx((here - background) * np.exp(-2.0), rel=1e-12)
    assert energy_density_of(field.at(11.5, -5.0)) == pytest.approx(there, rel=1e-12)


def test_greybodies_by_density_or_dilution():
    by_density = Greybodies(bodies=[{"temperature": "30 K", "energy_density": "0.5 eV/cm^3"}])
    assert by_density.parts[1].energy_density == pytest.approx(0.5 * EV, rel=1e-12)
    again = Greybodies(bodies=[{"temperature": "30 K", "dilution": by_density.parts[1].dilution}])
    assert again.parts[1].energy_density == pytest.approx(0.5 * EV, rel=1e-12)
    assert len(Greybodies().parts) == 1


@pytest.mark.parametrize(
    ("bodies", "message"),
    [
        ([{"temperature": "30 K"}], "one of both"),
        ([{"temperature": "30 K", "dilution": 0.1, "energy_density": "1 eV/cm^3"}], "one of both"),
        ([{"temperature": "30 m", "dilution": 0.1}], "expected temperature"),
    ],
)
def test_refused_greybodies(bodies, message):
    with pytest.raises(ValidationError, match=message):
        Greybodies(bodies=bodies)


def test_scale_without_its_radius_is_refused():
    with pytest.raises(ValidationError, match="belong together"):
        Delahaye2010(r_scale="3 kpc")


def test_photons_do_not_overflow():
    body = Greybody(const.CMB_TEMPERATURE_K, 1.0)
    assert body.photon_density(1e3) == 0.0


def test_fields_in_a_config():
    fields = {
        "magnetic_field": {"kind": "uniform", "B0": "5 uG"},
        "radiation_field": {"kind": "greybodies", "bodies": [{"temperature": "30 K", "dilution": 1e-5}]},
    }
    raw = {
        "schema": 1,
        "run": {"name": "fields"},
        "grid": {"use": "galaxy-2d-coarse"},
        "physics": {"use": "example-plain-diffusion", **fields},
        "species": {"include": ["H1"]},
    }
    loaded = load_mapping(raw)
    assert loaded.config.physics.magnetic_field.B0 == 5.0
    assert loaded.config.physics.radiation_field.bodies[0].temperature == 30.0
    again = load_mapping(loaded.resolved)
    assert again.config == loaded.config
    assert (
        load_mapping({**raw, "physics": {"use": "example-plain-diffusion"}}).config.physics.magnetic_field
        is None
    )
