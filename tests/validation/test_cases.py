"""Every case of ``cyldiff validate`` passes, and fails where the physics is changed."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.validation import closed, conservation, momentum, physics, points
from cyldiff.validation.case import Case, Check, Refinement, below, close, largest, orders
from cyldiff.validation.run import CASES, chosen, run_cases


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_passes(case):
    (result,) = run_cases([case])
    assert not result.error
    assert result.checks
    for check in result.checks:
        assert check.passed, (check.what, check.value, check.accepted)


def test_there_are_enough_and_their_names_differ():
    assert len(CASES) >= 25
    assert len({case.name for case in CASES}) == len(CASES)
    groups = [case.group for case in CASES]
    assert all(len(case.statement) < 100 and case.reference for case in CASES)
    # one heading per group in the report
    assert len(set(groups)) == sum(a != b for a, b in zip(groups, ["", *groups], strict=False))


def scaled(function, factor):
    return lambda *arguments, **options: factor * np.asarray(function(*arguments, **options))


def stronger(function, **factors):
    """The same with some of its arguments multiplied."""

    def changed(*arguments, **options):
        return function(*arguments, **{k: v * factors.get(k, 1.0) for k, v in options.items()})

    return changed


#: case, module, what is replaced, by what of the original
MUTATIONS = {
    "slab": (closed, "operator", lambda f: stronger(f, D=1.0 + 1e-6)),
    "slab-wind": (closed, "operator", lambda f: stronger(f, wind=1.0 + 1e-4)),
    "slab-decay": (closed, "operator", lambda f: stronger(f, sink=1.01)),
    "fragmentation": (closed, "collision_rate", lambda f: scaled(f, 1.01)),
    "losses-power-law": (momentum, "operator", lambda f: stronger(f, loss=1.01)),
    "reacceleration": (momentum, "operator", lambda f: stronger(f, reacceleration=1.1)),
    "source-power": (conservation, "energy_of_spectrum", lambda f: scaled(f, 1.01)),
    "halo-kernel": (points, "vertical_kernel", lambda f: lambda *a: tuple(1.0001 * v for v in f(*a))),
    "dipole": (points, "burst", lambda f: lambda *a, **k: (f(*a, **k)[0], 1.01 * f(*a, **k)[1])),
    "modulation": (physics, "force_field", lambda f: stronger(f, potential=1.01)),
    "synchrotron": (physics, "synchrotron_rate", lambda f: scaled(f, 1.01)),
    "inverse-compton": (physics, "line_scattering", lambda f: scaled(f, 1.01)),
    "coordinates": (physics, "from_sun", lambda f: lambda lon, lat, d, sun: f(lon, -lat, d, sun)),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_it_fails_where_the_physics_is_wrong(name, monkeypatch):
    module, attribute, change = MUTATIONS[name]
    monkeypatch.setattr(module, attribute, change(getattr(module, attribute)))
    (result,) = run_cases(chosen([name]))
    assert not result.passed


def test_checks():
    assert below("x", -1.0, 1.0).passed
    assert not below("x", 1.1, 1.0).passed
    assert not below("x", float("nan"), 1.0).passed
    assert close("x", [1.0, 2.0], [1.0, 2.02], 0.01).passed
    assert not close("x", [1.0, 2.0], [1.0, 2.03], 0.01).passed
    table, check = orders("x", ["a", "b", "c"], [0.16, 0.04, 0.01], 2.0, within=0.01)
    assert isinstance(table, Refinement)
    assert isinstance(check, Check)
    assert table.orders == pytest.approx((2.0, 2.0))
    assert check.passed
    assert not orders("x", ["a", "b", "c"], [0.16, 0.04, 0.02], 2.0, within=0.1)[1].passed
    assert not orders("x", ["a", "b", "c"], [0.64, 0.08, 0.01], 2.0, within=0.1)[1].passed
    assert orders("x", ["a", "b", "c"], [0.64, 0.08, 0.01], 2.0, within=0.1, or_more=True)[1].passed


@pytest.mark.parametrize("or_more", [False, True])
@pytest.mark.parametrize("place", range(4))
def test_an_error_that_is_no_number_is_no_order(place, or_more):
    """Wherever it stands: comparisons with NaN are false, so that Python's max() may pass over it."""
    errors = [0.64, 0.16, 0.04, 0.01]
    errors[place] = float("nan")
    check = orders("x", list("abcd"), errors, 2.0, within=0.1, last=3, or_more=or_more)[1]
    assert not check.passed


def test_the_largest_of_several_may_be_no_number():
    assert largest(1.0, [3.0, 2.0]) == 3.0
    for values in ((0.0, float("nan")), (float("nan"), 0.0), (0.0, [1.0, float("nan")])):
        assert np.isnan(largest(*values))


#: case, module, and a function whose last number is lost
LOST = {
    "kinematics": (physics, "Kinematics"),
    "pions": (physics, "quad"),
    "line-of-sight": (physics, "_way_out"),
    "halo-kernel": (points, "vertical_kernel"),
    "dipole-halo": (points, "green_functions"),
    "half-space": (conservation, "relative_difference"),
}


@pytest.mark.parametrize("name", LOST)
def test_a_number_that_is_none_fails(name, monkeypatch):
    """NaN from the second call on: the first result is right."""
    module, attribute = LOST[name]
    original, calls = getattr(module, attribute), []

    def lost(value):
        return tuple(lost(v) for v in value) if isinstance(value, tuple) else value * float("nan")

    def broken(*arguments, **options):
        calls.append(1)
        found = original(*arguments, **options)
        if len(calls) < 2:
            return found
        return _WithoutSpeed(found) if attribute == "Kinematics" else lost(found)

    monkeypatch.setattr(module, attribute, broken)
    (result,) = run_cases(chosen([name]))
    assert len(calls) > 1
    assert not result.passed


class _WithoutSpeed:
    """Kinematics whose speed is no number."""

    def __init__(self, kinematics):
        self._of = kinematics

    def __getattr__(self, name):
        value = getattr(self._of, name)
        return value * float("nan") if name == "beta" else value


@pytest.mark.parametrize(
    "error", [RuntimeError("Factor is exactly singular"), OSError("no"), ImportError("x")]
)
def test_a_case_that_stops_has_failed_and_the_others_go_on(error):
    def stops():
        raise error

    def passes():
        return [below("x", 0.0, 1.0)]

    cases = [Case(n, "group", "statement", "reference", f) for n, f in (("one", stops), ("two", passes))]
    first, second = run_cases(cases)
    assert not first.passed
    assert type(error).__name__ in first.error
    assert second.passed
