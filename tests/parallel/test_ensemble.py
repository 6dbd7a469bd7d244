"""Ensembles: independence of executor, workers and order; failures and crashes; resuming; seeds."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from ensemble_work import (
    boron_over_carbon,
    counted,
    dataset_of,
    draw,
    fragile,
    many_kinds,
    place,
    twice,
)

from cyldiff.errors import CyldiffError
from cyldiff.parallel.ensemble import Member, run_ensemble

HERE = Path(__file__).parent
WITHOUT_MPI = importlib.util.find_spec("mpi4py") is None
RUNS = {
    "thin": ['physics.halo.half_height="3 kpc"'],
    "thick": ['physics.halo.half_height="6 kpc"'],
    "steep": ["physics.diffusion.delta=0.5"],
}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@pytest.fixture(scope="module")
def reference():
    """B/C of three tiny runs, one after the other."""
    return run_ensemble(RUNS, boron_over_carbon, executor="serial").check().values


def test_results_are_plausible(reference):
    """A thicker halo at equal D holds particles longer: more boron; it falls with rigidity."""
    assert np.all(reference["thick"] > reference["thin"])
    assert all(bc[1] < bc[0] for bc in reference.values())


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_and_order_make_no_difference(reference, workers):
    """To the last bit."""
    turned = dict(reversed(RUNS.items()))
    found = run_ensemble(turned, boron_over_carbon, workers=workers)
    assert [o.name for o in found.outcomes] == list(turned)
    assert same(found.check().values, reference)
    assert all(o.seconds > 0.0 for o in found.outcomes)


def test_outcomes_are_in_the_order_of_the_members():
    found = run_ensemble({f"m{i}": i for i in range(6)}, twice, workers=2)
    assert list(found.values.items()) == [(f"m{i}", 2 * i) for i in range(6)]


def test_workers_have_one_thread_and_are_other_processes():
    found = run_ensemble(["a", "b"], place, workers=2).check().values
    for value in found.values():
        assert value["process"] != os.getpid()
        assert (value["omp"], value["numba"]) == (os.environ.get("OMP_NUM_THREADS", "1"), 1)


def test_the_environment_is_left_as_it_was(monkeypatch):
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    run_ensemble(["a"], place, workers=1)
    assert "MKL_NUM_THREADS" not in os.environ
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"


class TestFailures:
    def test_an_exception_is_a_message_and_ends_nothing(self):
        members = {"good": 1, "bad": "raise", "input": "input", "other": 2}
        for executor in ("serial", "processes"):
            found = run_ensemble(members, fragile, executor=executor, workers=2)
            assert found.values == {"good": 1, "other": 2}
            messages = {o.name: o.message for o in found.failed}
            # an error meant for the user speaks for itself
            assert messages == {"bad": "ZeroDivisionError: one over nothing", "input": "no such table"}
            assert "fragile" in found.failed[0].details

    @pytest.mark.parametrize("death", ["exit", "kill"])
    @pytest.mark.parametrize("workers", [1, 2])
    def test_a_crash_of_a_worker_ends_only_its_member(self, death, workers):
        members = {"a": 1, "dead": death, "b": 2, "also dead": death, "c": 3, "d": 4}
        found = run_ensemble(members, fragile, workers=workers)
        assert found.values == {"a": 1, "b": 2, "c": 3, "d": 4}
        assert [o.name for o in found.failed] == ["dead", "also dead"]
        assert all("its process died" in o.message for o in found.failed)

    def test_a_value_that_cannot_travel(self):
        found = run_ensemble({"a": 1, "bad": "unpicklable"}, fragile, workers=1)
        assert found.values == {"a": 1}
        assert "cannot be sent back from the worker" in found.failed[0].message

    def test_check_names_all_that_failed(self):
        found = run_ensemble({"x": "raise", "y": "input", "z": 1}, fragile, executor="serial")
        with pytest.raises(CyldiffError, match=r"2 of 3 members failed\n  x: Zero.*\n  y: no such table"):
            found.check()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((["a", "a"], place), "different names; found twice: a"),
            ((["a"], lambda member: 1), "the function cannot be sent to a worker"),
            (({"a": lambda: 1}, place), "the argument of a cannot be sent"),
        ],
    )
    def test_what_cannot_start_is_refused(self, arguments, message):
        with pytest.raises(CyldiffError, match=message):
            run_ensemble(*arguments)

    def test_unknown_executor_and_no_workers(self):
        with pytest.raises(CyldiffError, match=r'"process" unknown.*did you mean "processes"'):
            run_ensemble(["a"], place, executor="process")
        with pytest.raises(CyldiffError, match="0 workers; expected at least 1"):
            run_ensemble(["a"], place, workers=0)


class TestFolder:
    def members(self, folder, n=4, **more):
        return {f"m{i}": {"log": str(folder), "value": i, **more} for i in range(n)}

    def calls(self, folder):
        return {p.stem: len(p.read_text().splitlines()) for p in sorted(folder.glob("*.calls"))}

    def test_what_is_done_is_not_run_again(self, tmp_path):
        log, kept = tmp_path, tmp_path / "deep" / "kept"
        first = run_ensemble(self.members(log, 2), counted, executor="serial", folder=kept)
        again = run_ensemble(self.members(log, 4), counted, executor="serial", folder=kept)
        assert self.calls(log) == {"m0": 1, "m1": 1, "m2": 1, "m3": 1}
        assert [o.stored for o in again.outcomes] == [True, True, False, False]
        assert again.values == {"m0": 0, "m1": 1, "m2": 2, "m3": 3}
        assert not any(o.stored for o in first.outcomes)

    def test_another_argument_function_or_seed_is_another_run(self, tmp_path):
        run_ensemble({"a": 2, "b": 4}, twice, executor="serial", folder=tmp_path)
        changed = run_ensemble({"a": 3, "b": 4}, twice, executor="serial", folder=tmp_path)
        assert (changed.values, [o.stored for o in changed.outcomes]) == ({"a": 6, "b": 8}, [False, True])
        assert not run_ensemble({"b": 4}, dataset_of, executor="serial", folder=tmp_path).outcomes[0].stored
        assert (
            not run_ensemble({"b": 4}, dataset_of, executor="serial", folder=tmp_path, seed=1)
            .outcomes[0]
            .stored
        )

    def test_failed_members_are_retried_on_request(self, tmp_path):
        log, kept = tmp_path, tmp_path / "kept"
        (log / "broken").touch()
        members = {**self.members(log, 2), "bad": {"log": str(log), "value": 9, "fails": True}}
        assert [o.name for o in run_ensemble(members, counted, executor="serial", folder=kept).failed] == [
            "bad"
        ]
        (log / "broken").unlink()
        kept_failure = run_ensemble(members, counted, executor="serial", folder=kept).failed
        assert [(o.name, o.message, o.stored) for o in kept_failure] == [
            ("bad", "RuntimeError: broken for now", True)
        ]
        retried = run_ensemble(members, counted, executor="serial", folder=kept, retry_failed=True)
        assert retried.check().values["bad"] == 9
        assert self.calls(log) == {"m0": 1, "m1": 1, "bad": 2}

    def test_values_come_back_equal(self, tmp_path):
        for executor in ("serial", "processes"):
            fresh = run_ensemble(["a"], many_kinds, executor=executor, folder=tmp_path).check().values["a"]
            stored = run_ensemble(["a"], many_kinds, executor="serial", folder=tmp_path).outcomes[0]
            assert stored.stored
            assert stored.value["number"] == fresh["number"] == 0.1 + 0.2
            assert np.isnan(stored.value["nan"])
            assert stored.value["pair"] == (1, [2.5, "a"])
            assert (stored.value["count"], stored.value["text"], stored.value["none"]) == (7, "β", None)
            assert stored.value["flag"] is True
            for name in ("array", "integers"):
                np.testing.assert_array_equal(stored.value[name], fresh[name])
                assert stored.value[name].dtype == fresh[name].dtype

    def test_xarray_goes_into_a_netcdf_file(self, tmp_path):
        fresh = run_ensemble({"a": 2.0}, dataset_of, executor="serial", folder=tmp_path).values["a"]
        stored = run_ensemble({"a": 2.0}, dataset_of, executor="serial", folder=tmp_path).outcomes[0]
        assert stored.stored
        xr.testing.assert_identical(stored.value, fresh)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.nc"]

    def test_a_value_that_has_no_place_in_a_record(self, tmp_path):
        found = run_ensemble({"a": "unpicklable"}, fragile, executor="serial", folder=tmp_path)
        assert "type function cannot be kept in a folder" in found.failed[0].message

    def test_names_need_not_be_names_of_files(self, tmp_path):
        names = ["../evil", "a/b", "a_b", "D0 = 3e28 cm^2/s", "x" * 300, "x" * 299, ".hidden"]
        run_ensemble({n: i for i, n in enumerate(names)}, twice, executor="serial", folder=tmp_path / "in")
        again = run_ensemble(
            {n: i for i, n in enumerate(names)}, twice, executor="serial", folder=tmp_path / "in"
        )
        assert all(o.stored for o in again.outcomes)
        assert again.values == {n: 2 * i for i, n in enumerate(names)}
        assert [p.name for p in tmp_path.iterdir()] == ["in"]

    @pytest.mark.parametrize("damage", ["", "{", '{"schema": 1}', "[]"])
    def test_a_damaged_record_is_run_again(self, tmp_path, damage):
        run_ensemble({"a": 2}, twice, executor="serial", folder=tmp_path)
        (tmp_path / "a.json").write_text(damage)
        again = run_ensemble({"a": 2}, twice, executor="serial", folder=tmp_path).outcomes[0]
        assert (again.value, again.stored) == (4, False)

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(CyldiffError, match="cannot be made"):
            run_ensemble({"a": 2}, twice, executor="serial", folder=tmp_path / "file" / "in")

    def test_crashes_are_recorded_too(self, tmp_path):
        run_ensemble({"a": 1, "dead": "exit"}, fragile, workers=1, folder=tmp_path)
        record = json.loads((tmp_path / "dead.json").read_text())
        assert not record["done"]
        assert "died" in record["message"]


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from ensemble_work import counted
from cyldiff.parallel.ensemble import run_ensemble

if __name__ == "__main__":
    members = {{f"m{{i}}": {{"log": {log!r}, "value": i, "sleep": 0.4}} for i in range(8)}}
    found = run_ensemble(members, counted, workers=2, folder={folder!r})
    print(sum(o.stored for o in found.outcomes), sorted(found.check().values.values()))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_ensemble_goes_on_where_it_was(tmp_path, how):
    """Kill the whole script after a few members; the second call runs the others only."""
    script, kept = tmp_path / "script.py", tmp_path / "kept"
    script.write_text(SCRIPT.format(here=str(HERE), log=str(tmp_path), folder=str(kept)))
    process = subprocess.Popen(
        [sys.executable, str(script)],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # the tests may have been started in the background, where SIGINT is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    limit = time.monotonic() + 60.0
    while len(list(kept.glob("*.json"))) < 3 and time.monotonic() < limit:
        time.sleep(0.02)
    os.killpg(process.pid, how)
    process.communicate(timeout=30)
    assert process.returncode != 0
    done = [p.stem for p in kept.glob("*.json")]
    assert 3 <= len(done) < 8
    answer = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60
    )
    assert answer.stdout.split(maxsplit=1) == [str(len(done)), "[0, 1, 2, 3, 4, 5, 6, 7]\n"]
    calls = {p.stem: len(p.read_text().splitlines()) for p in tmp_path.glob("*.calls")}
    assert all(calls[name] == 1 for name in done)
    # nothing half-written stays
    assert not [p for p in kept.iterdir() if p.suffix not in (".json", ".part")]


@pytest.mark.parametrize("how", ["ensemble", "pool"])
@pytest.mark.parametrize("wait", [0.0, 2.0])
def test_workers_do_not_answer_an_interrupt(tmp_path, how, wait):
    """Ctrl-C goes to all processes of a terminal: one message, no tracebacks of workers, and an end at once."""
    calls = {
        "ensemble": "run_ensemble({n: {'log': LOG, 'value': 0, 'sleep': 60} for n in 'abcd'}, counted, workers=2)",
        "pool": "with Pool(long, executor='processes', workers=2) as pool: pool.map([60] * 4)",
    }
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED.format(here=str(HERE), log=str(tmp_path), call=calls[how]))
    process = subprocess.Popen(
        [sys.executable, str(script)],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    time.sleep(wait)
    os.killpg(process.pid, signal.SIGINT)
    begun = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - begun < 20.0
    assert process.returncode == 130
    assert said == "interrupted\n"


INTERRUPTED = """
import sys, threading, time
sys.path.insert(0, {here!r})
from ensemble_work import counted
from cyldiff.parallel.ensemble import run_ensemble
from cyldiff.parallel.pool import Pool

