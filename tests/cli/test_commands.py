"""The commands with good input, in this process."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff.cli import main


@pytest.fixture
def call(tiny):
    def invoke(*arguments, status=0):
        answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert answer.exit_code == status, answer.output
        return answer

    return invoke


class TestRun:
    def test_default_output_and_summary(self, call, tmp_path):
        answer = call("run", "tiny.toml")
        assert (tmp_path / "tiny.nc").is_file()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.nc", "tiny.toml"]
        for part in (
            "tiny: 4 nuclides on 31 energies x 8 r x 8 z", "solver steps", "residual", "balance",
            "ams02-h-rigidity", "chi2", "tiny.nc written after",
        ):  # fmt: skip
            assert part in answer.stdout

    def test_output_and_overrides(self, call, tmp_path):
        (tmp_path / "out").mkdir()
        call("run", "tiny.toml", "-o", "out/a.nc", "--set", "run.name=other", "--set", "species.max_z=2",
             "--set", "physics.modulation.potential=300 MV")  # fmt: skip
        with xr.open_dataset(tmp_path / "out" / "a.nc") as result:
            assert list(result["species"].values) == ["H1", "He4"]
            assert result.attrs["title"] == "cyldiff run other"
            assert tomllib.loads(result.attrs["config"])["physics"]["modulation"]["potential"] == "300 MV"

    def test_an_older_result_is_replaced(self, call, tmp_path):
        (tmp_path / "tiny.nc").write_text("old")
        call("run", "tiny.toml")
        with xr.open_dataset(tmp_path / "tiny.nc") as result:
            assert "flux_lis" in result

    def test_a_link_is_followed(self, call, tmp_path):
        (tmp_path / "store").mkdir()
        (tmp_path / "tiny.nc").symlink_to(tmp_path / "store" / "real.nc")
        call("run", "tiny.toml")
        assert (tmp_path / "tiny.nc").is_symlink()
        assert (tmp_path / "store" / "real.nc").stat().st_size > 1000

    def test_a_run_in_time_is_compared_and_drawn_at_its_end(self, call, tmp_path):
        call("run", "tiny.toml", "-o", "steady.nc", "--set", 'species.include=["H1"]')
        answer = call(
            "run", "tiny.toml", "--set", 'species.include=["H1"]', "--set", "solver.kind=crank-nicolson",
            "--set", 'solver.time={times=["1 Myr", "2 Gyr"], tolerance=1e-2}',
        )  # fmt: skip
        assert "ams02-h-rigidity" in answer.stdout
        call("plot", "tiny.nc", "spectrum:H", "-o", "a.png")
        with (
            xr.open_dataset(tmp_path / "tiny.nc") as result,
            xr.open_dataset(tmp_path / "steady.nc") as steady,
        ):
            assert result.sizes["time"] == 2
            last = result["flux_lis"].isel(time=-1).values
            assert last == pytest.approx(steady["flux_lis"].values, rel=0.02)


class TestCheck:
    def test_values_and_origins(self, call):
        answer = call("check", "tiny.toml", "--set", "physics.diffusion.eta=-1")
        assert answer.stdout.rstrip().endswith("tiny.toml: valid")
        lines = [" ".join(line.split()) for line in answer.stdout.splitlines()]
        for line in (
            "eta -1 [--set]", "n 8 [tiny.toml]", "radius 20 kpc [example-plain-diffusion]",
            "maximum_cycles 40 [default]", "geometry cylindrical [fit-2d]",
        ):  # fmt: skip
            assert line in lines

    def test_nothing_is_written(self, call, tmp_path):
        call("check", "tiny.toml")
        assert [p.name for p in tmp_path.iterdir()] == ["tiny.toml"]

    def test_as_toml_it_runs_again(self, call, tmp_path):
        (tmp_path / "full.toml").write_text(call("check", "tiny.toml", "--toml").stdout)
        again = call("check", "full.toml", "--toml").stdout
        assert again == (tmp_path / "full.toml").read_text()
        assert "use =" not in again


class TestOthers:
    def test_explain(self, call):
        assert "physics.diffusion.D0" in call("explain", "diffusion.D0").stdout
        assert 'did you mean "delta"' in call("explain", "deltta", status=2).stderr
        assert 'did you mean "diffusion.D0"?' in call("explain", "difusion.D0", status=2).stderr
        known = call("explain", "physics.halo.height", status=2).stderr
        assert 'did you mean "physics.halo.half_height"?' in known

    def test_list(self, call):
        parts = {line.split()[0]: line.split()[1] for line in call("list").stdout.splitlines()}
        assert parts["runs"] == str(len(call("list", "runs").stdout.splitlines()) - 1)
        assert parts["data"] == str(len(call("list", "data").stdout.splitlines()) - 1)
        assert parts["species"] == "89"
        everything = call("list", "all").stdout
        assert all(f"{part}:\n" in everything for part in parts if part != "part")
        assert "nie-2026" in call("list", "models").stdout
        assert 'did you mean "grids"' in call("list", "grid", status=2).stderr

    def test_copy(self, call, tmp_path):
        assert "quickstart.toml written" in call("copy", "quickstart").stdout
        assert "valid" in call("check", "quickstart.toml").stdout
        assert "quickstart.toml exists; use --force" in call("copy", "quickstart", status=2).stderr
        call("copy", "quickstart", "--force")
        call("copy", "models/nie-2026", "-o", "my-model.toml")
        assert (tmp_path / "my-model.toml").read_text().count("[source]") == 1
        (tmp_path / "grids").mkdir()
        call("copy", "galaxy-2d-coarse", "-o", "grids")
        assert (tmp_path / "grids" / "galaxy-2d-coarse.toml").is_file()

    def test_copy_of_a_single_source(self, call):
        call("copy", "ss433-hadronic", "-o", "mine.toml")
        assert call("source", "mine.toml").stdout.startswith("energy")

    def test_a_name_of_another_part_of_the_library(self, call):
        said = call("run", "nie-2026-microquasars", status=2).stderr
        assert said.rstrip().endswith("it is in that of catalogues")

    def test_a_result_where_a_config_is_expected(self, call, tmp_path):
        (tmp_path / "old.nc").write_bytes(b"\x89HDF\r\n\x1a\n\x00\xff")
        for command in (("run",), ("tune", "-o", "fit"), ("check",)):
            said = call(command[0], "old.nc", *command[1:], status=2).stderr
            assert "is a NetCDF file, not a TOML file" in said
            assert "cyldiff info" in said

    def test_copy_of_what_is_not_there(self, call):
        assert (
            'no run, population, spectra, model, catalogue, emission or grid "quikstart"; did you mean "quickstart"?'
            in call("copy", "quikstart", status=2).stderr
        )

    def test_copy_into_nowhere(self, call):
        assert (
            'folder "no" does not exist' in call("copy", "quickstart", "-o", "no/where.toml", status=2).stderr
        )

    def test_copy_onto_a_full_disk(self, tmp_path):
        """The file that is there stays as it is, and nothing half-written lies beside it."""
        (tmp_path / "quickstart.toml").write_text("mine")
        code = (
            "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
            "from cyldiff.cli import main; main(['copy', 'quickstart', '--force'])"
        )
        answer = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 2
        assert "cannot be written" in answer.stderr
        assert [p.name for p in tmp_path.iterdir()] == ["quickstart.toml"]
        assert (tmp_path / "quickstart.toml").read_text() == "mine"

    def test_copy_of_an_ambiguous_name(self, call, tmp_path, monkeypatch):
        place = tmp_path / "library"
        place.mkdir()
        (place / "twin.toml").write_text("schema = 1\n[run]\nname = 'a'\n[space]\n")
        monkeypatch.setenv("CYLDIFF_PATH", str(place))
        assert (
            '"twin" is ambiguous; write one of runs/twin, grids/twin' in call("copy", "twin", status=2).stderr
        )
        call("copy", "grids/twin")

    def test_benchmark_of_an_unknown_case(self, call):
        assert "no case" in call("benchmark", "full chian, 1e-4", status=2).stderr


class TestPlot:
    @pytest.fixture
    def result(self, call):
        call("run", "tiny.toml", "--set", "physics.modulation.by_experiment.AMS-02=400 MV")
        return "tiny.nc"

    def test_a_figure(self, call, result, tmp_path):
        assert "p.png written" in call("plot", result, "spectrum:H", "-o", "p.png").stdout
        assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
        call("plot", result, "B/C", "-o", "bc.pdf", "--potential", "500 MV", "--data", "ams02-b-c-rigidity")
        assert (tmp_path / "bc.pdf").read_bytes().startswith(b"%PDF")

    def test_the_modulation_is_that_of_the_run(self, result):
        from pathlib import Path

        from cyldiff.cli import _modulation
        from cyldiff.io.netcdf import read_result

        dataset = read_result(Path(result))
        law = _modulation(dataset)
        assert (law.potential_for("AMS-02"), law.potential_for("DAMPE")) == (0.4, 0.6)
        assert _modulation(dataset.assign_attrs(config="")) == 0.6

    @pytest.mark.parametrize(
        ("arguments", "part"),
        [
            (("tiny.nc", "B/Q", "-o", "a.png"), "Q"),
            (("none.nc", "B/C", "-o", "a.png"), "none.nc: no such file"),
            (("tiny.toml", "B/C", "-o", "a.png"), "not a readable NetCDF file"),
            ((".", "B/C", "-o", "a.png"), "is a folder"),
            (("tiny.nc", "B/C", "-o", "no/a.png"), 'folder "no" does not exist'),
            (("tiny.nc", "B/C", "-o", "a.jpg"), '"jpg" unknown'),
            (("tiny.nc", "B/C", "-o", "tiny.nc"), "is an input of this run"),
            (("tiny.nc", "B/C", "-o", "a.png", "--potential", "600"), '--potential: "600" has no unit'),
            (("tiny.nc", "B/C", "-o", "a.png", "--potential", "-600 MV"), "expected at least 0 MV"),
            (("tiny.nc", "B/C", "-o", "a.png", "--data", "nothing"), '"nothing" unknown'),
        ],
    )
    def test_bad_input(self, call, result, arguments, part, tmp_path):
        answer = call("plot", *arguments, status=2)
        assert part in answer.stderr
        assert not list(tmp_path.glob("a.*"))
        with xr.open_dataset(tmp_path / "tiny.nc") as untouched:
            assert "flux_lis" in untouched


class TestHelp:
    @pytest.mark.parametrize("command", [(), *((name,) for name in main.commands)], ids=" ".join)
    def test_it_is_complete(self, call, command):
        text = call(*command, "--help").stdout
        assert "Usage:" in text
        assert "..." not in text.split("\n", 1)[1], "a sentence is cut off"
        assert max(map(len, text.splitlines())) <= 80

    def test_an_unknown_command(self, call):
        assert 'no command "chek"; did you mean "check"?' in call("chek", status=2).stderr
        assert 'no command "zzz"; known: run, check, explain' in call("zzz", status=2).stderr

    def test_version(self, call):
        assert call("--version").stdout.startswith("cyldiff, version 0.")
