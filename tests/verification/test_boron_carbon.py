"""T12: boron over carbon of a thin disc with the published set of diffusion parameters of Evoli et al. 2019."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff import pipeline
from cyldiff.config.load import load_mapping
from cyldiff.data.measurements import load
from cyldiff.grid import Kinematics
from cyldiff.observables import spectrum
from cyldiff.particles.inelastic import Tripathi1999
from cyldiff.particles.spallation import Evoli2019
from cyldiff.particles.species import nuclides

RIGIDITIES = np.array([10.0, 30.0, 100.0, 300.0, 1000.0])
#: J_s/J_p = k sigma / (1/X + k sigma_s) with X = mu beta c H / 2D, summed over C, N and O in the ratios below;
#: 10Be counts as boron at all energies
SEMI_ANALYTIC = np.array([0.285, 0.195, 0.119, 0.075, 0.049])
OXYGEN, NITROGEN = 1.05, 0.23
#: what everything heavier than oxygen adds to boron
HEAVIER = 1.12
PRIMARIES = ("C12", "N14", "O16")
STABLE = ("B10", "B11", "C12", "C13", "N14", "N15", "O16")
#: per hydrogen (what the 1.4 m_H per H nucleus of a disc of given mass stands for), g/cm^2, kpc
HELIUM, COLUMN, HEIGHT = 0.1, 2.1e-3, 7.0


def run_of(primary, followed):
    """The thin disc with a single primary nuclide: a slab without wind, losses and floor of D."""
    tables = {
        "schema": 1,
        "run": {"name": primary},
        "grid": {
            "use": "slab-1d",
            "space": {"z": {"n": 41}},
            "momentum": {"min": "1 GeV", "max": "10 TeV", "per_decade": 8.0},
        },
        "physics": {
            "use": "evoli-2019-like",
            "convection": {"kind": "none"},
            "energy_losses": False,
            "diffusion": {"floor": "0 cm^2/s"},
            "gas": {
                "HI": {"surface_density": "2.1 mg/cm^2", "half_thickness": "5 pc"},
                "helium_fraction": HELIUM,
            },
            "sources": {
                "snr": {
                    "abundances": {name: float(name == primary) for name in ("Be10", *STABLE)},
                    "normalisation": {"species": primary, "flux": "1e-4 GeV^-1 m^-2 s^-1 sr^-1"},
                }
            },
        },
        "species": {"include": list(followed)},
        "solver": {"tolerance": 1e-10, "grid_error": {"enabled": False}},
    }
    plane = 'physics.sources.snr.distribution={kind="uniform",vertical="plane"}'
    return pipeline.run(load_mapping(tables, [plane]))


def boron_over_carbon(results):
    """With the abundances that give O/C and N/C at every rigidity; transport is linear."""
    found = np.array(
        [
            [spectrum(result, e, abscissa="rigidity", x=RIGIDITIES).values for e in ("C", "N", "O", "B")]
            for result in results
        ]
    )  # primary, element, rigidity
    wanted = np.array([1.0, NITROGEN, OXYGEN])
    weights = np.array([np.linalg.solve(found[:, :3, k].T, wanted) for k in range(len(RIGIDITIES))])
    return HEAVIER * np.einsum("kp,pk->k", weights, found[:, 3])


@pytest.fixture(scope="module")
def stable():
    """10Be is not followed: what is made of it counts as its daughter 10B."""
    return [run_of(name, STABLE) for name in PRIMARIES]


@pytest.fixture(scope="module")
def followed():
    return [run_of(name, ("Be10", *STABLE)) for name in PRIMARIES]


def boron_from_carbon(energy):
    """N(11B)/N(12C) of the thin disc at equal energy per nucleon, every number looked up or written out here.

    2 D N(0) / H + 2 h Gamma N(0) = 2 h Gamma_ps N_p(0), with D of the secondary.
    """
    boron, helium = nuclides()["B11"], np.array([1.0, HELIUM])
    k = Kinematics(energy, boron.Z, boron.A, boron.mass_per_nucleon)
    sharp = 0.22 / 0.1
    D = 2.48e28 * k.beta * k.rigidity**0.565 / (1.0 + (k.rigidity / 290.0) ** sharp) ** 0.1  # cm^2/s
    hydrogen = COLUMN / ((1.0 + 4.0 * HELIUM) * const.HYDROGEN_MASS_G)  # per cm^2
    speed = k.beta * 2.99792458e10
    made = helium @ Evoli2019(extrapolation="constant").sigma("C12", "B11", energy) * 1e-27
    lost = helium @ Tripathi1999(extrapolation="constant").sigma(boron, energy) * 1e-27
    escape = 2.0 * D / (HEIGHT * const.KPC_CM)
    return hydrogen * speed * made / (escape + hydrogen * speed * lost)


def test_one_channel_follows_the_closed_formula(stable):
    """11B of 12C alone, to a thousandth: same D, gas and cross sections, no solver."""
    result = run_of("C12", ("B11", "C12"))
    energy = result["kinetic_energy"].values
    boron, carbon = (result["flux_lis"].sel(species=name).values for name in ("B11", "C12"))
    np.testing.assert_allclose(boron / carbon, boron_from_carbon(energy), rtol=1e-3)


def test_the_semi_analytic_values(followed):
    """Within 5 % from 30 GV to 1 TV; at 10 GV it is 5.2 %, more than wanted, see docs/verification.md."""
    deviation = boron_over_carbon(followed) / SEMI_ANALYTIC - 1.0
    assert np.all(np.abs(deviation[1:]) < 0.05)
    assert deviation[0] == pytest.approx(0.0517, abs=0.002)


def test_beryllium_that_counts_as_boron(stable, followed):
    """At 10 GV part of 10Be decays, at 1 TV none does: following it takes more away the higher the rigidity."""
    lost = 1.0 - boron_over_carbon(followed) / boron_over_carbon(stable)
    assert np.all(np.diff(lost) > 0.0)
    assert 0.0 < lost[0] < lost[-1] < 0.1


def test_near_the_measurement(followed):
    """Within 10 % of AMS-02 from 10 to 100 GV; this set lies below the data beyond, as its closed formula does."""
    data = load("ams02-b-c-rigidity")
    measured = np.interp(np.log(RIGIDITIES), np.log(data.x), data.y)
    deviation = boron_over_carbon(followed) / measured - 1.0
    assert np.all(np.abs(deviation[:3]) < 0.10)
    assert np.all(deviation[3:] < -0.10)
    assert np.all(SEMI_ANALYTIC[3:] / measured[3:] - 1.0 < -0.10)