LOG = {log!r}

def long():
    return time.sleep

if __name__ == "__main__":
    threading.Timer(0.3, lambda: print("started", flush=True)).start()
    try:
        {call}
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
"""


class TestSeeds:
    def test_they_depend_on_the_name_and_the_root_only(self):
        names = [f"history {i}" for i in range(4)]
        alone = {n: run_ensemble([n], draw, executor="serial", seed=5).values[n] for n in names}
        assert same(run_ensemble(names, draw, executor="serial", seed=5).values, alone)
        assert same(run_ensemble(names[::-1], draw, workers=2, seed=5).values, alone)
        other = run_ensemble(names, draw, executor="serial", seed=6).values
        values = [*alone.values(), *other.values()]
        assert len({v.tobytes() for v in values}) == len(values)

    def test_streams_are_those_of_numpy(self):
        """A seed sequence of the root and the name: reproducible without this package."""
        import hashlib

        member = Member("history 7", root_seed=3)
        words = np.frombuffer(hashlib.sha256(b"history 7").digest(), dtype="<u4")
        expected = np.random.default_rng(np.random.SeedSequence([3, *words.tolist()])).random(4)
        np.testing.assert_array_equal(member.generator().random(4), expected)


def test_progress_hears_of_every_member(tmp_path):
    heard = []

    def progress(outcome, ready, total):
        heard.append((outcome.name, outcome.stored, ready, total))

    run_ensemble({"a": 2}, twice, executor="serial", folder=tmp_path)
    run_ensemble({"a": 2, "b": 3}, twice, executor="serial", folder=tmp_path, progress=progress)
    assert heard == [("a", True, 1, 2), ("b", False, 2, 2)]


def test_an_empty_ensemble():
    assert run_ensemble({}, twice).values == {}


@pytest.mark.skipif(not WITHOUT_MPI, reason="mpi4py is installed")
def test_missing_mpi_is_said_clearly():
    with pytest.raises(CyldiffError, match=r'executor = "mpi" needs mpi4py.*pip install mpi4py'):
        run_ensemble({"a": 2}, twice, executor="mpi")


MPI_SCRIPT = """
import sys
sys.path.insert(0, {here!r})
import numpy as np
from ensemble_work import draw, fragile, twice
from cyldiff.parallel.ensemble import run_ensemble

