"""Random tables of the four kinds of data: what is valid comes back digit by digit, anything else is one message.

A valid table may have been through any editor: line ends of Windows, a byte-order mark, quotes, spaces, columns
in another order and columns of its own. It then gives the same object.
"""

from __future__ import annotations

import hashlib
import itertools
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cyldiff.data.diffuse import load_diffuse
from cyldiff.data.dipoles import load_dipole
from cyldiff.data.measurements import load as load_measurement
from cyldiff.data.seds import load_sed
from cyldiff.errors import DataError

QUIET = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
COUNT = itertools.count()
ERRORS = ("stat_minus", "stat_plus", "syst_minus", "syst_plus")
COMMON = {
    "title": "t", "citation": "c 2026", "retrieved_from": "f", "retrieved_on": "2026-01-01", "licence": "l",
    "processing": "p", "experiment": "e",
}  # fmt: skip
#: kind -> (reader, columns, keys of the pedigree beside the common ones, abscissa, value)
KINDS = {
    "measurement": (
        load_measurement,
        ("x", "x_low", "x_high", "y", *ERRORS, "upper_limit"),
        {
            "numerator": ["B"], "denominator": [], "abscissa": "rigidity", "x_unit": "GV", "y_unit": "u",
            "period": "2011/05-2018/05", "interstellar": False,
        },
        "x",
        "y",
    ),
    "dipole": (
        load_dipole,
        (
            "energy", "energy_low", "energy_high", "amplitude", *ERRORS, "phase", "phase_minus", "phase_plus",
            "upper_limit",
        ),
        {"quantity": "dipole", "bibcode": "b"},
        "energy",
        "amplitude",
    ),
    "diffuse": (
        load_diffuse,
        ("energy", "energy_low", "energy_high", "intensity", *ERRORS),
        {"quantity": "diffuse intensity", "region": "lhaaso-inner"},
        "energy",
        "intensity",
    ),
    "sed": (
        load_sed,
        ("energy", "energy_low", "energy_high", "sed", "minus", "plus", "upper_limit"),
        {"quantity": "sed", "energy_unit": "TeV", "sed_unit": "erg cm^-2 s^-1"},
        "energy",
        "sed",
    ),
}  # fmt: skip
#: factors of the abscissa and of the value from the table to the object
SCALES = {
    "measurement": (1.0, 1.0), "dipole": (1.0, 1.0), "diffuse": (1e3, 1e-3), "sed": (1e3, 1.0),
}  # fmt: skip
#: kinds whose abscissa may not decrease; that of measurements increases
ORDERED = ("measurement", "dipole")
NUMBERS = st.floats(1e-12, 1e12)


