"""Bring the page of a paper up to date from the folder that ``cyldiff reproduce`` left.

    cyldiff reproduce lhaaso-2024 -o lhaaso-2024
    python docs/scripts/papers.py lhaaso-2024

takes FOLDER/report.md into docs/papers/NAME.md (between the marks), the figures into docs/figures/NAME, and the
counts of FOLDER/table.csv into the row of docs/papers/README.md. NAME is that of the folder, or the second argument.
"""

from __future__ import annotations

import csv
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

from cyldiff.papers.reproduce import PAPERS, find_paper

DOCS = Path(__file__).parents[1]
MARKS = ("<!-- table -->", "<!-- end of table -->")
ROWS = ("<!-- papers -->", "<!-- end of papers -->")
#: largest figure in the repository [bytes]
LARGEST = 300_000


def between(text: str, marks: tuple[str, str], content: str) -> str:
    """Text with what stands between two marks replaced."""
    start, end = (text.index(mark) for mark in marks)
    return f"{text[: start + len(marks[0])]}\n{content.strip()}\n{text[end:]}"


def page(name: str, folder: Path) -> list[str]:
    """Table, notes and figures of the page; names of the figures."""
    report = (folder / "report.md").read_text(encoding="utf-8")
    figures = re.findall(r"!\[.*\]\((.+?)\.png\)", report)
    report = re.sub(r"\]\((.+?)\.png\)", rf"](../figures/{name}/\1.png)", report)
    path = DOCS / "papers" / f"{name}.md"
    if not path.is_file():
        path.write_text(f"# {find_paper(name).citation}\n\n{MARKS[0]}\n{MARKS[1]}\n", encoding="utf-8")
    path.write_text(between(path.read_text(encoding="utf-8"), MARKS, report), encoding="utf-8")
    return figures


def copy_figures(name: str, folder: Path, figures: list[str]) -> None:
    """PNGs of the run; those that it no longer makes go."""
    target = DOCS / "figures" / name
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.png"):
        if old.stem not in figures:
            old.unlink()
    for figure in figures:
        source = folder / f"{figure}.png"
        if source.stat().st_size > LARGEST:
            print(f"{source}: {source.stat().st_size} bytes, more than {LARGEST}")
        shutil.copyfile(source, target / source.name)


def overview(name: str, folder: Path) -> None:
    """The row of the paper in the overview."""
    with (folder / "table.csv").open(encoding="utf-8", newline="") as stream:
        counts = Counter(row["verdict"] for row in csv.DictReader(stream))
    path = DOCS / "papers" / "README.md"
    text = path.read_text(encoding="utf-8")
    start, end = (text.index(mark) for mark in ROWS)
    rows = text[start:end].splitlines()
    paper = find_paper(name)
    numbers = " | ".join(str(counts[verdict]) for verdict in ("pass", "fail", "open"))
    row = f"| [{name}]({name}.md) | {paper.citation}: {paper.title} | {numbers} | {paper.minutes:g} |"
    found = [i for i, line in enumerate(rows) if line.startswith((f"| [{name}]", f"| {name} "))]
    if not found:
        raise SystemExit(f"{path}: no row of {name}")
    rows[found[0]] = row
    path.write_text(text[:start] + "\n".join(rows) + "\n" + text[end:], encoding="utf-8")


def main(folder: Path, name: str) -> None:
    """All three."""
    if name not in PAPERS:
        raise SystemExit(f"{name} is none of {', '.join(PAPERS)}")
    copy_figures(name, folder, page(name, folder))
    overview(name, folder)
    print(f"docs/papers/{name}.md, docs/figures/{name} and docs/papers/README.md written")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else Path(sys.argv[1]).name)
