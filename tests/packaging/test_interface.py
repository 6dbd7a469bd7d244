"""The public interface: one list in three places, typed, and enough for a script of a user."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cyldiff

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def imported_for_types():
    """Name -> module, of the imports that a type checker sees."""
    tree = ast.parse((ROOT / "cyldiff" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: node.module for node in imports for alias in node.names}


def test_the_lists_agree():
    assert imported_for_types() == cyldiff._HOME
    assert sorted(cyldiff._HOME) == cyldiff.__all__
    assert set(dir(cyldiff)) == {*cyldiff.__all__, "__version__"}


def test_a_name_is_no_module():
    """Importing a module of the same name would put it in the place of what is public."""
    modules = {p.stem for p in (ROOT / "cyldiff").iterdir()}
    assert modules.isdisjoint(cyldiff.__all__)


@pytest.mark.parametrize("name", cyldiff.__all__)
def test_it_says_what_it_is(name):
    thing = getattr(cyldiff, name)
    assert len(inspect.getdoc(thing) or "") > 20
    if not inspect.isclass(thing):
        signature = inspect.signature(thing)
        assert signature.return_annotation is not inspect.Signature.empty
        missing = [p.name for p in signature.parameters.values() if p.annotation is p.empty]
        assert missing == []
        taken_in_order = [
            p.name for p in signature.parameters.values() if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        ]
        assert len(taken_in_order) <= 3, taken_in_order


def test_the_version_is_that_of_the_package():
    import importlib.metadata

    assert cyldiff.__version__ == importlib.metadata.version("cyldiff")


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What ``mypy --strict`` says of a text, in the eyes of somebody who has installed the package."""
    place = tmp_path_factory.mktemp("typed")

    def check(text):
        (place / "script.py").write_text(text)
        command = [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            "--cache-dir=cache",
            "script.py",
        ]
        # an editable installation that is a hook, not a path, is not seen by mypy
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)

    return check


@pytest.mark.slow
def test_a_script_of_a_user_is_typed(checked):
    pytest.importorskip("mypy")
    answer = checked((HERE / "user_script.py").read_text(encoding="utf-8"))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    wrong = "import cyldiff\ncyldiff.tuen('a')\ncyldiff.run(3)\nx: int = cyldiff.load_config('quickstart')\n"
    answer = checked(wrong)
    for line, said in ((2, 'no attribute "tuen"'), (3, "incompatible type"), (4, "Incompatible types")):
        assert any(f"script.py:{line}:" in row and said in row for row in answer.stdout.splitlines())


@pytest.mark.slow
def test_a_script_of_a_user_runs(tmp_path):
    """Where the name of a kind that it registers is nobody else's."""
    program = "import pathlib, user_script; user_script.main(pathlib.Path('.'))"
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys; sys.path.insert(0, {str(HERE)!r}); {program}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert "did you mean" in answer.stdout
    written = {"result.nc", "bc.png", "there.ecsv", "sky.nc", "maps.fits"}
    assert {p.name for p in tmp_path.iterdir()} == written
