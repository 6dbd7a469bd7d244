"""Gradient of chi-square by the adjoint: one solve of the network backwards for all transport parameters.

With the equations R_j = A_j U_j - Q_j(U of the parents) = 0 of every nuclide,

    A*_j L_j = dchi2/dU_j + sum over children i of (dQ_i/dU_j)* L_i     from light to heavy,
    dchi2/dtheta = - sum_j < L_j, dR_j/dtheta at fixed U >               for every parameter theta.

The derivative of R needs no solve: operators and sources are built once more at a slightly other theta
and applied to the same U. Components enter through their sum at present weights, because chi-square depends on
nothing else; a normalisation to a local flux is part of that dependence. Adjoint operator and inner product:
:mod:`cyldiff.operators.adjoint`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.schema import RunConfig
from cyldiff.errors import CyldiffError
from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.model import FitModel, Response, Values
from cyldiff.fit.slopes import slopes
from cyldiff.grid import per_momentum
from cyldiff.operators.adjoint import adjoint
from cyldiff.operators.operator import TransportOperator
from cyldiff.solve.adjoint import stencil
from cyldiff.solve.chain import ChainSolver, PrimarySource
from cyldiff.sources.component import intensity
from cyldiff.stages import build_chain, build_grid, build_sources
from cyldiff.transport.collisions import collision_rate, decay_rate

__all__ = ["Gradient"]

Array = NDArray[np.float64]

#: relative step of a parameter for the derivative of operators and sources
STEP = 1e-6
#: step of a fast parameter, relative to itself or a thousandth of its range
FAST_STEP = 1e-5


@dataclass(frozen=True)
class _State:
    """A solution with what the adjoint needs: the sum over groups at present weights."""

    config: RunConfig
    chain: ChainSolver
    response: Response
    weights: Array
    sources: list[PrimarySource]
    density: Array  # (components, nuclides, *field), unit strength, present abundances
    strength: Array  # (components,)
    operators: list[TransportOperator]
    steep: list[NDArray[np.bool_]]


class Gradient:
    """Gradient of a likelihood with respect to all its parameters, in internal units.

    Raises
    ------
    CyldiffError
        for 1-D and 3-D grids: use ``gradient = false`` there.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        self.likelihood = likelihood
        self.model: FitModel = likelihood.model
        config = self.model.base
        if config.grid.space.geometry != "cylindrical" or config.grid.space.phi is not None:
            raise CyldiffError(
                "fit.gradient: the adjoint gradient needs a 2-D grid; set fit.gradient = false"
            )

    def __call__(self, where: Values) -> Array:
        """Shape (n,), of chi-square with the priors."""
        values = np.asarray(where, dtype=float)
        parameters = self.likelihood.parameters
        result = np.zeros(len(parameters))
        slow = [i for i, p in enumerate(parameters) if not p.fast]
        if slow:
            state = self._state(values)
            multipliers, to_strength = self._adjoint(state, values)
            for i in slow:
                result[i] = self._slow(state, multipliers, to_strength, values, i)
        for i, p in enumerate(parameters):
            step = FAST_STEP * max(abs(values[i]), 1e-3 * (p.high - p.low))
            result[i] += _central(p.prior.chi2, values[i], step)
            if p.fast:
                result[i] += self._fast(values, i, step)
        return result

    def _fast(self, values: Array, i: int, step: float) -> float:
        """Nothing is solved: plain differences."""
        p = self.likelihood.parameters[i]

        def data(value: float) -> float:
            moved = values.copy()
            moved[i] = value
            return self.likelihood.chi2_of(self.model.spectra(moved), moved) - self.likelihood.prior(moved)

        low, high = max(values[i] - step, p.low), min(values[i] + step, p.high)
        return (data(high) - data(low)) / (high - low)

    def _state(self, values: Array) -> _State:
        response, chain, solution = self.model.solved(values)
        config = self.model.config(values)
        weights = self.model.weights(response, config)
        names = list(config.physics.sources)
        sources = build_sources(config, chain.grid, chain.network.species)
        strength = np.ones(len(names))
        density = np.zeros((len(names), *solution.density.shape[1:]))
        relative = self.model.abundance_ratios(response, config)
        for g, (name, _) in enumerate(response.groups):
            c = names.index(name)
            strength[c] = weights[g] / relative[g]
            density[c] += relative[g] * solution.density[g]
        steep = [chain.cut_offs(j, sources, density) for j in range(len(chain.network.species))]
        operators = [chain.operator(j, s) for j, s in enumerate(steep)]
        return _State(config, chain, response, weights, sources, density, strength, operators, steep)

    def _adjoint(self, state: _State, values: Array) -> tuple[Array, Array]:
        """Multipliers L of every component and nuclide, and dchi2/d(strength) of every component."""
        chain, grid = state.chain, state.chain.grid
        flux = np.einsum("g,gst->st", state.weights, state.response.flux)
        to_flux = slopes(self.likelihood, state.response, flux, values)  # dchi2/dF, (species, T)
        sun = state.config.physics.observer
        here = stencil(grid, sun.r, sun.z)[0]
        multipliers = np.zeros_like(state.density)
        to_strength = np.zeros(len(state.sources))
        for c, source in enumerate(state.sources):
            at_sun = np.array(
                [
                    intensity(grid.at(n, sun.r, sun.z), s, grid)
                    for n, s in zip(state.density[c], chain.network.species, strict=True)
                ]
            )
            to_strength[c] = float(np.sum(to_flux * at_sun))
            seed = (
                state.strength[c] * to_flux
                + _normalisation_slope(state, c, source.name, at_sun) * to_strength[c]
            )
            multipliers[c] = self._backwards(state, seed, here)
        return multipliers, to_strength

    def _backwards(self, state: _State, seed: Array, here: Array) -> Array:
        """Adjoint of the network for dchi2/d(flux at the Sun) of one component, from light to heavy."""
        chain, network = state.chain, state.chain.network
        kinematics = [chain.kinematics(s) for s in network.species]
        width = state.operators[0].width
        fields = np.zeros((len(network.species), *chain.grid.shape))
        solver = type(chain.solver)(chain.solver.tolerance, chain.solver.maximum_cycles)  # type: ignore[call-arg,attr-defined]
        for j in reversed(range(len(network.species))):
            species, nucleus = network.species[j], kinematics[j]
            factor = intensity(np.ones(len(width)), species, chain.grid) / (
                nucleus.momentum_per_energy * width
            )
            right = chain.column(seed[j] * factor) * here
            right += self._from_children(state, fields, j, kinematics)
            turned = adjoint(state.operators[j])
            back = _returned(chain, j, width)
            fields[j] = _solve(solver, turned, right, back, species.name)
        return fields

    def _from_children(self, state: _State, fields: Array, j: int, kinematics: Sequence[object]) -> Array:
        """What a nuclide adds to the sources of those it turns into, seen backwards."""
        chain, network = state.chain, state.chain.network
        mine = kinematics[j].momentum_per_energy  # type: ignore[attr-defined]
        total = np.zeros(chain.grid.shape)
        for channel in np.flatnonzero(network.parent == j):
            i = int(network.child[channel])
            child = kinematics[i]
            rate = collision_rate(network.production[channel], child.beta, chain.galaxy.helium_fraction)  # type: ignore[attr-defined]
            total += chain.column(rate * child.momentum_per_energy / mine) * fields[i]  # type: ignore[attr-defined]
        total *= chain.galaxy.hydrogen
        for parent, i, branching in network.decays:
            if parent == j:
                rate = branching * decay_rate(network.species[j].half_life, kinematics[j].gamma)  # type: ignore[attr-defined]
                total += chain.column(rate * kinematics[i].momentum_per_energy / mine) * fields[i]  # type: ignore[attr-defined]
        return total

    def _slow(self, state: _State, multipliers: Array, to_strength: Array, values: Array, i: int) -> float:
        """Minus the product of the multipliers with the change of the equations at fixed fields."""
        p = self.likelihood.parameters[i]
        step = STEP * max(abs(values[i]), p.high - p.low)
        if values[i] + step > p.high:
            step = -step
        moved = values.copy()
        moved[i] += step
        config = self.model.config(moved)
        chain = build_chain(config, build_grid(config))
        sources = build_sources(config, chain.grid, chain.network.species)
        same = all(_only_moves(path) for path in p.paths)
        change = 0.0
        for j, species in enumerate(chain.network.species):
            to_log_p = chain.column(chain.kinematics(species).momentum_per_energy)
            operator = chain.operator(j, state.steep[j])
            before = state.operators[j]
            weight = per_momentum(before.width, 2) * before.grid.volume
            back, back_before = chain.feedback(j), state.chain.feedback(j)
            for c in range(len(sources)):
                u = state.density[c, j] * to_log_p
                lever = multipliers[c, j] * weight
                moved_source = np.zeros(())
                if not same:
                    now = chain.injected(j, sources[c], state.density[c]) - state.chain.injected(
                        j, state.sources[c], state.density[c]
                    )
                    moved_source = now * to_log_p
                    if back is not None and back_before is not None:
                        moved_source = moved_source + back(u) - back_before(u)
                change += float(np.sum(lever * (operator.apply(u) - before.apply(u) - moved_source)))
        result = -change / step
        for c, source in enumerate(sources):
            result += (
                to_strength[c] * (self._power(config, state, c, source) - 1.0) * state.strength[c] / step
            )
        return result

    def _power(self, config: RunConfig, state: _State, c: int, source: PrimarySource) -> float:
        """Factor on the strength of a component of given power when its spectra change."""
        from cyldiff.sources.component import injected_power

        law = config.physics.sources[source.name].normalisation
        if law.kind != "luminosity":
            return 1.0
        species, grid = state.chain.network.species, state.chain.grid
        before = injected_power(state.sources[c], grid, species, law.minimum_energy)
        return before / injected_power(source, grid, species, law.minimum_energy)


