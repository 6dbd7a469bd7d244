"""Importing and asking for help is quick, and has no side effects."""

from __future__ import annotations

import resource

import pytest

HEAVY = ("numba", "xarray", "astropy", "scipy", "pandas", "matplotlib", "netCDF4", "pydantic", "tqdm")
LOADED = f"""
import sys
print(*sorted(set({HEAVY!r}) & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "program",
    ["import cyldiff", "import cyldiff.cli", "import cyldiff; dir(cyldiff); cyldiff.__all__"],
)
def test_the_import_is_light(cyldiff, program):
    answer = cyldiff(program=program + LOADED)
    assert answer.stdout.split() == []


def test_help_is_light(cyldiff):
    program = "import atexit\natexit.register(lambda: exec(CODE))\nCODE = '''" + LOADED + "'''\n"
    answer = cyldiff("--help", program=program + "from cyldiff.cli import main; main()")
    assert answer.returncode == 0
    assert answer.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help")])
def test_help_takes_less_than_half_a_second(cyldiff, arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert cyldiff(*arguments).returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_check_needs_no_compiler_and_no_unit_library(cyldiff):
    answer = cyldiff(
        program="from cyldiff.config.load import load_config; load_config('quickstart')" + LOADED
    )
    assert {"numba", "astropy", "matplotlib", "netCDF4"}.isdisjoint(answer.stdout.split())


def test_the_import_does_nothing_else(cyldiff):
    program = """
import logging, signal, sys, warnings
before = (signal.getsignal(signal.SIGTERM), list(warnings.filters), logging.getLogger().handlers[:])
import cyldiff.cli
assert before == (signal.getsignal(signal.SIGTERM), list(warnings.filters), logging.getLogger().handlers[:])
assert logging.getLogger("cyldiff").handlers == []
"""
    answer = cyldiff(program=program)
    assert answer.returncode == 0, answer.stderr


def test_public_names_exist(cyldiff):
    answer = cyldiff(
        program="import cyldiff\nfor name in cyldiff.__all__: getattr(cyldiff, name)\nprint('all')"
    )
    assert answer.stdout.strip() == "all"


def test_python_dash_m(cyldiff):
    answer = cyldiff(
        program="import runpy, sys; sys.argv[1:] = ['--help']; runpy.run_module('cyldiff', run_name='__main__')"
    )
    assert "Transport of cosmic rays" in answer.stdout


def test_an_unknown_name_of_the_package():
    import cyldiff

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cyldiff.nothing
