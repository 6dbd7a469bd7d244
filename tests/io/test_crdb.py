"""Downloads of CRDB, written for these tests in its three formats, as data sets that load and are compared."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.data import load
from cyldiff.errors import ConfigError, DataError
from cyldiff.io.crdb import chosen, read_crdb

AMS, DATES = "AMS02(2011/05-2018/05)", "2011/05/19-000000:2018/05/26-000000"
PAPER = "2021PhR...894....1A"
#: energy, bin, value, errors: stat - and +, syst - and +; made up
POINTS = [(20.0, 18.0, 22.0, 0.21, 0.002, 0.002, -0.004, 0.005), (2.0, 1.9, 2.1, 0.28, 0.01, 0.01, 0.02, 0.02),
          (5.0, 5.0, 5.0, 0.30, 0.01, 0.01, 0.0, 0.0)]  # fmt: skip


def rows(fmt, quantity="B/C", name=AMS, axis="R", paper=PAPER, distance="1", points=POINTS, limit="0"):
    lines = []
    for point in points:
        numbers = [f"{v:.6g}" for v in point]
        if fmt == "csv-asimport":
            link = f'<a href="https://ui.adsabs.harvard.edu/abs/{paper}">paper</a>'.replace('"', '""')
            cells = ["AMS02", "space", "html", "2011", f'"{name}"', '"a, b"', "0", "info", distance, DATES, f'"{link}"',
                     "table", quantity, axis, *numbers, limit, "600"]  # fmt: skip
            lines.append(",".join(cells))
        else:
            cells = [quantity, name, axis, *numbers, f"https://ads/abs/{paper}", "600", distance, DATES,
                     limit]  # fmt: skip
            lines.append((" " if fmt == "usine" else ",").join(cells))
    return lines


@pytest.fixture
def download(tmp_path):
    def make(*lines, name="database_plot"):
        (tmp_path / name).write_text("\n".join(["# Format: of the tests", "#", *lines, ""]))
        return tmp_path / name

    return make


def call(*arguments, status=0):
    answer = CliRunner().invoke(main, ["import", "crdb", *map(str, arguments)], catch_exceptions=False)
    assert answer.exit_code == status, answer.output
    assert "Traceback" not in answer.output
    return answer


@pytest.mark.parametrize("fmt", ["csv", "usine", "csv-asimport"])
def test_it_becomes_a_data_set(download, tmp_path, fmt):
    text = call(download(*rows(fmt)), "-o", tmp_path / "mine.csv").stdout
    assert "B/C AMS02(2011/05-2018/05) R (3 points, 2021PhR...894....1A)" in text
    data = load(tmp_path / "mine.csv")
    assert (data.quantity, data.experiment, data.abscissa, data.x_unit, data.y_unit) == (
        "B/C", "AMS-02", "rigidity", "GV", "1",
    )  # fmt: skip
    np.testing.assert_allclose(data.x, [2.0, 5.0, 20.0])
    np.testing.assert_allclose(data.x_low, [1.9, np.nan, 18.0])
    np.testing.assert_allclose(data.y, [0.28, 0.30, 0.21])
    np.testing.assert_allclose(data.syst_minus, [0.02, 0.0, 0.004])
    assert (data.period, data.interstellar) == ("2011/05-2018/05", False)
    assert "2021PhR...894....1A" in data.citation
    assert "Maurin et al. 2023" in data.citation


@pytest.mark.parametrize(
    ("quantity", "axis", "expected"),
    [
        ("H", "EKN", (["H"], [], "kinetic_energy_per_nucleon", "m^-2 s^-1 sr^-1 GeV^-1")),
        ("10Be/9Be", "EKN", (["Be10"], ["Be9"], "kinetic_energy_per_nucleon", "1")),
        ("He", "EK", (["He"], [], "kinetic_energy", "m^-2 s^-1 sr^-1 GeV^-1")),
        ("e-+e+", "ETOT", (["electron", "positron"], [], "total_energy", "m^-2 s^-1 sr^-1 GeV^-1")),
        ("e+/(e-+e+)", "ETOT", (["positron"], ["electron", "positron"], "total_energy", "1")),
        ("(2H+3He)/4He", "R", (["H2", "He3"], ["He4"], "rigidity", "1")),
        ("C", "R", (["C"], [], "rigidity", "m^-2 s^-1 sr^-1 GV^-1")),
    ],
)
def test_quantities_and_axes(download, tmp_path, quantity, axis, expected):
    call(download(*rows("csv", quantity, axis=axis)), "-o", tmp_path / "m.csv")
    data = load(tmp_path / "m.csv")
    assert (list(data.numerator), list(data.denominator), data.abscissa, data.y_unit) == expected


def test_interstellar_space_limits_and_bibcodes(download, tmp_path):
    lines = rows(
        "csv", "H", "Voyager1-HET(2012/12-2014/06)", "EKN", "2016A%26A...831...18C", "127", limit="1"
    )
    call(download(*lines), "-o", tmp_path / "m.csv")
    data = load(tmp_path / "m.csv")
    assert data.interstellar
    assert data.upper_limit.all()
    assert data.citation.startswith("2016A&A...831...18C")


def test_one_of_many_is_chosen(download, tmp_path):
    other = "PAMELA(2006/07-2008/03)"
    path = download(*rows("csv"), *rows("csv", "B/C", other), *rows("csv", "C", AMS))
    answer = call(path, "-o", tmp_path / "m.csv", status=2)
    for part in ("holds 3 data sets", "--quantity and --experiment", f"C {AMS} R (3 points", other):
        assert part in answer.stderr
    assert not list(tmp_path.glob("m.*"))
    call(path, "-o", tmp_path / "m.csv", "--quantity", "B/C", "--experiment", other)
    assert load(tmp_path / "m.csv").experiment == "PAMELA"
    answer = call(path, "-o", tmp_path / "n.csv", "--quantity", "B/D", status=2)
    assert 'did you mean "B/C"' in answer.stderr
    with pytest.raises(ConfigError, match="has no C in the file"):
        chosen(read_crdb(path), quantity="C", experiment=other)


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        (["only a line"], ("3 columns", "16 or 24")),
        ([], ("holds no points",)),
        ([line.replace("0.28", "many") for line in rows("csv")], ('"many"; expected a number', "line 4")),
        ([*rows("csv"), *rows("csv")], ("the same energy",)),
        (rows("csv", "1H-bar"), ("1H-bar", "not followed")),
        (rows("csv", "SubFe/Fe"), ("SubFe", "expected particles")),
        (rows("csv", axis="ETOTN"), ('axis "ETOTN"', "EKN, EK, R, ETOT")),
    ],
)
def test_it_is_refused(download, tmp_path, lines, parts):
    answer = call(download(*lines), "-o", tmp_path / "m.csv", status=2)
    assert all(part in answer.stderr for part in parts), answer.stderr
    assert not list(tmp_path.glob("m.*"))


def test_output_is_not_replaced(download, tmp_path):
    (tmp_path / "m.source.toml").write_text("mine")
    path = download(*rows("csv"))
    assert "exists; use --force" in call(path, "-o", tmp_path / "m.csv", status=2).stderr
    assert "ends in .csv" in call(path, "-o", tmp_path / "m.txt", status=2).stderr
    assert not (tmp_path / "m.csv").exists()
    call(path, "-o", tmp_path / "m.csv", "--force")
    assert load(tmp_path / "m.csv").quantity == "B/C"


def test_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_crdb(tmp_path / "none")
