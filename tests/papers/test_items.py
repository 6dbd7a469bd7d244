"""Verdicts of comparisons, and what a rerun writes."""

from __future__ import annotations

import csv
import math

import pytest

from cyldiff.errors import DataError
from cyldiff.papers.items import claim, close, factor, interval, open_item
from cyldiff.papers.reproduce import find_paper
from cyldiff.papers.study import COLUMNS, Study


@pytest.mark.parametrize(
    ("item", "verdict"),
    [
        (close("x", 10.0, 10.4, relative=0.05), "pass"),
        (close("x", 10.0, 10.6, relative=0.05), "fail"),
        (close("x", 0.0, 0.2, absolute=0.1), "fail"),
        (close("x", 1.0, math.nan, relative=10.0), "fail"),
        (factor("x", 2.0, 3.9, times=2.0), "pass"),
        (factor("x", 2.0, 0.9, times=2.0), "fail"),
        (factor("x", 2.0, -2.0, times=2.0), "fail"),
        (interval("x", "1 to 2", 2.1, low=1.0, high=2.0), "fail"),
        (claim("x", "rises", "falls", holds=False, tolerance="sign"), "fail"),
        (open_item("x", 1.0, 2.0, missing="the gas"), "open"),
    ],
)
def test_verdicts(item, verdict):
    assert item.verdict == verdict


def test_the_table_has_its_columns_and_the_report_its_notes(tmp_path):
    study = Study("kaci-2025", tmp_path)
    study.add(
        close("a|b", 1.0, 2.0, relative=0.1, unit="kpc", note="because"),
        open_item("c", "d", 3.0, missing="e"),
    )
    study.write()
    rows = list(csv.reader((tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert rows[1] == ["a|b [kpc]", "1", "2", "10 %", "fail"]
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "fail [1]" in report
    assert "1. because" in report
    assert "2. e" in report


def test_unknown_paper():
    with pytest.raises(DataError, match='did you mean "kaci-2025"'):
        find_paper("kaci-2024")
