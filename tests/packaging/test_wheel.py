"""The wheel, built from the source archive and installed where no checkout is near."""

from __future__ import annotations

import email
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "cyldiff", "grids", "physics", "runs")
OFFLINE = ("Could not find a version", "No matching distribution", "Connection", "connection", "resolve")
BUILD = """
import sys, setuptools.build_meta as backend
print(getattr(backend, "build_" + sys.argv[1])(sys.argv[2]))
"""


def run(*command, cwd=None, env=None):
    return subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, cwd=cwd, env=env, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    """Folder with the build back end that pyproject.toml asks for, from the package index."""
    place = tmp_path_factory.mktemp("backend")
    answer = run(sys.executable, "-m", "pip", "install", "-q", "--target", place, "setuptools>=77")
    if answer.returncode != 0 and any(word in answer.stderr for word in OFFLINE):
        pytest.skip("the build back end cannot be fetched: no package index here")
    assert answer.returncode == 0, answer.stderr
    return place


@pytest.fixture(scope="module")
def built(backend, tmp_path_factory):
    """Source archive, the wheel made from it, and what the build said."""
    place = tmp_path_factory.mktemp("built")
    source = place / "source"
    source.mkdir()
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    env = {**os.environ, "PYTHONPATH": str(backend)}
    first = run(sys.executable, "-c", BUILD, "sdist", place, cwd=source, env=env)
    assert first.returncode == 0, first.stderr
    (archive,) = place.glob("*.tar.gz")
    # Python knows filters from 3.11.4 on, and asks for one from 3.12 on
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(archive) as tar:
        tar.extractall(place / "unpacked", **safely)
    (unpacked,) = (place / "unpacked").iterdir()
    second = run(sys.executable, "-c", BUILD, "wheel", place, cwd=unpacked, env=env)
    assert second.returncode == 0, second.stderr
    (wheel,) = place.glob("*.whl")
    return wheel, first.stdout + first.stderr + second.stdout + second.stderr


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A new environment with the wheel; the packages it depends on come from the one of these tests.

    They come through a path file, behind the environment's own packages, so that the editable
    install of these tests, which works by a path file of its own, is not seen.
    """
    place = tmp_path_factory.mktemp("elsewhere")
    assert run(sys.executable, "-m", "venv", "--without-pip", place / "env").returncode == 0
    python = place / "env" / "bin" / "python"
    answer = run(
        sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", built[0]
    )
    assert answer.returncode == 0, answer.stderr
    packages = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    )
    outer = dict.fromkeys(
        [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    )
    (packages / "outer.pth").write_text("\n".join(outer) + "\n")

    def call(*arguments):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "CYLDIFF"))}
        return run(place / "env" / "bin" / arguments[0], *arguments[1:], cwd=place, env=env)

    return call


def test_the_build_has_nothing_to_complain_of(built):
    assert "!!" not in built[1]
    assert "absent from the `packages`" not in built[1]


def test_everything_is_in_the_wheel(built):
    with zipfile.ZipFile(built[0]) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    expected = {
        p.relative_to(ROOT).as_posix() for p in (ROOT / "cyldiff").rglob("*") if p.suffix in (".py", ".typed")
    }
    expected |= {
        f"cyldiff/_data/{p.relative_to(ROOT).as_posix()}"
        for name in ("grids", "physics", "runs")
        for p in (ROOT / name).rglob("*")
        if p.is_file()
    }
    assert packed == expected


def test_the_licence_is_in_the_wheel(built):
    with zipfile.ZipFile(built[0]) as wheel:
        assert [n for n in wheel.namelist() if n.endswith("licenses/LICENSE")]


def test_what_the_wheel_says_of_itself(built):
    with zipfile.ZipFile(built[0]) as wheel:
        (name,) = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
        said = email.message_from_bytes(wheel.read(name))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert said["Version"] == project["version"]
    assert said["License-Expression"] == "BSD-3-Clause"
    assert said["Requires-Python"] == project["requires-python"]
    assert set(said.get_all("Provides-Extra")) == set(project["optional-dependencies"])
    needed = [r for r in said.get_all("Requires-Dist") if "extra ==" not in r]
    assert sorted(needed) == sorted(project["dependencies"])
    assert "Typing :: Typed" in said.get_all("Classifier")
    assert said.get_payload().startswith("# cyldiff")


def test_versions_agree(built):
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version = re.search(r"^version: (\S+)$", citation, re.MULTILINE)[1]
    assert built[0].name.startswith(f"cyldiff-{version}-")


def test_it_is_the_wheel_that_is_tested(installed):
    answer = installed("python", "-c", "import cyldiff, sys; print(cyldiff.__file__)")
    assert "elsewhere" in answer.stdout, answer.stderr
    assert str(ROOT) not in answer.stdout


def test_data_are_found(installed):
    answer = installed("cyldiff", "list", "all")
    assert answer.returncode == 0, answer.stderr
    for name in ("quickstart", "models/nie-2026", "galaxy-2d-standard", "ams02-b-c-rigidity", "Be10"):
        assert name in answer.stdout


def test_a_run_is_valid_from_another_folder(installed):
    answer = installed("cyldiff", "check", "quickstart")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.rstrip().endswith("quickstart: valid")


def test_a_copy_runs(installed):
    assert installed("cyldiff", "copy", "quickstart").returncode == 0
    answer = installed("cyldiff", "check", "quickstart.toml", "--toml")
    assert answer.returncode == 0, answer.stderr
    assert "[physics.diffusion]" in answer.stdout


@pytest.mark.parametrize("name", ["grids", "physics", "runs"])
def test_the_data_folders_are_no_modules(installed, name):
    assert f"No module named '{name}'" in installed("python", "-c", f"import {name}").stderr
