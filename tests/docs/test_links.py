"""Links between the pages, the README and the files of the repository lead somewhere."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections import Counter
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from cyldiff.catalogue import QUANTITIES

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


_FILE = re.compile(
    r"`((?:cyldiff|tests|runs|grids|physics|docs)/[\w./-]+\.(?:py|toml|csv|md|slurm))(?:::[\w:.]+)?`"
)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
#: names of Python that pages use and that are defined by others, or by the reader
FOREIGN = {"Dragon2D", "PCG64", "ring_bounds"}


def codes(path):
    """Inline code of a page."""
    return _CODE.findall(_FENCE.sub("", path.read_text(encoding="utf-8")))


@cache
def defined(path):
    """Functions, classes, their methods (``Class::method``) and module-level names of a file of Python."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            members = (n for n in node.body if isinstance(n, ast.FunctionDef | ast.AnnAssign))
            names = [m.name if isinstance(m, ast.FunctionDef) else ast.unparse(m.target) for m in members]
            found |= {*names, *(f"{node.name}::{name}" for name in names)}
        targets = [*getattr(node, "targets", ()), getattr(node, "target", None)]
        found |= {t.id for t in targets if isinstance(t, ast.Name)}
    return found


@cache
def python_files():
    folders = ("cyldiff", "tests", "docs")
    return [p for f in folders for p in (ROOT / f).rglob("*.py") if not {"_build"} & set(p.parts)]


@cache
def all_defined():
    return set().union(*(defined(path) for path in python_files()))


@pytest.mark.parametrize("path", [*PAGES, *READMES], ids=name_of)
def test_files_that_are_named_exist(path):
    named = _FILE.findall(_FENCE.sub("", path.read_text(encoding="utf-8")))
    assert [name for name in named if not (ROOT / name).is_file()] == []


def unknown(path, code, following=""):
    """What is wrong with a name of Python in the text of a page; None if it exists.

    `following` is the text after the code: names in parentheses after a file are names in it.
    """
    names = {file.name for file in python_files()}
    if re.fullmatch(r"[\w.-]+\.py", code) and code not in names:
        return "no such file"
    if re.fullmatch(r"(Test[A-Z]\w+|test_\w+)", code) and code not in all_defined():
        return "no such test"
    call = re.fullmatch(r"([A-Za-z_][\w.]*)\(.*\)", code)
    if call and call[1].rpartition(".")[2] not in all_defined() | FOREIGN | set(QUANTITIES):
        return "no such function"
    file, _, inside = code.partition("::")
    if inside and file.endswith(".py"):
        found = ROOT / file
        if not found.is_file() or inside not in defined(found):
            return "not in that file"
    listed = re.match(r" \((`\w+`(?:, `\w+`)*)\)", following)
    if listed and code.endswith(".py") and (ROOT / code).is_file():
        missing = set(re.findall(r"\w+", listed[1])) - defined(ROOT / code)
        if missing:
            return f"{', '.join(sorted(missing))}: not in that file"
    return None


@pytest.mark.parametrize("path", [*PAGES, *READMES], ids=name_of)
def test_names_of_python_exist(path):
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    faults = {m[1]: unknown(path, m[1], text[m.end() :][:200]) for m in _CODE.finditer(text)}
    assert {code: why for code, why in faults.items() if why} == {}


def test_names_that_do_not_exist_are_seen():
    page = DOCS / "index.md"
    assert unknown(page, "nothing_like_it.py") == "no such file"
    assert unknown(page, "test_of_nothing") == "no such test"
    assert unknown(page, "cyldiff.run_away(1)") == "no such function"
    assert unknown(page, "tests/docs/test_links.py::nothing") == "not in that file"
    assert unknown(page, "tests/docs/test_links.py", " (`slug`, `nothing`)") == "nothing: not in that file"
    assert unknown(page, "tests/docs/test_links.py::slug") is None
    assert unknown(page, "tests/observables/test_spectra.py::TestRatio::test_a_ratio_of_elements") is None
    assert sum("::" in code for page in PAGES for code in codes(page)) > 30


#: sections of the files that pages speak of by the names of their keys
_KEY = re.compile(r"(?:physics|solver|grid|output|species|compare|run|fit|point_sources)(?:\.[A-Za-z]\w*)+")
#: tables whose keys are names of the reader's choice, and what looks like a key and is none
_TABLES = re.compile(r"(.*\.scale|.*\.by_experiment|species)\.\w+")
NO_KEYS = {"grid.axes"}


@pytest.mark.parametrize("path", [*PAGES, *READMES], ids=name_of)
def test_keys_that_are_named_exist(path):
    from cyldiff.config.explain import explain_key
    from cyldiff.errors import CyldiffError
    from cyldiff.fit.sections import SECTIONS

    faults = {}
    for code in filter(_KEY.fullmatch, codes(path)):
        if code.endswith((".py", ".toml", ".nc", ".csv", ".slurm")) or code in NO_KEYS:
            continue
        table = _TABLES.fullmatch(code)
        try:
            explain_key(table[1] if table else code, SECTIONS)
        except CyldiffError as error:
            faults[code] = str(error)
    assert faults == {}


_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)


def test_every_term_of_the_equation_has_code_and_test():
    page = (DOCS / "theory" / "index.md").read_text(encoding="utf-8")
    rows = [row for row in _ROW.findall(page) if "`cyldiff/" in row]
    assert len(rows) >= 20
    assert [row for row in rows if "`tests/" not in row and "same" not in row] == []
    terms = page[page.index("## Term by term") : page.index("What the terms are made of")]
    rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in _ROW.findall(terms)][2:]
    assert [row for row in rows if len(row) != 5 or not all(row)] == []
    terms = {name.stem for name in (ROOT / "cyldiff" / "transport").glob("*.py")} - {"__init__"}
    assert [t for t in sorted(terms) if f"cyldiff/transport/{t}.py" not in page] == []


@pytest.mark.parametrize("path", sorted((DOCS / "theory").glob("*.md")), ids=name_of)
def test_theory_names_its_code_and_its_tests(path):
    named = _FILE.findall(path.read_text(encoding="utf-8"))
    assert any(name.startswith("cyldiff/") for name in named)
    assert any(name.startswith("tests/") for name in named)


def test_glossary_explains_every_word_once():
    page = (DOCS / "glossary.md").read_text(encoding="utf-8")
    rows = [re.split(r"(?<!\\)\|", row)[1:-1] for row in _ROW.findall(page)]
    words = [[cell.strip() for cell in row] for row in rows if row[0].strip("- ") not in ("", "word")]
    assert 40 <= len(words) <= 80
    assert [row for row in words if len(row) != 5 or not row[0] or not row[3]] == []
    assert len({row[0].casefold() for row in words}) == len(words)
    for entrance in ("index.md", "first-steps.md", "tutorials/index.md", "theory/index.md"):
        assert "glossary.md" in (DOCS / entrance).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted((DOCS / "tutorials").glob("[0-9]*.md")), ids=name_of)
def test_a_tutorial_runs_draws_and_leads_on(path):
    text = path.read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\} python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    drawn = [n for n, cell in enumerate(cells) if re.search(r"plt\.subplot", cell)]
    assert drawn, "no figure"
    after = text[text.rindex(cells[drawn[-1]]) + len(cells[drawn[-1]]) + len("```") :]
    assert len(re.sub(r"```.*?```", "", after, flags=re.DOTALL).split()) > 60, "nothing is said of the figure"
    assert "\n## Try\n\n* " in after
    assert re.search(r"^(Next: .*\[|This is the last tutorial)", after, re.MULTILINE)
