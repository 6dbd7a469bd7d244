"""The pages of the site, the README files, and the code blocks in them."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: a fence of at least three marks, with what is said behind it, up to the same fence
_FENCE = re.compile(r"^( *)(`{3,}|~{3,}|:{3,})([^\n`]*)\n(.*?)^\1\2 *$", re.DOTALL | re.MULTILINE)
#: a file that the reader is told to write: its name ends the line above the block, or is its first comment
_NAMED_ABOVE = re.compile(r"`([\w-]+\.(?:toml|py))`:\n+\Z")
_NAMED_INSIDE = re.compile(r"# ([\w-]+\.(?:toml|py))\n")
#: directives that hold code, and those that hold none
CODE = ("{code-cell}", "{code-block}")
NO_CODE = ("{toctree}", "{math}", "{eval-rst}", "{note}", "{warning}", "{figure}")


@dataclass(frozen=True)
class Block:
    """A code block: its page from the root, line there, language, text, and the file that it is to be."""

    page: str
    number: int
    line: int
    language: str
    text: str
    cell: bool
    file: str | None

    @property
    def where(self):
        return f"{self.page}:{self.line}"


def pages():
    """Paths from the root: README files, and the site without what is made from other files."""
    readmes = [p for d in ("grids", "physics", "runs") for p in (ROOT / d).rglob("*.md")]
    site = [
        p
        for p in (ROOT / "docs").rglob("*.md")
        if not {"_build", "_generated", "jupyter_execute"} & set(p.parts)
        and (p.parent.name != "changes" or p.name == "README.md")  # else a fragment
    ]
    return [p.relative_to(ROOT).as_posix() for p in (ROOT / "README.md", *sorted(readmes), *sorted(site))]


@cache
def blocks(page):
    """Code blocks of a page, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return tuple(parsed(page, text))


def parsed(page, text):
    """Code blocks of a text."""
    found = []
    for match in _FENCE.finditer(text):
        first, _, second = match[3].strip().partition(" ")
        if first.startswith("{") and first not in CODE:
            assert first in NO_CODE, f"{page}: is there code in {first}? Add it to CODE or NO_CODE"
            continue
        language = (second if first in CODE else first).split(" ")[0]
        content = textwrap.dedent(match[4])
        named = _NAMED_INSIDE.match(content) or _NAMED_ABOVE.search(text[: match.start()])
        line = text.count("\n", 0, match.start()) + 1
        found.append(
            Block(page, len(found), line, language, content, first == "{code-cell}", named and named[1])
        )
    return found


def indented(page):
    """Lines of blocks that are code by their indent alone; formulas stand there, never a command."""
    text = _FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    return re.findall(r"(?<=\n\n) {4}(?![*\d-]+\.? )(\S[^\n]*)", text)


def commands(block):
    """Words of every command of a bash block; "&&" separates two."""
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while "&&" in words:
            end = words.index("&&")
            found.append(tuple(words[:end]))
            words = words[end + 1 :]
        found.append(tuple(words))
    return [words for words in found if words]