def toml(value):
    """A value of a pedigree as TOML."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return "{}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def write(folder, kind, content, keys=None):
    """A table with the pedigree that belongs to it; every one has a name of its own."""
    path = folder / f"table-{next(COUNT)}.csv"
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(data)
    source = {**COMMON, **KINDS[kind][2], "sha256": hashlib.sha256(data).hexdigest(), **(keys or {})}
    lines = [f"{key} = {toml(value)}\n" for key, value in source.items() if value is not None]
    path.with_suffix(".source.toml").write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@st.composite
def tables(draw, kind):
    """Columns of a valid table: asymmetric errors, limits, edges that are not given."""
    n = draw(st.integers(1, 5))
    _, columns, _, abscissa, value = KINDS[kind]
    x = np.cumsum(draw(st.lists(st.floats(1e-3, 1e6), min_size=n, max_size=n)))
    y = np.array(draw(st.lists(NUMBERS, min_size=n, max_size=n)))
    if kind == "dipole":
        y = y / (1.0 + y)
        y = np.clip(y, 1e-12, 1.0 - 1e-9)
    found = {abscissa: x, value: y}
    for name in columns:
        if name in found:
            continue
        if name.endswith("_low"):
            found[name] = np.array([draw(st.sampled_from([np.nan, 0.5 * a])) for a in x])
        elif name.endswith("_high"):
            found[name] = np.array([draw(st.sampled_from([np.nan, 2.0 * a])) for a in x])
        elif name == "phase":
            found[name] = np.array([draw(st.floats(0.0, 359.99)) for _ in x])
        elif name == "upper_limit" and kind == "dipole":
            found[name] = np.array([draw(st.sampled_from([np.nan, 2.0 * a])) for a in y])
        elif name == "upper_limit":
            found[name] = np.array([draw(st.sampled_from([0.0, 1.0])) for _ in y])
        else:
            found[name] = np.array([draw(NUMBERS) for _ in y])
    return found


def lines_of(columns):
    """Cells, the header first; nothing where there is no number."""
    return [list(columns)] + [
        ["" if np.isnan(v) else repr(float(v)) for v in row] for row in zip(*columns.values(), strict=True)
    ]


def text_of(rows, separator=",", end="\n"):
    return "".join(separator.join(row) + end for row in rows)


def arrays(kind, data, columns):
    """What a reader made of the columns, in the units of the table."""
    *_, abscissa, _ = KINDS[kind]
    of_x, of_y = SCALES[kind]
    found = {}
    for name in columns:
        values = np.asarray(getattr(data, name), dtype=float)
        energy = name.startswith(abscissa)
        plain = name.startswith(("phase", "upper_limit"))
        found[name] = values / (of_x if energy else 1.0 if plain else of_y)
    return found


def check(kind, data):
    """What every object that was read has, whatever stood in its table."""
    columns = {name: np.asarray(getattr(data, name), dtype=float) for name in KINDS[kind][1]}
    *_, abscissa, value = KINDS[kind]
    assert len(data) == columns[abscissa].size > 0
    for name in (abscissa, value):
        assert np.all(np.isfinite(columns[name])), name
    assert np.all(columns[abscissa] > 0.0)
    for name, values in columns.items():
        if name in (*ERRORS, "minus", "plus", "phase_minus", "phase_plus"):
            assert not np.any(values < 0.0), name
        assert not np.any(np.isinf(values)), name
    for side, sign in (("low", 1.0), ("high", -1.0)):
        edges = columns[f"{abscissa}_{side}"]
        assert not np.any(sign * (edges - columns[abscissa]) > 0.0)
    assert all(isinstance(getattr(data, name), str) for name in ("name", "experiment", "citation"))


def refused(path, error, *words):
    """One message of our own that names the file, and holds one of the words."""
    text = str(error)
    assert path.name in text or path.with_suffix(".source.toml").name in text, text
    assert any(word in text for word in words or ("",)), text
    assert "\n" not in text.strip()
    assert not any(word in text for word in ("Error", "not supported between", "unhashable", "dtype"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_valid_comes_back(kind, folder):
    @QUIET
    @given(tables(kind), st.randoms(use_true_random=False), st.sampled_from(["\n", "\r\n"]))
    def check_it(columns, chosen, end):
        read = KINDS[kind][0]
        names = list(columns)
        chosen.shuffle(names)
        rows = lines_of({name: columns[name] for name in names})
        content = text_of(rows, end=end).encode()
        content = b"\xef\xbb\xbf" * chosen.randrange(2) + content
        data = read(write(folder, kind, content))
        check(kind, data)
        for name, values in arrays(kind, data, columns).items():
            np.testing.assert_allclose(values, columns[name], rtol=4e-16, err_msg=name)

    check_it()


@pytest.mark.parametrize("kind", KINDS)
def test_how_it_was_typed_does_not_matter(kind, folder):
    """Quotes, spaces, an empty last line, columns of one's own: the same object."""

    @QUIET
    @given(tables(kind), st.sampled_from(["quotes", "spaces", "more", "empty lines", "no end"]))
    def check_it(columns, how):
        read = KINDS[kind][0]
        rows = lines_of(columns)
        plain = read(write(folder, kind, text_of(rows)))
        if how == "quotes":
            rows = [[f'"{cell}"' for cell in row] for row in rows]
        elif how == "spaces":
            rows = [[f" {cell} " if cell else "" for cell in row] for row in rows]
        elif how == "more":
            rows = [[*row, "remark" if i == 0 else "a, b".replace(",", ";")] for i, row in enumerate(rows)]
        text = text_of(rows) + ("\n\n" if how == "empty lines" else "")
        other = read(write(folder, kind, text.rstrip("\n") if how == "no end" else text))
        for name in KINDS[kind][1]:
            np.testing.assert_array_equal(getattr(plain, name), getattr(other, name), err_msg=name)

    check_it()


CELLS = st.one_of(
    st.sampled_from(
        ["", "nan", "inf", "-inf", "-1", "0", "1e400", "1e-400", "x", "1,5", "1;5", "0x10", "١", "0.5"]
    ),
    st.floats().map(repr),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters=',"\r\n'), max_size=4),
)


