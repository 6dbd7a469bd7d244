"""Laws of lifetimes, powers and energies: means, quantiles, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from cyldiff.sources import laws

ERG_S = laws.FixedLuminosity(value="1 erg/s").value


def luminosity(alpha, low="1e39 erg/s", high="1e40 erg/s"):
    return laws.PowerLawLuminosity(min=low, max=high, alpha=alpha)


def test_mean_power_of_the_microquasars():
    """dN/dL ~ 1/L gives 3.91e39 erg/s; a cumulative slope of -1, dN/dL ~ L^-2, gives 2.56e39."""
    assert luminosity(1.0).mean / ERG_S == pytest.approx(3.91e39, rel=1e-3)
    assert luminosity(2.0).mean / ERG_S == pytest.approx(2.56e39, rel=1e-3)


@pytest.mark.parametrize("alpha", [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.5])
def test_power_law(alpha):
    """Quantiles against the cumulated law by quadrature; the mean against that of the quantiles."""
    law = luminosity(alpha)
    x = np.geomspace(law.min, law.max, 20001)
    density = x**-alpha
    share = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(x))])
    for u in (0.0, 0.2, 0.5, 0.9):
        assert law.quantile(np.array([u]))[0] == pytest.approx(np.interp(u * share[-1], share, x), rel=1e-6)
    assert law.mean == pytest.approx(laws.expectation_points(law).mean(), rel=1e-5)


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_no_seam_at_the_special_slopes(alpha):
    for change in (1e-8, -1e-8):
        near = luminosity(alpha + change)
        assert near.mean == pytest.approx(luminosity(alpha).mean, rel=1e-6)
        u = np.array([0.1, 0.7])
        np.testing.assert_allclose(near.quantile(u), luminosity(alpha).quantile(u), rtol=1e-6)


def test_one_value():
    law = luminosity(1.7, high="1e39 erg/s")
    assert law.mean == law.min
    assert law.quantile(np.array([0.3]))[0] == pytest.approx(law.min)


@pytest.mark.parametrize(
    ("law", "exact"),
    [
        (laws.FixedLifetime(value="100 kyr"), None),
        (laws.UniformLifetime(min="50 kyr", max="150 kyr"), stats.uniform(0.05, 0.1)),
        (laws.LogUniformLifetime(min="10 kyr", max="1 Myr"), stats.loguniform(0.01, 1.0)),
        (laws.ExponentialLifetime(mean="200 kyr"), stats.expon(scale=0.2)),
        (laws.LogNormalEnergy(median="1e51 erg", dex=0.3), None),
        (laws.FixedEnergy(value="1e51 erg"), None),
    ],
)
def test_quantiles_are_those_of_the_law(law, exact):
    u = np.array([0.01, 0.3, 0.5, 0.99])
    if exact is not None:
        np.testing.assert_allclose(law.quantile(u), exact.ppf(u), rtol=1e-12)
        assert law.mean == pytest.approx(exact.mean(), rel=1e-12)
    else:
        assert law.mean == pytest.approx(laws.expectation_points(law).mean(), rel=1e-3)


def test_log_normal_in_decades():
    law = laws.LogNormalLuminosity(median="1e38 erg/s", dex=0.5)
    assert law.quantile(stats.norm.cdf([1.0])) / law.median == pytest.approx(10.0**0.5)


@pytest.mark.parametrize(
    "build",
    [
        lambda: luminosity(1.0, low="2e40 erg/s"),
        lambda: laws.UniformLifetime(min="2 Myr", max="1 Myr"),
        lambda: laws.PowerLawEnergy(min="2 erg", max="1 erg", alpha=0),
    ],
)
def test_turned_range_is_refused(build):
    with pytest.raises(ValidationError, match="min is larger than max"):
        build()
