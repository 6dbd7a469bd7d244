"""Every physical constant says where it is from; every number of the physics says what it is."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "cyldiff"
#: packages whose module-level numbers are physics unless NUMERICAL says otherwise
PHYSICS = ("particles", "galaxy", "transport", "grid", "observables", "sources", "own_physics")
#: packages whose numbers inside functions are physics too: those of formulas and fits
FORMULAS = ("particles", "galaxy", "transport")
#: settings of a computation, not constants of nature; each has a comment that says what it does
NUMERICAL = {
    "galaxy/radial_law.py": {"FAR", "NEAR"},
    "galaxy/source_places.py": {"_CENTRE"},
    "galaxy/spiral_arms.py": {"CENTRE", "WIDE"},
    "galaxy/surface_density.py": {"SAME"},
    "observables/absorption.py": {"STEP", "_HIGHEST", "_LOWEST"},
    "observables/anisotropy_parts.py": {"_TINY"},
    "observables/emission.py": {"_PER_CM2"},
    "observables/emissivity.py": {"REACH"},
    "observables/emitters.py": {"_HIGHEST", "_LOWEST_ELECTRON", "_LOWEST_PROTON"},
    "observables/image.py": {"STRETCH", "TOLERANCE", "_TINY"},
    "observables/interpolation.py": {"_TINY"},
    "observables/lepton_emission.py": {"_TINY"},
    "observables/lepton_sky.py": {"_FOUR_PI", "_HOTTEST", "_PER_CM2", "_REACH"},
    "observables/line_of_sight.py": {"LONGEST", "TOLERANCE"},
    "observables/linear_emissivity.py": {"SLOPE"},
    "observables/region_grid.py": {"CROWDED", "PIXEL", "STEPS"},
    "observables/regions.py": {"PANEL", "RIM", "TOLERANCE"},
    "observables/sky.py": {"TOLERANCE"},
    "observables/source_emission.py": {"DISTANCES", "_TINY"},
    "observables/source_halo.py": {"CLOSEST", "_CROWDED", "_INNER", "_TINY", "_TOP"},
    "own_physics/space.py": {"_EVEN", "_STEP"},
    "particles/bremsstrahlung.py": {"_SMALLEST"},
    "particles/inverse_compton.py": {"DEEPEST", "_SMALLEST"},
    "particles/lepton_production.py": {"_INDEX", "_TAIL"},
    "particles/synchrotron.py": {"DEEPEST"},
    "sources/combined.py": {"_ROUNDING"},
    "sources/cooled.py": {"_SLIGHT"},
    "sources/cooling.py": {"SLOWEST", "_DIFFERENCE"},
    "sources/edge.py": {"TABLES"},
    "sources/energy_spectrum.py": {"_DEPTH"},
    "sources/fluxes.py": {"DEFAULT_ENERGIES", "PER_DECADE", "_NOTHING"},
    "sources/gamma_fields.py": {"_PER_CM2"},
    "sources/kernels.py": {
        "NEGLIGIBLE",
        "STEEP",
        "_LATE",
        "_LOG2_E",
        "_PANEL_EXPONENT",
        "_PANEL_WIDTH",
        "_ROUND",
        "_SHORT",
        "_SOON",
    },
    "sources/lepton_kernels.py": {"_SMALL", "_UNSEEN"},
    "sources/leptons_at_sun.py": {"_ABOVE"},
    "sources/point.py": {"BEYOND_EDGE", "KERNEL_CELLS", "SOURCE_CELLS"},
    "sources/population/checks.py": {"NEGLECTED_AT_MOST", "_PER_BIRTH", "_UNIFORM"},
    "sources/ecsv.py": {"_PER_BYTE"},
    "sources/population/draw.py": {"TAILS"},
    "sources/population/evaluate.py": {"_STEP"},
    "sources/population/expected.py": {"_EMPTY", "_FREE", "_SMALLEST"},
    "sources/population/gamma.py": {"PARENT", "REACH_FAR", "REACH_NEAR", "_HEIGHTS"},
    "sources/population/gamma_schema.py": {"HIGHEST", "REACH"},
    "sources/population/model.py": {"_INDEX_STEP"},
    "sources/population/smooth.py": {"_LEAST_RANGE", "_NOTHING"},
    "sources/population/statistics.py": {"QUANTILES", "_TAIL"},
    "sources/propagation.py": {"_MENTIONED", "_RIGIDITIES"},
    "sources/response/kernels.py": {"_MARGIN", "_NODE", "_PANEL"},
    "sources/response/mesh.py": {"KERNEL_MODES", "PSI_GROWTH"},
    "sources/response/motion.py": {"PROPAGATED"},
    "sources/response/response.py": {"NEAR", "NOISE", "STEADY_NOISE"},
    "sources/response/solve.py": {"ABOVE", "INJECTED", "NEGLIGIBLE"},
    "sources/response/tables.py": {"FADED", "GONE", "LARGEST", "LINEAR", "LONGEST_STEP", "STEADY", "STEP"},
    "sources/spectrum.py": {"_DEPTH", "_FAR"},
    "sources/stored_response.py": {"_PER_DECADE"},
    "sources/superposition.py": {"PRECISION"},
    "sources/validity.py": {"BALLISTIC"},
    "transport/build.py": {"GAUSS_POINTS"},
    "transport/lepton_losses.py": {"_PLANCK_RANGE", "_SERIES"},
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
    """Module-level names in capitals with a number that is not 0, 1, 2 or 1/2; of ``A, B = …`` each by itself."""
    lines, tree = text.splitlines(), ast.parse(text)
    doc = ast.get_docstring(tree) or ""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple):
            single = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
            pairs = list(zip(target.elts, value.elts if single else [value] * len(target.elts), strict=True))
        for name, said in pairs:
            if not isinstance(name, ast.Name) or said is None or not name.id.lstrip("_").isupper():
                continue
            numbers = [
                n.value for n in ast.walk(said) if isinstance(n, ast.Constant) and isinstance(n.value, float)
            ]
            if any(number not in _TRIVIAL for number in numbers):
                yield Constant(name.id, said, comment_of(lines, node), doc)


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


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_every_number_of_a_module_says_what_it_is(path):
    """Of all packages: settings of a computation or of a figure, data of a paper."""
    assert [c.name for c in constants(path.read_text(encoding="utf-8")) if not c.comment] == []


def bare(text):
    """The same without comments and without years in docstrings: nothing has a reference."""
    lines = [re.sub(r"#.*", "", line) for line in text.splitlines()]
    return _YEAR.sub("year", "\n".join(lines))


@pytest.mark.parametrize("name", ["constants.py", "particles/kelner.py", "transport/lepton_losses.py"])
def test_without_its_comments_no_constant_would_pass(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    found = list(constants(bare(text)))
    assert found
    assert [c.name for c in found if c.has_reference()] == []


def significant(value):
    return len(re.sub(r"e.*$|\.", "", repr(value)).strip("0"))


#: numbers of mathematics and of geometry
_PLAIN = {0.25, 0.75, 1.5, 2.5, 12.0, 15.0, 16.0, 180.0, 360.0}


def uncited(text, settings=()):
    """Numbers of two digits or more in functions and classes of a module that cite nothing.

    A year in the docstring or a comment of the function, of the class around it, or in the docstring of
    the module is a citation.
    """
    tree, lines = ast.parse(text), text.splitlines()
    cited = bool(_YEAR.search(ast.get_docstring(tree) or ""))

    def inside(node, known):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                comments = " ".join(re.findall(r"#.*", "\n".join(lines[child.lineno - 1 : child.end_lineno])))
                said = f"{ast.get_docstring(child)} {comments}"
                settled = child.name in settings
                yield from inside(child, known or settled or bool(_YEAR.search(said)))
            elif isinstance(child, ast.Constant) and isinstance(child.value, float):
                if not known and significant(child.value) > 1 and child.value not in _PLAIN:
                    yield f"{child.lineno}: {child.value}"
            else:
                yield from inside(child, known)

    for top in tree.body:
        if isinstance(top, ast.FunctionDef | ast.ClassDef):
            yield from inside(ast.Module([top], []), cited)


FORMULA_MODULES = sorted(path for package in FORMULAS for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", FORMULA_MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_numbers_of_formulas_have_references(path):
    assert list(uncited(path.read_text(encoding="utf-8"))) == []


def test_a_formula_without_reference_is_seen():
    formula = 'def f(x):\n    """A fit{}."""\n    return 30.7 * x + 2.0\n'
    assert list(uncited('"""Nothing."""\n' + formula.format(""))) == ["4: 30.7"]
    assert list(uncited('"""Nothing."""\n' + formula.format(" of Kafexhiu et al. 2014"))) == []
    assert list(uncited('"""Fits of Kafexhiu et al. 2014."""\n' + formula.format(""))) == []


LIBRARY = ROOT.parent / "physics"
#: files of the library that hold numbers of physics, and the table that says where from
SOURCED = {"models": "source", "emission": "pedigree", "catalogues": "catalogue"}


@pytest.mark.parametrize(
    "path", [p for f in SOURCED for p in sorted((LIBRARY / f).glob("*.toml"))], ids=lambda path: path.name
)
def test_files_of_the_library_cite_a_year(path):
    said = tomllib.loads(path.read_text(encoding="utf-8"))[SOURCED[path.parent.name]]
    assert _YEAR.search(said["citation"]), "citation"
    assert said.get("notes") or said.get("where_in_paper") or said.get("processing")


RUNS = sorted(p for p in (ROOT.parent / "runs").rglob("*.toml") if not p.name.endswith(".source.toml"))


def numbers_in(content):
    """Numbers and quantities that a section of a run sets."""
    if isinstance(content, dict):
        for key, inner in content.items():
            yield from () if key == "use" else numbers_in(inner)
    elif isinstance(content, list):
        for inner in content:
            yield from numbers_in(inner)
    elif (isinstance(content, int | float) and not isinstance(content, bool)) or (
        isinstance(content, str) and re.match(r"-?[\d.]+(e[+-]?\d+)? ?[a-zA-Z]", content)
    ):
        yield content


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.relative_to(ROOT.parent).as_posix())
def test_runs_that_change_their_model_say_why(path):
    text = path.read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    if list(numbers_in(raw.get("physics", {}))):
        said = " ".join([*re.findall(r"#.*", text), raw["run"].get("purpose", "")])
        assert _YEAR.search(said) or "docs/" in said, (
            "a comment with a reference, or the script that fitted it"
        )


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
