"""Changelog fragments have the names that towncrier reads; the hooks before a commit are the checks of CI."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOWNCRIER = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
FOLDER = ROOT / TOWNCRIER["directory"]
TYPES = [kind["directory"] for kind in TOWNCRIER["type"]]
NAME = re.compile(rf"(\d+|\+[a-z][a-z0-9-]*)\.({'|'.join(TYPES)})(\.\d+)?\.md")


def test_names():
    names = [p.name for p in FOLDER.iterdir() if p.name != "README.md"]
    assert [n for n in names if not NAME.fullmatch(n)] == []


@pytest.mark.parametrize(
    "name", ["solver.feature.md", "+solver.news.md", "+solver.feature.txt", "+.bugfix.md"]
)
def test_other_names_are_none(name):
    assert not NAME.fullmatch(name)


def test_fragments_are_short_and_say_something():
    for path in FOLDER.glob("*.md"):
        text = path.read_text(encoding="utf-8").strip()
        assert text.endswith(".") or path.name == "README.md", path.name
        assert path.name == "README.md" or 40 < len(text) < 600, path.name


def test_the_rule_names_every_type():
    rule = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", rule, re.MULTILINE) == TYPES


def test_releases_go_into_the_page():
    page = (ROOT / TOWNCRIER["filename"]).read_text(encoding="utf-8")
    assert page.count(TOWNCRIER["start_string"]) == 1


def test_hooks_are_the_checks_of_ci():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"^ +entry: (.*)$", text, re.MULTILINE)
    assert [e.removesuffix(" --force-exclude") for e in entries] == [
        "ruff check", "ruff format", "mypy", "lint-imports",
    ]  # fmt: skip
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(f'"$bin/{entry.split()[0]}"' in ci for entry in entries)
