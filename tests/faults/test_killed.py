"""Commands that are stopped at work: a short message, the status of the signal, no process and no file left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

from cyldiff import resources
from cyldiff.commands.base import reported

#: the program; it says when the function that is named is called, and that function takes its time
SLOW = """
import importlib, pathlib, sys, time
module, name = sys.argv.pop(1).split(":")
place = importlib.import_module(module)
true = getattr(place, name)

def slow(*given, **more):
    pathlib.Path("at-work").touch()
    time.sleep(600)
    return true(*given, **more)

setattr(place, name, slow)
from cyldiff.cli import main
main()
"""
SMALL = (
    "--realisations", "4", "--processes", "1", "--set", "energies.per_decade=2", "--set",
    'population.history_length="12 Myr"', "--set", 'population.rate="0.005 kyr^-1"',
)  # fmt: skip
#: command -> what is slow, arguments; a file or folder "out" is asked for
WORK = {
    "tune": ("cyldiff.fit.tune:tune", ("tune", "fit.toml", "-o", "out")),
    "sample": ("cyldiff.fit.sample:_minimum", ("sample", "fit.toml", "-o", "out")),
    "validate": ("cyldiff.validation.report:html_text", ("validate", "kinematics", "-o", "out")),
    "export": ("cyldiff.io.hermes:write_hermes", ("export", "small.nc", "--format", "hermes", "-o", "out.fits")),
    "population": ("cyldiff.io.netcdf:write_result", ("population", "pop.toml", *SMALL, "-o", "out.nc")),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, small_file):
    shutil.copyfile(resources.find("runs", "tuning/bc-ams02"), tmp_path / "fit.toml")
    shutil.copyfile(resources.find("populations", "papers/kaci-2025/population"), tmp_path / "pop.toml")
    os.link(small_file, tmp_path / "small.nc")
    return tmp_path


def stopped(folder, command, number):
    """Start a command, send a signal when it is at work; status, message, what is left."""
    slow, arguments = WORK[command]
    before = {p.name for p in folder.iterdir()}
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, slow, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # the tests may have been started in the background, where SIGINT is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120.0
    while not (folder / "at-work").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, number)
    _, message = process.communicate(timeout=60)
    left = {p.name for p in folder.iterdir()} - before - {"at-work"}
    return process.returncode, message, left, process.pid


def alone(session):
    """Whether no process of a session is left, waiting a little for workers to leave."""
    until = time.monotonic() + 30.0
    while time.monotonic() < until:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize(
    ("command", "number", "status", "words"),
    [
        ("tune", signal.SIGTERM, 143, "stopped by SIGTERM"),
        ("sample", signal.SIGINT, 130, "interrupted"),
        ("validate", signal.SIGTERM, 143, "stopped by SIGTERM"),
        ("export", signal.SIGINT, 130, "interrupted"),
        ("population", signal.SIGTERM, 143, "stopped by SIGTERM"),
    ],
)
def test_by_a_signal(folder, command, number, status, words):
    found, message, left, session = stopped(folder, command, number)
    assert found == status, message
    assert words in message
    assert "Traceback" not in message
    assert left == set()
    assert alone(session)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_a_package_turns_into_its_own_error(number):
    """pydantic, while it builds a model, makes an error of its own of whatever is raised."""

    @click.command()
    @reported
    def command():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5.0)
        except BaseException as error:
            raise RuntimeError("error building a schema") from error

    before = signal.getsignal(number)
    if before == signal.SIG_IGN:
        pytest.skip("the tests were started where this signal is ignored")
    answer = CliRunner().invoke(command, [])
    assert answer.exit_code == 128 + number
    assert answer.stderr.strip() == ("interrupted" if number == signal.SIGINT else "stopped by SIGTERM")
    assert signal.getsignal(number) == before
