"""The rerun of Nie et al. 2026 in smoke mode, and the steps it is made of."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.galaxy.xray_binaries import load_binaries
from cyldiff.papers.nie_2026.binaries import NAMED, in_box, region
from cyldiff.papers.nie_2026.escape import needed_energy
from cyldiff.papers.nie_2026.nuclei import all_particles, with_nuclei
from cyldiff.papers.reproduce import reproduce
from cyldiff.sources.catalogue_file import load_catalogue


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return reproduce("nie-2026", tmp_path_factory.mktemp("nie"), smoke=True, processes=1)


def verdict(study, start):
    found = [item for item in study.items if item.item.startswith(start)]
    assert len(found) == 1, [item.item for item in study.items]
    return found[0]


class TestSmoke:
    def test_files(self, study):
        names = {path.name for path in study.out.iterdir()}
        figures = {
            f"{name}.png"
            for name in ("fig1", "fig2", "fig3", "fig4-5", "fig6", "fig7", "fig8", "fig9", "fig10")
        }
        assert figures | {"halo.png", "table.csv", "report.md"} <= names
        with (study.out / "table.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == len(study.items)
        assert {row["verdict"] for row in rows} <= {"pass", "fail", "open"}

    def test_amplitude_of_the_printed_fit(self, study):
        item = verdict(study, "Section 3: amplitude")
        assert item.verdict == "pass"
        assert float(item.ours) == pytest.approx(2.68e-3, rel=1e-3)

    @pytest.mark.parametrize("kernel", ["free space", "halo"])
    @pytest.mark.parametrize(
        ("name", "below"),
        [("GRS 1915+105", True), ("MAXI J1820+070", True), ("SS 433", True), ("V4641 Sgr", False)],
    )
    def test_known_microquasars(self, study, name, below, kernel):
        """Model over data at 1 PeV, worked out independently for the free space: 3.6e-4, 1.1e-3, 0, 2.2e-2."""
        item = verdict(study, f"Fig. 3: {name} at Earth over LHAASO protons, 1 PeV, {kernel}")
        assert item.verdict == ("pass" if below else "fail")
        expected = {"GRS 1915+105": 3.6e-4, "MAXI J1820+070": 1.1e-3, "SS 433": 0.0, "V4641 Sgr": 2.2e-2}[
            name
        ]
        if kernel == "free space":
            assert float(item.ours) == pytest.approx(expected, rel=0.1, abs=1e-9)

    def test_the_posterior_is_left_open(self, study):
        for name in ("l [deg]", "distance [kpc]", "age [Myr]"):
            item = verdict(study, f"Fig. 7: {name}")
            assert item.verdict == "open"
            assert "not printed" in item.note
        assert verdict(study, "Fig. 7: the longitudes").verdict == "pass"

    def test_candidates(self, study):
        assert verdict(study, "Fig. 10: candidates within the printed errors").verdict == "pass"

    def test_energies(self, study):
        """Independent numbers for D at R0 = 1 GV: 2.9e52 erg in free space, 2.0e54 erg with the halo."""
        free, halo = (
            float(verdict(study, f"Energy per ln E at 1 PeV of the printed best fit, {words}").ours)
            for words in ("in free space", "with the halo")
        )
        assert free == pytest.approx(2.9e52, rel=0.15)
        assert halo == pytest.approx(2.0e54, rel=0.15)

    def test_the_fit_with_the_halo_is_nearer_and_younger(self, study):
        distance = float(verdict(study, "Joint fit with the halo: distance").ours.split()[0])
        age = float(verdict(study, "Joint fit with the halo: age").ours.split()[0])
        assert 0.5 < distance < 2.0
        assert 0.7 < age < 2.5


class TestSteps:
    def test_energy_of_a_burst_in_free_space(self):
        """J = (c / 4 pi) q (4 pi D t)^(-3/2) exp(-d^2 / 4 D t), solved for q by hand."""
        D, ratio, age, flux = 10.0, 0.5, np.array([0.1, 1.0, 5.0]), 1e-12
        found = needed_energy(flux, ratio, diffusion=D, half_height=4.5, age=age)
        d = ratio * age
        per_volume = 4.0 * np.pi * flux * 1e-4 / 2.99792458e10
        volume = (4.0 * np.pi * D * age) ** 1.5 * const.KPC_CM**3 * np.exp(d**2 / (4.0 * D * age))
        expected = 1e12 * per_volume * volume / const.ERG_GEV
        assert found.distance == pytest.approx(d)
        assert found.energy["free"] == pytest.approx(expected, rel=1e-6)

    def test_the_halo_asks_for_more_when_it_has_emptied(self):
        found = needed_energy(1e-12, 0.5, diffusion=10.0, half_height=4.5, age=np.array([0.02, 4.82]))
        factor = found.energy["halo"] / found.energy["free"]
        assert factor[0] == pytest.approx(1.0, abs=1e-6)
        s = 10.0 * 4.82
        k = np.arange(1, 200, 2) * np.pi / 9.0
        expected = 1.0 / (np.sqrt(4.0 * np.pi * s) * np.sum(np.exp(-(k**2) * s)) / 4.5)
        assert factor[1] == pytest.approx(expected, rel=1e-9)

    def test_contours_hold_their_share(self):
        generator = np.random.default_rng(1)
        l = generator.normal(-170.0, 15.0, 4000)  # noqa: E741
        d = generator.normal(3.0, 0.3, 4000)
        found = region((l + 180.0) % 360.0 - 180.0, d)
        inside = [found.inside(l, d, which).mean() for which in (0, 1)]
        assert inside == pytest.approx([0.683, 0.954], abs=0.02)
        assert found.inside(np.array([190.0]), np.array([3.0]), 0)[0]
        assert not found.inside(np.array([10.0]), np.array([3.0]), 1)[0]

    def test_the_printed_box_goes_round_the_circle(self):
        one = SimpleNamespace(
            longitude=np.array([338.0, 20.0, 25.0, 338.0, 338.0]),
            latitude=np.array([0.0, 0.0, 0.0, 6.0, 0.0]),
            distance=np.array([2.6, 2.6, 2.6, 2.6, 3.2]),
        )
        assert in_box(one).tolist() == [True, True, False, False, False]
        printed = {str(n) for b in map(load_binaries, ("hmxb", "lmxb")) for n in b.name[in_box(b)]}
        assert set(NAMED) <= printed

    def test_nuclei_leave_the_protons_alone(self):
        source = load_catalogue("local-snr").sources[0]
        abundances = {"H1": 1.0e6, "He4": 9.9e4, "C12": 3.0e3, "Fe56": 7.0e2}
        mixed = with_nuclei(source, abundances)
        assert mixed.species["He4"] == source.species["He4"]
        assert mixed.species["C12"] == pytest.approx(3.0e-3 * 2.0 ** (source.spectrum.index - 1.0))
        before = source.history.energy * source.shares()["H1"]
        assert mixed.history.energy * mixed.shares()["H1"] == pytest.approx(before, rel=1e-12)

    def test_all_particles(self):
        data = all_particles()
        at = np.argmin(np.abs(data.x - 1e6))
        assert data.y[at] * data.x[at] ** 2.7 == pytest.approx(5e4, rel=0.2)
