"""What the pages and the README say to type is valid: commands, options, names, config files, Python.

Commands are parsed and their files and ``--set`` items validated, those within a line of text too. Blocks run in
tests/acceptance/test_pages.py, the tutorials when the site is built.
"""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import cyldiff
from cyldiff import resources
from cyldiff.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(
        p
        for p in (ROOT / "docs").rglob("*.md")
        if not {"_build", "_generated"} & set(p.parts)
        and (p.parent.name != "changes" or p.name == "README.md")  # else a fragment
    ),
]
_BLOCK = re.compile(r"^```(\{code-cell\} )?(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(cyldiff [^`]+)`")
#: first argument of these is a file, or a name of these libraries
LIBRARIES = {
    "run": ("runs",),
    "check": ("runs", "populations", "spectra", "joint-fits", "catalogues"),
    "tune": ("runs", "spectra", "joint-fits"),
    "sample": ("runs", "spectra", "joint-fits"),
    "sources": ("catalogues",),
    "source": ("emission",),
    "population": ("populations",),
    "response": ("runs",),
}

#: kinds and modules that a page defines for its own later blocks; they are there when the blocks run
OWN = ("thick-halo", "histories")


def where(path):
    return path.relative_to(ROOT).as_posix()


def blocks(*languages):
    """(page and number, text) of the code blocks in these languages."""
    found = []
    for page in PAGES:
        for number, match in enumerate(_BLOCK.finditer(page.read_text(encoding="utf-8"))):
            if match[2] in languages:
                found.append(pytest.param(match[3], id=f"{where(page)}-{number}"))
    return found


def commands():
    """Every call of cyldiff in the pages, without what stands for a name of the reader's own."""
    found = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line for m in _BLOCK.finditer(text) for line in m[3].replace("\\\n", " ").splitlines()]
        for call in [*lines, *_INLINE.findall(re.sub(_BLOCK, "", text))]:
            for part in re.split(r" && |; ", call.strip()):
                words = shlex.split(part, comments=True) if part.startswith("cyldiff ") else []
                if len(words) > 1 and not any(
                    re.fullmatch(r"[A-Z_=]{4,}|.*…|\.\.\.", word) for word in words
                ):
                    found.setdefault(tuple(words[1:]), where(page))
    return [pytest.param(list(words), id=f"{page}: {' '.join(words)[:60]}") for words, page in found.items()]


def parse(words):
    """Arguments of a call as click understands them; UsageError for what it does not know."""
    command = main.get_command(click.Context(main), words[0])
    if command is None:
        raise click.UsageError(f"no command {words[0]}")
    if len(words) == 1 or "--help" in words:
        return {}
    return command.make_context(words[0], list(words[1:])).params


def overrides_of(params):
    return tuple(params.get("overrides") or ())


def validate(name, overrides, what):
    """Load a file of the library with what is set beside it; nothing is solved."""
    if what == "runs":
        from cyldiff.fit.load import is_tuning_file, load_fit

        (load_fit if is_tuning_file(name) else cyldiff.load_config)(name, overrides)
    elif what == "joint-fits":
        from cyldiff.fit.load import load_fit

        load_fit(name, overrides)
    elif what == "populations":
        cyldiff.load_population(name, overrides)
    elif what == "catalogues":
        cyldiff.load_catalogue(name, overrides, objects=True)
    elif what == "spectra":
        from cyldiff.fit.components import load_spectra

        load_spectra(name, overrides)
    elif what == "emission":
        from cyldiff.config.load_source import load_source

        load_source(name, overrides)


@pytest.mark.parametrize("words", commands())
def test_command(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = parse(words)
    if not params:
        return
    if any(kind in word for kind in OWN for word in words):
        return
    name, first = words[0], words[1]
    if name in ("explain", "copy") or (name == "list" and first != "data"):
        answer = CliRunner().invoke(main, words, catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
    for library in LIBRARIES.get(name, ()):
        if first in resources.names(library):
            validate(first, overrides_of(params), library)
            break
    else:
        own = Path(first).suffix in (".toml", ".ecsv", ".nc")
        assert own or name not in LIBRARIES, f"{first} is in no library"
    if params.get("model") and name == "sources":
        assert (
            params["model"] in {**resources.names("models"), **resources.names("runs")}
            or Path(params["model"]).suffix
        )
    for data in params.get("data") or ():
        from cyldiff.data.dipoles import available_dipoles
        from cyldiff.data.measurements import available

        assert data.endswith(".csv") or data in {*available(), *available_dipoles()}


def test_examples_in_the_help_are_commands():
    shown = [line.strip() for c in main.commands.values() for line in (c.help or "").splitlines()]
    examples = [line for line in shown if re.match(r"cyldiff [a-z]", line)]
    assert len(examples) > 5
    for line in examples:
        parse(shlex.split(line)[1:])


def test_there_are_commands_to_check():
    assert len(commands()) > 50
    with pytest.raises(click.UsageError):
        parse(["run", "quickstart", "--outptu", "x.nc"])
    with pytest.raises(click.UsageError):
        parse(["runs", "quickstart"])


@pytest.mark.parametrize("text", blocks("toml"))
def test_toml(text, tmp_path):
    raw = tomllib.loads(text)
    assert raw
    path = tmp_path / "page.toml"
    path.write_text(text, encoding="utf-8")
    points = resources.folder("physics") / "sed"  # what a page calls the reader's own points
    for ending in (".csv", ".source.toml"):
        shutil.copyfile(points / f"v4641-sgr-hawc-2024{ending}", tmp_path / f"mine{ending}")
    if "run" in raw and "schema" in raw:
        validate(path, (), "runs")
    elif "population" in raw and "schema" in raw:
        validate(path, (), "populations")
    elif "components" in raw and "schema" in raw:
        validate(path, (), "emission" if "source" in raw else "spectra")
    elif "source" in raw and "schema" in raw:
        cyldiff.load_catalogue(path)
    else:
        known_keys(raw)


def known_keys(raw):
    """Sections of a fragment are those of some file: every table that is written is one that `explain` knows."""
    from cyldiff.config.explain import explain_key
    from cyldiff.fit.sections import SECTIONS

    for section, content in raw.items():
        if not isinstance(content, dict) or section == "project":  # of the reader's own pyproject.toml
            continue
        for key, inner in content.items():
            if not (isinstance(inner, dict) and section == "fit" and key == "parameters"):
                explain_key(f"{section}.{key}", SECTIONS)


@pytest.mark.parametrize("text", blocks("python", "ipython3"))
def test_python(text):
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if getattr(node, "module", None) in OWN:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "cyldiff"
        ):
            assert node.attr in cyldiff.__all__ or importlib.import_module(f"cyldiff.{node.attr}"), node.attr
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        arguments_exist(call)


def arguments_exist(call):
    """Keywords of a call of a public function are keywords that it has."""
    import inspect

    function = call.func
    if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)):
        return
    if function.value.id == "cyldiff" and function.attr in cyldiff.__all__:
        known = inspect.signature(getattr(cyldiff, function.attr)).parameters
        free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
        given = {keyword.arg for keyword in call.keywords if keyword.arg}
        assert free or given <= set(known), f"keywords of cyldiff.{function.attr}"


def test_keys_that_the_page_on_populations_names_exist():
    from cyldiff.config.tree import walk
    from cyldiff.sources.population.schema import PopulationConfig

    known = {path for path, _, _ in walk(PopulationConfig)}
    text = (ROOT / "docs" / "how-to" / "populations.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:population|selection|observers|model|output|draw)\.[a-z_.]+)", text)
    assert named
    assert [name for name in named if name not in known] == []
