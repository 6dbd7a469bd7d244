"""Rerun a paper by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cyldiff.errors import DataError, nearest
from cyldiff.io.netcdf import check_writable
from cyldiff.papers.study import Study

__all__ = ["PAPERS", "Paper", "find_paper", "reproduce"]


@dataclass(frozen=True)
class Paper:
    """Where a paper is rerun: ``rerun(study)`` of `module` adds items and figures; `minutes` of the full mode."""

    name: str
    title: str
    citation: str
    module: str
    minutes: float


PAPERS: dict[str, Paper] = {
    paper.name: paper
    for paper in (
        Paper(
            "kaci-2025", "Powerful microquasars as sources of the knee",
            "Kaci et al. 2025", "cyldiff.papers.kaci_2025", 6.5,
        ),
        Paper(
            "yue-2025", "X-ray binaries as sources of the knee",
            "Yue et al. 2025", "cyldiff.papers.yue_2025", 5.0,
        ),
        Paper(
            "nie-2026", "A nearby microquasar as the source of the knee",
            "Nie et al. 2026", "cyldiff.papers.nie_2026", 4.0,
        ),
        Paper(
            "aharonian-zhang-2026", "Components of the proton and helium spectra",
            "Aharonian & Zhang 2026", "cyldiff.papers.aharonian_zhang_2026", 4.0,
        ),
        Paper(
            "lhaaso-2024", "Microquasars seen by LHAASO",
            "LHAASO Collaboration 2024", "cyldiff.papers.lhaaso_2024", 0.5,
        ),
    )
}  # fmt: skip


def find_paper(name: str) -> Paper:
    """The paper of this name.

    Raises
    ------
    DataError
        if there is none.
    """
    if name not in PAPERS:
        raise DataError(f'no paper "{name}"; known: {", ".join(PAPERS)}{nearest(name, PAPERS)}')
    return PAPERS[name]


def reproduce(
    name: str, out: str | Path, *, smoke: bool = False, quiet: bool = True,
    processes: int | None = None, say: Callable[[str], None] = lambda _text: None,
) -> Study:  # fmt: skip
    """Rerun a paper: one PNG per figure, ``table.csv`` and ``report.md`` in the folder `out`.

    Raises
    ------
    DataError
        for an unknown paper or a folder that cannot be written.
    """
    paper = find_paper(name)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be made ({error.strerror})") from None
    if reason := check_writable(folder / "report.md"):
        raise DataError(reason)
    study = Study(name, folder, smoke=smoke, quiet=quiet, processes=processes, say=say)
    importlib.import_module(paper.module).rerun(study)
    study.write()
    return study
