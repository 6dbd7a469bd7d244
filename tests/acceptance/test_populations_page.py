"""docs/how-to/populations.md: every command and script of the page, in its order, with fewer realisations."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import cyldiff
from cyldiff.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "populations.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


def run(command):
    name, *arguments = shlex.split(command, comments=True)
    assert name == "cyldiff"
    if arguments[0] == "population" and "--catalogue" not in arguments:
        if "--realisations" in arguments:
            del arguments[arguments.index("--realisations") :][:2]
        arguments += ["--realisations", "20", "--processes", "1"]
    if "observers.ring" in command:
        arguments = [a.replace("n = 360", "n = 12") for a in arguments]
    answer = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=[kind for kind, _ in BLOCKS])
def test_block(number, folder, monkeypatch):
    monkeypatch.chdir(folder)
    kind, text = BLOCKS[number]
    if kind == "bash":
        for command in text.replace("\\\n", " ").strip().splitlines():
            run(command)
    elif kind == "toml":
        (folder / re.match(r"# (\S+)\n", text)[1]).write_text(text)
        run("cyldiff check my-population.toml")
        run("cyldiff explain population.rate")
        run("cyldiff population my-population.toml -o mine.nc")
    elif kind == "python":
        few = text.replace("draw.realisations=500", "draw.realisations=20").replace(
            "processes=2", "processes=1"
        )
        exec(compile(few, "populations.md", "exec"), {})
    else:
        head = text.splitlines()[3]
        printed = run("cyldiff population papers/kaci-2025/population -o again.nc")
        assert head.split() == next(line for line in printed.splitlines() if "minimum" in line).split()


def test_what_the_page_leaves_behind(folder):
    for name in ("microquasars.nc", "sea.nc", "ring.nc", "mine.nc"):
        assert "flux_quantiles" in cyldiff.read_result(folder / name)
    assert "flux_lis_total" in cyldiff.read_result(folder / "galaxy-3.nc")
    for name in ("band.png", "ring.png"):
        assert (folder / name).stat().st_size > 10_000


def test_keys_of_the_table_exist():
    """What the page names as a key is one."""
    from cyldiff.config.tree import walk
    from cyldiff.sources.population.schema import PopulationConfig

    known = {path for path, _, _ in walk(PopulationConfig)}
    named = re.findall(
        r"`((?:population|selection|observers|model|output|draw)\.[a-z_.]+)", PAGE.read_text(encoding="utf-8")
    )
    assert named
    assert [name for name in named if name not in known] == []
