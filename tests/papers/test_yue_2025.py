"""Yue et al. 2025: the smoke mode, and the shortcut of the fit against solves."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from cyldiff import pipeline
from cyldiff.fit.load import load_fit
from cyldiff.fit.point_sources import catalogue_of
from cyldiff.fit.varied import with_values
from cyldiff.papers.reproduce import reproduce
from cyldiff.papers.study import COLUMNS
from cyldiff.papers.yue_2025.protons import FIT, ProtonModel, injected, smooth_run
from cyldiff.papers.yue_2025.rerun import COARSE


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return reproduce("yue-2025", tmp_path_factory.mktemp("yue"), smoke=True)


def item(study, start):
    (found,) = [one for one in study.items if one.item.startswith(start)]
    return found


class TestSmoke:
    def test_it_leaves_its_files(self, study):
        with (study.out / "table.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert tuple(rows[0]) == COLUMNS
        assert len(rows) == len(study.items)
        assert [name for name, _ in study.figures] == [f"fig{n}" for n in range(1, 7)]
        assert all((study.out / f"{name}.png").stat().st_size > 20_000 for name, _ in study.figures)
        assert (study.results / "xrb-distribution.txt").stat().st_size > 5_000

    @pytest.mark.parametrize(
        "start",
        [
            "high-mass", "low-mass", "Table 2 from Table 1", "c (Eq. 4", "error of c", "rho_0 (Eq. 4", "a (Eq. 7)",
            "R1 (Eq. 7)", "B/C, model / AMS-02", "B/C, rms", "protons, rms deviation from AMS-02",
            "protons, rms deviation from DAMPE",
            "phase at 10 TeV", "phase at 1 PeV", "energy where the phase turns", "X-ray binaries in the inner",
            "X-ray binaries in the outer",
        ],
    )  # fmt: skip
    def test_what_passes_at_any_resolution(self, study, start):
        assert item(study, start).verdict == "pass"

    def test_the_numbers_of_the_tables(self, study):
        """c = 0.268, rho_0 = 4.77, (a, R1) = (-5.3, 9.6), which do not depend on the mode."""
        assert float(item(study, "c (Eq. 4").ours) == pytest.approx(0.268, abs=0.002)
        assert float(item(study, "rho_0").ours) == pytest.approx(4.77, abs=0.01)
        assert float(item(study, "a (Eq. 7)").ours) == pytest.approx(-5.3, abs=0.02)
        assert float(item(study, "R1 (Eq. 7)").ours) == pytest.approx(9.6, abs=0.02)

    def test_the_amplitude_of_eq_7_is_not_reproduced(self, study):
        assert item(study, "A (Eq. 7)").verdict == "fail"
        assert "51 times" in item(study, "A (Eq. 7)").note

    def test_what_the_paper_leaves_open_is_open(self, study):
        unknown = (
            "R0 of D0",
            "index of the remnants",
            "index of the X-ray",
            "q0:",
            "gamma of",
            "R_c of",
            "dip of",
        )
        assert {item(study, start).verdict for start in unknown} == {"open"}

    def test_values_and_errors_of_the_fit(self, study):
        """Single power laws of the paper's group lie here; errors are positive and small."""
        value, error = map(float, item(study, "index of the remnants").ours.split(" ± "))
        assert 2.3 < value < 2.5
        assert 0.0 < error < 0.1
        value, error = map(float, item(study, "index of the X-ray binaries").ours.split(" ± "))
        assert 1.5 < value < 2.2
        assert 0.0 < error < 0.2


@pytest.fixture(scope="module")
def solved():
    fit = load_fit(FIT, COARSE)
    moved = {"snr_index": 2.44, "xrb_index": 2.0, "snr_flux": 0.04, "xrb_flux": 6e-13, "local_energy": 1e53,
             "local_index": 2.2, "local_cutoff": 4e4}  # fmt: skip
    values = [moved[p.name] for p in fit.parameters]
    changed = with_values(fit.run, fit.parameters, values, "test")
    return fit, values, *(pipeline.run(smooth_run(run)) for run in (fit.run, changed))


class TestShortcut:
    """Scaled by what is injected, against the same solved."""

    def test_flux_of_the_grid(self, solved):
        """Steps of 0.04 and 0.2 in the indices: within 2 %, and 0.5 % above 100 GeV."""
        fit, values, start, truth = solved
        energy = start["kinetic_energy"].values
        model = ProtonModel(fit.parameters, fit.run.config, start, np.zeros_like(energy))
        flux = model.predict(values).flux[0]
        expected = truth["flux_lis"].sel(species="H1").values
        use = (energy > 20.0) & (energy < 3e7)
        assert flux[use] == pytest.approx(expected[use], rel=0.02)
        use &= energy > 100.0
        assert flux[use] == pytest.approx(expected[use], rel=0.005)

    def test_the_local_source_is_linear(self, solved):
        fit, values, start, _ = solved
        energy = start["kinetic_energy"].values
        transfer = energy**-0.3
        model = ProtonModel(fit.parameters, fit.run.config, start, transfer)
        none = replace(model, transfer=np.zeros_like(energy))
        moved = catalogue_of(model.config(values))
        row = moved.sources[0]
        assert (row.spectrum.index, row.spectrum.cutoff, row.history.energy) == (2.2, 4e4, 1e53)
        number = injected(moved, fit.run.config, energy)
        added = model.predict(values).flux[0] - none.predict(values).flux[0]
        use = energy < 1e6
        assert added[use] == pytest.approx((transfer * number)[use], rel=1e-6)
        # protons alone carry the energy, above 1 GeV: what is above 10 GeV is less
        assert 0.5e53 < np.trapezoid(energy**2 * number, np.log(energy)) < 1e53
