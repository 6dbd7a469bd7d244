"""Nonsense anywhere in a catalogue is a ConfigError or a valid catalogue: never anything else."""

from __future__ import annotations

import copy

import numpy as np
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from cyldiff import resources
from cyldiff.config.toml import leaves
from cyldiff.errors import ConfigError
from cyldiff.sources.catalogue_file import load_catalogue, load_catalogue_mapping
from cyldiff.sources.model import as_model

EXAMPLE = resources.read_toml(resources.find("catalogues", "example"))
MODEL = as_model("nie-2026").physics
FILES = {name: path.read_bytes() for name, path in resources.names("catalogues").items()}
#: every path of a row of the example, tables included
PATHS = sorted(
    {path[:n] for row in EXAMPLE["source"] for path, _ in leaves(row) for n in range(1, len(path) + 1)}
)
KEYS = sorted({path[-1] for path in PATHS} | {"ra", "dec", "data", "duration", "defaults", "schema"})

NUMBERS = st.one_of(
    st.booleans(), st.integers(), st.integers(10**300, 10**400), st.floats(), st.integers(-2, 3)
)
UNITS = st.sampled_from(["kpc", "Myr", "erg", "erg/s", "PV", "deg", "GeV", "m", "%", "kpc/", "1"])
TEXTS = st.one_of(
    st.text(max_size=12),
    st.builds(lambda number, unit: f"{number!r} {unit}", st.floats(), UNITS),
    st.sampled_from(["H1", "He4", "burst", "constant", "table", "power-law", "logarithmic", "", "\0", "snr"]),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.dates(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), inner, max_size=4),
    ),
    max_leaves=6,
)
QUIET = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def valid_or_refused(load):
    """Sources that can be evaluated, or problems in words of our own."""
    try:
        catalogue = load()
    except ConfigError as refused:
        error = refused
    else:
        pieces = catalogue.segments(MODEL.observer)
        assert np.all(np.isfinite(pieces.position))
        assert np.all(pieces.oldest >= pieces.youngest)
        assert np.all(pieces.energy > 0.0)
        assert np.all(catalogue.spectra(catalogue.species, np.array([1e3, 1e6])) >= 0.0)
        return
    assert error.problems
    assert all(p.message for p in error.problems)
    assert not any(word in str(error) for word in ("Error", "pydantic", "Input should", "dictionary"))


def at(row, path, value):
    for key in path[:-1]:
        row = row.setdefault(key, {})
        if not isinstance(row, dict):
            return
    row[path[-1]] = value


@QUIET
@example(0, ("age",), None)
@example(1, ("history", "duration"), None)
@given(st.integers(0, 2), st.sampled_from(PATHS), VALUES)
def test_a_value_of_a_row(number, path, value):
    raw = copy.deepcopy(EXAMPLE)
    at(raw["source"][number], path, value)
    valid_or_refused(lambda: load_catalogue_mapping(raw, model=MODEL))


@QUIET
@given(st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), VALUES, max_size=5))
def test_defaults(values):
    valid_or_refused(lambda: load_catalogue_mapping({**EXAMPLE, "defaults": values}, model=MODEL))


@QUIET
@given(st.one_of(VALUES, st.lists(VALUES, max_size=3)))
def test_rows(rows):
    valid_or_refused(lambda: load_catalogue_mapping({"schema": 1, "source": rows}, model=MODEL))


@QUIET
@given(st.text(max_size=30), VALUES)
def test_overrides(path, value):
    assume("Error" not in f"{path}{value}")  # it is quoted
    for text in (f"{path}={value}", f"defaults.{path}={value}", f"source.burst.{path} = {value}"):
        valid_or_refused(lambda text=text: load_catalogue_mapping(EXAMPLE, [text], model=MODEL))


@QUIET
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6), st.binary(max_size=8), st.integers(0, 60))
def test_bytes_of_a_file(tmp_path_factory, name, place, garbage, removed):
    """A shipped file with a hole, and garbage in it."""
    content, suffix = FILES[name], resources.names("catalogues")[name].suffix
    place %= len(content)
    file = tmp_path_factory.getbasetemp() / f"garbled{suffix}"
    file.write_bytes(content[:place] + garbage + content[place + removed :])
    valid_or_refused(lambda: load_catalogue(file, model=MODEL))


@QUIET
@given(st.binary(max_size=200), st.sampled_from([".toml", ".ecsv"]), st.booleans())
def test_garbage(tmp_path_factory, content, suffix, headed):
    head = b"# %ECSV 1.0\n# ---\n# datatype:\n# - {name: name, datatype: string}\n" if headed else b""
    file = tmp_path_factory.getbasetemp() / f"garbage{suffix}"
    file.write_bytes(head + content)
    valid_or_refused(lambda: load_catalogue(file, model=MODEL))
