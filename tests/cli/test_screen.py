"""What a terminal of 80 columns shows: nothing is broken by the terminal itself; a pipe gets whole lines."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.config.explain import library_listing
from cyldiff.screen import fold, for_screen


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestFold:
    def test_short_lines_stay(self):
        assert fold("a b\n\n  c  d", 10) == "a b\n\n  c  d"

    def test_under_the_second_column(self):
        assert fold("  name  one two three", 16) == "  name  one two\n        three"

    def test_a_far_column_is_no_place_to_go_on(self):
        assert fold("  a-long-name-here  one two", 22) == "  a-long-name-here\n      one two"

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


def on_terminal(*arguments, status=0):
    """Lines that a command prints on a terminal of 80 columns."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80"}
    with subprocess.Popen(
        [sys.executable, "-m", "cyldiff.cli", *arguments], stdout=slave, stderr=slave, env=environment
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


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("list",), 0),
        (("check", "quickstart"), 0),
        (("check", "tuning/light-secondaries"), 0),
        (("check", "nie-2026-microquasars"), 0),
        (("explain", "source.spectrum"), 0),
        (("explain", "fit.data"), 0),
        (("run", "quickstart", "--set", "physics.difusion.D0=1", "--set", "grid.space.r.n=two"), 2),
        (("validate", "--list"), 0),
    ],
)
def test_lines_fit(arguments, status):
    lines = on_terminal(*arguments, status=status)
    assert lines
    # a single word, such as a path, may be longer than the room beside its key
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 2] == []


def test_a_pipe_gets_one_line_per_entry():
    text = CliRunner().invoke(main, ["list", "data"]).stdout
    assert text == library_listing("data") + "\n"
