"""Fluxes of realisations against direct sums, differences, the catalogue of the same sources."""

from __future__ import annotations

import numpy as np
import pytest
from microquasars import ABOVE, BURSTS, SEA

from cyldiff import constants as const
from cyldiff.sources.catalogue_file import load_catalogue_mapping
from cyldiff.sources.component import FLUX_UNIT
from cyldiff.sources.fluxes import source_fluxes
from cyldiff.sources.greens_function import burst, finite_life
from cyldiff.sources.population.evaluate import Evaluation
from cyldiff.sources.population.export import catalogue_of
from cyldiff.sources.population.model import PopulationModel, observers_of

GAS = (
    "model.gas={HI={kind='ferriere-2001-hi'}, H2={kind='ferriere-2001-h2'}, HII={kind='cordes-1991'}, "
    "helium_fraction=0.11}",
    "model.inelastic={kind='tripathi-1999', extrapolation='constant'}",
)


def evaluation(loaded):
    return Evaluation(PopulationModel(loaded.config))


def test_sum_of_all_sources(population):
    """Each source by the closed form of a finite life, one after the other."""
    found = evaluation(population())
    model = found.model
    one, nucleus = model.draw.realisation(2), model.species[0]
    D, beta = model.travel["H1"].diffusion, model.kinematics(nucleus).beta
    # nothing arrives before d / (beta c)
    first = one.distance(model.draw.sun)[:, None] / (beta * const.SPEED_OF_LIGHT)
    youngest = np.maximum(np.maximum(one.age - one.lifetime, 0.0)[:, None], first)
    density, _ = finite_life(
        model.draw.sun, one.position[:, None], diffusion=D[None, :], age=one.age[:, None],
        duration=np.maximum(one.age[:, None] - youngest, 0.0), half_height=3.0,
    )  # fmt: skip
    exact = np.sum(one.power[:, None] * density, axis=0) * model.spectra[0]
    exact *= beta * const.SPEED_OF_LIGHT / (4.0 * np.pi) * FLUX_UNIT
    np.testing.assert_allclose(found.intensity(one)[0, 0], exact, rtol=1e-5)


def test_sum_of_bursts_in_free_space(population):
    loaded = population(
        *BURSTS, "model.kernel=free", "population.history_length=3000 Myr", without=("lifetime", "luminosity")
    )
    found = evaluation(loaded)
    model = found.model
    one = model.draw.realisation(0)
    recent = one.age > 0.1  # nothing here is younger than its light
    D = model.travel["H1"].diffusion
    density, _ = burst(
        model.draw.sun, one.position[recent][:, None], diffusion=D, age=one.age[recent][:, None]
    )
    exact = np.sum(one.energy[recent][:, None] * density, axis=0) * model.spectra[0]
    exact *= model.kinematics(model.species[0]).beta * const.SPEED_OF_LIGHT / (4.0 * np.pi) * FLUX_UNIT
    assert recent.all() or one.age.min() < 0.1
    if recent.all():
        np.testing.assert_allclose(found.intensity(one)[0, 0], exact, rtol=1e-5)
    else:
        assert np.all(found.intensity(one)[0, 0] >= exact * (1.0 - 1e-5))


@pytest.mark.parametrize(
    "overrides", [(), GAS, ("population.index_spread=0.1", "population.normalisation=exact")]
)
def test_a_realisation_as_a_catalogue_has_the_same_flux(population, overrides):
    """`cyldiff sources` of an exported realisation: intensity and gradient of all its sources."""
    loaded = population(*overrides, "model.collisions=true")
    found = evaluation(loaded)
    model = found.model
    one = model.draw.realisation(1)
    catalogue = load_catalogue_mapping(catalogue_of(loaded, one, younger_than=1.0))
    recent = one.age < 1.0
    part = type(one)(one.index, *(getattr(one, k)[recent] for k in one.__slots__[1:-1]), one.excluded)
    physics = "kaci-2025" if overrides == GAS else without_gas()
    result = source_fluxes(catalogue, physics, kinetic_energy=model.energies)
    # spectra of single indices come from a table
    exact = 3e-5 if "index_spread" in str(overrides) else 1e-9
    np.testing.assert_allclose(found.intensity(part)[0, 0], result["flux_lis_total"].values[0], rtol=exact)
    np.testing.assert_allclose(
        found.gradient(part)[0], result["gradient_lis_total"].values[0], rtol=exact, atol=1e-6
    )


def without_gas():
    """The model without gas: what a population has whose model tells halo, observer and D only."""
    from cyldiff.sources.model import load_model

    none = '{ kind = "none" }'
    gas = f"physics.gas={{ HI = {none}, H2 = {none}, HII = {none}, helium_fraction = 0.11 }}"
    return load_model("kaci-2025", [gas])


