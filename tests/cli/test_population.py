"""``cyldiff population`` with good and bad input, in this process."""

from __future__ import annotations

import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff.cli import main
from cyldiff.sources.catalogue_file import load_catalogue

NAME = "papers/kaci-2025/population"
FEW = ("--realisations", "30", "--processes", "1", "--set", "energies.per_decade=1")


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, status=0):
        answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert answer.exit_code == status, answer.output
        return answer

    return invoke


def test_result_and_summary(call, tmp_path):
    answer = call("population", NAME, *FEW)
    for part in (
        "microquasars: 30 realisations", "on now (expected 10.00)", "H1 at the Sun, relative to the reference",
        "median", "top 1 %", "tail", "microquasars.nc written after",
    ):  # fmt: skip
        assert part in answer.stdout
    with xr.open_dataset(tmp_path / "microquasars.nc") as result:
        assert result.sizes["realisation"] == 30
        assert "flux_realisation" not in result
    assert [p.name for p in tmp_path.iterdir()] == ["microquasars.nc"]


def test_selection_and_overrides(call):
    answer = call(
        "population", NAME, *FEW, "-o", "sea.nc",
        "--set", "selection.exclude={ younger_than = '500 kyr', within = '4 kpc' }",
    )  # fmt: skip
    assert "no source younger than 0.5 Myr within 4 kpc of the Sun; probability 1.69 %" in answer.stdout


def test_checkpoint_is_gone_after_the_result(call, tmp_path):
    call("population", NAME, *FEW, "--set", "draw.checkpoint=kept")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["microquasars.nc"]


def test_a_realisation_as_a_catalogue(call):
    answer = call("population", NAME, "--catalogue", "c.toml", "--index", "3",
                  "--set", "population.history_length=25 Myr")  # fmt: skip
    assert "sources of realisation 3" in answer.stdout
    assert len(load_catalogue("c.toml")) > 2000


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with two results: plain, and with a ring."""
    folder = tmp_path_factory.mktemp("population")
    ring = 'observers.ring={radius="8.5 kpc", n=12}'
    for name, more in (("plain", ()), ("ring", ("--set", ring, "--set", "output.realisations=true"))):
        arguments = ["population", NAME, *FEW, "-o", str(folder / f"{name}.nc"), *more]
        assert CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code == 0
    return folder


class TestFigures:
    @pytest.mark.parametrize(
        ("file", "what"),
        [("plain", "band"), ("plain", "band:H1"), ("ring", "ring"), ("ring", "ring:1 PeV"), ("ring", "band"),
         ("plain", "spectrum:H1")],
    )  # fmt: skip
    def test_drawn(self, call, results, file, what, tmp_path):
        call("plot", results / f"{file}.nc", what, "-o", "f.png")
        assert (tmp_path / "f.png").stat().st_size > 10_000

    @pytest.mark.parametrize(
        ("file", "what", "message"),
        [
            ("plain", "ring", "add observers.ring to the population"),
            ("ring", "ring:1 EeV", "is outside the energies, 10 TeV to 100 PeV"),
            ("ring", "ring:3 kpc", "expected energy"),
            ("plain", "band:He4", 'no species "He4" in this population; known: H1'),
            ("plain", "sources", 'draws a file of "cyldiff sources"'),
        ],
    )
    def test_refused(self, call, results, file, what, message, tmp_path):
        answer = call("plot", results / f"{file}.nc", what, "-o", "f.png", status=2)
        assert message in answer.output
        assert not (tmp_path / "f.png").exists()


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["--realisations", "0"], ["draw.realisations", "found 0; expected at least 1"]),
        (["--processes", "0"], ["--processes", "expected at least 1"]),
        (["--index", "2"], ["--index", "has no meaning without --catalogue"]),
        (["--catalogue", "c.csv"], ["--catalogue", "expected .toml or .ecsv"]),
        (["--catalogue", "c.toml", "--index", "-1"], ["--index", "expected a number from 0 on"]),
        (["-o", "no/such/file.nc"], ["--output", "does not exist"]),
        (
            ["--set", "population.rate=-1 kyr^-1", "--set", "draw.sede=1", "-o", "no/file.nc", "--processes", "0"],
            ["4 problems", "population.rate", "did you mean draw.seed?", "--output", "--processes"],
        ),
        (["--set", "nonsense"], ["is not of the form path=value"]),
    ],
)  # fmt: skip
def test_bad_input(call, tmp_path, arguments, messages):
    """All of it in one message, exit status 2, nothing written."""
    answer = call("population", NAME, *arguments, status=2)
    for message in messages:
        assert message in answer.output
    assert "Traceback" not in answer.output
    assert list(tmp_path.iterdir()) == []


def test_names(call):
    unknown = call("population", "kaci-2025", status=2).output
    assert (
        'known: papers/kaci-2025/gamma, papers/kaci-2025/population; did you mean "papers/kaci-2025/'
        in unknown
    )
    answer = call("population", "quickstart", status=2)
    assert "is a run, not a population; see cyldiff run. Populations: papers/kaci-2025" in answer.output


def test_the_input_is_not_overwritten(call, tmp_path):
    call("copy", NAME, "-o", "mine.toml")
    answer = call("population", "mine.toml", "-o", "mine.toml", status=2)
    assert "is an input of this run" in answer.output


def test_listed_explained_checked(call):
    assert "papers/kaci-2025/population  ten powerful microquasars" in call("list", "populations").stdout
    assert "papers/kaci-2025/population" not in call("list", "runs").stdout
    assert "births in the whole Galaxy per time" in call("explain", "population.rate").stdout
    answer = call("check", NAME, "--set", "draw.seed=3")
    for part in ("seed", "[--set]", "[kaci-2025]", "3000 sources on average, 10 of them on now", "valid"):
        assert part in answer.stdout


def test_gamma_rays(call, tmp_path):
    answer = call(
        "population", "papers/kaci-2025/gamma", "--realisations", "1", "--processes", "1", "-o", "g.nc",
        "--set", "gamma.regions=['l=40..50,b=-1..1']", "--set", "gamma.nuclei_per_decade=3",
    )  # fmt: skip
    for part in ("gamma rays of 1 realisations", "no clouds:", "  clouds:", "sources detected on average",
                 "l=40..50,b=-1..1: diffuse"):  # fmt: skip
        assert part in answer.stdout
    with xr.open_dataset(tmp_path / "g.nc") as result:
        assert result["gamma_sea"].shape == (1, 1, 9)
        assert result["gamma_sea"].attrs["units"] == "GeV-1 cm-2 s-1 sr-1"


def test_gamma_keys(call):
    answer = call(
        "population", "papers/kaci-2025/gamma", "--set", "gamma.detection.point_spred=0.3 deg",
        "--set", "gamma.regions=['lhaaso-iner']", status=2,
    )  # fmt: skip
    assert "did you mean gamma.detection.point_spread" in answer.output
    assert "Traceback" not in answer.output
    assert "0.3 deg" not in call("explain", "gamma.detection.extent").stdout
