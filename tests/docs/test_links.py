"""Links between the pages, the README and the files of the repository lead somewhere."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if not {"_build", "_generated", "jupyter_execute"} & set(path.parts)
    and (path.parent.name != "changes" or path.name == "README.md")  # else a fragment
)
READMES = sorted(
    [ROOT / "README.md", *(p for d in ("grids", "physics", "runs") for p in (ROOT / d).rglob("*.md"))]
)
#: pages that the site makes from the code: the table PAGES of the extension
GENERATED = re.findall(
    r'^    "([\w-]+)": \w+,$', (DOCS / "_ext" / "reference_pages.py").read_text(), re.MULTILINE
)
GENERATED_FOLDER = DOCS / "reference" / "_generated"
_FENCE = re.compile(r"^(`{3,}|:{3,}).*?^\1`*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.DOTALL | re.MULTILINE)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def slug(heading):
    """Anchor of a heading, as GitHub and MyST make it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    kept = "".join(c for c in plain if c in "-_ " or unicodedata.category(c)[0] in "LN")
    return kept.replace(" ", "-")


@cache
def anchors(path):
    """Of headings as deep as the site gives them (``myst_heading_anchors``); GitHub knows no other marks."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    found, times = set(), Counter()
    for line in text.splitlines():
        if re.match(r"#{1,4} ", line):
            name = slug(line.lstrip("#"))
            found.add(f"{name}-{times[name]}" if times[name] else name)  # the second of a name, on GitHub too
            times[name] += 1
    return found


def links(path):
    return _LINK.findall(_FENCE.sub("", path.read_text(encoding="utf-8")))


def fault(path, link):
    """What is wrong with a link of a page; None if it leads somewhere."""
    if re.match(r"[a-z]+:", link):
        return None
    target, _, anchor = link.partition("#")
    full = (path.parent / target).resolve() if target else path
    if full.parent == GENERATED_FOLDER:
        return None if full.stem in GENERATED else "no such page is generated"
    if not full.exists():
        return "no such file"
    if anchor and anchor not in anchors(full):
        return f"no such heading; there are {', '.join(sorted(anchors(full)))}"
    return None


@pytest.mark.parametrize("path", [*PAGES, *READMES], ids=name_of)
def test_links_lead_somewhere(path):
    faults = {link: fault(path, link) for link in links(path)}
    assert {link: why for link, why in faults.items() if why} == {}


def test_there_are_links_to_check():
    assert sum(len(links(path)) for path in PAGES) > 100
    assert fault(DOCS / "index.md", "nothing.md") == "no such file"
    assert "no such heading" in fault(DOCS / "index.md", "verification.md#nothing")
    assert fault(DOCS / "index.md", "verification.md#faults-seen-in-other-codes") is None


def entries(path):
    """Names, from docs, of the pages that the toctrees of a page list."""
    found = []
    for body in _TOCTREE.findall(path.read_text(encoding="utf-8")):
        for line in filter(None, (line.strip() for line in body.splitlines())):
            if not line.startswith(":"):
                found.append(((path.parent / line).relative_to(DOCS)).as_posix())
    return found


def test_every_page_is_in_a_table_of_contents():
    listed = [entry for page in PAGES for entry in entries(page)]
    names = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES}
    unlisted = {n for n in names - {"index"} if not any(fnmatch(n, entry) for entry in listed)}
    assert unlisted == set()
    generated = {f"reference/_generated/{name}" for name in GENERATED}
    assert len(generated) == 8
    assert generated <= set(listed)
    missing = [e for e in listed if "*" not in e and e not in names | generated]
    assert missing == []


def test_the_command_that_builds_the_site_is_told():
    command = "python -m sphinx -W --keep-going -b html docs docs/_build/html"
    for path in (ROOT / "README.md", DOCS / "contributing.md", DOCS / "conf.py"):
        assert command in path.read_text(encoding="utf-8")


_FILE = re.compile(r"`((?:cyldiff|tests|runs|grids|physics|docs)/[\w./-]+\.(?:py|toml|csv|md|slurm))`")


@pytest.mark.parametrize("path", [*PAGES, *READMES], ids=name_of)
def test_files_that_are_named_exist(path):
    named = _FILE.findall(_FENCE.sub("", path.read_text(encoding="utf-8")))
    assert [name for name in named if not (ROOT / name).is_file()] == []


_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)


def test_every_term_of_the_equation_has_code_and_test():
    page = (DOCS / "theory" / "index.md").read_text(encoding="utf-8")
    rows = [row for row in _ROW.findall(page) if "`cyldiff/" in row]
    assert len(rows) >= 15
    assert [row for row in rows if "`tests/" not in row] == []
    terms = {name.stem for name in (ROOT / "cyldiff" / "transport").glob("*.py")} - {"__init__"}
    assert [t for t in sorted(terms) if f"cyldiff/transport/{t}.py" not in page] == []


@pytest.mark.parametrize("path", sorted((DOCS / "theory").glob("*.md")), ids=name_of)
def test_theory_names_its_code_and_its_tests(path):
    named = _FILE.findall(path.read_text(encoding="utf-8"))
    assert any(name.startswith("cyldiff/") for name in named)
    assert any(name.startswith("tests/") for name in named)
