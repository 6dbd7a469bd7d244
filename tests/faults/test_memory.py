"""Whatever allocates much is refused before it starts, with what it needs and what there is."""

from __future__ import annotations

import re
import shutil

import pytest
from click.testing import CliRunner

from cyldiff import pipeline, resources
from cyldiff.cli import main
from cyldiff.config import memory
from cyldiff.config.memory import shortage

TINY = """
schema = 1
run.name = "tiny"
grid.use = "fit-2d"
physics.use = "example-plain-diffusion"
species.include = ["H1"]
"""


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """``refused(free, *arguments)``: the message of a command where so many bytes are free."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(TINY)
    shutil.copyfile(resources.find("populations", "papers/kaci-2025/population"), tmp_path / "pop.toml")
    before = sorted(tmp_path.iterdir())

    def no_solving(*args, **kwargs):
        raise AssertionError("refused before anything is solved")

    monkeypatch.setattr(pipeline, "solve", no_solving)

    def call(free, *arguments):
        monkeypatch.setattr(memory, "available_memory", lambda: free)
        answer = CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)
        assert answer.exit_code == 2, answer.output
        assert re.search(r"[\d.e+]+ GB", answer.stderr), answer.stderr
        assert sorted(tmp_path.iterdir()) == before
        return answer.stderr

    return call


def test_births_of_a_population(refused):
    text = refused(8e9, "population", "pop.toml", "--set", 'population.rate="1e6 yr^-1"')
    assert "population.rate" in text
    assert "3e+13 births in 30 Myr need about 6e+06 GB of memory, 8 GB are free" in text


def test_realisations_of_a_population(refused):
    text = refused(8e9, "population", "pop.toml", "--realisations", "10000000")
    assert "draw.realisations" in text
    assert "8 GB are free" in text


def test_a_map_of_the_sky(refused, small_file):
    text = refused(1e9, "gamma", small_file, "--map", "map.nc", "--nside", "1024", "-o", "t.csv")
    assert "maps of nside 1024" in text
    assert "1 GB are free" in text


def test_a_map_with_an_image(refused, small_file):
    """A FITS file has the image too, which is larger than the pixels."""
    free = 3e7
    text = refused(free, "gamma", small_file, "--energies", "200 GeV", "--map", "map.fits", "--nside", "256")
    assert "maps of nside 256 at 1 energies need about" in text
    answer = CliRunner().invoke(
        main, ["gamma", str(small_file), "--energies", "200 GeV", "--map", "map.nc", "--nside", "1"]
    )
    assert answer.exit_code == 0, answer.output


def test_sources_at_many_energies(refused):
    text = refused(1e5, "sources", "example", "--model", "kaci-2025", "--per-decade", "200", "-o", "s.nc")
    assert "3 sources at 2802 energies need about" in text


def test_a_table_of_many_sources(refused, tmp_path):
    text = refused(1e4, "check", "lhaaso-2024-microquasars")
    assert "need about 0.00017 GB of memory" in text


def test_a_response(refused):
    text = refused(
        1e7, "response", "run.toml", "--energies", "100 GeV", "--coupling", "decoupled", "--ages", "10 Myr",
        "-o", "r.nc",
    )  # fmt: skip
    assert "the table of this response would need about" in text


def test_a_chain(refused):
    """The steps of all walkers are kept until the end."""
    from cyldiff.errors import ConfigError
    from cyldiff.fit.load import load_fit
    from cyldiff.fit.sample import sample

    fit = load_fit("tuning/bc-ams02", ["fit.sampler.steps=1000000000"])
    with pytest.raises(
        ConfigError, match=r"fit\.sampler\.steps .* walkers with 1000000000 steps need about .* GB"
    ):
        sample(fit)


def test_there_is_enough():
    assert shortage(1e3) == ""


def test_a_system_that_does_not_say(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    assert shortage(1e30) == ""
