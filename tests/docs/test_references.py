"""Every physical constant says where it is from; every number of the physics says what it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "cyldiff"
#: packages whose module-level numbers are physics unless NUMERICAL says otherwise
PHYSICS = ("particles", "galaxy", "transport", "grid")
#: settings of a computation, not constants of nature; each has a comment that says what it does
NUMERICAL = {
    "galaxy/radial_law.py": {"FAR", "NEAR"},
    "galaxy/source_places.py": {"_CENTRE"},
    "galaxy/spiral_arms.py": {"WIDE", "CENTRE"},
    "galaxy/surface_density.py": {"SAME"},
    "particles/bremsstrahlung.py": {"_SMALLEST"},
    "particles/inverse_compton.py": {"DEEPEST", "_SMALLEST"},
    "particles/lepton_production.py": {"_INDEX", "_TAIL"},
    "particles/synchrotron.py": {"DEEPEST"},
    "transport/build.py": {"GAUSS_POINTS"},
    "transport/lepton_losses.py": {"_SERIES"},
}
_YEAR = re.compile(r"\b(1[89]|20)\d\d\b")
_PLACE = re.compile(r"\b(Eqs?|Table|Sect|Section|Fig|App|text)\b|\bexact\b")
_TRIVIAL = (0.0, 1.0, 2.0, 0.5)


class Constant:
    """A module-level number, and what is said about it."""

    def __init__(self, name, node, comment, doc):
        self.name, self.node, self.comment, self.doc = name, node, comment, doc

    @property
    def derived(self):
        """Whether it is made of other constants and of numbers of mathematics only."""
        named = {n.id for n in ast.walk(self.node) if isinstance(n, ast.Name)} - {"math", "np"}
        measured = [
            n.value for n in ast.walk(self.node) if isinstance(n, ast.Constant) and len(digits(n.value)) > 3
        ]
        return bool(named) and not measured

    def has_reference(self):
        cited = _YEAR.search(self.comment) or (_PLACE.search(self.comment) and _YEAR.search(self.doc))
        return bool(cited) or (self.derived and bool(self.comment))


def digits(value):
    return re.sub(r"^0+|\.|e.*$|0+$", "", repr(value)) if isinstance(value, float) else ""


def constants(text):
    """Module-level names in capitals with a number that is not 0, 1, 2 or 1/2."""
    lines, tree = text.splitlines(), ast.parse(text)
    doc = ast.get_docstring(tree) or ""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if not isinstance(target, ast.Name) or value is None or not target.id.lstrip("_").isupper():
            continue
        numbers = [
            n.value for n in ast.walk(value) if isinstance(n, ast.Constant) and isinstance(n.value, float)
        ]
        if any(number not in _TRIVIAL for number in numbers):
            yield Constant(target.id, value, comment_of(lines, node), doc)


def comment_of(lines, node):
    """Comments on the lines of a statement, and those above it up to the next blank line."""
    own = [line.partition("#")[2] for line in lines[node.lineno - 1 : node.end_lineno]]
    row = node.lineno - 2
    above = []
    while row >= 0 and lines[row].strip():
        if lines[row].startswith("#"):
            above.append(lines[row])
            if not lines[row - 1].startswith("#"):
                break  # one block: what stands above it belongs to others
        row -= 1
    return " ".join([*reversed(above), *own]).strip(" #:")


def test_constants_have_references():
    found = list(constants((ROOT / "constants.py").read_text(encoding="utf-8")))
    assert len(found) > 20
    assert [c.name for c in found if not c.has_reference()] == []


MODULES = sorted(path for package in PHYSICS for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_numbers_of_the_physics_have_references(path):
    found = list(constants(path.read_text(encoding="utf-8")))
    numerical = NUMERICAL.get(path.relative_to(ROOT).as_posix(), set())
    assert [c.name for c in found if c.name in numerical and not c.comment] == []
    assert [c.name for c in found if c.name not in numerical and not c.has_reference()] == []


def test_the_list_of_settings_is_up_to_date():
    for path, names in NUMERICAL.items():
        there = {c.name for c in constants((ROOT / path).read_text(encoding="utf-8"))}
        assert names <= there, path


@pytest.mark.parametrize(
    ("line", "cited"),
    [
        ("MASS = 0.93827  #: GeV, CODATA 2018", True),
        ("MASS = 0.93827  #: GeV", False),
        ("MASS = 0.93827", False),
        ("THRICE = 3.0 * OLD  #: three of them", True),
        ("THRICE = 3.0 * OLD", False),
        ("OTHER = 1.23456 * OLD  #: a measured number", False),
        ("#: a mass (PDG 2022)\nMASS = 0.93827", True),
        ("#: two masses (PDG 2022)\nMASS = 0.93827\nLIGHT = 0.13957", True),
    ],
)
def test_the_test_sees_what_is_missing(line, cited):
    found = list(constants(f'"""Nothing."""\n\nOLD = 3.7  #: 1998\n\n{line}\n'))[1:]
    assert found
    assert {constant.has_reference() for constant in found} == {cited}


def test_kinds_named_after_a_paper_cite_it():
    import inspect
    import sys

    from cyldiff import kinds, registry

    assert kinds
    named = [
        (f, k, c)
        for f in registry.families()
        for k, c in registry.kinds(f).items()
        if re.search(r"-\d{4}$", k)
    ]
    assert len(named) > 15
    for family, kind, cls in named:
        said = f"{inspect.getdoc(cls)} {sys.modules[cls.__module__].__doc__}"
        assert kind[-4:] in said, (family, kind)
