"""One thing changed in a text."""

from __future__ import annotations

import re

WORDS = (
    "", "0", "-1", "nan", "inf", "1e400", "true", '""', '"4 parsec/s"', "[", "]", "{}", '"4 kpc', "2026-13-01", "=",
    "\\", "\x00", "é", "99999999999999999999", '"none"', "[1, 2", '"H1"', "1_0", "'''",
)  # fmt: skip
#: what a user must never read
INTERNAL = re.compile(r"Traceback|pydantic|Input should|KeyError|TypeError|NoneType|object at 0x")


def changed(text, kind, chosen):
    """The text with one thing changed."""
    lines = text.splitlines()
    filled = [k for k, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    at = chosen.choice(filled)
    if kind == "a line gone":
        del lines[at]
    elif kind == "a line twice":
        lines.insert(at, lines[at])
    elif kind == "lines exchanged":
        other = chosen.choice(filled)
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == "a word replaced":
        words = re.split(r"([\s,=]+)", lines[at])
        words[chosen.randrange(0, len(words), 2)] = chosen.choice(WORDS)
        lines[at] = "".join(words)
    elif kind == "a letter lost":
        place = chosen.randrange(len(lines[at]))
        lines[at] = lines[at][:place] + lines[at][place + 1 :]
    elif kind == "the end lost":
        return text[: chosen.randrange(len(text))]
    return "\n".join(lines) + "\n"


KINDS = (
    "a line gone",
    "a line twice",
    "lines exchanged",
    "a word replaced",
    "a letter lost",
    "the end lost",
    "bytes",
)
