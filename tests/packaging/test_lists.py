"""What pyproject.toml lists is what is there."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
DATA = ("grids", "physics", "runs")


def folders_with_code():
    return {p.parent.relative_to(ROOT) for p in (ROOT / "cyldiff").rglob("*.py")}


def test_every_folder_with_code_is_a_package_of_the_list():
    found = {".".join(folder.parts) for folder in folders_with_code()}
    listed = {name for name in SETUPTOOLS["packages"] if "_data" not in name}
    assert listed == found


def test_every_folder_with_code_is_a_regular_package():
    assert [f for f in folders_with_code() if not (ROOT / f / "__init__.py").is_file()] == []


def test_the_list_is_in_order_and_without_doubles():
    names = [name for name in SETUPTOOLS["packages"] if "_data" not in name]
    assert names == sorted(set(names))


def test_the_data_folders_go_into_the_package():
    assert {name for name in SETUPTOOLS["packages"] if "_data" in name} == {
        f"cyldiff._data.{d}" for d in DATA
    }
    for name in DATA:
        assert SETUPTOOLS["package-dir"][f"cyldiff._data.{name}"] == name


def test_every_data_file_has_a_suffix_that_is_packed():
    packed = {Path(pattern).suffix for pattern in SETUPTOOLS["package-data"]["*"]}
    files = [p for name in DATA for p in (ROOT / name).rglob("*") if p.is_file()]
    assert len(files) > 50
    assert [p for p in files if p.suffix not in packed] == []


def test_the_typing_mark_is_packed():
    assert (ROOT / "cyldiff" / "py.typed").is_file()
    assert "py.typed" in SETUPTOOLS["package-data"]["*"]


def test_version_and_command():
    assert importlib.metadata.version("cyldiff") == PROJECT["project"]["version"]
    assert PROJECT["project"]["scripts"] == {"cyldiff": "cyldiff.cli:main"}


@pytest.mark.parametrize("name", [*DATA, "tests", "docs"])
def test_the_other_folders_cannot_be_imported(name, tmp_path):
    """Not from elsewhere: an editable install must not put the checkout on the path."""
    answer = subprocess.run(
        [sys.executable, "-I", "-c", f"import {name}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert answer.returncode == 1
    assert f"No module named '{name}'" in answer.stderr
