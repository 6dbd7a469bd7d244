"""What surrounds a program and is no input of it: full or closed streams, a folder that is gone, a user's library."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.data.seds import available_seds


def shell(command, folder, **environment):
    """Run a shell line in which CYLDIFF is the program; status, output and messages."""
    line = command.replace("CYLDIFF", f'"{sys.executable}" -m cyldiff')
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
class TestStreams:
    def test_an_output_that_is_full(self, tmp_path):
        status, _, message = shell("CYLDIFF list runs > /dev/full", tmp_path)
        assert status == 2
        assert message == "standard output: cannot be used (No space left on device)\n"

    def test_messages_that_nobody_takes(self, tmp_path):
        assert shell("CYLDIFF run none.toml 2> /dev/full", tmp_path)[0] == 2

    @pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
    def test_a_stream_that_is_closed(self, tmp_path, closed):
        assert shell(f"CYLDIFF explain D0 {closed}", tmp_path)[0] == 0


@pytest.mark.skipif(os.name != "posix", reason="removes the current folder")
def test_a_folder_that_is_gone(tmp_path):
    status, _, message = shell('mkdir gone; cd gone; rmdir "$PWD"; CYLDIFF check quickstart', tmp_path)
    assert status in (0, 2)
    if status == 2:
        assert "No such file or directory" in message


@pytest.mark.parametrize("threads", ["0", "-1", "two"])
def test_threads_that_are_no_number(monkeypatch, threads):
    monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
    answer = CliRunner().invoke(main, ["list", "runs"], catch_exceptions=False)
    assert answer.exit_code == 2
    assert "NUMBA_NUM_THREADS" in answer.stderr


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A library of the user in which everything is broken."""
    library = tmp_path / "own"
    library.mkdir()
    (library / "broken.toml").write_text("x = [")
    (library / "table.csv").write_text("a,b\n1,2\n")
    (library / "table.source.toml").write_text("quantity = [")
    (library / "folder.toml").mkdir()
    os.mkfifo(library / "pipe.toml")
    os.mkfifo(library / "pipe.ecsv")
    (library / "bytes.toml").write_bytes(bytes(range(256)))
    paths = [library, tmp_path / "nowhere", "/dev/null", tmp_path / "own" / "table.csv", ""]
    monkeypatch.setenv("CYLDIFF_PATH", os.pathsep.join(map(str, paths)))
    return library


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("check", "quickstart"),
        ("check", "example"),
        ("source", "v4641-sgr-hadronic"),
        ("explain", "D0"),
    ],
)
def test_a_library_that_is_broken_hurts_nobody_else(own, arguments):
    """Files that are not asked for are passed over."""
    answer = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize("name", ["broken", "pipe", "folder.toml", "bytes"])
def test_what_is_asked_for_in_it_is_refused(own, name):
    answer = CliRunner().invoke(main, ["check", name], catch_exceptions=False)
    assert answer.exit_code == 2
    assert "problem" in answer.stderr


def test_points_of_a_broken_library(own):
    assert "table" not in available_seds()
