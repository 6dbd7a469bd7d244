"""Nonsense anywhere in a population, a single source, a fit or a joint fit is a ConfigError or valid, as in a run."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cyldiff import resources
from cyldiff.config.load_source import load_source_mapping
from cyldiff.config.toml import leaves
from cyldiff.errors import ConfigError
from cyldiff.fit.components import load_spectra_mapping
from cyldiff.fit.load import load_fit_mapping
from cyldiff.sources.population.load import load_population_mapping

QUIET = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
#: library, name, and what reads the nested values
KINDS = {
    "population": ("populations", "papers/kaci-2025/population", load_population_mapping),
    "gamma population": ("populations", "papers/kaci-2025/gamma", load_population_mapping),
    "source": ("emission", "ss433-lepto-hadronic", load_source_mapping),
    "fit": ("runs", "tuning/bc-ams02", load_fit_mapping),
    "joint fit": ("joint-fits", "papers/nie-2026/free", load_fit_mapping),
    "components": ("spectra", "papers/aharonian-zhang-2026/proton-ii", load_spectra_mapping),
}
NUMBERS = st.one_of(
    st.booleans(),
    st.integers(-2, 60),
    st.integers(10**300, 10**400),
    st.floats(),
    st.sampled_from([0.0, -1.0]),
)
UNITS = st.sampled_from(["kpc", "GeV", "cm^2/s", "GV", "erg/s", "yr^-1", "Myr", "deg", "%", "(", "kpc/", "1"])
TEXTS = st.one_of(
    st.text(max_size=12),
    st.builds(lambda number, unit: f"{number!r} {unit}", st.floats(), UNITS),
    st.sampled_from(["H1", "B", "none", "power-law", "fixed", "burst", "./x.toml", "~", "", "\0", "uniform"]),
)


def values(keys):
    """Anything TOML may hold, with keys that exist here now and then."""
    return st.recursive(
        st.one_of(NUMBERS, TEXTS, st.dates(), st.none()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.one_of(st.sampled_from(keys), st.text(max_size=8)), inner, max_size=4),
        ),
        max_leaves=6,
    )


def valid_or_refused(read, raw):
    try:
        read(raw)
    except ConfigError as refused:
        error = refused
    else:
        return
    assert error.problems
    assert all(p.message for p in error.problems)
    assert not any(word in str(error) for word in ("Error", "pydantic", "Input should", "dictionary"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_random_value_or_none_at_random_paths(kind):
    library, name, read = KINDS[kind]
    original = resources.read_toml(resources.find(library, name))
    if kind == "components":
        del original["fit"]  # read by load_fit_mapping alone
    paths = sorted({path[:n] for path, _ in leaves(original) for n in range(1, len(path) + 1)}, key=str)
    keys = sorted({str(path[-1]) for path in paths})
    read(original)

    @QUIET
    @given(
        st.lists(
            st.tuples(st.sampled_from(paths), st.one_of(st.just("gone"), values(keys))),
            min_size=1,
            max_size=2,
        ),
        st.booleans(),
    )
    def check_it(changes, more):
        raw = copy.deepcopy(original)
        for path, value in changes:
            table = raw
            for key in path[:-1]:
                try:
                    table = table[key]
                except (KeyError, IndexError, TypeError):  # the other change has taken it away
                    table = {}
            if isinstance(table, dict) and value == "gone":
                table.pop(path[-1], None)
            elif isinstance(table, dict):
                table[f"{path[-1]}x" if more else path[-1]] = value
        valid_or_refused(read, raw)

    check_it()


def test_a_joint_fit_in_which_something_else_is_wrong():
    """The sources take their names from their keys: they are not valid by themselves."""
    raw = resources.read_toml(resources.find("joint-fits", "papers/nie-2026/free"))
    raw["point_sources"]["kernel"] = []
    with pytest.raises(ConfigError, match=r"point_sources\.kernel"):
        load_fit_mapping(raw)
