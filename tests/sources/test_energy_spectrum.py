"""Spectra normalised to the energy they carry."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff.particles.injection import BrokenPowerLawInjection
from cyldiff.sources.energy_spectrum import energy_above, per_energy, reach


def injection(**keys):
    return BrokenPowerLawInjection.model_validate(keys)


@pytest.mark.parametrize(("index", "expected"), [(1.8, 67.76), (2.0, 13.24), (2.2, 4.633), (2.5, 1.9965)])
def test_incomplete_gamma_functions(index, expected):
    """E_c^(2-s) Gamma(2 - s, E_0/E_c) for E_0 = 1 GeV, E_c = 1 PeV."""
    found = energy_above(injection(indices=[index], cutoff="1 PV"), 1.0)
    assert found == pytest.approx(expected, rel=3e-4)


@pytest.mark.parametrize(
    "keys",
    [
        {"indices": [2.3], "cutoff": "200 TV", "cutoff_sharpness": 2.0},
        {"indices": [1.5, 2.6], "breaks": ["30 GV"], "cutoff": "1 PV"},
        {"indices": [1.5, 2.6], "breaks": ["30 GV"], "smoothness": [0.5], "cutoff": "1 PV"},
        {"indices": [2.5]},
        {"indices": [1.0, 3.0], "breaks": ["1 TV"]},
    ],
)
def test_against_quadrature(keys):
    law = injection(**keys)
    top = min(np.log(reach(law)), np.log(1e9) + 60.0)
    edges = np.linspace(0.0, top, 60)
    breaks = [np.log(b) for b in law.breaks]
    edges = np.unique([*edges, *breaks])
    total = sum(
        quad(lambda u: float(np.exp(2.0 * u) * law.per_rigidity(np.exp(u))), a, b, epsrel=1e-10)[0]
        for a, b in pairwise(edges)
    )
    assert energy_above(law, 1.0) == pytest.approx(total, rel=1e-6)


def test_it_carries_the_energy():
    law = injection(indices=[2.0], cutoff="1 PV")
    t = np.geomspace(10.0, 1e9, 4001)
    spectrum = per_energy(law, t, energy=5.0, above=10.0)
    assert np.trapezoid(spectrum * t**2, np.log(t)) == pytest.approx(5.0, rel=1e-5)


@pytest.mark.parametrize(
    ("keys", "above", "words"),
    [
        ({"indices": [2.0]}, 1.0, "infinite energy"),
        ({"indices": [2.0], "cutoff": "1 GV"}, 1e3, "nothing above"),
    ],
)
def test_refused(keys, above, words):
    with pytest.raises(ValueError, match=words):
        energy_above(injection(**keys), above)
