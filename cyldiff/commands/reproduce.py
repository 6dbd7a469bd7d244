"""``cyldiff reproduce``: figures and tables of a paper, next to what it prints."""

from __future__ import annotations

import time
from pathlib import Path

import click

from cyldiff.commands.base import reported, show

__all__ = ["reproduce"]


@click.command(short_help="Rerun a paper: its figures and a table printed - ours - verdict.")
@click.argument("name")
@click.option("--smoke", is_flag=True, help="Coarse grids, few realisations: a minute; verdicts mean little.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder; default: NAME.")
@click.option("--processes", type=click.IntRange(min=1), metavar="N", help="Processes; default one per core.")
@reported
def reproduce(name: str, smoke: bool, output: Path | None, processes: int | None) -> None:
    """Rerun the paper NAME with the configurations under runs/papers/NAME.

    \b
    kaci-2025             powerful microquasars, populations
    yue-2025              X-ray binaries, spatially dependent diffusion
    nie-2026              a nearby microquasar, joint fit
    aharonian-zhang-2026  components of protons and helium
    lhaaso-2024           microquasars in gamma rays

    Leaves one PNG per figure, table.csv (item, printed, ours, tolerance, verdict) and report.md. A verdict is
    pass, fail, or open: the paper does not give what is needed.
    """  # noqa: D301
    from cyldiff.papers.reproduce import find_paper
    from cyldiff.papers.reproduce import reproduce as rerun

    paper = find_paper(name)
    out = output or Path(name)
    show(f"{paper.citation}: {paper.title}" + ("" if smoke else f" (about {paper.minutes:g} minutes)"))
    started = time.perf_counter()
    study = rerun(name, out, smoke=smoke, quiet=False, processes=processes, say=show)
    for item in study.items:
        show(f"  {item.verdict:4}  {item.item}: printed {item.printed}, ours {item.ours} ({item.tolerance})")
    counts = {v: sum(item.verdict == v for item in study.items) for v in ("pass", "fail", "open")}
    show(f"\n{counts['pass']} pass, {counts['fail']} fail, {counts['open']} open; "
               f"{time.perf_counter() - started:.0f} s; {out} written")  # fmt: skip
