"""Where compiled kernels are kept when the usual folders cannot be written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cyldiff import compiler_cache
from cyldiff.compiler_cache import ensure_writable_cache


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """Neither the package nor the home can be written; temporary files can."""
    monkeypatch.setattr(compiler_cache, "__file__", "/dev/null/package/compiler_cache.py")
    monkeypatch.setattr(compiler_cache.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(compiler_cache.tempfile, "tempdir", str(tmp_path))
    return {"XDG_CACHE_HOME": "/dev/null/home"}


def test_nothing_is_changed_where_the_package_can_be_written():
    environment = {"XDG_CACHE_HOME": "/dev/null/home"}
    ensure_writable_cache(environment)
    assert environment == {"XDG_CACHE_HOME": "/dev/null/home"}


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "NUMBA_CACHE_DIR"])
def test_a_folder_that_will_be_made_is_enough(nowhere, tmp_path, variable):
    nowhere[variable] = str(tmp_path / "new" / "folder")
    before = dict(nowhere)
    ensure_writable_cache(nowhere)
    assert nowhere == before
    assert not (tmp_path / "new").exists()


def test_a_folder_of_the_user_takes_their_place_and_is_found_again(nowhere, tmp_path):
    ensure_writable_cache(nowhere)
    folder = Path(nowhere["NUMBA_CACHE_DIR"])
    assert folder == tmp_path / f"cyldiff-numba-{os.getuid()}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    again = {"XDG_CACHE_HOME": "/dev/null/home"}
    ensure_writable_cache(again)
    assert again["NUMBA_CACHE_DIR"] == str(folder)


def test_a_folder_that_others_can_write_is_not_trusted(nowhere, tmp_path):
    """What lies in the cache is executed."""
    open_to_all = tmp_path / f"cyldiff-numba-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    ensure_writable_cache(nowhere)
    own = Path(nowhere["NUMBA_CACHE_DIR"])
    assert own != open_to_all
    assert stat.S_IMODE(own.stat().st_mode) == 0o700


def test_a_link_is_not_followed(nowhere, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / f"cyldiff-numba-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    ensure_writable_cache(nowhere)
    assert Path(nowhere["NUMBA_CACHE_DIR"]).resolve() != tmp_path / "elsewhere"