def _central(function: object, value: float, step: float) -> float:
    return (function(value + step) - function(value - step)) / (2.0 * step)  # type: ignore[operator]


def _only_moves(path: tuple[str, ...]) -> bool:
    """Whether a parameter changes the motion of particles only, not what is injected or made."""
    return path[:2] in (("physics", "diffusion"), ("physics", "reacceleration"), ("physics", "convection"))


def _normalisation_slope(state: _State, c: int, name: str, at_sun: Array) -> Array:
    """d(strength)/d(flux at the Sun with unit strength), shape (species, T)."""
    law = state.config.physics.sources[name].normalisation
    result = np.zeros_like(at_sun)
    if law.kind != "local-flux":
        return result
    energy = state.response.kinetic_energy
    s = next(i for i, nuclide in enumerate(state.response.species) if nuclide.name == law.species)
    k = int(np.clip(np.searchsorted(energy, law.kinetic_energy), 1, len(energy) - 1))
    share = np.log(law.kinetic_energy / energy[k - 1]) / np.log(energy[k] / energy[k - 1])
    result[s, k - 1] = -state.strength[c] * (1.0 - share) / at_sun[s, k - 1]
    result[s, k] = -state.strength[c] * share / at_sun[s, k]
    return result


def _returned(chain: ChainSolver, j: int, width: Array) -> object:
    """Adjoint of the secondary protons: a map of a field to a field, or None."""
    feedback = chain.feedback(j)
    if feedback is None:
        return None
    n = len(width)
    gas = chain.galaxy.hydrogen
    shape = chain.grid.shape
    matrix = np.empty((n, n))
    probe = int(np.argmax(gas.ravel()))
    for k in range(n):
        unit = np.zeros(shape)
        unit[k] = 1.0
        matrix[:, k] = feedback(unit).reshape(n, -1)[:, probe] / gas.ravel()[probe]
    turned = (matrix * width[:, None]).T / width[:, None]
    return lambda field: np.einsum("ab,b...->a...", turned, field) * gas


def _solve(solver: object, operator: TransportOperator, right: Array, back: object, name: str) -> Array:
    """Solve the adjoint equation; rows of the adjoint operator are in reverse order of momentum."""
    if not right.any():
        return np.zeros_like(right)
    found, _ = solver.solve(operator, right[::-1], name=f"adjoint of {name}")  # type: ignore[attr-defined]
    if back is None:
        return np.asarray(found[::-1]).copy()
    result = np.asarray(found[::-1]).copy()
    for _ in range(20):
        found, _ = solver.solve(operator, (right + back(result))[::-1], guess=result[::-1], name=name)  # type: ignore[attr-defined,operator]
        updated = np.asarray(found[::-1]).copy()
        moved = np.max(np.abs(updated - result)) / np.max(np.abs(updated))
        result = updated
        if moved < 1e-9:
            break
    return result
