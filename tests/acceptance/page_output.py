"""Compares what a page shows in a ```text block with what the commands before it print."""

from __future__ import annotations

import re

from page_blocks import blocks

_NUMBER = re.compile(r"(?<![\w.-])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")


def compare(block, page):
    """Every line of the block is printed, in its order; with the same numbers, if the command ran as it stands."""
    before = [b for b in blocks(page.name)[: block.number] if b.language == "bash"]
    assert before, (
        f"{block.where}: a text block shows what the commands before it print; formulas are indented"
    )
    left = [line for line in page.printed.splitlines() if line.strip()]
    for line in filter(str.strip, block.text.splitlines()):
        rank = next((k for k, other in enumerate(left) if label(other) == label(line)), None)
        assert rank is not None, f"{block.where}: no line is like {line!r} in\n{page.printed}"
        if not page.short:
            same = all(map(close, _NUMBER.findall(line), _NUMBER.findall(left[rank])))
            assert same, f"{block.where}: the page has\n{line}\nthe command prints\n{left[rank]}"
        left = left[rank + 1 :]


def label(line):
    """A line without its numbers."""
    return " ".join(_NUMBER.sub("#", line).split())


def close(shown, printed):
    """Whether a printed number is that of the page: to 2 % and one in the last digit that the page gives."""
    mantissa, _, exponent = shown.partition("e")
    step = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(printed) - float(shown)) <= 0.02 * abs(float(shown)) + step