@pytest.mark.parametrize("kind", KINDS)
def test_any_cell_is_valid_or_named(kind, folder):
    """Of a cell that is not, the message says the line or the column."""

    @QUIET
    @given(tables(kind), CELLS, st.data())
    def check_it(columns, cell, data):
        rows = lines_of(columns)
        line = data.draw(st.integers(1, len(rows) - 1))
        column = data.draw(st.integers(0, len(rows[0]) - 1))
        rows[line][column] = cell
        path = write(folder, kind, text_of(rows))
        try:
            found = KINDS[kind][0](path)
        except DataError as error:
            refused(path, error, "line ", rows[0][column])
        else:
            check(kind, found)

    check_it()


@pytest.mark.parametrize("kind", KINDS)
def test_order_and_repetition_of_rows(kind, folder):
    """Rows that are exchanged or doubled are refused with their line, or give what the order given says."""

    @QUIET
    @given(tables(kind), st.randoms(use_true_random=False), st.booleans())
    def check_it(columns, chosen, doubled):
        head, *rows = lines_of(columns)
        if doubled:
            rows.insert(chosen.randrange(len(rows)), chosen.choice(rows))
        else:
            chosen.shuffle(rows)
        path = write(folder, kind, text_of([head, *rows]))
        at = head.index(KINDS[kind][3])
        x = [float(row[at]) for row in rows]
        # points of a source or of a region may stand in any order
        wrong = [
            i + 3
            for i, (a, b) in enumerate(itertools.pairwise(x))
            if kind in ORDERED and (b < a or (b == a and kind == "measurement"))
        ]
        if wrong:
            with pytest.raises(DataError, match=f"line {wrong[0]}: .*(increase|decreases)") as error:
                KINDS[kind][0](path)
            refused(path, error.value)
        else:
            check(kind, KINDS[kind][0](path))

    check_it()


@pytest.mark.parametrize("kind", KINDS)
def test_headers(kind, folder):
    """A column that is missing or there twice is named; another separator too."""

    @QUIET
    @given(
        tables(kind),
        st.sampled_from(["missing", "twice", ";", "\t", "ragged", "no header", "renamed"]),
        st.data(),
    )
    def check_it(columns, how, data):
        rows = lines_of(columns)
        at = data.draw(st.integers(0, len(rows[0]) - 1))
        name = rows[0][at]
        if how == "missing":
            rows = [row[:at] + row[at + 1 :] for row in rows]
        elif how == "twice":
            rows = [[*row, row[at]] for row in rows]
        elif how == "ragged":
            rows[data.draw(st.integers(1, len(rows) - 1))].pop()
        elif how == "no header":
            rows = rows[1:]
        elif how == "renamed":
            rows[0][at] = name.upper()
        separator = how if how in (";", "\t") else ","
        path = write(folder, kind, text_of(rows, separator))
        with pytest.raises(DataError) as error:
            KINDS[kind][0](path)
        refused(path, error.value)
        words = {
            "missing": name,
            "twice": f'"{name}"',
            "renamed": name,
            "ragged": "entries",
            ";": "comma",
            "\t": "comma",
        }
        assert words.get(how, "") in str(error.value)

    check_it()


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False, allow_infinity=False), st.just({}),
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=6), st.lists(st.integers(0, 2), max_size=2),
    st.lists(st.sampled_from(["B", "", "B10", "Xx"]), max_size=2),
    st.sampled_from(["GV", "TeV", "kpc", "rigidity", "erg"]),
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_pedigrees(kind, folder):
    """Any value of any key gives a data set with text where text belongs, or a message with the key."""
    keys = sorted({*COMMON, *KINDS[kind][2], "sha256"})

    @QUIET
    @given(tables(kind), st.sampled_from(keys), VALUES)
    def check_it(columns, key, value):
        path = write(folder, kind, text_of(lines_of(columns)), {key: value})
        try:
            found = KINDS[kind][0](path)
        except DataError as error:
            refused(path, error, key, "unit", "checksum" if key == "sha256" else key)
        else:
            check(kind, found)

    check_it()


@QUIET
@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=200))
def test_garbage(folder, kind, content):
    path = write(folder, kind, content)
    with pytest.raises(DataError) as error:
        KINDS[kind][0](path)
    refused(path, error.value)
