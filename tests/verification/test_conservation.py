"""Particles (T14) and energy (T23) are accounted for; the equation is linear (T22)."""

from __future__ import annotations

import numpy as np
import pytest
from exact import energy_of_spectrum
from galaxy_model import ALL_PROCESSES, SPATIALLY_DEPENDENT, small_run
from scipy.interpolate import CubicSpline

from cyldiff import constants as const
from cyldiff.grid import Kinematics
from cyldiff.pipeline import build_chain, build_grid, build_sources
from cyldiff.solve.steady import SteadySolver
from cyldiff.sources.component import injected_power, normalise, primary_source

CASES = {
    "homogeneous": ALL_PROCESSES,
    "spatially-dependent": (*ALL_PROCESSES, *SPATIALLY_DEPENDENT),
    "chang-cooper": (*ALL_PROCESSES, 'solver.momentum_scheme = "chang-cooper"'),
    "whole space": (*ALL_PROCESSES, "grid.space.half_space = false", "grid.space.z.n = 13"),
    "no reacceleration": (),
}


def _chain(overrides, species=("C12",), **options):
    run = small_run(species, overrides, **options)
    grid = build_grid(run.config)
    return run, grid, build_chain(run.config, grid)


@pytest.mark.parametrize("case", CASES)
def test_finite_volume_identity(case):
    """T14: sum of (A x) over all cells = sinks + outflow, for a field that solves nothing."""
    _, grid, chain = _chain(CASES[case])
    problem = chain.operator(0)
    weight = problem.width[:, None, None] * grid.volume
    field = np.random.default_rng(7).random(grid.shape)
    total = np.sum(problem.apply(field) * weight)
    sinks = np.sum(problem.sink_rate * field * weight)
    turnover = np.sum(problem.diagonal * field * weight)
    assert abs(total - sinks - sum(problem.outflow(field).values())) < 1e-12 * turnover
    assert sinks > 0.0


@pytest.mark.parametrize("case", CASES)
def test_identity_cell_by_cell(case):
    """The same as a statement on the matrix: its weighted columns hold sinks and escape only."""
    _, grid, chain = _chain(CASES[case], n_r=6, n_z=7)
    problem = chain.operator(0)
    weight = (problem.width[:, None, None] * grid.volume).ravel()
    columns = (problem.to_csr().T @ weight).reshape(grid.shape) / weight.reshape(grid.shape)
    interior = (slice(2, None), slice(0, -1), slice(1, -1))
    left = (columns - problem.sink_rate)[interior] / problem.diagonal[interior]
    assert np.abs(left).max() < 1e-12


def test_particles_of_a_solution_balance():
    run, grid, chain = _chain(ALL_PROCESSES, ("H1", "Be10", "C12"))
    solution = chain.solve(build_sources(run.config, grid, chain.network.species))
    assert np.abs(solution.balance).max() < 1e-9
    for flow in solution.flows:
        assert flow["source"] > 0.0
        assert min(flow["sink"], flow["escape"], flow["loss"]) > 0.0


def _energy_flows(species, overrides, per_decade):
    """Kinetic energy per time, in units of what is injected: gains and losses of a steady nuclide."""
    run, grid, chain = _chain(
        (*overrides, "physics.secondary_protons = false"),
        (species,),
        n_z=21,
        slab=True,
        energies=("10 MeV", "10 TeV", per_decade),
    )
    source = build_sources(run.config, grid, chain.network.species)[0]
    solution = chain.solve([source])
    problem, nucleus = chain.operator(0), chain.kinematics(solution.species[0])
    to_log_p = nucleus.momentum_per_energy[:, None, None]
    field = solution.density[0, 0] * to_log_p
    weight = problem.width[:, None, None] * grid.volume
    energy = nucleus.mass_number * grid.kinetic_energy[:, None, None]
    injected = np.sum(energy * source.spectra[species][:, None, None] * source.density * to_log_p * weight)
    content = energy * field * weight
    escape = sum(
        np.sum(side * content.take(end, axis=number))
        for number, name in ((1, "r"), (2, "z"))
        for side, end in zip(problem.space[name].escape, (0, -1), strict=True)
    )
    # dE = beta p dlnp, so that losses at the rate b take b beta p of every particle
    losses = np.sum(problem.loss_rate * (nucleus.momentum * nucleus.beta)[:, None, None] * field * weight)
    below = nucleus.mass_number * grid.kinetic_energy_faces[0] * problem.outflow(field)["p_low"]
    sinks = np.sum(problem.sink_rate * content)
    return injected, escape + losses + below + sinks - _gained(chain, problem, nucleus, field, energy)


