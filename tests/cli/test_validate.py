"""``cyldiff validate``: verdicts, report, exit status."""

from __future__ import annotations

import csv
import re
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.validation import run
from cyldiff.validation.case import Case, below

QUICK = ("slab-decay", "kinematics", "dipole")


def call(*arguments, status=0):
    answer = CliRunner().invoke(main, ["validate", *map(str, arguments)], catch_exceptions=False)
    assert answer.exit_code == status, answer.output
    assert "Traceback" not in answer.output
    return answer


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failing():
    return [below("a number <b>", 2.0, 1.0)]


def stopping():
    raise ValueError("no | such & thing")


@pytest.fixture
def broken(monkeypatch):
    cases = (
        *run.CASES,
        Case("wrong", "Invented", "1 < 0 | it is not", "none", failing),
        Case("stops", "Invented", "It stops.", "none", stopping),
    )
    monkeypatch.setattr(run, "CASES", cases)


class Tables(HTMLParser):
    """Every tag that is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.rows = [], 0

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)
        self.rows += tag == "tr"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_few_cases_without_a_report(here):
    text = call(*QUICK).stdout
    assert [line.split()[:2] for line in text.splitlines()[:-1]] == [["pass", name] for name in QUICK]
    assert text.splitlines()[-1].startswith("3 cases, 9 numbers: all passed")
    assert not list(here.iterdir())


def test_the_report(here):
    call(*QUICK, "-o", "v")
    assert sorted(p.name for p in (here / "v").iterdir()) == ["numbers.csv", "report.html", "report.md"]
    text = (here / "v" / "report.md").read_text()
    for part in (
        "**3 cases, 9 numbers: all passed", "- cyldiff: 0.", "numpy", "### slab-decay: pass",
        "| mesh | error | order |",
        "| 129 cells |", "Ptuskin & Soutoul 1998",
    ):  # fmt: skip
        assert part in text
    page = (here / "v" / "report.html").read_text()
    parser = Tables()
    parser.feed(page)
    assert parser.open == []
    assert parser.rows > 15
    assert "http" not in re.sub(r"<!DOCTYPE[^>]*>", "", page)
    rows = list(csv.DictReader((here / "v" / "numbers.csv").read_text().splitlines()))
    assert len(rows) == 9
    assert {row["verdict"] for row in rows} == {"pass"}
    # and again, over the older report
    call("dipole", "-o", "v")
    assert "1 cases, 3 numbers" in (here / "v" / "report.md").read_text()


def test_a_failure_is_said_and_reported(here, broken):
    answer = call("wrong", "stops", "kinematics", "-o", "v", status=3)
    assert "a number <b>: 2, accepted at most 1" in answer.stdout
    assert "stopped by ValueError: no | such & thing" in answer.stdout
    assert "3 cases, 5 numbers: 2 FAILED" in answer.stderr
    assert "wrong, stops" in answer.stderr
    text = (here / "v" / "report.md").read_text()
    assert "### wrong: FAIL" in text
    assert "1 &lt; 0 \\| it is not" in text
    page = (here / "v" / "report.html").read_text()
    assert "a number &lt;b&gt;" in page
    assert "no | such &amp; thing" in page


def test_list(here):
    lines = call("--list").stdout.splitlines()
    assert len(lines) == len(run.CASES)
    assert call("--list", "dipole").stdout == "dipole  A burst has the dipole 3 d / 2 c t.\n"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("dipol", "slap", "-o", "no/v"),
         ("3 problems", 'did you mean "dipole"', 'did you mean "slab"', "does not exist")),
        (("dipole", "-o", "full"), ("has other files in it",)),
        (("dipole", "-o", "file"), ("is a file",)),
    ],
)  # fmt: skip
def test_bad_input(here, arguments, parts):
    (here / "full").mkdir()
    (here / "full" / "thesis.tex").touch()
    (here / "file").touch()
    answer = call(*arguments, status=2)
    assert answer.stdout == ""
    assert all(part in answer.stderr for part in parts), answer.stderr
    assert sorted(p.name for p in here.iterdir()) == ["file", "full"]
