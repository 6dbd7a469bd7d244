"""The rerun of Aharonian & Zhang 2026: verdicts that do not hang on posteriors, and the pieces of the comparison."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cyldiff.data import load
from cyldiff.fit.components import load_spectra
from cyldiff.papers.aharonian_zhang_2026.fits import RUNS, Job, jobs, run, variants
from cyldiff.papers.aharonian_zhang_2026.points import curve, points, pulls, ratio
from cyldiff.papers.aharonian_zhang_2026.printed import INTERACTIONS, TABLES
from cyldiff.papers.aharonian_zhang_2026.tables import inside, limits
from cyldiff.papers.reproduce import reproduce

LHAASO = "lhaaso-epos-lhc-h-total-energy"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return reproduce("aharonian-zhang-2026", tmp_path_factory.mktemp("az"), smoke=True)


def verdicts(study, start):
    return {item.item: item.verdict for item in study.items if item.item.startswith(start)}


@pytest.mark.parametrize(
    "start",
    ["curve of", "Eq. 3", "p/He of the printed", "power in PeV", "Table 1, II", "Table 1, I:", "Table 3"],
)
def test_what_agrees(study, start):
    found = verdicts(study, start)
    assert found
    assert set(found.values()) == {"pass"}


def test_the_third_component_is_another_one(study):
    """With the printed cut-off, but a tenth of its amplitude; and the note says why."""
    found = verdicts(study, "Table 2, III with II fixed")
    assert [verdict for name, verdict in found.items() if ": A " in name] == ["fail"]
    note = next(item.note for item in study.items if item.item.startswith("Table 2, III with II fixed"))
    assert "-2.2, -3.4, -2.2, -0.6 sigma" in note
    assert verdicts(study, "III") == {
        "III: the fit improves when II is free": "pass",
        "III with II fixed: printed values against IceTop alone": "pass",
    }


def test_every_printed_number_is_an_item(study):
    numbers = sum(len(row.values) for row in TABLES.values())
    assert len(verdicts(study, "Table")) == numbers == 30


def test_it_leaves_six_figures_and_the_fits(study):
    assert [name for name, _ in study.figures] == [f"fig{i}" for i in range(1, 7)]
    kept = json.loads((study.results / "fits.json").read_text(encoding="utf-8"))
    assert {one["label"] for one in kept} == {job.label for job in jobs(smoke=True)}


def test_printed_values_are_the_starts_of_the_fits():
    """Central values stand twice, here and in the files."""
    for name, row in TABLES.items():
        parameters = Job(name, name, INTERACTIONS[0]).load().parameters
        starts = {p.name: p.start * p.factor for p in parameters}
        assert {key: value.value * value.size for key, value in row.values.items()} == pytest.approx(starts)


def test_variants_are_of_known_fits():
    found = variants()
    assert {name for _, name, _ in found} <= set(TABLES)
    assert len({label for label, _, _ in found}) == len(found)
    for label, name, overrides in found:
        changed, plain = (Job(label, name, INTERACTIONS[0], more).load() for more in (overrides, ()))
        assert changed.fit.data != plain.fit.data, label


def test_the_full_mode_draws_every_posterior_of_the_first_model():
    sampled = {(job.label, job.interactions) for job in jobs(smoke=False) if job.sampled}
    assert {(name, INTERACTIONS[0]) for name in TABLES} <= sampled
    assert ("proton-iii-fixed", INTERACTIONS[1]) not in sampled


def test_points_keep_their_particles():
    """AMS-02 in rigidity: J(E) dE = J(R) dR, and E^2 = R^2 + m^2 for protons."""
    m, p = load("ams02-h-rigidity"), points("ams02-h-rigidity")
    energy = np.hypot(m.x, 0.9382720885)
    assert p.energy == pytest.approx(energy, rel=1e-9)
    assert p.value == pytest.approx(m.y * (energy / m.x) * energy**2.75, rel=1e-9)


def test_pulls_take_the_error_towards_the_model():
    config = load_spectra(RUNS / "proton-i.toml").config
    p = points(LHAASO)
    off = p.value - curve(config, p.energy, "H")
    expected = off / np.where(off > 0, p.minus, p.plus)
    assert pulls(config, LHAASO, "H") == pytest.approx(expected)
    assert pulls(config, LHAASO, "H", above=5e6) == pytest.approx(expected[p.energy > 5e6])


def test_ratio_at_the_same_bins_is_the_plain_one():
    p, he = points(LHAASO), points("lhaaso-epos-lhc-he-total-energy")
    found = ratio("lhaaso-epos-lhc-{}-total-energy")
    assert found.energy == pytest.approx(he.energy)
    assert found.value == pytest.approx(p.value / he.value, rel=1e-3)


def test_posterior_of_the_second_component():
    """Nearly normal: the median is the minimum, the interval that of Minos."""
    fit = run(Job("II", "proton-ii", "epos-lhc", sampled=True))
    assert fit.quantiles is not None
    assert fit.quantiles[0] == pytest.approx(fit.best, rel=0.01)
    for name, lower in zip(fit.names, fit.lower, strict=True):
        assert fit.value(name)[1] == pytest.approx(-lower, rel=0.15)
    good, bad = inside("proton-ii", fit)
    assert (len(good), len(bad)) == (3, 0)


def test_without_printed_errors_ours_count():
    value = TABLES["helium-i"].values["A2"]
    assert limits(value, 700.0, 600.0) == (20900.0, 22200.0)
