"""Nonsense of any kind, anywhere in a config, is a ConfigError or a valid config: never anything else."""

from __future__ import annotations

import copy
import re
import tomllib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cyldiff.config.load import load_config, load_mapping
from cyldiff.config.toml import leaves, split_path
from cyldiff.errors import ConfigError
from cyldiff.units import DIMENSIONS, dimension_of, parse_quantity

SMALL = ("grid.space.r.n=6", "grid.space.z.n=6", 'compare.data=["ams02-b-c-rigidity"]')
QUICKSTART = load_config("quickstart", SMALL)
RESOLVED = QUICKSTART.resolved
#: every path of the quickstart config, tables included
PATHS = sorted({path[:n] for path, _ in leaves(RESOLVED) for n in range(1, len(path) + 1)})
KEYS = sorted({path[-1] for path in PATHS})

NUMBERS = st.one_of(
    st.booleans(), st.integers(), st.integers(10**300, 10**400), st.floats(), st.integers(-2, 60)
)
UNITS = st.sampled_from(["kpc", "GeV", "cm^2/s", "GV", "MeV/n", "m", "%", "(", "kpc/", "^2", "km s-1", "1"])
TEXTS = st.one_of(
    st.text(max_size=20),
    st.builds(lambda number, unit: f"{number!r} {unit}", st.floats(), UNITS),
    st.sampled_from(
        ["H1", "B", "none", "power-law", "slab", "example-plain-diffusion", "./x.toml", "~", "", "\0"]
    ),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.dates(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), inner),
    ),
    max_leaves=6,
)
QUIET = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def valid_or_refused(raw, overrides=()):
    """The config reads back from its text, or every problem has a key and words of our own."""
    try:
        loaded = load_mapping(raw, overrides)
    except ConfigError as refused:
        error = refused
    else:
        assert load_mapping(tomllib.loads(loaded.toml())).config == loaded.config
        return
    assert error.problems
    assert all(p.key and p.message for p in error.problems)
    assert not any(word in str(error) for word in ("Error", "pydantic", "Input should", "dictionary"))


@QUIET
@example(("physics", "source", "citation"), None)
@example(("physics", "source", "notes"), [None, {"C12": None}, "text"])
@example(("physics", "source", "year"), float("nan"))
@given(st.sampled_from(PATHS), VALUES)
def test_a_random_value_at_a_random_path(path, value):
    raw = copy.deepcopy(RESOLVED)
    table = raw
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    valid_or_refused(raw)


@QUIET
@given(st.sampled_from(PATHS), st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), VALUES)
def test_a_random_key_anywhere(path, key, value):
    raw = copy.deepcopy(RESOLVED)
    table = raw
    for part in path:
        table = table[part]
    if isinstance(table, dict):
        table[key] = value
    valid_or_refused(raw)


@QUIET
@given(st.lists(st.sampled_from(PATHS), min_size=1, max_size=4, unique=True))
def test_random_keys_are_missing(paths):
    raw = copy.deepcopy(RESOLVED)
    for path in paths:
        table = raw
        for key in path[:-1]:
            table = table.get(key, {})
        table.pop(path[-1], None)
    valid_or_refused(raw)


@QUIET
@given(st.dictionaries(st.one_of(st.sampled_from(sorted(RESOLVED)), st.text(max_size=8)), VALUES))
def test_a_random_config(raw):
    valid_or_refused(raw)


@QUIET
@given(
    st.lists(
        st.one_of(
            st.text(max_size=30), st.builds(lambda p, v: f"{'.'.join(p)}={v}", st.sampled_from(PATHS), TEXTS)
        ),
        max_size=3,
    )
)
def test_random_overrides(overrides):
    raw = {"schema": 1, "run": {"name": "a"}, "grid": {"use": "fit-2d"}, "physics": {"use": "nie-2026"}}
    valid_or_refused(raw, overrides)


@QUIET
@given(st.text(max_size=30))
def test_a_path_is_split_or_not(text):
    path = split_path(text)
    assert path is None or (path and all(isinstance(key, str) for key in path))


def shuffled(tree, chosen):
    """The same tables with their keys in another order."""
    if isinstance(tree, dict):
        items = [(key, shuffled(value, chosen)) for key, value in tree.items()]
        chosen.shuffle(items)
        return dict(items)
    return tree


@settings(QUIET, max_examples=15)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(chosen):
    assert load_mapping(shuffled(RESOLVED, chosen)).config == QUICKSTART.config


#: places of quantities of the quickstart, and their dimensions
QUANTITIES = {
    path: dimension_of(value)[0]
    for path, value in leaves(RESOLVED)
    if isinstance(value, str) and re.match(r"[-+]?\d", value)
}


def test_there_are_quantities():
    assert len(QUANTITIES) > 10
    assert len(set(QUANTITIES.values())) > 3


@QUIET
@given(st.sampled_from(sorted(QUANTITIES)), st.data())
def test_a_quantity_in_another_unit_is_the_same(path, data):
    """Any unit of its dimension: the same number to the last digits but two."""
    dimension = QUANTITIES[path]
    raw, table = copy.deepcopy(RESOLVED), None
    table = raw
    for key in path[:-1]:
        table = table[key]
    value = parse_quantity(table[path[-1]], dimension)
    units = DIMENSIONS[dimension][2]
    unit = data.draw(st.sampled_from(sorted(units)))
    table[path[-1]] = f"{value / units[unit]!r} {unit}"
    found = load_mapping(raw).resolved
    for key in path[:-1]:
        found = found[key]
    assert parse_quantity(found[path[-1]], dimension) == pytest.approx(value, rel=4e-16, abs=0.0)
