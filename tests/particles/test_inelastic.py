"""Total inelastic cross sections against formulas and numbers worked out elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from cyldiff.config.base import Kind
from cyldiff.errors import DataError
from cyldiff.particles.inelastic import Barashenkov1994, Letaw1983, Tripathi1999, proton_proton
from cyldiff.particles.species import nuclides

KINDS = [Letaw1983(), Tripathi1999(extrapolation="constant"), Barashenkov1994(extrapolation="constant")]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)
WIDE = np.geomspace(1e-2, 1e7, 91)


@pytest.mark.parametrize(("energy", "expected"), [(1e2, 31.3), (1e3, 34.9), (1e5, 47.9), (1e6, 57.2)])
def test_proton_proton(energy, expected):
    assert proton_proton(energy) == pytest.approx(expected, abs=0.05)


def test_proton_proton_vanishes_below_the_pion_threshold():
    np.testing.assert_array_equal(proton_proton([0.01, 0.2796, 0.2797]), 0.0)
    assert proton_proton(0.29) > 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [("B10", 223), ("B11", 238), ("C12", 252), ("O16", 309), ("Fe56", 763), ("He4", 97)],
)
def test_letaw_at_10_gev(name, expected):
    hydrogen, helium = Letaw1983().sigma(name, 10.0)[:, 0]
    assert hydrogen == pytest.approx(expected, abs=0.5)
    assert helium == pytest.approx(hydrogen * 2.10 * nuclides()[name].A ** -0.055, rel=1e-12)


def test_letaw_low_energy_shape():
    # Letaw et al. 1983 by hand at 100 MeV: 1 - 0.62 exp(-0.5) sin(10.9 * 100^-0.28)
    shape = 1 - 0.62 * np.exp(-0.5) * np.sin(10.9 * 100**-0.28)
    carbon = Letaw1983().sigma("C12", [0.1, 1e4])[0]
    assert carbon[0] / carbon[1] == pytest.approx(shape, rel=1e-12)
    beryllium = Letaw1983().sigma("Be9", [0.1, 1e4])[0]
    assert beryllium[0] / beryllium[1] == pytest.approx(shape * (1 + 0.75 * np.exp(-0.1 / 0.075)), rel=1e-12)


@EVERY_KIND
def test_every_nuclide_has_a_cross_section(kind):
    species = list(nuclides().values())
    table = kind.table(species, WIDE)
    assert table.shape == (len(species), 2, WIDE.size)
    assert np.all(np.isfinite(table))
    nuclei = table[1:]
    assert np.all(nuclei > 0)
    assert np.all(nuclei[:, 1] > nuclei[:, 0])
    # geometry: above 1 GeV per nucleon a nucleus on hydrogen is 40 to 50 A^0.7 mb, helium and hydrogen less
    mass = np.array([s.A for s in species])[:, None]
    scaled = (table[:, 0] / mass**0.7)[np.array([s.A for s in species]) >= 6][:, WIDE > 1]
    assert np.all((scaled > 37) & (scaled < 55))


@EVERY_KIND
def test_proton_on_helium_is_helium_on_hydrogen(kind):
    proton, helium = kind.sigma("H1", WIDE), kind.sigma("He4", WIDE)
    np.testing.assert_allclose(proton[1], helium[0], rtol=1e-14)
    np.testing.assert_allclose(proton[0], proton_proton(WIDE), rtol=1e-14)


@EVERY_KIND
def test_nuclei_do_not_rise_at_high_energy(kind):
    high = kind.table(list(nuclides().values())[1:], [20.0, 1e3, 1e7])
    np.testing.assert_allclose(high, high[..., :1] * np.ones(3), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "spread"),
    [("He4", 0.10), ("B10", 0.05), ("C12", 0.05), ("O16", 0.05), ("Si28", 0.06), ("Fe56", 0.07)],
)
def test_kinds_agree_on_hydrogen(name, spread):
    values = np.array([k.sigma(name, 5.0)[0, 0] for k in KINDS])
    assert np.all(np.abs(values / values.mean() - 1) < spread)


@pytest.mark.parametrize(
    ("kind", "energy"),
    [(Tripathi1999, 0.04), (Tripathi1999, 7.0), (Barashenkov1994, 0.009), (Barashenkov1994, 11.0)],
)
def test_tables_refuse_energies_outside_their_range(kind, energy):
    with pytest.raises(DataError, match="extrapolation"):
        kind().sigma("C12", [1.0, energy])
    inside = 0.05 if energy < 1 else 6.3
    if kind is Barashenkov1994:
        inside = 0.01 if energy < 1 else 10.0
    asked = kind(extrapolation="constant").sigma("C12", energy)
    np.testing.assert_allclose(asked, kind().sigma("C12", inside), rtol=1e-12)


def test_letaw_needs_no_extrapolation():
    assert np.all(np.isfinite(Letaw1983().sigma("Fe56", [1e-3, 1e9])))


def test_unknown_species_is_refused_with_a_hint():
    with pytest.raises(DataError, match='"C121"; did you mean "C12"'):
        Letaw1983().sigma("C121", 1.0)


def test_kind_from_a_config():
    adapter = TypeAdapter(Kind("inelastic"))
    assert adapter.validate_python({"kind": "tripathi-1999", "extrapolation": "constant"}) == KINDS[1]
    with pytest.raises(ValidationError, match='did you mean "tripathi-1999"'):
        adapter.validate_python({"kind": "tripathi-1998"})
    with pytest.raises(ValidationError, match="extra"):
        adapter.validate_python({"kind": "letaw-1983", "extrapolation": "constant"})
    with pytest.raises(ValidationError, match="refuse"):
        adapter.validate_python({"kind": "tripathi-1999", "extrapolation": "linear"})
