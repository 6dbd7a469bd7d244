"""Realisations: a Poisson process in space and time, reproducible one by one, selected exactly."""

from __future__ import annotations

import numpy as np
import pytest
from microquasars import BURSTS, SEA
from scipy import stats

from cyldiff import constants as const
from cyldiff.sources.population.draw import PopulationDraw

ERG_S = const.ERG_GEV * const.MYR_S


def within(loaded, length):
    """The last `length` Myr of a population only; too short for a flux, not for counting births."""
    population = loaded.config.population.model_copy(update={"history_length": length})
    return PopulationDraw(loaded.config.model_copy(update={"population": population}))


def test_ten_are_active_on_average(population):
    """Rate 0.1/kyr times 100 kyr: the number that is on is Poisson with mean 10."""
    draw = within(population(), 0.3)
    assert draw.mean_active == pytest.approx(10.0, rel=1e-12)
    counts = np.array([int(draw.realisation(i).active.sum()) for i in range(2000)])
    expected = 2000 * stats.poisson(10.0).pmf(np.arange(3, 19))
    found = np.array([(counts == k).sum() for k in range(3, 19)])
    assert stats.chi2(len(found)).sf(np.sum((found - expected) ** 2 / expected)) > 1e-3
    assert counts.mean() == pytest.approx(10.0, abs=3.0 * np.sqrt(10.0 / 2000))


def test_births_are_even_in_time(population):
    draw = PopulationDraw(population().config)
    one = draw.realisation(0)
    assert len(one) == pytest.approx(1000, abs=5 * np.sqrt(1000))
    assert one.age.min() > 0.0
    assert stats.kstest(one.age, stats.uniform(0.0, 10.0).cdf).pvalue > 1e-3


def test_powers_and_energies(population):
    draw = PopulationDraw(population("population.history_length=100 Myr").config)
    one = draw.realisation(1)
    power = one.power / ERG_S / 0.1
    assert power.min() >= 1e39
    assert power.max() <= 1e40
    assert stats.kstest(np.log10(power), stats.uniform(39.0, 1.0).cdf).pvalue > 1e-3
    # what is given so far: nothing of the future
    np.testing.assert_allclose(one.energy, one.power * np.minimum(one.age, 0.1), rtol=1e-12)
    pieces = one.segments()
    np.testing.assert_allclose(pieces.energy, one.power * (pieces.oldest - pieces.youngest), rtol=1e-9)
    assert np.array_equal(pieces.youngest == 0.0, one.active)


def test_a_realisation_is_its_number_and_the_seed(population):
    """The same in every order and after any other, different for another number or seed."""
    draw = PopulationDraw(population().config)
    later = [draw.realisation(i) for i in (5, 3)]
    again = [PopulationDraw(population().config).realisation(i) for i in (3, 5)]
    np.testing.assert_array_equal(later[0].position, again[1].position)
    np.testing.assert_array_equal(later[1].energy, again[0].energy)
    other = PopulationDraw(population("draw.seed=8").config).realisation(3)
    assert len(other) != len(again[0]) or not np.array_equal(other.age, again[0].age)
    assert not np.array_equal(later[0].age[:5], later[1].age[:5])


def test_the_generator_is_the_one_that_is_stated(population):
    """PCG64(SeedSequence(seed, spawn_key=(k,))): the number of births is its first Poisson number."""
    draw = PopulationDraw(population().config)
    for k in (0, 4):
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(7, spawn_key=(k,))))
        assert len(draw.realisation(k)) == generator.poisson(1000.0)


class TestSelection:
    def test_nothing_young_is_near(self, population):
        draw = PopulationDraw(population(SEA).config)
        for i in range(50):
            one = draw.realisation(i)
            assert not np.any((one.age < 0.5) & (one.distance(draw.sun) < 4.0))

    def test_the_rest_is_the_same_realisation(self, population):
        """Thinning: all births but those of the region are those of the realisation without a selection."""
        free, sea = PopulationDraw(population().config), PopulationDraw(population(SEA).config)
        for i in range(10):
            every, rest = free.realisation(i), sea.realisation(i)
            near = (every.age < 0.5) & (every.distance(free.sun) < 4.0)
            np.testing.assert_array_equal(every.position[~near], rest.position)
            np.testing.assert_array_equal(every.energy[~near], rest.energy)
            assert rest.excluded == near.sum()

    def test_probability(self, population):
        """1.7 %, "around 1 %" in Kaci et al.; the number removed is Poisson with that mean."""
        draw = within(population(SEA), 0.6)
        assert draw.probability == pytest.approx(0.0169, abs=2e-4)
        removed = np.array([draw.realisation(i).excluded for i in range(1500)])
        mean = draw.mean_excluded
        assert removed.mean() == pytest.approx(mean, abs=3.0 * np.sqrt(mean / 1500))
        assert removed.var() == pytest.approx(mean, rel=0.1)
        none = (removed == 0).sum()
        assert none == pytest.approx(1500 * draw.probability, abs=3.0 * np.sqrt(1500 * draw.probability))

    def test_a_region_older_than_the_history(self, population):
        draw = PopulationDraw(population("selection.exclude={younger_than='50 Myr', within='4 kpc'}").config)
        assert draw.mean_excluded == pytest.approx(1000 * draw.places.share_within(draw.sun, 4.0))

    def test_without_one(self, population):
        draw = PopulationDraw(population().config)
        assert (draw.probability, draw.mean_excluded) == (1.0, 0.0)


def test_bursts(population):
    loaded = population(*BURSTS, without=("lifetime", "luminosity"))
    draw = PopulationDraw(loaded.config)
    one = draw.realisation(0)
    pieces = one.segments()
    np.testing.assert_array_equal(pieces.oldest, pieces.youngest)
    np.testing.assert_allclose(one.energy / const.ERG_GEV, 1e50)
    assert draw.mean_active == 0.0
    assert not one.active.any()


def test_bursts_of_a_luminosity_give_it_at_once(population):
    one = PopulationDraw(population("population.history=burst").config).realisation(0)
    lasting = PopulationDraw(population().config).realisation(0)
    np.testing.assert_allclose(one.energy, lasting.power * 0.1, rtol=1e-12)


def test_an_energy_over_a_lifetime(population):
    """Half of the energy after half of the life, whatever its length."""
    loaded = population(
        "population.energy={kind='fixed', value='1e51 erg'}",
        "population.lifetime={kind='uniform', min='1 Myr', max='20 Myr'}",
        "population.history_length=40 Myr",
        without=("luminosity",),
    )
    one = PopulationDraw(loaded.config).realisation(0)
    given = one.energy / const.ERG_GEV / 1e50
    np.testing.assert_allclose(given, np.minimum(one.age / one.lifetime, 1.0), rtol=1e-12)


def test_indices_are_spread(population):
    loaded = population("population.index_spread=0.1", "population.normalisation=exact")
    one = PopulationDraw(loaded.config).realisation(0)
    assert one.spectral_index.std() == pytest.approx(0.1, rel=0.1)
    assert abs(one.spectral_index.mean()) < 0.02
    assert len(np.unique(one.segments().spectrum)) == len(one)
    # everything else is that of the realisation with one spectrum
    np.testing.assert_array_equal(one.age, PopulationDraw(population().config).realisation(0).age)


def test_no_births_at_all(population):
    draw = PopulationDraw(population("population.rate=1e-9 Myr^-1").config)
    one = draw.realisation(0)
    assert len(one) == 0
    assert len(one.segments()) == 0
