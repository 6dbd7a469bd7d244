"""The site builds without a warning, its tutorials left unexecuted; needs the extra ``docs``."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("sphinx", "myst_nb", "furo", "sphinx_copybutton")


@pytest.mark.skipif(
    any(find_spec(name) is None for name in NEEDED),
    reason='sphinx is not installed: pip install -e ".[docs]"',
)
@pytest.mark.slow
def test_pages_are_read_and_references_resolve(tmp_path):
    options = ["-W", "--keep-going", "-q", "-b", "dummy", "-D", "nb_execution_mode=off"]
    build = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, "docs", str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert build.returncode == 0, build.stderr
