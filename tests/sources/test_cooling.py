"""Cooling tables against closed forms and adaptive quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff.galaxy.radiation_field import Delahaye2010
from cyldiff.sources.cooling import Cooling, electron
from cyldiff.transport.diffusion import PowerLawDiffusion
from cyldiff.transport.lepton_losses import Medium, energy_loss

B0, D0, DELTA = 5e-3, 0.1, 0.4


@pytest.fixture(scope="module")
def thomson():
    """B = B0 T^2, D = D0 T^delta."""
    return Cooling.build(
        lambda t: B0 * t**2, lambda t: D0 * t**DELTA, minimum=0.1, maximum=1e8, per_decade=32
    )


@pytest.fixture(scope="module")
def local():
    """Gas, field and light of the solar neighbourhood."""
    medium = Medium(0.9, 0.02, 0.11, 8.9e-10, Delahaye2010().parts)
    law = PowerLawDiffusion(D0="4e28 cm^2/s", reference_rigidity="4 GV", delta=0.5, eta=1.0)
    return Cooling.of_medium(medium, law, minimum=0.01, maximum=1e8), medium, law


def test_quadratic_losses_in_closed_form(thomson):
    """T_s = T / (1 - B0 T t), s = D0 (T^(delta-1) - T_s^(delta-1)) / (B0 (1 - delta)), dT_s/dT = (T_s/T)^2."""
    energy, t = np.geomspace(0.2, 1e5, 40)[:, None], np.geomspace(1e-9, 1e3, 37)
    source, compression, spread = thomson.look_back(energy, t)
    left = 1.0 - B0 * energy * t
    with np.errstate(divide="ignore"):
        exact = np.where(left > 0.0, energy / left, np.inf)
    known = exact < 1e8
    assert known.sum() > 800
    assert (~known).sum() > 200
    np.testing.assert_array_equal(np.isfinite(source), known)
    # what is near the end of its time is as sensitive to the time as its age shows
    np.testing.assert_allclose(1.0 / source[known], (left / energy)[known], rtol=1e-8, atol=0)
    np.testing.assert_allclose(compression[known], ((exact / energy) ** 2)[known], rtol=1e-7)
    s = D0 * (energy ** (DELTA - 1.0) - exact ** (DELTA - 1.0)) / (B0 * (1.0 - DELTA))
    # the closed form itself loses digits where the ages are small
    old = known & (B0 * energy * t > 1e-7)
    np.testing.assert_allclose(spread[old], s[old], rtol=2e-8)
    young = known & (B0 * energy * t < 1e-7)
    assert young.sum() > 100
    np.testing.assert_allclose(spread[young], (D0 * energy**DELTA * t)[young], rtol=1e-6)
    assert np.all(np.isinf(spread[~known]))
    assert np.all(compression[~known] == 0.0)


def test_expansion_and_table_join(thomson):
    """Around a relative loss of 1e-4 both ways of computing agree."""
    t = 1e-4 / (B0 * 10.0) * np.array([0.999, 1.001])
    source, _, spread = thomson.look_back(10.0, t)
    np.testing.assert_allclose(source, 10.0 / (1.0 - B0 * 10.0 * t), rtol=1e-12)
    np.testing.assert_allclose(spread / t, D0 * 10.0**DELTA, rtol=1e-4)
    assert abs(np.diff(spread / t)[0] / (spread / t)[0]) < 1e-6


def test_integrals_against_quadrature(local):
    table, medium, law = local

    def loss(energy):
        return float(energy_loss(electron(energy), medium)[0])

    def diffusion(energy):
        e = electron(energy)
        return float(law.coefficient(e.rigidity, e.beta, 0.0, 0.0, axis="z")[0])

    for low, high in ((0.02, 0.05), (1.0, 30.0), (1e3, 1e6)):
        options = {"epsabs": 0.0, "epsrel": 1e-10, "limit": 300}
        span = np.log(low), np.log(high)
        time, _ = quad(lambda u: np.exp(u) / loss(np.exp(u)), *span, **options)
        spread, _ = quad(lambda u: np.exp(u) * diffusion(np.exp(u)) / loss(np.exp(u)), *span, **options)
        assert table.cooling_time(low, high) == pytest.approx(time, rel=1e-6)
        assert table.spread_between(low, high) == pytest.approx(spread, rel=1e-6)
        source, compression, found = table.look_back(low, time)
        assert source == pytest.approx(high, rel=1e-6)
        assert found == pytest.approx(spread, rel=1e-6)
        assert compression == pytest.approx(loss(high) / loss(low), rel=1e-6)


def test_table_holds_its_laws(local):
    table, medium, _ = local
    energy = np.geomspace(0.0101, 0.9e8, 50)
    np.testing.assert_allclose(table.loss(energy), energy_loss(electron(energy), medium), rtol=1e-5)
    assert table.maximum == pytest.approx(1e8, rel=1e-12)
    assert len(table.kinetic_energy) == table.table.shape[1]


def test_no_losses():
    """Without losses electrons keep their energy and spread as D t."""
    table = Cooling.build(lambda t: 0.0 * t, lambda t: D0 * t**DELTA, minimum=1.0, maximum=1e6)
    energy, t = np.array([1.0, 10.0, 1e5]), np.array([1e-3, 1.0, 1e4])
    source, compression, spread = table.look_back(energy, t)
    np.testing.assert_allclose(source, energy, rtol=1e-9)
    np.testing.assert_allclose(compression, 1.0, rtol=1e-9)
    np.testing.assert_allclose(spread, D0 * energy**DELTA * t, rtol=1e-9)


def test_refusals(thomson):
    with pytest.raises(ValueError, match="outside the table"):
        thomson.look_back(0.01, 1.0)
    with pytest.raises(ValueError, match="age is negative"):
        thomson.look_back(1.0, -1.0)
    with pytest.raises(ValueError, match="below the one"):
        thomson.cooling_time(2.0, 1.0)
    with pytest.raises(ValueError, match="is empty"):
        Cooling.build(lambda t: t, lambda t: t, minimum=1.0, maximum=0.5)
    with pytest.raises(ValueError, match="losses are negative"):
        Cooling.build(lambda t: -t, lambda t: t, minimum=1.0, maximum=10.0)
    with pytest.raises(ValueError, match="not positive"):
        Cooling.build(lambda t: t, lambda t: 0.0 * t, minimum=1.0, maximum=10.0)