if __name__ == "__main__":
    found = run_ensemble({{f"m{{i}}": i for i in range(5)}}, twice, executor="mpi", folder={folder!r})
    drawn = run_ensemble(["x", "y"], draw, executor="mpi", seed=5).values
    failed = run_ensemble({{"bad": "raise", "good": 1}}, fragile, executor="mpi")
    here = run_ensemble(["x", "y"], draw, executor="serial", seed=5).values
    print(found.values, all(np.array_equal(drawn[n], here[n]) for n in here), failed.failed[0].message)
"""


@pytest.mark.skipif(WITHOUT_MPI, reason="needs mpi4py, which is not installed")
@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="needs mpiexec")
@pytest.mark.parametrize("ranks", [2, 3])
def test_the_same_call_on_ranks_of_mpi(tmp_path, ranks):
    script = tmp_path / "script.py"
    script.write_text(MPI_SCRIPT.format(here=str(HERE), folder=str(tmp_path / "kept")))
    answer = subprocess.run(
        ["mpiexec", "-n", str(ranks), sys.executable, "-m", "mpi4py.futures", str(script)],
        capture_output=True, text=True, timeout=120, env={**os.environ, **ALLOW_ROOT},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    expected = {f"m{i}": 2 * i for i in range(5)}
    assert answer.stdout.strip() == f"{expected} True ZeroDivisionError: one over nothing"


MPI_RUNS = """
import sys
sys.path.insert(0, {here!r})
from ensemble_work import boron_over_carbon
from cyldiff.parallel.ensemble import run_ensemble

