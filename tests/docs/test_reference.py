"""The reference that is made from the code has no empty places: every entry says what it is."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

import click
import pytest

import cyldiff
from cyldiff.catalogue import QUANTITIES
from cyldiff.cli import main

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = [n for n in sorted(cyldiff.__all__) if inspect.isfunction(getattr(cyldiff, n))]
CLASSES = [n for n in sorted(cyldiff.__all__) if inspect.isclass(getattr(cyldiff, n))]


@pytest.fixture(scope="module")
def extension():
    """A module of docs/_ext by its name; they need sphinx, of the extra ``docs``."""
    pytest.importorskip("sphinx")
    sys.path.insert(0, str(ROOT / "docs" / "_ext"))
    try:
        yield __import__
    finally:
        sys.path.remove(str(ROOT / "docs" / "_ext"))


def sections(doc):
    """Title of a section of a docstring -> {entry: what is said of it}, with columns split."""
    found, title, entry = {}, "", ""
    lines = doc.splitlines()
    for number, line in enumerate(lines):
        if number + 1 < len(lines) and re.fullmatch(r"-{3,}", lines[number + 1].strip()):
            title, entry = line.strip(), ""
            found[title] = {}
        elif title and line.strip() and set(line.strip()) != {"-"}:
            if not line.startswith(" "):
                name, _, said = re.sub(r"\s{2,}", " : ", line).partition(" : ")
                entry = name
                found[title][entry] = said
            else:
                found[title][entry] += f" {line.strip()}"
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_say_what_goes_in_and_what_comes_out(name):
    function = getattr(cyldiff, name)
    doc = inspect.getdoc(function) or ""
    said, signature = sections(doc), inspect.signature(function)
    described = {
        one.strip().lstrip("*"): text
        for names, text in said.get("Parameters", {}).items()
        for one in names.split(",")
    }
    assert set(described) == set(signature.parameters)
    assert [parameter for parameter, text in described.items() if not text.strip()] == []
    if signature.return_annotation not in (None, "None"):
        assert said["Returns"], "Returns"
        assert [what for what, text in said["Returns"].items() if not text.strip()] == []
    errors = said["Raises"]
    assert errors
    assert [e for e, text in errors.items() if not text.strip()] == []
    assert [e for e in errors if not re.fullmatch(r"[A-Z]\w+(, [A-Z]\w+)*", e)] == []


@pytest.mark.parametrize("name", CLASSES)
def test_public_classes_and_their_methods_say_what_they_are(name):
    cls = getattr(cyldiff, name)
    assert inspect.getdoc(cls)
    own = {n: m for n, m in vars(cls).items() if not n.startswith("_") and callable(m)}
    assert [n for n, m in own.items() if not inspect.getdoc(m)] == []


def rows(page):
    """Cells of the tables of a page, heads and rules left out."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in page.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in cells]


@pytest.mark.parametrize("page", ["config_keys", "kinds"])
def test_every_key_has_a_meaning_and_a_value(extension, page):
    made = rows(getattr(extension("reference_pages"), page)())
    assert len(made) > 100
    assert [row[0] for row in made if len(row) != 4 or not row[1] or not row[2]] == []
    vague = {"value", "table of value", "list of value"}
    assert [row[0] for row in made if row[2] in vague] == []


def test_every_kind_says_what_it_is(extension):
    from cyldiff import registry

    pages = extension("reference_pages").kinds()
    for family in registry.families():
        assert f"({family})=" in pages
        for kind, cls in registry.kinds(family).items():
            assert len(inspect.getdoc(cls) or "") >= 8, (family, kind)
            assert f"### {family}: {kind}\n" in pages


def test_every_model_says_where_it_is_from(extension):
    parts = extension("reference_pages").models().split("\n## ")[1:]
    assert len(parts) >= 5
    for part in parts:
        title, _, text = part.partition("\n")
        assert re.search(r"\b(19|20)\d\d\b", text), title
        assert len(rows(text)) >= 5, title


def test_every_quantity_has_a_name_a_unit_and_dimensions(extension):
    from astropy import units

    page = extension("reference_pages").quantities()
    listed = {row[0].strip("`"): row for row in rows(page.partition("## Other datasets")[0])}
    assert set(QUANTITIES) <= set(listed)
    for name, row in listed.items():
        assert len(row) == 4, name
        assert row[1], name
        assert row[2], name
        assert row[3].strip("`"), name
        if name in QUANTITIES:
            units.Unit(row[2].replace("(GeV/n)", "GeV"))  # one that others read too


def test_every_command_and_option_has_a_help():
    for name, command in main.commands.items():
        assert (command.help or "").strip(), name
        options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
        assert [o.name for o in options if not o.help and o.name != "help"] == [], name


def test_every_module_says_what_it_is(extension):
    for path in sorted((ROOT / "cyldiff").rglob("*.py")):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert said, path
    made = rows(extension("reference_pages").modules())
    assert [row[0] for row in made if not row[1]] == []


def test_descriptions_on_the_line_of_the_name_are_descriptions(extension):
    lines = [
        "Parameters",
        "----------",
        "path : file, or bare name. A name that is not there may be a",
        "    file without suffix.",
        "x : array_like, shape (n,)   where [GeV]",
        "flag : bool",
        "    whether",
    ]
    assert extension("docstrings").split_columns(lines)[2:] == [
        "path",
        "    file, or bare name. A name that is not there may be a",
        "    file without suffix.",
        "x : array_like, shape (n,)",
        "    where [GeV]",
        "flag : bool",
        "    whether",
    ]
