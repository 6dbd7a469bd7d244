"""``cyldiff sources``: what it prints and writes, and how it says no."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import cyldiff as package
from cyldiff.cli import main
from cyldiff.sources import fluxes


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments, status=0):
    answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert answer.exit_code == status, answer.output
    return answer


def refused(*arguments):
    answer = call("sources", *arguments, status=2)
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr
    return answer.stderr


class TestDone:
    def test_file_and_table(self, here):
        text = call("sources", "example", "--model", "nie-2026", "-o", "s.nc").stdout
        lines = {line.split("  ")[0].strip(): line.split() for line in text.splitlines() if line}
        assert lines["burst"][1:4] == ["2.64", "4.82", "1e+50"]
        assert lines["active"][4] == "9.64e+36"
        assert "kernel halo, diffusion uniform" in text
        assert "s.nc written after" in text
        found = package.read_result(here / "s.nc")
        shown = found["flux_lis_total"].sel(species="H1").sel(kinetic_energy=1e4, method="nearest").item()
        assert float(lines["sum"][-2]) == pytest.approx(shown, rel=6e-3)
        share = [float(lines[name][5]) for name in ("burst", "active", "flaring")]
        assert sum(share) == pytest.approx(100.0, abs=0.2)

    def test_default_name_and_energies(self, here):
        call("sources", "local-snr", "--model", "nie-2026", "--energies", "1 TeV..1 PeV", "--per-decade", 4)
        found = package.read_result(here / "local-snr-sources.nc")
        np.testing.assert_allclose(found["kinetic_energy"].values[[0, -1]], [1e3, 1e6])
        assert found.sizes["kinetic_energy"] == 13

    def test_changes(self, here):
        call(
            "sources", "lhaaso-2024-microquasars", "--model", "nie-2026", "-o", "l.nc", "--kernel", "free",
            "--set", "defaults.age=1 Myr", "--set", 'source."SS 433".age=20 kyr',
            "--set", 'defaults.history={kind="constant",luminosity="1e39 erg/s"}',
            "--set", 'defaults.spectrum={kind="power-law",index=2.2,cutoff="5 PV"}',
            "--set", "physics.diffusion.D0=4e28 cm^2/s",
        )  # fmt: skip
        found = package.read_result(here / "l.nc")
        assert found.sizes["source"] == 12
        assert found["age"].sel(source="SS 433") == 0.02
        assert '"4e+28 cm^2/s"' in found.attrs["config"]
        assert found.attrs["kernel"] == "free"

    def test_with_the_model_of_a_result(self, tiny, here):
        call("run", "tiny.toml", "-o", "r.nc", "--set", "solver.grid_error.enabled=false")
        call("sources", "example", "--model", "r.nc", "-o", "s.nc")
        result, sources = package.read_result(here / "r.nc"), package.read_result(here / "s.nc")
        np.testing.assert_array_equal(result["kinetic_energy"], sources["kinetic_energy"])
        both = package.superpose(result, sources)
        assert both.sizes["component"] == 4
        call("sources", "example", "--model", "tiny.toml", "-o", "s2.nc")
        np.testing.assert_allclose(
            package.read_result(here / "s2.nc")["flux_lis"], sources["flux_lis"], rtol=1e-6
        )

    def test_library(self, here):
        for name in ("example", "lhaaso-2024-microquasars", "local-snr", "nie-2026-microquasars"):
            assert name in call("list", "catalogues").stdout
        call("copy", "lhaaso-2024-microquasars")
        call("copy", "catalogues/example", "-o", "mine.toml")
        assert (here / "lhaaso-2024-microquasars.ecsv").is_file()
        call("sources", "mine.toml", "--model", "nie-2026", "-o", "s.nc")

    def test_a_folder_of_the_user(self, here, monkeypatch):
        (here / "lib").mkdir()
        call("copy", "example", "-o", "lib/my-sources.toml")
        monkeypatch.setenv("CYLDIFF_PATH", str(here / "lib"))
        assert "my-sources" in call("list", "catalogues").stdout
        assert "my-sources" not in call("list", "models").stdout
        call("sources", "my-sources", "--model", "nie-2026", "-o", "s.nc")

    def test_figure(self, here):
        call("sources", "example", "--model", "nie-2026", "-o", "s.nc")
        for what in ("sources", "sources:He", "spectrum:H1"):
            call("plot", "s.nc", what, "-o", "f.png")
            assert (here / "f.png").stat().st_size > 10_000


class TestRefused:
    @pytest.fixture(autouse=True)
    def nothing_is_evaluated(self, here, monkeypatch):
        def no_work(*args, **kwargs):
            raise AssertionError("bad input must be refused before anything is evaluated")

        monkeypatch.setattr(fluxes, "source_fluxes", no_work)

    def test_everything_at_once(self, here):
        (here / "mine.toml").write_text(
            'schema = 1\n[[source]]\nname = "a"\nl = "1"\nb = "0 deg"\ndistance = "50 kpc"\n'
            'age = "-1 Myr"\nhistory = { kind = "burst", energy = "1e50 erg" }\n'
            'spectrum = { kind = "power-law", index = 2.0 }\n'
        )
        text = refused(
            "mine.toml", "--model", "nie-2027", "--kernel", "hallo", "--energies", "1..3 TeV",
            "-o", here / "no" / "x.nc", "--set", "age=1 Myr",
        )  # fmt: skip
        keys = [line.split("  ")[1] for line in text.splitlines()[1:]]
        assert keys == [
            "--kernel", "--model", "--set", 'source 1 ("a"), key l', 'source 1 ("a"), key age',
            'source 1 ("a"), key spectrum.cutoff', "--energies", "--output",
        ]  # fmt: skip
        assert list(here.iterdir()) == [here / "mine.toml"]

    def test_a_column_of_a_table(self, here):
        call("copy", "lhaaso-2024-microquasars", "-o", "mine.ecsv")
        text = (
            (here / "mine.ecsv").read_text().replace("unit: kpc, datatype: float64}", "datatype: float64}", 1)
        )
        (here / "mine.ecsv").write_text(text)
        said = refused("mine.ecsv", "--model", "nie-2026")
        assert 'source 1 ("SS 433"), column distance' in said
        assert 'source 12 ("V616 Mon"), column distance' in said
        assert "every source, column history" in said

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("exampel", "--model", "nie-2026"), 'did you mean "example"?'),
            (("example", "--model", "nie-2026", "--energies", "1 TeV"), "expected a range"),
            (("example", "--model", "nie-2026", "--energies", "2 TeV..1 TeV"), "expected a range that rises"),
            (("example", "--model", "nie-2026", "--energies", "1 kpc..1 TeV"), "expected energy"),
            (("example", "--model", "none.nc"), "no such file"),
            (("example", "--model", "nie-2026", "--set", "physics.diffusion.D=1"), "unknown key"),
            (("example",), "Missing option '--model'"),
        ],
    )
    def test_arguments(self, here, arguments, words):
        assert words in refused(*arguments)

    def test_it_does_not_overwrite_its_input(self, here):
        call("copy", "example")
        assert "is an input of this run" in refused(
            "example.toml", "--model", "nie-2026", "-o", "example.toml"
        )

    def test_the_same_population(self, here):
        text = refused("example", "--model", "nie-2026", "--set", "source.burst.name=SNR")
        assert 'source 1 ("SNR"), key name' in text
        assert 'is the component "snr" of the model already' in text


def test_no_closed_form(here):
    """Where D depends on the place, a closed form is used only if it is asked for by name, and the file says so."""
    call("sources", "local-snr", "--model", "yue-2025", "--kernel", "halo", "-o", "x.nc")
    assert package.read_result(here / "x.nc").attrs["diffusion"] == "that at the Sun, taken for all places"


def test_a_figure_of_something_else(here, tiny):
    call("run", "tiny.toml", "-o", "r.nc")
    text = call("plot", "r.nc", "sources", "-o", "f.png", status=2).stderr
    assert 'draws a file of "cyldiff sources"' in text


class TestCheck:
    def test_a_catalogue(self):
        text = call("check", "example").stdout
        assert "[source burst]" in text
        assert "4.82 Myr" in text
        assert "example: valid, 3 sources" in text
        assert "cyldiff sources example --model NAME" in text

    def test_objects_say_what_they_lack(self):
        text = call("check", "lhaaso-2024-microquasars").stdout
        assert "without age, history or spectrum" in text
        assert "SS 433" in text.splitlines()[-2]

    def test_as_toml_it_gives_the_same_sources(self, here):
        (here / "again.toml").write_text(call("check", "example", "--toml").stdout)
        before, after = (package.load_catalogue(name) for name in ("example", "again.toml"))
        assert before.sources == after.sources

    def test_what_is_wrong(self, here):
        (here / "bad.toml").write_text(
            'schema = 1\n[[source]]\nname = "a"\nl = "3"\nb = "1 deg"\nspeceis = 1\n'
        )
        answer = call("check", "bad.toml", status=2)
        assert "has no unit" in answer.stderr
        assert 'did you mean "species"' in answer.stderr or "did you mean species" in answer.stderr


class TestSpectrum:
    """The fluxes of sources as a table, their sum and each."""

    def test_table(self, here):
        call("sources", "example", "--model", "nie-2026", "-o", "s.nc")
        call("spectrum", "s.nc", "--species", "H1", "-o", "h.csv")
        found = package.read_result(here / "s.nc")
        header, *rows = (here / "h.csv").read_text().splitlines()
        assert header == "kinetic_energy_per_nucleon,H1,H1:burst,H1:active,H1:flaring"
        numbers = np.array([[float(x) for x in row.split(",")] for row in rows])
        np.testing.assert_allclose(numbers[:, 0], found["kinetic_energy"], rtol=1e-6)
        np.testing.assert_allclose(numbers[:, 1], found["flux_lis_total"].sel(species="H1"), rtol=1e-6)
        np.testing.assert_allclose(numbers[:, 2:].T, found["flux_lis"].sel(species="H1"), rtol=1e-6)
        call("export", "s.nc", "--format", "ecsv", "-o", "h.ecsv", "--species", "H1")
        assert "H1:burst" in (here / "h.ecsv").read_text()

    def test_only_at_the_sun(self, here):
        call("sources", "example", "--model", "nie-2026", "-o", "s.nc", "--energies", "1 TeV..1 PeV")
        text = call("spectrum", "s.nc", "--species", "H1", "--at", "x=1kpc y=0kpc z=0kpc", status=2).stderr
        assert "are those at the Sun" in text


def test_a_model_file_that_is_not_there():
    text = refused("example", "--model", "fit/best-fit.toml", "-o", "s.nc")
    assert '--model  no file "fit/best-fit.toml"' in text
    assert "physics.use" not in text
