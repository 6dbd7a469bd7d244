"""docs/how-to/sources.md: every command and every script of the page, in its order, in one empty folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import cyldiff
from cyldiff.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "sources.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


def run(command):
    name, *arguments = shlex.split(command)
    assert name == "cyldiff"
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
    elif kind == "python":
        exec(compile(text, "sources.md", "exec"), {})
    else:
        printed = run("cyldiff sources nie-2026-microquasars --model nie-2026 --kernel free -o again.nc")
        assert text.strip() in printed, "the table of the page is the one that is printed"


def test_what_the_page_leaves_behind(folder):
    for name in ("microquasars.nc", "my-sources.nc", "lhaaso.nc", "both.nc"):
        assert "flux_lis" in cyldiff.read_result(folder / name)
    assert (folder / "microquasars.png").stat().st_size > 10_000
