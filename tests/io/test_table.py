"""Tables of numbers as CSV files: complete or not there."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.errors import DataError
from cyldiff.io.table import table_text, write_table

COLUMNS = {"energy": [1.0, 1e6], 'a, "b"': [np.nan, 1.0 / 3.0]}


def test_text():
    assert table_text(COLUMNS) == 'energy,"a, ""b"""\n1,nan\n1000000,0.33333333\n'


def test_a_file_read_back(tmp_path):
    write_table(COLUMNS, tmp_path / "t.csv")
    back = np.genfromtxt(tmp_path / "t.csv", delimiter=",", skip_header=1)
    np.testing.assert_allclose(back, np.transpose(list(COLUMNS.values())), rtol=1e-7)
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def test_columns_of_different_length_leave_the_old_file(tmp_path):
    (tmp_path / "t.csv").write_text("old")
    with pytest.raises(DataError, match="cannot be written"):
        write_table({"a": [1.0], "b": [1.0, 2.0]}, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        write_table(COLUMNS, tmp_path / "no" / "t.csv")


def test_a_link_is_followed(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "t.csv").symlink_to(tmp_path / "store" / "real.csv")
    write_table(COLUMNS, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").is_symlink()
    assert (tmp_path / "store" / "real.csv").is_file()