def test_gradient_is_that_of_the_density(population):
    """Along r, phi, z at the Sun, against differences of the intensity between places."""
    step = 1e-3
    loaded = population(
        "population.older=mean", "population.history_length=3 Myr", "model.observer.z=0.2 kpc"
    )
    found = evaluation(loaded)
    one = found.model.draw.realisation(0)
    here = found.gradient(one)[0]
    sun = found.model.draw.sun
    for axis, away in enumerate(([-1, 0, 0], [0, -1, 0], [0, 0, 1])):
        logs = []
        for sign in (1.0, -1.0):
            place = sun + sign * step * np.array(away, dtype=float)
            value, _ = found._evaluated(one, place[None], gradient=False)
            older = found._older_at(place) - found.older[0]
            logs.append(np.log(value[0, 0] + older[0]))
        np.testing.assert_allclose(here[:, axis], (logs[0] - logs[1]) / (2 * step), rtol=2e-3, atol=2e-4)


class TestBrightest:
    def test_it_is_the_largest_of_all(self, population):
        found = evaluation(population())
        model, energy = found.model, 1e6
        one = model.draw.realisation(3)
        density, _ = finite_life(
            model.draw.sun, one.position, diffusion=np.interp(energy, model.energies, model.travel["H1"].diffusion),
            age=one.age, duration=one.lifetime, half_height=3.0,
        )  # fmt: skip
        best = found.brightest(one, energy)
        assert best.number == int(np.argmax(density * one.power))
        assert best.share == pytest.approx(
            (density * one.power).max() / (density * one.power).sum(), rel=1e-4
        )

    def test_nothing_to_see(self, population):
        found = evaluation(population("population.rate=1e-9 Myr^-1"))
        assert found.brightest(found.model.draw.realisation(0), 1e6).number == -1


class TestOlder:
    def test_a_short_history_and_the_mean_are_the_long_one(self, population):
        """In the mean of many: the part that is not drawn has no scatter, and the right size."""
        long = evaluation(population("population.history_length=20 Myr")).expected()
        short = evaluation(population("population.history_length=1 Myr", "population.older=mean"))
        np.testing.assert_allclose(short.expected() + short.older[0], long, rtol=1e-6)

    def test_the_grid_gives_the_same(self, population):
        """The sea of old sources from the grid, or from the integral: the same to what the grid resolves."""
        mean = evaluation(population("population.history_length=0.7 Myr", "population.older=mean"))
        grid = evaluation(population("population.history_length=0.7 Myr", "population.older=grid"))
        np.testing.assert_allclose(grid.older[0], mean.older[0], rtol=0.03)
        np.testing.assert_allclose(grid.older[0, 0, :3], mean.older[0, 0, :3], rtol=0.012)

    def test_around_a_ring(self, population):
        ring = "observers.ring={radius='8.5 kpc', n=8}"
        found = evaluation(population(ring, "population.history_length=1 Myr", "population.older=mean"))
        np.testing.assert_allclose(
            found.older, np.broadcast_to(found.older[:1], found.older.shape), rtol=1e-9
        )
        arms = (
            "population.distribution={kind='spiral-arms', pattern='faucher-giguere-kaspi-2006', width='0.6 kpc',"
            " arm_fraction=0.9, axisymmetric={kind='yusifov-kucuk-2004', vertical='uniform', scale_height='0.2 kpc'}}"
        )
        gathered = evaluation(
            population(ring, arms, "population.history_length=1 Myr", "population.older=mean")
        )
        assert np.ptp(gathered.older[1:, 0, 0]) > 0.01 * gathered.older[0, 0, 0]
        # the first of the ring is where the Sun is
        np.testing.assert_allclose(gathered.older[0], gathered.older[1], rtol=1e-9)


def test_observers(population):
    places = observers_of(population("observers.ring={radius='8.5 kpc', n=4}", ABOVE).config)
    expected = [[-8.5, 0, 1.5], [-8.5, 0, 1.5], [0, -8.5, 1.5], [8.5, 0, 1.5], [0, 8.5, 1.5]]
    np.testing.assert_allclose(places, expected, atol=1e-12)


def test_helium_travels_at_its_own_rigidity(population):
    """Species of a mix, each with D at R = A T / Z; the energy is shared between them."""
    found = evaluation(population("population.species={H1=1.0, He4=0.1}", "population.normalisation=exact"))
    model = found.model
    ratio = model.travel["He4"].diffusion / model.travel["H1"].diffusion
    np.testing.assert_allclose(ratio, 2.0 ** (1.0 / 3.0), rtol=1e-4)
    one = model.draw.realisation(0)
    assert found.intensity(one).shape == (1, 2, 5)
    assert np.all(found.intensity(one) > 0.0)


def test_selection_only_lowers_the_flux(population):
    free, sea = evaluation(population()), evaluation(population(SEA))
    for i in range(5):
        a = free.intensity(free.model.draw.realisation(i))
        b = sea.intensity(sea.model.draw.realisation(i))
        assert np.all(b < a)
