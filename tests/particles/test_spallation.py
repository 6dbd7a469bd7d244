"""Production cross sections: published sums, measured points, folding, factors, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from cyldiff.config.base import Kind
from cyldiff.errors import DataError
from cyldiff.particles.cross_sections import helium_ratio_spallation
from cyldiff.particles.inelastic import Tripathi1999
from cyldiff.particles.spallation import Evoli2019, Webber2003, Wks1998, check_scale
from cyldiff.particles.species import nuclides

KINDS = [c(extrapolation="constant") for c in (Evoli2019, Webber2003, Wks1998)]
EVOLI, WEBBER, _ = KINDS
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)
BORON = ("Be10", "B10", "B11")


def total(kind, parent, children, energies, *, target=0):
    return sum(kind.sigma(parent, child, energies)[target] for child in children)


@pytest.mark.parametrize(
    ("parent", "expected", "accuracy"),
    [
        ("C12", [76.7, 72.6, 72.4], 0.05),
        ("O16", [39.7, 39.8, 40.0], 0.05),
        ("N14", [41.0, 43.0, 43.0], 0.5),
    ],
)
def test_boron_sums_of_the_fits(parent, expected, accuracy):
    """10Be + 10B + 11B with ghosts at 2, 10 and 100 GeV per nucleon, evaluated independently."""
    assert total(EVOLI, parent, BORON, [2, 10, 100]) == pytest.approx(expected, abs=accuracy)


def test_fit_with_resonance_by_hand():
    # 12C → 7Be at 50 MeV: s0 66.5, M 31.8, G 43.9, E 24.462, s1 10.0, xi 2.5, D -0.05
    t, e = 50.0, 24.462
    low = 66.5 * 43.9**2 * (t - e) ** 2 / ((t**2 - 31.8**2) ** 2 + 43.9**2 * 31.8**2)
    high = 10.0 * (1 - e / t) ** 2.5 * (1 - 0.05 / (1 + (2000 / t) ** 2))
    assert EVOLI.sigma("C12", "Be7", 0.05)[0, 0] == pytest.approx(low + high, rel=1e-12)
    assert EVOLI.sigma("C12", "Be7", 0.02)[0, 0] == 0.0


def test_ghost_is_folded_by_hand():
    """12C → 11B is the fit to 11B plus the fit to 11C; on helium each with its own charge."""
    t, energies = 1000.0, np.array([1.0])
    direct = 30.0 * (1 - 0.11 / (1 + (2000 / t) ** 2))
    ghost = 44.7 * 100**2 * (t - 17.881) ** 2 / ((t**2 - 19.0**2) ** 2 + 100**2 * 19.0**2)
    ghost += 30.3 * (1 - 0.15 / (1 + (2000 / t) ** 2))
    ratio = helium_ratio_spallation([6, 6], [5, 6], energies)[:, 0]
    sigma = EVOLI.sigma("C12", "B11", energies)[:, 0]
    assert sigma == pytest.approx([direct + ghost, direct * ratio[0] + ghost * ratio[1]], rel=1e-12)


def test_nitrogen_to_boron_is_measured_value_and_ghost():
    assert EVOLI.sigma("N14", "B10", [0.516, 100.0])[0] == pytest.approx([9.9, 9.9])
    eleven_c = 11.5 * (1 + 0.1 / (1 + (2000 / 516) ** 2))
    eleven_c += 1000 * 3.7**2 * (516 - 13) ** 2 / ((516**2 - 17.5**2) ** 2 + 3.7**2 * 17.5**2)
    assert EVOLI.sigma("N14", "B11", 0.516)[0, 0] == pytest.approx(17.5 + eleven_c, rel=1e-6)


# Webber, Kish & Schrier 1990, PRC 41, 547, in hydrogen at 0.486 (12C) and 0.516 (14N, 16O)
# GeV per nucleon [mb]; measured fragments that end in the same nuclide are added
MEASURED = [
    ("C12", "B11", 32.7 + 28.7, 2.2),
    ("C12", "B10", 17.1 + 1.1, 0.9),
    ("C12", "Be10", 2.5, 0.25),
    ("N14", "B10", 9.9, 0.5),
    ("N14", "B11", 17.5 + 11.7, 0.9),
    ("N14", "C12", 52.0, 2.6),
    ("O16", "B11", 15.6 + 11.9, 1.4),
    ("O16", "C12", 34.0, 1.7),
    ("O16", "C13", 18.0 + 5.7, 1.5),
    ("O16", "N15", 34.9 + 30.3, 2.3),
]


@EVERY_KIND
@pytest.mark.parametrize(("parent", "child", "measured", "error"), MEASURED)
def test_measured_points(kind, parent, child, measured, error):
    """Within two errors, or 10 % (fits), 15 % (Webber 2003), 30 % (WKS98, an older global fit)."""
    energy = 0.486 if parent == "C12" else 0.516
    relative = {"evoli-2019": 0.10, "webber-2003": 0.15, "wks-1998": 0.30}[kind.kind]
    tolerance = max(relative * measured, 2 * error)
    assert kind.sigma(parent, child, energy)[0, 0] == pytest.approx(measured, abs=tolerance)


def test_sets_are_independent():
    """Two of the three differ by more than rounding in the channels that make boron."""
    values = [total(k, "O16", BORON, [10.0])[0] for k in KINDS]
    assert max(values) / min(values) > 1.05
    assert max(values) / min(values) < 1.3


@EVERY_KIND
def test_production_is_not_negative_and_does_not_exceed_the_mass(kind):
    """Nucleons in fragments stay below those of the destroyed nuclei, with 30 % of grace."""
    species = list(nuclides().values())
    energies = np.geomspace(0.12, 1e6, 61)
    parents, children, _, sigma = kind.production([s.name for s in species], energies)
    assert np.all(np.isfinite(sigma))
    assert np.all(sigma >= 0)
    destroyed = Tripathi1999(extrapolation="constant").table(species, energies)
    position = {s.name: i for i, s in enumerate(species)}
    nucleons = np.zeros_like(destroyed)
    mass = np.array([nuclides()[c].A for c in children])
    np.add.at(nucleons, [position[p] for p in parents], sigma * mass[:, None, None])
    available = destroyed * np.array([s.A for s in species])[:, None, None]
    relativistic = energies > 1
    assert np.all(nucleons[..., relativistic] <= 1.3 * available[..., relativistic])
    # and the light end is not empty: carbon and oxygen leave most of their nucleons behind
    for name in ("C12", "O16", "Fe56"):
        share = nucleons[position[name], 0] / available[position[name], 0]
        assert np.all(share[relativistic] > 0.6)


@EVERY_KIND
def test_every_important_parent_feeds_lithium_beryllium_boron(kind):
    parents, children, _, _ = kind.production(list(nuclides()), [1.0])
    channels = set(zip(parents.tolist(), children.tolist(), strict=True))
    for parent in ("C12", "C13", "N14", "N15", "O16", "Ne20", "Mg24", "Si28", "Fe56"):
        for child in ("Li6", "Li7", "Be7", "Be9", "Be10", "B10", "B11"):
            assert (parent, child) in channels


@EVERY_KIND
def test_no_channel_twice_and_none_upwards(kind):
    parents, children, origins, _ = kind.production(list(nuclides()), [1.0])
    channels = list(zip(parents.tolist(), children.tolist(), strict=True))
    assert len(set(channels)) == len(channels)
    assert all(nuclides()[c].A < nuclides()[p].A for p, c in channels)
    assert all(origins.tolist())


def test_lithium_follows_beryllium():
    energies = np.array([0.3, 1.0, 5.0])
    beryllium = ("Be7", "Be9", "Be10")
    ratio = total(WEBBER, "Si28", beryllium, energies) / total(WEBBER, "O16", beryllium, energies)
    expected = WEBBER.sigma("O16", "Li7", energies)[0] * ratio
    np.testing.assert_allclose(WEBBER.sigma("Si28", "Li7", energies)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("kind", [Evoli2019, Webber2003])
@pytest.mark.parametrize("energy", [0.1, 10.5])
def test_tables_refuse_energies_outside_their_range(kind, energy):
    with pytest.raises(DataError, match=r'webber-2003 covers 0.11 to 10 .*extrapolation = "constant"'):
        kind().sigma("Si28", "B11", [1.0, energy])
    inside = 0.11 if energy < 1 else 10.0
    asked = kind(extrapolation="constant").sigma("Si28", "B11", energy)
    edge = kind().sigma("Si28", "B11", inside)
    assert asked[0] == pytest.approx(edge[0], rel=1e-12)


def test_fits_have_no_upper_end():
    assert np.all(Evoli2019().sigma("C12", "B11", [1e-3, 1.0, 1e8])[0, 1:] > 0)


@pytest.mark.parametrize(("parent", "child"), [("B11", "C12"), ("C12", "C12"), ("He4", "B11")])
def test_channels_that_do_not_exist_are_zero(parent, child):
    np.testing.assert_array_equal(EVOLI.sigma(parent, child, [1.0, 2.0]), np.zeros((2, 2)))


def test_unknown_names_are_refused_with_a_hint():
    with pytest.raises(DataError, match='"10Be"; did you mean "Be10"'):
        EVOLI.sigma("C12", "10Be", 1.0)


@pytest.mark.parametrize(
    ("scale", "channel", "factor"),
    [
        ({"B": 1.1}, ("C12", "B11"), 1.1),
        ({"B": 1.1}, ("C12", "Be10"), 1.0),
        ({"Be10": 0.5}, ("C12", "Be10"), 0.5),
        ({"Be10": 0.5}, ("C12", "Be9"), 1.0),
        ({"C12->B11": 2.0}, ("C12", "B11"), 2.0),
        ({"C12->B11": 2.0}, ("O16", "B11"), 1.0),
        ({"O16->Li": 3.0}, ("O16", "Li7"), 3.0),
        ({"O -> Li": 3.0}, ("O18", "Li7"), 3.0),
        ({"B": 1.1, "B11": 1.2, "C->B11": 1.5, "C12->B": 0.0}, ("C13", "B11"), 1.1 * 1.2 * 1.5),
        ({"B": 1.1, "B11": 1.2, "C->B11": 1.5, "C12->B": 0.0}, ("C12", "B11"), 0.0),
    ],
)
def test_factors_multiply_the_channels_they_name(scale, channel, factor):
    energies = [0.5, 20.0]
    scaled = Evoli2019(extrapolation="constant", scale=scale).sigma(*channel, energies)
    np.testing.assert_allclose(scaled, factor * EVOLI.sigma(*channel, energies), rtol=1e-14)


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ({"Bee": 1.0}, '"Bee" in "Bee" is unknown; did you mean "Be"'),
        ({"C12->11B": 1.0}, '"11B" in "C12->11B" is unknown; did you mean "B11"'),
        ({"C21->B11": 1.0, "X->Y": 1.0}, '"C21" in'),
        ({"C12->B11->Be10": 1.0}, "is no channel"),
        ({"B": -0.1}, "must be a number from 0 upwards"),
        ({"B": float("nan")}, "must be a number from 0 upwards"),
    ],
)
def test_bad_factors_are_refused(scale, message):
    with pytest.raises(ValueError, match=r"unknown|channel|upwards") as caught:
        check_scale(scale)
    assert message in str(caught.value)


def test_all_bad_factors_are_reported_at_once():
    with pytest.raises(ValueError, match=r'"X".*"Y"'):
        check_scale({"X->B": 1.0, "Y": 2.0})


def test_kind_from_a_config():
    adapter = TypeAdapter(Kind("spallation"))
    data = {"kind": "evoli-2019", "extrapolation": "constant", "scale": {"B": 1.05}}
    kind = adapter.validate_python(data)
    assert kind == Evoli2019(extrapolation="constant", scale={"B": 1.05})
    assert kind.model_dump() == data
    for bad, message in [
        ({"kind": "webber-2004"}, 'did you mean "webber-2003"'),
        ({"kind": "evoli-2019", "scale": {"Borom": 1.0}}, '"Borom" in "Borom" is unknown'),
        ({"kind": "evoli-2019", "scale": {"B": True}}, "expected a number"),
        ({"kind": "evoli-2019", "scale": {"B": "1.1"}}, "expected a number"),
        ({"kind": "evoli-2019", "scales": {}}, "extra"),
    ]:
        with pytest.raises(ValidationError, match="(?i)" + message):
            adapter.validate_python(bad)
