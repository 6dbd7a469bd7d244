"""What a terminal of 80 columns shows: nothing is broken by the terminal itself; a pipe gets whole lines."""

from __future__ import annotations

import contextlib
import fcntl
import io
import itertools
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from click.testing import CliRunner

from cyldiff.benchmark import _solver_table
from cyldiff.cli import main
from cyldiff.config.explain import library_listing
from cyldiff.screen import fold, for_screen, numbers_table, upright


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


ROW = {
    "name": "B/C evaluation", "nuclides": 25, "cells": 17493, "solve_s": 0.13, "steps": 22.0, "ns": 13.8,
    "copy_ns": 0.08, "setup_s": 0.01, "memory_MB": 266.0,
}  # fmt: skip
POPULATION = (
    "population", "papers/kaci-2025/population", "--processes", "1", "--realisations", "10",
    "--set", "energies.per_decade=1", "--set", "energies.min=1 PeV", "--set", "population.history_length=4 Myr",
    "-o", "population.nc",
)  # fmt: skip
SOURCES = (
    "sources", "example", "--model", "nie-2026", "-o", "sources.nc", "--energies", "1 TeV..1 PeV", "--per-decade", "2",
)  # fmt: skip
TABLES = {
    "anisotropy": ("anisotropy", "RESULT"),
    "gamma": ("gamma", "RESULT", "--energies", "100 GeV, 1 TeV"),
    "spectrum": ("spectrum", "RESULT", "--species", "H1,He4,B11,C12,H,He"),
}
REFUSED = [
    ("zzz",), ("run",), ("run", "zzz"), ("run", "quickstart", "-o", "nowhere/x.nc"), ("check", "zzz"),
    ("explain", "zzz"), ("list", "zzz"), ("copy", "zzz"), ("plot", "zzz.nc", "B/C", "-o", "f.png"),
    ("benchmark", "zzz"), ("anisotropy", "zzz.nc", "--at", "x", "--band", "y"), ("population", "quickstart"),
    ("gamma", "zzz.nc", "--nside", "x"), ("gamma", "zzz.nc", "--region", "x"), ("sources", "example"),
    ("source", "zzz"), ("response", "zzz", "-o", "x.nc", "--energies", "1"), ("tune", "quickstart", "-o", "x"),
    ("sample", "quickstart", "-o", "x"), ("reproduce", "zzz"), ("info", "zzz.nc"), ("diff", "zzz.nc", "zzz.nc"),
    ("rerun", "zzz.nc", "-o", "x.nc"), ("spectrum", "zzz.nc", "--species", "H", "--at", "x"), ("validate", "zzz"),
    ("export", "zzz.nc", "--format", "x", "-o", "y"), ("import", "galdef", "zzz", "-o", "x.txt"), ("import", "zzz"),
]  # fmt: skip
#: how a terminal is told to change its colour
COLOUR = "\x1b[3"
COMMANDS = [(), *((name,) for name in main.commands), ("import", "galdef"), ("import", "dragon")]


class TestFold:
    def test_short_lines_stay(self):
        assert fold("a b\n\n  c  d", 10) == "a b\n\n  c  d"

    def test_under_the_second_column(self):
        assert fold("  name  one two three", 16) == "  name  one two\n        three"

    def test_a_far_column_is_no_place_to_go_on(self):
        assert fold("  a-long-name-here  one two", 22) == "  a-long-name-here\n      one two"

    def test_what_must_stay_together(self):
        assert fold("energy of 600\u00a0MV", 14) == "energy of\n    600 MV"
        assert for_screen("600\u00a0MV", io.StringIO()) == "600 MV"

    def test_text_without_columns(self):
        assert fold("one two three four", 10) == "one two\n    three\n    four"

    def test_words_are_not_broken(self):
        word = "x" * 100
        assert word in fold(f"a {word}", 40).split()

    def test_nothing_is_lost(self):
        text = library_listing(None)
        assert fold(text, 60).split() == text.split()
        assert max(len(line) for line in fold(text, 80).splitlines()) <= 80


class TestForScreen:
    def test_a_pipe_gets_whole_lines(self):
        line = "word " * 40
        assert for_screen(line, io.StringIO()) == line

    def test_a_terminal_of_its_own_width(self, monkeypatch):
        for columns in (60, 80, 120):
            monkeypatch.setenv("COLUMNS", str(columns))
            lines = for_screen("word " * 40, Terminal()).splitlines()
            assert columns - 5 < max(map(len, lines)) <= columns

    def test_not_narrower_than_can_be_read(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "5")
        assert max(map(len, for_screen("word " * 40, Terminal()).splitlines())) > 30


NUMBERS = {"energy": [1.0, 10.0], "flux": [1.23456789e-5, float("nan")], "flux_snr": [1.0, 2e10]}
UNITS = {"energy": "GeV", "flux": "m^-2"}


