"""Samplers on posteriors known in closed form; interrupted and resumed; on processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from fit_targets import Bowl, make_bowl, make_failing, make_one, parameter

from cyldiff.errors import ConfigError, ConvergenceError, CyldiffError, DataError
from cyldiff.fit.chain_file import check_sample_folder, summary, write_posterior
from cyldiff.fit.posterior import Draws, LogPosterior
from cyldiff.fit.priors import Gaussian, LogUniform, Uniform
from cyldiff.fit.proposals import Normal, inside
from cyldiff.fit.sample import draw, fingerprint, sample
from cyldiff.fit.samplers import Emcee, Nautilus
from cyldiff.fit.walk import Unfinished, convergence
from cyldiff.parallel.pool import Pool

BOWL = Bowl()
PARAMETERS = list(BOWL.parameters)
SHORT = Emcee(walkers=16, steps=3000, seed=3)


def drawn(settings=SHORT, make=make_bowl, parameters=PARAMETERS, **options):
    with Pool(make, executor="serial") as pool:
        return draw(pool, parameters, settings, **options)


@pytest.fixture(scope="module")
def chain():
    return drawn()


class TestEmcee:
    def test_the_posterior_of_a_normal_distribution(self, chain):
        mean, covariance = chain.moments()
        error = np.sqrt(np.diag(BOWL.covariance) / chain.effective)
        assert np.all(np.abs(mean - BOWL.mean) < 4.0 * error)
        np.testing.assert_allclose(covariance, BOWL.covariance, rtol=6.0 / np.sqrt(chain.effective))
        low, middle, high = chain.quantiles((0.1587, 0.5, 0.8413))
        np.testing.assert_allclose(0.5 * (high - low), np.sqrt(np.diag(BOWL.covariance)), rtol=0.1)
        np.testing.assert_allclose(middle, BOWL.mean, atol=4.0 * error.max())

    def test_it_has_converged_by_its_own_measure(self, chain):
        assert chain.steps - chain.burn_in >= 50.0 * chain.tau.max()
        assert chain.steps % SHORT.check == 0
        assert 0.1 < chain.acceptance.mean() < 0.9
        assert chain.effective == pytest.approx(chain.counting.sum() / chain.tau.max())

    @pytest.mark.parametrize("moves", ["stretch", "differential-evolution"])
    def test_other_moves(self, moves):
        found = drawn(Emcee(walkers=16, steps=6000, seed=1, moves=moves))
        mean, covariance = found.moments()
        np.testing.assert_allclose(mean, BOWL.mean, atol=5.0 * np.sqrt(2.0 / found.effective))
        np.testing.assert_allclose(covariance, BOWL.covariance, rtol=8.0 / np.sqrt(found.effective))

    def test_the_same_seed_draws_the_same(self, chain):
        np.testing.assert_array_equal(drawn().values, chain.values)
        other = drawn(SHORT.model_copy(update={"seed": 4}))
        assert not np.array_equal(other.values[:16], chain.values[:16])

    def test_on_processes(self, chain):
        with Pool(make_bowl, workers=2) as pool:
            found = draw(pool, PARAMETERS, SHORT)
        np.testing.assert_array_equal(found.values, chain.values)
        assert found.calls == chain.calls

    def test_priors_weigh(self):
        """A flat chi-square leaves the prior."""
        parameters = [parameter("a", prior=Gaussian(mean=1.0, sigma=0.5)), parameter("b", prior=Uniform())]

        class Flat(Bowl):
            def __call__(self, values):
                return parameters[0].prior.chi2(values[0])

        from cyldiff.fit.posterior import Evaluate

        found = drawn(make=lambda: Evaluate(Flat()), parameters=parameters)
        mean, covariance = found.moments()
        assert mean[0] == pytest.approx(1.0, abs=0.1)
        assert covariance[0, 0] == pytest.approx(0.25, rel=0.2)
        assert covariance[1, 1] == pytest.approx(400.0 / 12.0, rel=0.2)
        assert np.abs(found.values[:, 1]).max() <= 10.0

    def test_one_parameter(self):
        mean, covariance = drawn(Emcee(walkers=8, steps=5000), make_one, [parameter("a")]).moments()
        assert mean[0] == pytest.approx(0.5, abs=0.3)
        assert covariance[0, 0] == pytest.approx(4.0, rel=0.2)


class TestAroundTheMinimum:
    """Places that a normal distribution offers, right or wrong, leave the posterior as it is."""

    @pytest.mark.parametrize(
        ("shift", "factor"),
        [(0.0, 1.0), (1.0, 1.0), (0.0, 0.25), (0.0, 4.0)],
        ids=["right", "off", "narrow", "wide"],
    )
    def test_the_posterior_is_found(self, shift, factor):
        sigma = np.sqrt(np.diag(BOWL.covariance))
        near = Normal(BOWL.mean + shift * sigma, factor * BOWL.covariance)
        found = drawn(SHORT.model_copy(update={"steps": 6000}), near=near)
        mean, covariance = found.moments()
        np.testing.assert_allclose(mean, BOWL.mean, atol=4.0 * sigma.max() / np.sqrt(found.effective))
        np.testing.assert_allclose(covariance, BOWL.covariance, rtol=6.0 / np.sqrt(found.effective))

    def test_fewer_calls_for_the_same(self, chain):
        found = drawn(near=Normal(BOWL.mean, BOWL.covariance))
        assert found.tau.max() < 0.6 * chain.tau.max()

    def test_an_interrupted_chain_keeps_it(self, tmp_path):
        """What is offered after an interruption is what was offered before, whatever is found the second time."""
        state, near = tmp_path / "sampler.npz", Normal(BOWL.mean, BOWL.covariance)
        whole = drawn(near=near)
        with pytest.raises(Unfinished):
            drawn(SHORT.model_copy(update={"steps": 37}), near=near, state=state)
        found = drawn(near=Normal(BOWL.mean + 1e-9, BOWL.covariance), state=state)
        np.testing.assert_array_equal(found.values, whole.values)

    def test_walkers_start_inside_the_bounds(self):
        low, high = np.array([0.0, -1.0]), np.array([10.0, 1.0])
        near = Normal(np.array([0.0, 0.0]), np.diag([1.0, 1e-6]))
        first = near.start(low, high, 64, np.random.default_rng(0))
        assert first.shape == (64, 2)
        assert np.all((first > low) & (first < high))
        with pytest.raises(CyldiffError, match="inside the bounds"):
            inside(lambda k: np.full((k, 2), 20.0), low, high, 4)


class TestConvergence:
    def test_too_few_steps_are_refused_and_say_how_many_more(self, tmp_path):
        state = tmp_path / "sampler.npz"
        with pytest.raises(
            Unfinished, match=r"About (\d+) more steps: go on with --resume --set fit"
        ) as caught:
            drawn(Emcee(walkers=16, steps=60, seed=3), state=state)
        assert caught.value.exit_status == 3
        assert state.is_file()

    def test_the_advice_is_enough(self, tmp_path):
        state, steps = tmp_path / "sampler.npz", 100
        for _ in range(6):
            try:
                found = drawn(SHORT.model_copy(update={"steps": steps}), state=state)
                break
            except Unfinished as error:
                steps = int(str(error).rpartition("=")[2])
        np.testing.assert_array_equal(found.values, drawn().values[: len(found.values)])

    def test_a_walk_that_does_not_mix_is_seen(self):
        """A random walk has the autocorrelation of its whole length."""
        steps = np.random.default_rng(0).normal(size=(500, 16, 1))
        _, _, needed = convergence(np.cumsum(steps, axis=0), 50.0)
        assert needed > 500
        assert convergence(steps, 50.0)[2] == 0

    def test_autocorrelation_time_of_a_known_process(self):
        """x_n = rho x_(n-1) + noise has tau = (1 + rho) / (1 - rho)."""
        generator, rho = np.random.default_rng(1), 0.8
        x = np.zeros((6000, 16, 1))
        for n in range(1, 6000):
            x[n] = rho * x[n - 1] + generator.normal(size=(16, 1))
        tau, _, needed = convergence(x, 50.0)
        assert tau[0] == pytest.approx(9.0, rel=0.1)
        assert needed == 0

    def test_a_parameter_that_stands_still(self):
        assert convergence(np.ones((200, 8, 1)), 50.0)[2] > 0


class _Stop(Exception):
    pass


class TestResume:
    @pytest.mark.parametrize("after", [7, 50, 131])
    def test_an_interrupted_chain_is_the_uninterrupted_one(self, tmp_path, chain, after):
        state = tmp_path / "sampler.npz"

        def stopping(settings):
            count = [0]

            def make():
                inner = make_bowl()

                def evaluate(values):
                    count[0] += 1
                    if count[0] > 16 * after:
                        raise _Stop
                    return inner(values)

                return evaluate

            return make

        with pytest.raises(_Stop):
            drawn(make=stopping(SHORT), state=state)
        found = drawn(state=state)
        np.testing.assert_array_equal(found.values, chain.values)
        np.testing.assert_array_equal(found.log_posterior, chain.log_posterior)
        np.testing.assert_array_equal(found.acceptance, chain.acceptance)

    def test_a_finished_chain_is_not_drawn_again(self, tmp_path, chain):
        state = tmp_path / "sampler.npz"
        drawn(state=state)
        found = drawn(state=state, make=make_failing)
        np.testing.assert_array_equal(found.values, chain.values)

    def test_the_state_of_another_problem_is_refused(self, tmp_path):
        state = tmp_path / "sampler.npz"
        drawn(state=state, fingerprint="one")
        with pytest.raises(DataError, match="the chain of another fit"):
            drawn(state=state, fingerprint="other")

    def test_a_damaged_state(self, tmp_path):
        state = tmp_path / "sampler.npz"
        state.write_bytes(b"PK nothing")
        with pytest.raises(DataError, match="not a readable chain"):
            drawn(state=state)


NESTED = Nautilus(live_points=150, effective=800, seed=2)


@pytest.mark.slow
class TestNautilus:
    def test_posterior_evidence_and_resume(self, tmp_path):
        """The evidence of a normal distribution in a wide flat prior is its volume over that of the prior."""
        state, calls = tmp_path / "sampler.h5", [0]

        def make():
            inner = make_bowl()

            def evaluate(values):
                calls[0] += 1
                if calls[0] == 1250:
                    raise _Stop
                return inner(values)

            return evaluate

        whole = drawn(NESTED)
        mean, covariance = whole.moments()
        np.testing.assert_allclose(mean, BOWL.mean, atol=5.0 * np.sqrt(2.0 / whole.effective))
        np.testing.assert_allclose(covariance, BOWL.covariance, rtol=8.0 / np.sqrt(whole.effective))
        volume = 2.0 * np.pi * np.sqrt(np.linalg.det(BOWL.covariance))
        assert whole.log_evidence == pytest.approx(np.log(volume / 400.0), abs=0.15)
        assert whole.effective >= 800
        with pytest.raises(_Stop):
            drawn(NESTED, make=make, state=state)
        found = drawn(NESTED, state=state)
        np.testing.assert_allclose(found.values, whole.values, rtol=1e-12)
        assert found.log_evidence == pytest.approx(whole.log_evidence, abs=1e-12)
        with pytest.raises(DataError, match="of another fit"):
            drawn(NESTED, state=state, fingerprint="other")
        state.write_bytes(b"nothing")
        with pytest.raises(DataError, match="not a readable state"):
            drawn(NESTED, state=state)

    def test_too_few_calls(self, tmp_path):
        state = tmp_path / "sampler.h5"
        with pytest.raises(Unfinished, match=r"--resume --set fit\.sampler\.maximum_calls"):
            drawn(NESTED.model_copy(update={"maximum_calls": 300}), state=state)
        assert state.is_file()


class TestPosterior:
    def test_outside_the_bounds_nothing_is_evaluated(self):
        with Pool(make_bowl, executor="serial") as pool:
            target = LogPosterior(pool, BOWL.parameters)
            found = target(np.array([[0.5, -1.0], [11.0, 0.0], [0.0, -11.0]]))
        assert target.calls == 1
        assert found[:, 0].tolist() == [0.0, -np.inf, -np.inf]

    def test_quantiles_of_the_priors(self):
        shares = np.linspace(0.01, 0.99, 9)
        assert Uniform().quantile(0.25, 2.0, 6.0) == 3.0
        assert LogUniform().quantile(0.5, 1.0, 100.0) == pytest.approx(10.0)
        prior = Gaussian(mean=1.0, sigma=2.0)
        from scipy.stats import truncnorm

        expected = truncnorm.ppf(shares, -1.0, 0.5, 1.0, 2.0)
        np.testing.assert_allclose([prior.quantile(s, -1.0, 2.0) for s in shares], expected, rtol=1e-9)

    def test_weighted_quantiles_and_moments(self):
        draws = Draws(
            tuple(PARAMETERS[:1]), np.array([[0.0], [1.0], [2.0]]), np.zeros(3), np.array([1.0, 2.0, 1.0]), 3
        )
        assert draws.quantiles([0.5])[0, 0] == 1.0
        assert draws.moments()[0][0] == 1.0
        assert draws.effective == pytest.approx(16.0 / 6.0)


class TestPool:
    def test_results_are_in_order_and_errors_come_through(self):
        with Pool(make_bowl, workers=2) as pool:
            found = pool.map([BOWL.mean + np.array([0.1 * k, 0.0]) for k in range(5)])
            assert np.all(np.diff(np.array(found)[:, 0]) > 0.0)
        with Pool(make_failing, workers=2) as pool, pytest.raises(ConvergenceError, match="cannot be made"):
            pool.map([BOWL.mean])

    @pytest.mark.parametrize("options", [{"executor": "mpl"}, {"workers": 0}])
    def test_refused(self, options):
        with pytest.raises(CyldiffError, match=r'did you mean "mpi"|at least 1'):
            Pool(make_bowl, **options)

    def test_workers_leave_with_a_parent_that_is_killed(self):
        script = (
            "import time\nfrom fit_targets import make_identity\nfrom cyldiff.parallel.pool import Pool\n"
            "if __name__ == '__main__':\n"
            "    with Pool(make_identity, workers=2) as pool:\n"
            "        print(*pool.map(range(8)), flush=True)\n"
            "        time.sleep(600)\n"
        )
        folder = str(Path(__file__).parent)
        path = os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])
        with subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        ) as parent:
            assert parent.stdout is not None
            workers = {int(word) for word in parent.stdout.readline().split()}
            parent.kill()
        assert workers
        until = time.monotonic() + 60.0
        while time.monotonic() < until and any(_lives(number) for number in workers):
            time.sleep(0.05)
        assert not any(_lives(number) for number in workers)


def _lives(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


PROFILED = {
    "D0": {"path": "physics.diffusion.D0", "bounds": ["5e27 cm^2/s", "2e29 cm^2/s"]},
    "delta": {"path": "physics.diffusion.delta[0]", "bounds": [0.1, 1.2]},
    "flux": {
        "path": "physics.sources.snr.normalisation.flux",
        "relative": True,
        "bounds": [0.3, 3.0],
        "profile": True,
    },
}


@pytest.fixture
def small(load):
    """A fit whose posterior is drawn in a moment; far too few steps for the default of 50 taus."""
    data = [{"name": "ams02-b-c-rigidity", "min": "5 GV"}, {"name": "ams02-c-rigidity", "min": "20 GV"}]
    sampler = {"kind": "emcee", "walkers": 8, "steps": 200, "taus": 10.0, "check": 10, "seed": 1, "thin": 2}
    return load(PROFILED, fit={"data": data, "sampler": sampler})


class TestOfAFit:
    def test_from_a_tuning_file_to_a_folder(self, small, tmp_path):
        posterior = sample(small, state=tmp_path / "sampler.npz", executor="serial")
        draws = posterior.draws
        assert [p.name for p in draws.parameters] == ["D0", "delta", "flux"]
        low, middle, high = draws.quantiles((0.1587, 0.5, 0.8413))
        assert np.all((posterior.best > low - (high - low)) & (posterior.best < high + (high - low)))
        assert 0.3 < middle[2] < 3.0
        assert "at their best for every draw, not marginalised: flux" in summary(posterior)
        files = write_posterior(posterior, tmp_path)
        assert {f.name for f in files} == {"chain.nc", "corner.png", "posterior.json", "best-fit.toml"}
        with xr.open_dataset(tmp_path / "chain.nc") as kept:
            assert kept["value"].dims == ("parameter", "step", "walker")
            assert kept.sizes["step"] == -(-draws.steps // 2)
            assert kept["unit"].sel(parameter="D0").item() == "cm^2/s"
            assert 1e28 < kept["value"].sel(parameter="D0").mean() < 1e29
            assert kept.attrs["seed"] == 1
            np.testing.assert_allclose(kept["chi2"], -2.0 * kept["log_posterior"])
        assert "--resume" in check_sample_folder(tmp_path, resume=False)
        assert check_sample_folder(tmp_path, resume=True) == ""
        # again, on the finished chain: nothing is drawn
        again = sample(small, state=tmp_path / "sampler.npz", executor="serial")
        np.testing.assert_array_equal(again.draws.values, draws.values)

    def test_what_a_chain_follows_from(self, small, load):
        assert fingerprint(small) == fingerprint(
            load(PROFILED, fit=_section(small, steps=500, taus=20.0, thin=1))
        )
        assert fingerprint(small) != fingerprint(load(PROFILED, fit=_section(small, seed=2)))
        other = _section(small)
        other["data"] = other["data"][:1]
        del other["sampler"]
        with pytest.raises(ConfigError):  # without carbon nothing says how strong the sources are
            load(PROFILED, fit=other)

    def test_walkers_from_the_prior(self, small, load, tmp_path):
        fit = load(PROFILED, fit=_section(small, start="prior", steps=20, taus=50.0))
        with pytest.raises(Unfinished):
            sample(fit, state=tmp_path / "sampler.npz", executor="serial")

    def test_too_few_walkers(self, small, load):
        fit = load(PROFILED, fit=_section(small, walkers=4))
        with pytest.raises(ConfigError, match="expected at least 6 for 2 parameters"):
            sample(fit, executor="serial")

    def test_nothing_to_draw(self, small, load):
        fit = load({"flux": PROFILED["flux"]}, fit=_section(small))
        with pytest.raises(ConfigError, match="all are profiled"):
            sample(fit, executor="serial")


def _section(fit, **sampler):
    """The section of a fit with other settings of the sampler."""
    section = fit.fit.model_dump(mode="json", exclude={"parameters"})
    section["sampler"] |= sampler
    return section
