"""The mean over all realisations against closed formulas, direct sums and brute-force quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from microquasars import BURSTS, SEA
from scipy.interpolate import PchipInterpolator

from cyldiff.galaxy.source_places import SourcePlaces
from cyldiff.registry import lookup
from cyldiff.sources.greens_function import vertical_kernel
from cyldiff.sources.population.expected import MeanKernel
from cyldiff.sources.population.model import PopulationModel
from cyldiff.sources.superposition import summed

SUN = np.array([-8.5, 0.0, 0.0])
H = 3.0


def places(kind="yusifov-kucuk-2004", radius=20.0, **keys):
    keys = {"vertical": "uniform", "scale_height": "0.2 kpc", **keys}
    law = lookup("source-distribution", kind)(**keys)
    return SourcePlaces.of(law, observer_radius=8.5, radius=radius, half_height=H)


def at(table, *spreads):
    """Entries of a table of M near some spreads."""
    for s in spreads:
        k = int(np.argmin(np.abs(np.log(table.spread / s))))
        yield table.spread[k], table.mean[k]


class TestKernel:
    def test_steady_disc(self):
        """Far from its edge a disc of half-thickness h has n(0) = q (H - h/2) / 2D, q per area."""
        wide = places("uniform", radius=400.0)
        q = 1.0 / (np.pi * 400.0**2)
        found = MeanKernel(wide, SUN, H).integral().cumulated()(np.inf)
        assert found == pytest.approx(q * (H - 0.1) / 2.0, rel=1e-6)
        above = MeanKernel(wide, np.array([-8.5, 0.0, 1.0]), H).integral().cumulated()(np.inf)
        assert above == pytest.approx(q * (H - 1.0) / 2.0, rel=1e-6)

    @pytest.mark.parametrize("tau", [0.1, 1.0, 10.0])
    def test_steady_disc_with_decay(self, tau):
        """Thin disc, N(0) = q / [2 sqrt(D / tau) coth(H / sqrt(D tau))] (physics.md 15.2), here with D = 1."""
        thin = places("uniform", radius=400.0, vertical="plane", scale_height=None)
        table = MeanKernel(thin, SUN, H).integral()
        q, length = 1.0 / (np.pi * 400.0**2), np.sqrt(tau)
        found = table.cumulated(table.spread / tau)(np.inf)
        assert found == pytest.approx(q * length / (2.0 / np.tanh(H / length)), rel=1e-4)

    @pytest.mark.parametrize("kind", ["yusifov-kucuk-2004", "case-bhattacharya-1996", "uniform"])
    @pytest.mark.parametrize("place", [SUN, np.array([0.0, 4.0, 0.5])])
    def test_mean_of_drawn_places(self, kind, place):
        """M(s) is the mean of the Green's function over places drawn at random, within 4 standard errors."""
        found = places(kind)
        drawn = found.draw(np.random.default_rng(17), 200_000)
        table = MeanKernel(found, place, H).integral()
        for s, M in at(table, 0.3, 3.0, 20.0):
            rho2 = np.sum((drawn[:, :2] - place[:2]) ** 2, axis=1)
            G = np.exp(-rho2 / (4 * s)) / (4 * np.pi * s) * vertical_kernel(place[2], drawn[:, 2], s, H)[0]
            assert pytest.approx(G.mean(), abs=4.0 * G.std() / np.sqrt(len(G)) + 1e-3 * M) == M

    def test_sources_within_a_ball(self):
        """As above for sources within 4 kpc; all of them for a ball that holds the Galaxy."""
        found = places()
        drawn = found.draw(np.random.default_rng(19), 400_000)
        d2 = np.sum((drawn - SUN) ** 2, axis=1)
        near = MeanKernel(found, SUN, H).integral(within=4.0)
        for s, M in at(near, 0.3, 3.0, 20.0):
            G = np.exp(-np.sum((drawn[:, :2] - SUN[:2]) ** 2, axis=1) / (4 * s)) / (4 * np.pi * s)
            G = np.where(d2 < 16.0, G * vertical_kernel(0.0, drawn[:, 2], s, H)[0], 0.0)
            assert pytest.approx(G.mean(), abs=4.0 * G.std() / np.sqrt(len(G)) + 1e-3 * M) == M
        every = MeanKernel(found, SUN, H).integral()
        all_in = MeanKernel(found, SUN, H).integral(within=60.0)
        np.testing.assert_allclose(all_in.mean, every.mean, rtol=1e-12)

    def test_early_it_is_the_density_of_sources(self):
        found = places()
        table = MeanKernel(found, SUN, H).integral()
        local = found.surface_density(np.array([-8.5]), np.array([0.0]))[0] / 0.4
        assert table.mean[0] == pytest.approx(local, rel=1e-3)

    def test_free_space_is_the_limit_of_a_high_halo(self):
        found = places()
        free = MeanKernel(found, SUN, None).integral().cumulated()
        high = MeanKernel(found, SUN, 300.0).integral().cumulated()
        for s in (1.0, 100.0):
            assert free(s) == pytest.approx(float(high(s)), rel=1e-4)
        assert free(np.inf) == pytest.approx(
            np.mean(1.0 / (4.0 * np.pi * np.sqrt(np.sum((_many(found) - SUN) ** 2, axis=1)))), rel=2e-3
        )


def _many(found):
    """Places whose mean inverse distance is that of all to a per mille: many, none of them chosen."""
    return found.draw(np.random.default_rng(23), 2_000_000)


