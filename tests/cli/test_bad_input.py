"""Bad input from the command line: status 2, one message, no traceback, soon, before any solving."""

from __future__ import annotations

import os

import pytest
from click.testing import CliRunner

from cyldiff import pipeline
from cyldiff.cli import main


@pytest.fixture
def refused(tiny, monkeypatch):
    """Run the program where solving is impossible; return what it says."""

    def no_solving(*args, **kwargs):
        raise AssertionError("bad input must be refused before anything is solved")

    monkeypatch.setattr(pipeline, "solve", no_solving)

    def call(*arguments):
        answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert answer.exit_code == 2, answer.output
        assert answer.stdout == ""
        assert "Traceback" not in answer.stderr
        return answer.stderr

    return call


class TestConfig:
    @pytest.mark.parametrize("command", ["run", "check"])
    def test_all_problems_in_one_message(self, refused, tiny, command):
        text = refused(
            command, "tiny.toml", "--set", "grid.nz=3", "--set", "physics.diffusion.D0=-1 cm^2/s",
            "--set", 'species.include=["H1","Fee56"]', "--set", "solver.kind=stedy",
        )  # fmt: skip
        lines = text.splitlines()
        assert lines[0] == "tiny.toml: 4 problems"
        assert {line.split()[0] for line in lines[1:]} == {
            "solver.kind", "grid.nz", "physics.diffusion.D0", "species.include[1]",
        }  # fmt: skip

    @pytest.mark.parametrize("command", ["run", "check"])
    def test_a_table_outside_its_range(self, refused, command):
        text = refused(
            command, "tiny.toml", "--set", "physics.spallation.extrapolation=refuse",
            "--set", "grid.momentum.min=10 MeV",
        )  # fmt: skip
        assert "physics.spallation" in text
        assert "asked for 0.01 to 10000" in text

    @pytest.mark.parametrize("command", ["run", "check"])
    def test_files(self, refused, tmp_path, command):
        (tmp_path / "binary.toml").write_bytes(bytes(range(256)))
        (tmp_path / "broken.toml").write_text("schema = ")
        (tmp_path / "folder.toml").mkdir()
        for name, part in (
            ("none.toml", "no file"),
            ("quikstart", 'did you mean "quickstart"?'),
            ("binary.toml", "is not a text file in UTF-8"),
            ("broken.toml", "is not valid TOML"),
            ("folder.toml", "is a folder"),
            (".", "is a folder"),
            ("", "not in the library"),
        ):
            text = refused(command, name)
            assert part in text
            assert "1 problem" in text

    def test_a_result_is_no_config(self, refused, tmp_path):
        (tmp_path / "old.nc").write_bytes(b"\x89HDF\r\n\x1a\n\x00")
        assert "is a NetCDF file, not a TOML file" in refused("run", "old.nc")


class TestOutput:
    def test_with_the_problems_of_the_config(self, refused):
        text = refused("run", "tiny.toml", "-o", "no/where.nc", "--set", "solver.kind=stedy")
        assert text.startswith("tiny.toml: 2 problems\n")
        assert 'folder "no" does not exist' in text
        assert "solver.kind" in text

    def test_with_an_unreadable_config(self, refused):
        text = refused("run", "none.toml", "-o", "no/where.nc")
        assert "none.toml: 2 problems" in text

    def test_a_folder(self, refused, tmp_path):
        (tmp_path / "out").mkdir()
        assert '--output  "out" is a folder' in refused("run", "tiny.toml", "-o", "out")

    def test_a_folder_of_the_default_name(self, refused, tmp_path):
        (tmp_path / "tiny.nc").mkdir()
        assert '"tiny.nc" is a folder' in refused("run", "tiny.toml")

    def test_below_a_file(self, refused, tmp_path):
        (tmp_path / "file").touch()
        assert "file" in refused("run", "tiny.toml", "-o", "file/a.nc")

    def test_the_config_itself(self, refused, tiny):
        before = tiny.read_text()
        assert "is an input of this run" in refused("run", "tiny.toml", "-o", "./tiny.toml")
        assert "is an input of this run" in refused("run", "tiny.toml", "-o", "tiny.toml", "--set", "grid=3")
        assert tiny.read_text() == before

    def test_a_grid_file_of_the_run(self, refused, tmp_path):
        text = CliRunner().invoke(main, ["copy", "fit-2d", "-o", "grid.toml"])
        assert text.exit_code == 0
        assert "is an input of this run" in refused(
            "run", "tiny.toml", "--set", "grid.use=./grid.toml", "-o", "grid.toml"
        )

    def test_a_device(self, refused):
        assert "is not a regular file" in refused("run", "tiny.toml", "-o", "/dev/null")

    def test_a_name_too_long_or_impossible(self, refused):
        assert "cannot be written" in refused("run", "tiny.toml", "-o", "x" * 300)
        assert "cannot be written" in refused("run", "tiny.toml", "-o", "x" * 250 + ".nc")

    @pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder nobody may write to")
    def test_a_folder_that_may_not_be_written_to(self, refused):
        assert "cannot be written" in refused("run", "tiny.toml", "-o", "/proc/self/a.nc")

    @pytest.mark.skipif(os.getuid() == 0, reason="the superuser may write anywhere")
    def test_a_folder_without_permission(self, refused, tmp_path):
        (tmp_path / "locked").mkdir(mode=0o500)
        assert "Permission denied" in refused("run", "tiny.toml", "-o", "locked/a.nc")

    def test_nothing_is_left_behind(self, refused, tmp_path):
        refused("run", "tiny.toml", "-o", "a.nc", "--set", "solver.kind=x")
        assert [p.name for p in tmp_path.iterdir()] == ["tiny.toml"]


def test_config_and_output_are_refused_in_one_message(cyldiff, tiny):
    """How fast is not a test; that the compiler is not even loaded is one, in test_start."""
    answer = cyldiff("run", "tiny.toml", "-o", "no/where.nc", "--set", "physics.diffusion.D0=4e28 kg")
    assert answer.returncode == 2
    assert answer.stderr.startswith("tiny.toml: 2 problems\n")


def test_a_terminal_without_superscripts(cyldiff, tiny):
    answer = cyldiff("run", "tiny.toml", "--set", "physics.diffusion.D0=4", PYTHONIOENCODING="iso8859-5")
    assert answer.returncode == 2
    assert "expected length?/time" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_no_permission_to_read(cyldiff, tiny):
    """As somebody who may not read the file, if the tests run as the superuser."""
    tiny.chmod(0o000)
    drop = (
        "import os, cyldiff.config.load, cyldiff.config.show; from cyldiff.cli import main; "
        "os.getuid() or os.setuid(65534); main()"
    )
    answer = cyldiff("check", tiny, program=drop)
    assert answer.returncode == 2
    assert "may not be read (permissions)" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_reader_that_goes_away(cyldiff, tiny):
    """`cyldiff list | head -1` is no reason for a traceback."""
    program = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'cyldiff', 'list'], "
        "stdout=subprocess.PIPE, stderr=subprocess.PIPE); p.stdout.readline(); p.stdout.close(); "
        "print(p.stderr.read().decode())"
    )
    answer = cyldiff(program=program)
    assert "Traceback" not in answer.stdout
    assert "Exception" not in answer.stdout
