"""T16: the mean of a population is the steady grid solution, its variance goes as 1/rate, its tail is a power law.

The seeds are fixed. Where the observer is 1.5 kpc above a disc of half-thickness 0.2 kpc, or where young sources
nearby are excluded, the variance is finite and a mean has a standard error; in the plane it has none.
"""

from __future__ import annotations

import copy
import tomllib

import numpy as np
import pytest

from cyldiff import resources
from cyldiff.constants import SPEED_OF_LIGHT
from cyldiff.sources.greens_function import finite_life
from cyldiff.sources.population.evaluate import Evaluation
from cyldiff.sources.population.load import load_population_mapping
from cyldiff.sources.population.model import PopulationModel
from cyldiff.sources.population.smooth import smooth_population

FILE = tomllib.loads(
    (resources.folder("runs") / "papers/kaci-2025/population.toml").read_text(encoding="utf-8")
)
ABOVE = "model.observer.z=1.5 kpc"
SEA = "selection.exclude={younger_than='500 kyr', within='4 kpc'}"
DECADES = ("energies.min=10 TeV", "energies.max=100 PeV", "energies.per_decade=1")
PLANE = "population.distribution={kind='yusifov-kucuk-2004', vertical='plane'}"
ONE_ENERGY = ("energies.min=1 TeV", "energies.max=1.0001 TeV", "energies.per_decade=1")
GRID = "galaxy-2d-standard"


def load(*overrides, without=()):
    """The microquasars of the library with changes."""
    raw = {key: copy.deepcopy(value) for key, value in FILE.items() if key != "output"}
    for key in without:
        del raw["population"][key]
    return load_population_mapping(raw, overrides)


def sample(loaded, number):
    """Intensity at the Sun of so many realisations, shape (number, n_e), and what made it."""
    found = Evaluation(PopulationModel(loaded.config))
    draw = found.model.draw
    return np.array([found.intensity(draw.realisation(i))[0, 0] for i in range(number)]), found


@pytest.fixture(scope="module")
def above():
    """400 realisations seen from 1.5 kpc above the Sun."""
    loaded = load(ABOVE, *DECADES)
    return loaded, *sample(loaded, 400)


def test_mean_is_the_steady_grid_solution(above):
    """Sum over sources, integral and grid: the first within 3 standard errors, the others to 0.2 %."""
    loaded, fluxes, found = above
    error = fluxes.std(axis=0, ddof=1) / np.sqrt(len(fluxes))
    grid = smooth_population(loaded, grid=GRID)
    steady = grid.intensity_at(found.model.energies, 8.5, 1.5)[0]
    assert np.all(np.abs(fluxes.mean(axis=0) - steady) < 3.0 * error + 2e-3 * steady)
    assert np.all(error < 0.05 * steady)
    np.testing.assert_allclose(found.expected()[0], steady, rtol=2e-3)


@pytest.mark.parametrize("z", [0.0, 1.5])
@pytest.mark.parametrize("collisions", [False, True])
def test_integral_is_the_steady_grid_solution(z, collisions):
    """In the plane and above, with and without gas (which the closed form knows on average only)."""
    loaded = load(
        f"model.observer.z={z} kpc", *DECADES, "energies.min=1 TeV", "population.history_length=100 Myr",
        f"model.collisions={str(collisions).lower()}",
    )  # fmt: skip
    found = Evaluation(PopulationModel(loaded.config))
    grid = smooth_population(loaded, grid=GRID).intensity_at(found.model.energies, 8.5, z)
    np.testing.assert_allclose(found.expected("steady"), grid, rtol=3e-3 if collisions else 1e-3)


def test_mean_of_the_sea():
    """Without young sources nearby the mean is that of all less that of the excluded ones."""
    fluxes, found = sample(load(SEA, *DECADES), 400)
    error = fluxes.std(axis=0, ddof=1) / np.sqrt(len(fluxes))
    assert np.all(np.abs(fluxes.mean(axis=0) - found.expected()[0]) < 3.0 * error)


def test_sea_from_sources_and_from_the_grid():
    """Old sources one by one, as a mean by integration, and from a run in time on the grid."""
    recent = ("population.history_length=1 Myr", *DECADES, "energies.max=1 PeV")
    drawn, _ = sample(load(SEA, *recent[1:], "population.history_length=30 Myr"), 400)
    mean, short = sample(load(SEA, *recent, "population.older=mean"), 400)
    grid = smooth_population(load(*recent, "population.older=mean"), older=True)
    np.testing.assert_allclose(
        grid.intensity_at(short.model.energies, 8.5, 0.0)[0], short.older[0, 0], rtol=0.02
    )
    scatter = np.hypot(drawn.std(axis=0, ddof=1), mean.std(axis=0, ddof=1)) / np.sqrt(400)
    assert np.all(np.abs(drawn.mean(axis=0) - mean.mean(axis=0)) < 3.0 * scatter)
    assert np.all(mean.std(axis=0) < drawn.std(axis=0))


