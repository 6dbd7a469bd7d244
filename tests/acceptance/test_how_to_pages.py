"""Pages whose commands need a result: every block in its order, in one empty folder, on coarse grids."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cyldiff.cli import main

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = (
    "first-steps.md",
    "how-to/anisotropy.md",
    "how-to/gamma.md",
    "how-to/export.md",
    "how-to/results.md",
    "theory/single-sources.md",
)
_BLOCK = re.compile(r"^```(\{code-cell\} )?(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
#: a file that the reader is told to write: its name stands in the line above
_WRITTEN = re.compile(r"`([\w-]+\.toml)`:\n\n```toml\n(.*?)^```", re.DOTALL | re.MULTILINE)
#: first words of what is not tried here: installing
LEFT_OUT = (
    ["pip", "install"],
    ["python3", "-m"],
    [".venv/bin/pip", "install"],
    ["source"],
)
#: what pages call out.nc where they do not make it themselves
OUT = (
    "cyldiff run electrons -o out.nc --set compare.data=[] "
    '--set \'species.include=["H1", "He4", "B10", "B11", "C12", "electron", "positron"]\''
)
#: a run on the coarse grid shows that a command works; what it gives on the grid of the library is tested elsewhere
COARSE = ["--set", "grid.use=galaxy-2d-coarse", "--set", "solver.grid_error.enabled=false"]


def blocks(page):
    found = _BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    return [
        (language, text) for cell, language, text in found if not cell
    ]  # cells run when the site is built


def written(page):
    """Name and text of every file that the reader is told to write."""
    return _WRITTEN.findall((DOCS / page).read_text(encoding="utf-8"))


CASES = [(page, number) for page in PAGES for number in range(len(blocks(page)))]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {page: tmp_path_factory.mktemp(Path(page).stem) for page in PAGES}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made["how-to/export.md"])
        run(OUT)
    shutil.copyfile(made["how-to/export.md"] / "out.nc", made["how-to/results.md"] / "out.nc")
    return made


def run(line):
    words = shlex.split(line, comments=True)
    if any(words[: len(start)] == start for start in LEFT_OUT):
        return
    assert words[0] == "cyldiff", f"not a command that can be tried: {line}"
    # a best model has a grid of its own, a coarse one
    coarse = words[1] in ("run", "response") and "best-fit" not in words[2]
    words = words[1:] + (COARSE if coarse else [])
    answer = CliRunner().invoke(main, words, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize(("page", "number"), CASES, ids=[f"{page}-{number}" for page, number in CASES])
def test_block(page, number, folders, monkeypatch):
    monkeypatch.chdir(folders[page])
    language, text = blocks(page)[number]
    if language == "python":
        exec(compile(text, page, "exec"), {"__name__": "page"})
    elif language == "toml":
        named = {content: name for name, content in written(page)}
        if text not in named:
            pytest.skip("validated in tests/docs")
        Path(named[text]).write_text(text, encoding="utf-8")
    elif language == "text":
        pytest.skip("what a command prints")
    else:
        for line in filter(None, text.replace("\\\n", " ").splitlines()):
            run(line)