class TestNumbersTable:
    def test_wide_enough(self):
        assert numbers_table(NUMBERS, UNITS, 80).splitlines() == [
            "energy [GeV]; flux, flux_snr [m^-2]",
            "",
            "energy        flux  flux_snr",
            "     1  1.2346e-05         1",
            "    10         nan     2e+10",
        ]

    def test_in_blocks(self):
        blocks = numbers_table(NUMBERS, {}, 20).split("\n\n")
        assert [block.splitlines()[0].split() for block in blocks] == [
            ["energy", "flux"],
            ["energy", "flux_snr"],
        ]
        assert [block.splitlines()[2].split() for block in blocks] == [["10", "nan"], ["10", "2e+10"]]

    def test_a_single_column(self):
        assert numbers_table({"x": [1.0]}, {"x": "kpc"}, 40) == "x [kpc]\n\nx\n1"


class TestUpright:
    TABLE = "| case | seconds | memory |\n|---|---|---|\n| one | 1.5 | 3 |\n\nhere"

    def test_turned(self):
        assert upright(self.TABLE, 20) == "one\n  seconds  1.5\n  memory   3\n\n\nhere"

    def test_left_where_there_is_room(self):
        assert upright(self.TABLE, 80) == self.TABLE


def on_terminal(*arguments, status=0, **environment):
    """Lines that a command prints on a terminal of 80 columns, in a process of its own."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "cyldiff.cli", *arguments],
        stdout=slave,
        stderr=slave,
        env={**os.environ, "COLUMNS": "80", **environment},
    ) as process:
        os.close(slave)
        text = b""
        try:
            while piece := os.read(master, 65536):
                text += piece
        except OSError:  # Linux says so when the other end is closed
            pass
    os.close(master)
    assert process.returncode == status, text
    return text.decode().splitlines()


@pytest.fixture
def screen(tuning, monkeypatch):
    """What a command shows on a terminal of so many columns: its lines without the progress bar."""

    def show(*arguments, columns=80, status=0):
        monkeypatch.setenv("COLUMNS", str(columns))
        out, err = Terminal(), Terminal()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            main([str(a) for a in arguments], prog_name="cyldiff")
        assert (ended.value.code or 0) == status, err.getvalue()
        text = err.getvalue() + out.getvalue()
        assert COLOUR not in text
        # what stands before a return is written over
        return [line.rpartition("\r")[2] for line in text.split("\n")[:-1]]

    return show


def too_wide(lines, columns=80):
    """Lines wider than the screen, but for those of one or two words, such as a path beside its key."""
    return [line for line in lines if len(line) > columns and len(line.split()) > 2]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("list",), 0),
        (("list", "all"), 0),
        (("check", "quickstart"), 0),
        (("check", "tuning/light-secondaries"), 0),
        (("check", "nie-2026-microquasars"), 0),
        (("check", "papers/kaci-2025/population"), 0),
        (("explain", "source.spectrum"), 0),
        (("explain", "fit.data"), 0),
        (("run", "quickstart", "--set", "physics.difusion.D0=1", "--set", "grid.space.r.n=two"), 2),
        (("validate", "--list"), 0),
    ],
)
def test_lines_fit(screen, arguments, status):
    for columns in (60, 80, 120):
        lines = screen(*arguments, columns=columns, status=status)
        assert lines
        if columns >= 80 or arguments[0] != "check":  # what check lists is laid out for 80 columns
            assert too_wide(lines, columns) == []


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_width(self, screen, command):
        usual = screen(*command, "--help")
        assert too_wide(usual) == []
        assert too_wide(screen(*command, "--help", columns=120), 120) == []
        # tables that are laid out by hand stay as they are; everything else is folded
        assert set(too_wide(screen(*command, "--help", columns=60), 60)) <= set(usual)
        assert not [line for line in usual if re.search(r"\w-$", line)], "a word is broken at its hyphen"


class TestMainOutput:
    """What every command prints when it works: nothing wider than the screen, units, the next command last."""

    @pytest.mark.parametrize("columns", [60, 80, 120])
    @pytest.mark.parametrize("command", TABLES)
    def test_tables(self, screen, tiny_result, command, columns):
        lines = screen(*(tiny_result if a == "RESULT" else a for a in TABLES[command]), columns=columns)
        assert too_wide(lines, columns) == []
        assert any("[GeV" in line for line in lines)
        assert not any("," in line for line in lines[-3:]), "for people, not for programs"

    @pytest.mark.parametrize("columns", [60, 80, 120])
    def test_source(self, screen, columns):
        lines = screen("source", "ss433-lepto-hadronic", columns=columns)
        assert too_wide(lines, columns) == []
        assert any("[erg cm^-2 s^-1]" in line for line in lines)

    def test_info_and_diff(self, screen, tiny_result):
        for arguments in (("info", tiny_result), ("diff", tiny_result, tiny_result)):
            lines = screen(*arguments)
            assert too_wide(lines) == []
            assert not any(a == b == "" for a, b in itertools.pairwise(lines))

    def test_run_and_rerun(self, screen, tiny):
        lines = screen("run", "tiny.toml")
        assert too_wide(lines) == []
        assert lines[-2].startswith("tiny.nc written after ")
        assert lines[-1] == "next: cyldiff plot tiny.nc spectrum:H -o figure.png"
        assert screen("plot", "tiny.nc", "spectrum:H", "-o", "figure.png") == ["figure.png written"]
        assert screen("rerun", "tiny.nc", "-o", "again.nc")[-1].startswith("reproduced: ")

    def test_copy(self, screen):
        assert screen("copy", "quickstart") == [
            "quickstart.toml written",
            "next: cyldiff check quickstart.toml",
        ]
        assert screen("check", "quickstart.toml")[-1] == "quickstart.toml: valid"

    def test_population(self, screen):
        lines = screen(*POPULATION)
        assert too_wide(lines) == []
        table = [line.split() for line in lines if re.match(r" +1e\+0", line)]
        assert [len(row) for row in table] == [8, 8, 8, 6, 6, 6]  # the last with "11 %" as two words
        assert lines[-1] == "next: cyldiff plot population.nc band -o band.png"

    def test_sources(self, screen):
        lines = screen(*SOURCES)
        assert too_wide(lines) == []
        assert lines[-1] == "next: cyldiff plot sources.nc sources -o sources.png"
        assert screen(*lines[-1].split()[2:]) == ["sources.png written"]

    def test_response(self, screen):
        lines = screen("response", "quickstart", "-o", "r.nc", "--energies", "10 PeV")
        assert too_wide(lines) == []
        assert lines[-1] == 'next: cyldiff plot r.nc "response:1e+07 GeV" -o response.png'
        drawn = screen("plot", "r.nc", "response:1e+07 GeV", "-o", "response.png")
        assert drawn == ["response.png written"]

    def test_fit(self, screen):
        lines = screen("tune", "tune.toml", "-o", "fit")
        assert too_wide(lines) == []
        assert lines[-1] == "next: cyldiff run fit/best-fit.toml -o best-fit.nc"

    def test_sample(self, screen):
        lines = screen(
            "sample",
            "tune.toml",
            "-o",
            "chain",
            "--executor",
            "serial",
            "--set",
            "fit.sampler.steps=10",
            status=3,
        )
        assert too_wide(lines) == []

    def test_reproduce(self, screen):
        lines = screen("reproduce", "lhaaso-2024", "--smoke", "-o", "paper", "--processes", "1")
        assert too_wide(lines) == []
        assert re.match(r"\d+ pass, \d+ fail, \d+ open", lines[-1])

    def test_validate(self, screen):
        lines = screen("validate", "slab", "fragmentation")
        assert too_wide(lines) == []
        assert lines[-1].startswith("next: cyldiff validate -o")

    def test_benchmark(self, screen, monkeypatch):
        monkeypatch.setattr("cyldiff.benchmark.report", lambda *_, **__: "\n".join(_solver_table([ROW])))
        lines = screen("benchmark", "B/C evaluation")
        assert too_wide(lines) == []
        assert "  solver CPU s             0.13" in lines

    @pytest.mark.parametrize("arguments", REFUSED, ids=lambda a: a[0])
    def test_errors(self, screen, arguments):
        for columns in (60, 80):
            lines = screen(*arguments, columns=columns, status=2)
            assert lines
            assert too_wide(lines, columns) == []


class TestPipe:
    """No bar, no colours, no folding, no advice: what a program or a log gets."""

    def test_run(self, cyldiff, tiny):
        answer = cyldiff("run", "tiny.toml", FORCE_COLOR="1", CLICOLOR_FORCE="1", TERM="xterm-256color")
        assert answer.returncode == 0, answer.stderr
        text = answer.stdout + answer.stderr
        assert "\r" not in text
        assert "\x1b" not in text
        assert "next:" not in text

    def test_a_table_is_csv(self, tiny_result):
        text = CliRunner().invoke(main, ["spectrum", str(tiny_result), "--species", "H1"]).stdout
        assert text.startswith("kinetic_energy_per_nucleon,H1,H1:snr\n")

    def test_one_line_per_entry(self):
        text = CliRunner().invoke(main, ["list", "data"]).stdout
        assert text == library_listing("data") + "\n"


def test_on_a_real_terminal(tiny):
    lines = on_terminal("run", "tiny.toml", NO_COLOR="1")
    assert any("%|" in line for line in lines), "there is no progress bar"
    assert COLOUR not in "".join(lines)
    assert lines[-1].startswith("next: ")