if __name__ == "__main__":
    found = run_ensemble({runs!r}, boron_over_carbon, executor="mpi").check().values
    print(*(x.hex() for name in {runs!r} for x in found[name].tolist()))
"""


@pytest.mark.skipif(WITHOUT_MPI, reason="needs mpi4py, which is not installed")
@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="needs mpiexec")
def test_a_member_on_a_rank_solves_by_itself(reference, tmp_path):
    """The native solver, which refuses several processes that solve together, on three of them beside each other."""
    script = tmp_path / "script.py"
    script.write_text(MPI_RUNS.format(here=str(HERE), runs=RUNS))
    answer = subprocess.run(
        ["mpiexec", "-n", "3", sys.executable, "-m", "mpi4py.futures", str(script)],
        capture_output=True, text=True, timeout=120, env={**os.environ, **ALLOW_ROOT},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == [x.hex() for name in RUNS for x in reference[name].tolist()]


def test_a_worker_takes_no_notice_of_the_launch(monkeypatch):
    from cyldiff.parallel import launch
    from cyldiff.parallel.comm import get_comm

    monkeypatch.setattr(launch, "_state", {"alone": False})
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "3")
    assert (launch.launched_ranks(), launch.launched_rank()) == (4, 3)
    launch.work_alone()
    assert (launch.launched_ranks(), launch.launched_rank(), get_comm().size) == (1, 0, 1)


#: Open MPI refuses to start more ranks than cores, and to start for root
ALLOW_ROOT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}  # fmt: skip