def test_variance_is_one_over_the_rate(above):
    """With the same power in four times as many sources the relative variance is a quarter."""
    _, few, _ = above
    many, _ = sample(
        load(
            ABOVE, *DECADES, "population.rate=0.4 kyr^-1",
            "population.luminosity={kind='power-law', min='0.25e39 erg/s', max='0.25e40 erg/s', alpha=1}",
        ),
        400,
    )  # fmt: skip
    ratios = []
    for fluxes in (few, many):
        relative = fluxes / fluxes.mean(axis=0)
        variance = relative.var(axis=0, ddof=1)
        fourth = np.mean((relative - 1.0) ** 4, axis=0)
        ratios.append((variance, np.sqrt((fourth - variance**2) / len(fluxes)) / variance))
    (a, a_error), (b, b_error) = ratios
    assert np.all(np.abs(a / b - 4.0) < 3.0 * 4.0 * np.hypot(a_error, b_error))
    assert np.all(np.hypot(a_error, b_error) < 0.25)


def brightest(loaded, number):
    """Largest flux of a single source in each of so many realisations [density at the first energy]."""
    found = Evaluation(PopulationModel(loaded.config))
    draw, energy = found.model.draw, float(found.model.energies[0])
    unit = found.model.spectra[0, 0] * found._flux_unit[0, 0]
    fluxes = np.empty(number)
    for i in range(number):
        one = draw.realisation(i)
        drawn = found.intensity(one)[0, 0, 0] - found.older[0, 0, 0]
        fluxes[i] = drawn * found.brightest(one, energy).share / unit
    return fluxes, found.model


def exceeding(fluxes, level):
    """Number of realisations above a level."""
    return int(np.count_nonzero(fluxes > level))


def test_tail_of_bursts_in_a_plane():
    """P(> F) = 1 - exp(-N), N = (3 / 32 pi) (rate density / D) (E / F)^(4/3): no free parameter.

    A burst is seen above F within d^2 < 4 D t ln[E / F (4 pi D t)^(-3/2)]; the area of that circle integrated over
    the age gives N. Far from the edge of the disc and before H^2/D.
    """
    loaded = load(
        *ONE_ENERGY, PLANE, "population.history=burst", "population.normalisation=exact",
        "population.energy={kind='fixed', value='1e50 erg'}", "population.history_length=1 Myr",
        "population.older=mean", without=("lifetime", "luminosity"),
    )  # fmt: skip
    number = 6000
    fluxes, model = brightest(loaded, number)
    population = loaded.config.population
    D, energy = model.travel["H1"].diffusion[0], population.amount.mean * population.efficiency
    rate = population.rate * model.draw.places.surface_density(np.array([-8.5]), np.array([0.0]))[0]
    counts = []
    for chance in (0.3, 0.1, 0.03, 0.01):
        level = energy * (-np.log1p(-chance) * 32.0 * np.pi * D / (3.0 * rate)) ** -0.75
        counts.append(exceeding(fluxes, level))
        assert counts[-1] == pytest.approx(number * chance, abs=3.0 * np.sqrt(number * chance))
    assert counts[0] > 10 * counts[-1]


def test_tail_of_lasting_sources_in_a_plane():
    """P(> F) = 1 - exp(-N), N = rate int da pi d(F, a)^2: how far sources of age a are seen above F.

    Around a source that is on n = P / (4 pi D d), so that N falls as F^-2, but for those that are so young, or so
    near, that particles have not come or not gone yet.
    """
    loaded = load(
        *ONE_ENERGY, PLANE, "population.luminosity={kind='fixed', value='1e39 erg/s'}",
        "population.lifetime={kind='fixed', value='1 Myr'}", "population.history_length=1.05 Myr",
        "population.older=mean", "population.rate=0.3 kyr^-1", "energies.min=100 TeV", "energies.max=101 TeV",
    )  # fmt: skip
    number = 1500
    fluxes, model = brightest(loaded, number)
    population = loaded.config.population
    D, power = model.travel["H1"].diffusion[0], population.amount.mean * population.efficiency
    sigma = model.draw.places.surface_density(np.array([-8.5]), np.array([0.0]))[0]
    d, age = np.geomspace(0.003, 1.5, 600), 1.05 * (np.arange(80) + 0.5) / 80
    youngest = np.maximum(np.maximum(age - 1.0, 0.0)[:, None], d / SPEED_OF_LIGHT)
    place = np.stack([d, 0.0 * d, 0.0 * d], axis=-1)
    seen, _ = finite_life(
        place, np.zeros(3), diffusion=D, age=age[:, None], duration=np.maximum(age[:, None] - youngest, 0.0),
        half_height=3.0,
    )  # fmt: skip

    def mean_number(level):
        reach = np.array([d[row > level].max(initial=0.0) for row in power * seen])
        return float(population.rate * 1.05 * sigma * np.mean(np.pi * reach**2))

    levels = power / (4.0 * np.pi * D * np.array([0.4, 0.2, 0.1]))
    expected = np.array([mean_number(level) for level in levels])
    for level, mean in zip(levels, expected, strict=True):
        chance = -np.expm1(-mean)
        assert exceeding(fluxes, level) == pytest.approx(number * chance, abs=3.0 * np.sqrt(number * chance))
    assert -np.diff(np.log(expected)) / np.diff(np.log(levels)) == pytest.approx(2.0, abs=0.3)
