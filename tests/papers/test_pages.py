"""Pages of the papers: counts of the overview, figures that are there and small."""

from __future__ import annotations

import re
import runpy
from collections import Counter
from pathlib import Path

import pytest

from cyldiff.papers.items import close, open_item
from cyldiff.papers.reproduce import PAPERS
from cyldiff.papers.study import Study

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path.stem for path in (DOCS / "papers").glob("*.md") if path.stem in PAPERS)


def counts(text):
    verdicts = re.findall(r"\| (pass|fail|open)(?: \[\d+\])? \|$", text, flags=re.MULTILINE)
    return Counter(verdicts)


@pytest.mark.parametrize("name", PAGES)
def test_counts_of_the_overview(name):
    page = (DOCS / "papers" / f"{name}.md").read_text(encoding="utf-8")
    row = next(line for line in (DOCS / "papers" / "README.md").read_text(encoding="utf-8").splitlines()
               if line.startswith((f"| [{name}]", f"| {name} |")))  # fmt: skip
    numbers = [int(cell) for cell in row.split("|")[3:6] if cell.strip()]
    found = counts(page)
    assert numbers == [found[verdict] for verdict in ("pass", "fail", "open")]


@pytest.mark.parametrize("name", PAGES)
def test_figures(name):
    page = (DOCS / "papers" / f"{name}.md").read_text(encoding="utf-8")
    figures = re.findall(r"!\[.*\]\((.+?\.png)\)", page)
    assert figures
    for figure in figures:
        assert 5_000 < (DOCS / "papers" / figure).stat().st_size < 300_000


def test_the_overview_has_all_papers():
    text = (DOCS / "papers" / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.md)" in text for name in PAPERS)


def test_the_script_brings_a_page_up_to_date(tmp_path, monkeypatch):
    """Table and figures replaced, words kept, counts in the row of the overview."""
    script = runpy.run_path(str(DOCS / "scripts" / "papers.py"))
    docs, run = tmp_path / "docs", tmp_path / "kaci-2025"
    (docs / "papers").mkdir(parents=True)
    run.mkdir()
    overview = DOCS / "papers" / "README.md"
    (docs / "papers" / "README.md").write_text(overview.read_text(encoding="utf-8"), encoding="utf-8")
    words = "# K\n\nbefore\n<!-- table -->\nold\n<!-- end of table -->\nafter\n"
    (docs / "papers" / "kaci-2025.md").write_text(words, encoding="utf-8")
    study = Study("kaci-2025", run)
    study.add(
        close("a", 1.0, 1.0, relative=0.1),
        close("b", 1.0, 2.0, relative=0.1),
        open_item("c", 1, 2, missing="d"),
    )
    (run / "fig1.png").write_bytes(b"figure")
    study.figures.append(("fig1", "What it shows"))
    study.write()
    main = script["main"]
    monkeypatch.setitem(main.__globals__, "DOCS", docs)
    for _ in range(2):  # again changes nothing
        main(run, "kaci-2025")
        page = (docs / "papers" / "kaci-2025.md").read_text(encoding="utf-8")
        assert page.startswith("# K\n\nbefore\n<!-- table -->\n| item |")
        assert page.endswith("<!-- end of table -->\nafter\n")
        assert "old" not in page
        assert "![What it shows](../figures/kaci-2025/fig1.png)" in page
        assert counts(page) == {"pass": 1, "fail": 1, "open": 1}
        rows = (docs / "papers" / "README.md").read_text(encoding="utf-8").splitlines()
        row = next(line for line in rows if line.startswith("| [kaci-2025]"))
        assert row.split("|")[3:6] == [" 1 ", " 1 ", " 1 "]
        assert (docs / "figures" / "kaci-2025" / "fig1.png").read_bytes() == b"figure"