def brute(model, length):
    """Mean density from births up to `length` ago, the other way round: by when particles were injected.

    A source of lifetime T injected t ago for births between t and t + T ago: int dt M(D t) <min(T, L - t)>.
    """
    population, nucleus = model.config.population, model.species[0]
    table = MeanKernel(model.draw.places, model.observers[0], H).integral()
    M = PchipInterpolator(np.log(table.spread), table.mean)
    t = np.geomspace(1e-7, length, 4000)
    if population.history == "burst":
        seen = np.full_like(t, population.life.mean if population.luminosity else 1.0)
    else:
        T = population.life.quantile((np.arange(2000) + 0.5) / 2000)
        share = T if population.luminosity is None else 1.0
        seen = np.array([np.mean(np.minimum(T, length - x) / share) for x in t])
    D = model.travel[nucleus.name].diffusion
    inside = np.clip(np.log(np.multiply.outer(D, t)), *np.log(table.spread[[0, -1]]))
    total = np.trapezoid(M(inside) * seen * t, np.log(t), axis=1)
    amount = population.rate * population.efficiency * population.amount.mean
    return amount * total * model.mean_spectra[0]


@pytest.mark.parametrize(
    ("overrides", "without"),
    [
        ((), ()),
        (("population.lifetime={kind='exponential', mean='1 Myr'}", "population.history_length=20 Myr"), ()),
        (("population.lifetime={kind='log-uniform', min='10 kyr', max='1 Myr'}",), ()),
        (BURSTS, ("lifetime", "luminosity")),
        (("population.history=burst",), ()),
        (
            (
                "population.energy={kind='fixed', value='1e51 erg'}",
                "population.lifetime={kind='uniform', min='100 kyr', max='2 Myr'}",
            ),
            ("luminosity",),
        ),
    ],
)
def test_ages_and_lifetimes(population, overrides, without):
    loaded = population("model.observer.z=0.5 kpc", "energies.per_decade=1", *overrides, without=without)
    model = PopulationModel(loaded.config)
    length = loaded.config.population.history_length
    np.testing.assert_allclose(model.expected()[0], brute(model, length), rtol=1e-3)
    recent, older, steady = (model.expected(part)[0] for part in ("all", "older", "steady"))
    np.testing.assert_allclose(recent + older, steady, rtol=1e-6)


def test_steady_state_needs_only_the_mean_energy(population):
    """With births at all times only rate, mean energy and D count: not the lifetimes."""
    short = PopulationModel(population().config).expected("steady")
    long = PopulationModel(
        population(
            "population.lifetime={kind='uniform', min='0.1 Myr', max='1.9 Myr'}",
            "population.luminosity={kind='power-law', min='1e38 erg/s', max='1e39 erg/s', alpha=1}",
        ).config
    ).expected("steady")
    np.testing.assert_allclose(short, long, rtol=1e-6)


def test_a_history_that_is_long_enough_has_everything(population):
    model = PopulationModel(population("population.history_length=40 Myr").config)
    np.testing.assert_allclose(model.younger(40.0), 1.0, atol=1e-9)
    assert np.all(np.diff([model.younger(t)[0, 0] for t in (0.5, 1.0, 2.0, 5.0, 10.0)]) > 0.0)


def test_selection_takes_its_part_away(population):
    """The mean with a selection is that without it minus the mean of what is removed, summed directly."""
    free, sea = PopulationModel(population().config), PopulationModel(population(SEA).config)
    travel = free.travel["H1"]
    total = np.zeros((300, len(free.energies)))
    for i in range(300):
        one = free.draw.realisation(i)
        near = (one.age < 0.5) & (one.distance(free.draw.sun) < 4.0)
        pieces = one.segments()
        # without the nearest kiloparsec, whose variance is large: it is compared below
        chosen = near & (one.distance(free.draw.sun) > 1.0)
        rows = np.flatnonzero(chosen)
        part = type(pieces)(*(getattr(pieces, name)[rows] for name in pieces.__slots__))
        total[i] = summed(part, free.spectra_of(one)[0], free.observers, travel)[:, 0] if len(rows) else 0.0
    kernel = free._emitted(None, 4.0, 0.5)[0] - free._emitted(None, 1.0, 0.5)[0]
    error = total.std(axis=0) / np.sqrt(len(total))
    assert np.all(np.abs(total.mean(axis=0) - kernel) < 3.0 * error)
    np.testing.assert_allclose(
        free.expected()[0] - sea.expected()[0], free._emitted(None, 4.0, 0.5)[0], rtol=1e-9
    )


def test_mean_spectrum_of_spread_indices(population):
    """The mean of the spectra of many drawn indices."""
    overrides = ("population.index_spread=0.1", "population.normalisation=exact")
    model = PopulationModel(population(*overrides, "population.history_length=100 Myr").config)
    drawn = np.concatenate([model.spectra_of(model.draw.realisation(i))[0] for i in range(3)])
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert np.all(np.abs(drawn.mean(axis=0) - model.mean_spectra[0]) < 4.0 * error)


def test_spectra_of_single_sources_are_exact(population):
    """The table of indices against the spectrum of a source with its own index."""
    from cyldiff.sources.population.model import shifted
    from cyldiff.sources.spectrum import injected_spectra

    overrides = ("population.index_spread=0.1", "population.normalisation=exact")
    model = PopulationModel(population(*overrides).config)
    one = model.draw.realisation(0)
    law, species = model.config.population.spectrum, model.config.population.species
    for i in (0, 5, 11):
        exact = injected_spectra(
            shifted(law, one.spectral_index[i]), species, model.species, model.energies, minimum_energy=1.0
        )
        np.testing.assert_allclose(model.spectra_of(one)[:, i], exact, rtol=3e-5)
