"""The stepper by itself: stops, switches, control of the step, faults, feedback, accounts."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.errors import ConvergenceError
from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.solve import crank_nicolson
from cyldiff.solve.crank_nicolson import Stepper, shifted
from cyldiff.solve.steady import SteadySolver
from cyldiff.solve.time_progress import Progress
from cyldiff.transport.coefficients import TransportCoefficients


def problem(n_z=21, *, D=1.0, loss=0.0, sink=0.0):
    """Slab of 4 kpc with five energies; D may vary with energy."""
    grid = Grid.build(
        kinetic_energy=energy_grid(10.0, 20.0, 10.0), radius=20.0, half_height=4.0, n_r=1, n_z=n_z,
        half_space=True, slab_at=8.5,
    )  # fmt: skip
    nucleus = Kinematics(grid.kinetic_energy, 6, 12, 0.93149410242)
    log_p = np.log(nucleus.momentum)
    D = np.broadcast_to(D, 5).reshape(5, 1, 1)
    full = np.ones(grid.shape)
    terms = TransportCoefficients(
        D_face={"r": D, "z": D}, V_face={}, D_center=D * full, loss_rate=loss * full,
        reacceleration_face=None, sink_rate=sink * full, log_momentum=log_p,
        log_momentum_width=nucleus.dlnp_dlnT * grid.log_step, log_momentum_spacing=np.diff(log_p),
    )  # fmt: skip
    return TransportOperator.build(grid, terms)


def bump(operator):
    z = operator.grid.z.centers
    return np.ones(operator.grid.shape) * np.exp(-((z / 0.8) ** 2))


def nothing(index, time, fields):
    return 0.0


class Recorder:
    """A source that is on between two times and remembers when it was asked."""

    def __init__(self, shape, on=(1.0, 3.0)):
        self.q, self.on, self.asked = np.zeros(shape), on, []
        self.q[..., 0] = 1.0

    def __call__(self, index, time, fields):
        self.asked.append(time)
        return self.q * (self.on[0] <= time < self.on[1])


def test_shifted():
    operator = problem(loss=0.1)
    field = np.random.default_rng(1).random(operator.grid.shape)
    rate = np.arange(1.0, 6.0)
    difference = shifted(operator, rate).apply(field) - operator.apply(field)
    np.testing.assert_allclose(difference, rate[:, None, None] * field, rtol=1e-12)


def test_steps_end_on_switches_and_outputs():
    operator = problem()
    source = Recorder(operator.grid.shape)
    stepper = Stepper([operator], source, tolerance=1e-2)
    stepper.advance([np.zeros(operator.grid.shape)], [0.5, 2.0, 5.0], switches=[1.0, 3.0])
    ends = np.cumsum(stepper.report.steps)
    for stop in (0.5, 1.0, 2.0, 3.0, 5.0):
        assert np.abs(ends - stop).min() < 1e-12


def test_source_is_seen_inside_its_steps():
    """Never at a switch, where it has two values."""
    operator = problem()
    source = Recorder(operator.grid.shape)
    Stepper([operator], source, tolerance=1e-2).advance(
        [np.zeros(operator.grid.shape)], [5.0], switches=[1.0, 3.0]
    )
    asked = np.array(source.asked)
    assert min(np.abs(asked - s).min() for s in (0.0, 1.0, 3.0, 5.0)) > 0.0


def test_injected_number_of_a_switched_source():
    """2 Myr of a source, to round-off: no step has half of it."""
    operator = problem()
    source = Recorder(operator.grid.shape)
    stepper = Stepper([operator], source, tolerance=1e-2)
    stepper.advance([np.zeros(operator.grid.shape)], [5.0], switches=[1.0, 3.0])
    rate = np.sum(source.q * operator.width[:, None, None] * operator.grid.volume)
    assert stepper.accounts[0]["injected"] == pytest.approx(2.0 * rate, rel=1e-13)


def test_steps_are_independent_of_what_was_before_a_switch():
    """The response to a switch at 7 Myr is that to a switch at 0."""
    operator = problem()
    start = [np.zeros(operator.grid.shape)]
    early = Stepper([operator], Recorder(operator.grid.shape, (0.0, 99.0)))
    late = Stepper([operator], Recorder(operator.grid.shape, (7.0, 99.0)))
    first = early.advance(start, [2.0])[0][0]
    second = late.advance(start, [9.0], switches=[7.0])[0][0]
    np.testing.assert_allclose(second, first, atol=1e-6 * first.max())
    np.testing.assert_allclose(late.report.steps[-len(early.report.steps) :], early.report.steps, rtol=1e-6)


def test_output_times_do_not_change_the_result():
    operator = problem()
    few = Stepper([operator], nothing, tolerance=1e-4)
    many = Stepper([operator], nothing, tolerance=1e-4)
    one = few.advance([bump(operator)], [4.0])[-1][0]
    other = many.advance([bump(operator)], list(np.linspace(0.1, 4.0, 14)))[-1][0]
    assert np.abs(one - other).max() < 1e-3 * one.max()
    # a step cut short by an output does not shorten those that follow
    assert many.report.accepted < few.report.accepted + 2 * 14


def test_start_can_be_an_output():
    operator = problem()
    states = Stepper([operator], nothing).advance([bump(operator)], [1.0, 2.0], begin=1.0)
    np.testing.assert_array_equal(states[0][0], bump(operator))
    assert states[1][0].max() < states[0][0].max()


@pytest.mark.parametrize("times", [[], [2.0, 1.0], [1.0, 1.0], [-1.0, 1.0]])
def test_times_must_increase(times):
    operator = problem()
    with pytest.raises(ValueError, match="times must increase"):
        Stepper([operator], nothing).advance([bump(operator)], times)


def test_too_many_steps_are_an_error():
    operator = problem()
    stepper = Stepper([operator], nothing, tolerance=1e-6, maximum_steps=20)
    with pytest.raises(ConvergenceError, match=r"20 steps are not enough: .* of 5 Myr"):
        stepper.advance([bump(operator)], [5.0])


def test_a_source_that_is_not_a_number_is_an_error():
    operator = problem()
    stepper = Stepper([operator], lambda index, time, fields: np.full(operator.grid.shape, np.nan))
    with pytest.raises(ConvergenceError):
        stepper.advance([bump(operator)], [5.0])


def test_first_step_is_rejected_if_it_is_too_long():
    """The damped start is controlled as well."""
    operator = problem()
    careless = Stepper([operator], nothing, tolerance=1e-4)
    careful = Stepper([operator], nothing, tolerance=1e-4)
    one = careless.advance([bump(operator)], [2.0], first_step=1.0)[0][0]
    other = careful.advance([bump(operator)], [2.0], first_step=1e-4)[0][0]
    assert careless.report.rejected > 0
    assert careless.report.steps[0] < 0.1
    assert np.abs(one - other).max() < 1e-3 * other.max()


def test_error_follows_the_tolerance():
    operator = problem()
    exact = Stepper([operator], nothing, tolerance=1e-7).advance([bump(operator)], [2.0])[0][0]
    errors, steps = [], []
    for tolerance in (1e-2, 1e-3, 1e-4, 1e-5):
        stepper = Stepper([operator], nothing, tolerance=tolerance)
        field = stepper.advance([bump(operator)], [2.0])[0][0]
        errors.append(float(np.abs(field - exact).max() / exact.max()))
        steps.append(stepper.report.accepted)
    # the local error is of third order: 10^(1/3) times the steps, and a global error smaller by 10^(2/3)
    assert errors[1] < 1e-3
    assert 3.0 < errors[-2] / errors[-1] < 6.0
    assert 1.7 < steps[-1] / steps[-2] < 2.4


def test_residual_is_measured_and_far_below_the_tolerance():
    operator = problem(loss=0.1, sink=0.05)
    stepper = Stepper([operator], nothing, tolerance=1e-3)
    stepper.advance([bump(operator)], [2.0])
    assert 0.0 < stepper.report.linear_residual <= crank_nicolson.LINEAR * 1e-3


def test_a_step_that_cannot_be_solved_is_an_error(monkeypatch):
    """The residual is measured after the solve, not taken on trust."""
    monkeypatch.setattr(
        SteadySolver, "reduce", lambda self, operator, source, allowed, **more: (0.1 * source, 1)
    )
    operator = problem()
    with pytest.raises(ConvergenceError, match="times what its tolerance allows"):
        Stepper([operator], nothing).advance([bump(operator)], [2.0])


def test_feedback_is_part_of_the_step():
    """A field that feeds itself at 0.2 per Myr against sinks of 0.5: as sinks of 0.3."""
    fed = Stepper([problem(sink=0.5)], nothing, tolerance=1e-5, feedback=lambda index: lambda u: 0.2 * u)
    plain = Stepper([problem(sink=0.3)], nothing, tolerance=1e-5)
    one, other = (s.advance([bump(s.operators[0])], [3.0])[0][0] for s in (fed, plain))
    np.testing.assert_allclose(one, other, atol=1e-7 * other.max())
    account = fed.accounts[0]
    assert account["injected"] == pytest.approx(0.4 * account["sink"], rel=1e-9)


def test_child_follows_its_parent():
    """One field decays into another: nothing is lost on the way."""
    parent, child = problem(sink=0.7), problem()

    def source(index, time, fields):
        return 0.7 * fields[0] if index == 1 else 0.0

    stepper = Stepper([parent, child], source, tolerance=1e-4)
    start = [bump(parent), np.zeros(parent.grid.shape)]
    one, two = stepper.advance(start, [1.0])[0]
    total = Stepper([child], nothing, tolerance=1e-4).advance([bump(parent)], [1.0])[0][0]
    np.testing.assert_allclose(one + two, total, atol=5e-4 * total.max())
    # every decay is an arrival
    assert stepper.accounts[1]["injected"] == pytest.approx(stepper.accounts[0]["sink"], rel=1e-12)


def test_accounts_balance():
    operator = problem(loss=0.3, sink=0.2)
    source = Recorder(operator.grid.shape, (0.0, 1.0))
    stepper = Stepper([operator], source, tolerance=1e-5)
    start = bump(operator)
    end = stepper.advance([start], [2.0], switches=[1.0])[0][0]
    weight = operator.width[:, None, None] * operator.grid.volume
    account = stepper.accounts[0]
    assert min(account.values()) > 0.0
    kept = np.sum((end - start) * weight)
    missing = account["injected"] - account["sink"] - account["escape"] - account["loss"] - kept
    assert abs(missing) < stepper.tolerance * account["escape"]


def test_rejected_steps_are_not_booked():
    operator = problem()
    stepper = Stepper([operator], nothing, tolerance=1e-5)
    end = stepper.advance([bump(operator)], [2.0], first_step=1.0)[0][0]
    assert stepper.report.rejected > 0
    weight = operator.width[:, None, None] * operator.grid.volume
    assert stepper.accounts[0]["escape"] == pytest.approx(np.sum((bump(operator) - end) * weight), rel=1e-6)


def test_what_has_faded_away_stays_positive():
    """The fastest energies are gone after 1e-3 of the run; they neither ring nor shorten the steps."""
    operator = problem(D=[0.01, 0.1, 1.0, 10.0, 100.0])
    stepper = Stepper([operator], nothing, tolerance=1e-3)
    end = stepper.advance([bump(operator)], [100.0])[0][0]
    assert end.min() >= 0.0
    assert end[-1].max() < 1e-8 * stepper.largest[0][-1]
    # they are not what the last steps follow
    assert stepper.report.steps[-1] > 1.0


def test_noise_does_not_survive():
    """A ripple from cell to cell, which Crank-Nicolson alone would carry along for hundreds of steps."""
    operator = problem(n_z=201, D=5.0)
    ripple = 1e-3 * (-1.0) ** np.arange(201) * bump(operator)
    left = {}
    for damped in (False, True):
        stepper = Stepper([operator], nothing, tolerance=1e-3)
        state = Progress(0.0, [ripple], stepper.largest)
        state.history = [(-0.2, [2.0 * ripple]), (-0.1, [-ripple]), (0.0, [ripple])]
        state.taken = 0 if damped else 1
        left[damped] = np.abs(
            stepper._smooth_step(state, 0.1, [dict.fromkeys(stepper.accounts[0], 0.0)])[0]
        ).max()
    assert left[False] > 0.98 * np.abs(ripple).max()
    assert left[True] < 0.02 * np.abs(ripple).max()


def test_largest_density_so_far():
    operator = problem()
    stepper = Stepper([operator], nothing)
    stepper.advance([bump(operator)], [5.0])
    np.testing.assert_allclose(stepper.largest[0], 1.0)
