"""What the rerun of a paper writes to: a folder, its table of comparisons, its figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cyldiff.io.whole import write_whole
from cyldiff.papers.items import Item
from cyldiff.plot.output import save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLUMNS", "Study"]

COLUMNS = ("item", "printed", "ours", "tolerance", "verdict")


@dataclass
class Study:
    """The rerun of one paper.

    Parameters
    ----------
    name : of the paper, e.g. "kaci-2025"
    out : folder that takes figures and tables
    smoke : coarse grids and few realisations: shows that everything runs, not what it gives
    quiet : no progress
    processes : for ensembles; None: one per core
    """

    name: str
    out: Path
    smoke: bool = False
    quiet: bool = True
    processes: int | None = None
    items: list[Item] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)
    say: Callable[[str], None] = lambda _text: None

    @property
    def results(self) -> Path:
        """Folder of result files (.nc and others) that the figures are drawn from."""
        path = self.out / "results"
        path.mkdir(exist_ok=True)
        return path

    def add(self, *items: Item) -> None:
        """Lines of the table."""
        self.items.extend(items)

    def figure(self, name: str, caption: str, build: Callable[[], Figure]) -> None:
        """Draw and write NAME.png; `build` is called with the settings of the package."""
        save_figure(build, self.out / f"{name}.png")
        self.figures.append((name, caption))
        self.say(f"{name}.png: {caption}")

    def write(self) -> None:
        """table.csv (the five columns) and report.md (with notes and figures)."""
        buffer = io.StringIO()
        table = csv.writer(buffer, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows([getattr(item, column) for column in COLUMNS] for item in self.items)
        write_whole(self.out / "table.csv", buffer.getvalue())
        write_whole(self.out / "report.md", self.report())

    def report(self) -> str:
        """The table with its notes, and the figures, in Markdown."""
        lines = ["| item | printed | ours | tolerance | verdict |", "|---|---|---|---|---|"]
        notes: list[str] = []
        for item in self.items:
            verdict: str = item.verdict
            if item.note:
                if item.note not in notes:
                    notes.append(item.note)
                verdict += f" [{notes.index(item.note) + 1}]"
            cells = (item.item, item.printed, item.ours, item.tolerance, verdict)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines += [""] + [f"{number}. {note}" for number, note in enumerate(notes, start=1)]
        lines += ["", *(f"![{caption}]({name}.png)\n\n{caption}\n" for name, caption in self.figures)]
        return "\n".join(lines).rstrip() + "\n"
