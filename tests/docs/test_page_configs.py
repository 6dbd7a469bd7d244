"""Configs that the Python of the pages asks for are valid: names, overrides and the values of a scan.

Code cells run when the site is built; this is about the blocks that do not.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import cyldiff

DOCS = Path(__file__).resolve().parents[2] / "docs"
_BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
LOADERS = {
    "load_config": cyldiff.load_config,
    "load_population": cyldiff.load_population,
}


def value(node):
    """A literal; what an f-string puts in stands for some number. ValueError if it is neither."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "0.45" for part in node.values]
        return "".join(parts)
    if isinstance(node, ast.List | ast.Tuple):
        return [value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {value(k): value(v) for k, v in zip(node.keys, node.values, strict=True)}
    return ast.literal_eval(node)


def calls(text):
    """(function of cyldiff, positional arguments) of the calls in a block whose arguments are literals."""
    for node in ast.walk(ast.parse(text)):
        function = getattr(node, "func", None)
        if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)):
            continue
        if function.value.id == "cyldiff" and function.attr in {*LOADERS, "scan"}:
            try:
                yield function.attr, [value(item) for item in node.args[:2]]
            except ValueError:
                continue


CASES = [
    pytest.param(name, arguments, id=f"{page.relative_to(DOCS).as_posix()}-{name}-{number}")
    for page in sorted(DOCS.rglob("*.md"))
    if not {"_build", "_generated"} & set(page.parts)
    for number, (name, arguments) in enumerate(
        call for block in _BLOCK.findall(page.read_text(encoding="utf-8")) for call in calls(block)
    )
]


def test_there_are_calls_to_check():
    assert len(CASES) >= 3


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_the_config_is_valid(name, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name != "scan":
        assert LOADERS[name](*arguments).config
        return
    config, parameters = arguments
    for path, values in parameters.items():
        for one in values:
            assert cyldiff.load_config(config).changed([f"{path}={one!r}"], source="page").config, path


def test_a_number_where_a_list_belongs_is_seen():
    (found,) = calls('cyldiff.load_config("quickstart", [f"physics.diffusion.delta={x}"])')
    with pytest.raises(cyldiff.errors.ConfigError, match="expected a list"):
        LOADERS[found[0]](*found[1])