def _gained(chain, problem, nucleus, field, energy):
    """Power of reacceleration: the flux J = g (dU/dlnp - 3 U) through every momentum face, times dE.

    The derivative is that of a spline through ln U, not the difference of the scheme.
    """
    terms = chain.propagation.coefficients(nucleus, problem.sink_rate)
    if terms.reacceleration_face is None:
        return 0.0
    spline = CubicSpline(terms.log_momentum, np.log(field))
    faces = np.log(nucleus.at(problem.grid.kinetic_energy_faces[1:-1]).momentum)
    flux = terms.reacceleration_face[1:-1] * np.exp(spline(faces)) * (spline(faces, 1) - 3.0)
    return -float(np.sum(flux * np.diff(energy, axis=0) * problem.grid.volume))


@pytest.mark.parametrize("overrides", [(), ALL_PROCESSES])
@pytest.mark.parametrize("species", ["H1", "C12"])
def test_energy_budget(species, overrides):
    """T23: escape + losses + sinks = injection + reacceleration, at the resolution of production."""
    injected, spent = _energy_flows(species, overrides, 12.0)
    assert spent == pytest.approx(injected, rel=1e-3)
    fine, spent_fine = _energy_flows(species, overrides, 24.0)
    # second order or better
    assert abs(spent_fine / fine - 1.0) < 0.35 * abs(spent / injected - 1.0)


def test_power_of_a_source_in_erg():
    """T23: int E Q dE of a component with a given luminosity, against quadrature and in erg/s."""
    run, grid, chain = _chain((), ("H1", "C12"), energies=("10 MeV", "100 TeV", 24.0))
    sources = build_sources(run.config, grid, chain.network.species)
    solution = chain.solve(sources)
    strength = normalise(run.config.physics, grid, sources, solution)["remnants"]
    power = 0.0
    for nucleus in solution.species:
        abundance = {"H1": 1.0, "C12": 3e-3}[nucleus.name]

        def per_energy(t, nucleus=nucleus):
            k = Kinematics(np.atleast_1d(t), nucleus.Z, nucleus.A, nucleus.mass_per_nucleon)
            return (k.rigidity**-2.3 / k.beta)[0]

        shape = energy_of_spectrum(per_energy, 1.0, 1e5) / per_energy(100.0)
        power += strength * abundance * nucleus.A * shape
    assert power / (const.ERG_GEV * const.MYR_S) == pytest.approx(1e41, rel=1e-3)
    printed = injected_power(sources[0], grid, solution.species, 1.0) * strength
    assert printed / (const.ERG_GEV * const.MYR_S) == pytest.approx(1e41, rel=1e-12)


def test_linearity():
    """T22: psi(a Q1 + b Q2) = a psi(Q1) + b psi(Q2), with secondary protons left out."""
    _, grid, chain = _chain(ALL_PROCESSES)
    problem = chain.operator(0)
    solver = SteadySolver(1e-12)
    random = np.random.default_rng(3)
    first, second = random.random(grid.shape), random.random(grid.shape)
    one, two = (solver.solve(problem, q)[0] for q in (first, second))
    both, _ = solver.solve(problem, 2.0 * first + 0.7 * second)
    expected = 2.0 * one + 0.7 * two
    highest = expected.max(axis=(1, 2), keepdims=True)
    assert np.abs((both - expected) / highest).max() < 1e-10


def test_linearity_of_components():
    """Two components solved apart, secondary protons and fragments included, add up to their sum."""
    run, grid, chain = _chain(ALL_PROCESSES, ("H1", "Be10", "C12"), tolerance=1e-12)
    component = run.config.physics.sources["remnants"]
    steep = component.model_copy(update={"injection": _steep(component.injection)})
    species = chain.network.species
    one = primary_source("one", component, grid, species, observer_radius=8.5)
    two = primary_source("two", steep, grid, species, observer_radius=8.5)
    apart = chain.solve([one, two]).density
    total = type(one)(
        "both", one.density, {k: 2.0 * one.spectra[k] + 5.0 * two.spectra[k] for k in one.spectra}
    )
    together = chain.solve([total]).density[0]
    expected = 2.0 * apart[0] + 5.0 * apart[1]
    highest = expected.max(axis=(-1, -2), keepdims=True)
    assert np.abs((together - expected) / highest).max() < 1e-10


def _steep(injection):
    law = injection["default"]
    return {"default": law.model_copy(update={"indices": (2.8,)})}
