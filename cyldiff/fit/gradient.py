"""Gradient of chi-square by the adjoint: one solve of the network backwards for all transport parameters.

With the equations R_j = A_j U_j - Q_j(U of the parents) = 0 of every nuclide,

    A*_j L_j = dchi2/dU_j + sum over children i of (dQ_i/dU_j)* L_i     from light to heavy,
    dchi2/dtheta = - sum_j < L_j, dR_j/dtheta at fixed U >               for every parameter theta.

The derivative of R needs no solve: operators and sources are built once more at a slightly other theta
and applied to the same U. Components enter through their sum at present weights, because chi-square depends on
nothing else; a normalisation to a local flux is part of that dependence. Adjoint operator and inner product:
:mod:`cyldiff.operators.adjoint`; the solve backwards: :mod:`cyldiff.fit.backwards`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cyldiff.config.schema import RunConfig
from cyldiff.fit.backwards import Forward, at_observer, solve_backwards
from cyldiff.fit.model import FitModel, abundance_ratios, weights_of
from cyldiff.fit.parameters import Values
from cyldiff.grid import Grid, per_momentum
from cyldiff.solve.chain import ChainSolver
from cyldiff.solve.solution import PrimarySource
from cyldiff.sources.component import injected_power
from cyldiff.stages import build_chain, build_grid, build_propagation, build_sources

__all__ = ["NetworkGradient"]

Array = NDArray[np.float64]

#: relative step of a parameter for the derivative of operators and sources
STEP = 1e-6
#: sections that change how particles move and nothing else
_MOTION = (("physics", "diffusion"), ("physics", "reacceleration"), ("physics", "convection"))


@dataclass(frozen=True)
class NetworkGradient:
    """From dchi2/d(spectra at the Sun) to dchi2/d(slow parameters)."""

    model: FitModel

    @property
    def refused(self) -> str:
        """Why there is no adjoint of this model; empty if there is one."""
        space = self.model.base.grid.space
        if space.geometry != "cylindrical" or space.phi is not None:
            return "the adjoint gradient needs a 2-D grid (r, z)"
        return ""

    def __call__(self, values: Values, to_flux: Array) -> Array:
        """Derivatives for the slow parameters, 0 for the fast ones, shape (n,).

        Parameters
        ----------
        to_flux : dchi2/dF of the interstellar intensities at the Sun, shape (n_s, n_T)

        Raises
        ------
        CyldiffError
            if the model cannot be solved there.
        """
        values = np.asarray(values, dtype=float)
        result = np.zeros(len(values))
        slow = [i for i, p in enumerate(self.model.parameters) if not p.fast]
        if not slow:
            return result
        forward = self._forward(values)
        seeds, to_strength = _seeds(forward, to_flux)
        multipliers = np.stack([solve_backwards(forward, seed) for seed in seeds])
        for i in slow:
            moved = self._moved(forward, values, i)
            result[i] = _change(forward, moved, multipliers, seeds, to_strength) / moved.step
        return result

    def _forward(self, values: Array) -> Forward:
        """The solution with the sum over groups at present weights."""
        solved, config = self.model.solved(values), self.model.config(values)
        response, chain = solved.response, solved.chain
        names = list(config.physics.sources)
        sources = build_sources(config, chain.grid, chain.network.species)
        weights, relative = weights_of(response, config), abundance_ratios(response, config)
        strength = np.ones(len(names))
        density = np.zeros((len(names), *solved.solution.density.shape[1:]))
        for g, (name, _) in enumerate(response.groups):
            c = names.index(name)
            strength[c] = weights[g] / relative[g]
            density[c] += relative[g] * solved.solution.density[g]
        return Forward.of(config, chain, sources, density, strength)

    def _moved(self, forward: Forward, values: Array, i: int) -> _Moved:
        """The model at a slightly other value of one parameter."""
        p = self.model.parameters[i]
        step = STEP * max(abs(values[i]), p.high - p.low)
        if values[i] + step > p.high:
            step = -step
        moved = values.copy()
        moved[i] += step
        config = self.model.config(moved)
        grid = build_grid(config)
        if _same_mesh(grid, forward.chain.grid) and all(path[:2] in _MOTION for path in p.paths):
            propagation = build_propagation(config, forward.chain.grid, forward.chain.galaxy)
            chain = replace(forward.chain, propagation=propagation)
            return _Moved(step, config, chain, forward.sources, only_motion=True)
        chain = build_chain(config, grid)
        sources = build_sources(config, grid, chain.network.species)
        return _Moved(step, config, chain, sources, only_motion=False)


@dataclass(frozen=True)
class _Moved:
    """A model beside the present one: what one parameter changes.

    Attributes
    ----------
    step : of the parameter
    only_motion : sources, network and mesh are those of the present model
    """

    step: float
    config: RunConfig
    chain: ChainSolver
    sources: list[PrimarySource]
    only_motion: bool


def _seeds(forward: Forward, to_flux: Array) -> tuple[Array, Array]:
    """Derivatives of chi-square for the spectra of unit strength of every component, and for the strengths.

    Returns
    -------
    shapes (n_c, n_s, n_T) and (n_c,); the strength follows the spectra where it is fixed by a local flux
    """
    seeds, to_strength = [], []
    for c, at_sun in enumerate(at_observer(forward.density, forward.config, forward.chain)):
        to_strength.append(float(np.sum(to_flux * at_sun)))
        seeds.append(forward.strength[c] * to_flux + to_strength[-1] * _strength_slope(forward, c, at_sun))
    return np.stack(seeds), np.array(to_strength)


def _strength_slope(forward: Forward, c: int, at_sun: Array) -> Array:
    """d(strength)/d(flux at the Sun of unit strength), shape (n_s, n_T)."""
    law = forward.config.physics.sources[forward.sources[c].name].normalisation
    result = np.zeros_like(at_sun)
    if law.kind != "local-flux":
        return result
    energy = forward.chain.grid.kinetic_energy
    s = next(i for i, nuclide in enumerate(forward.chain.network.species) if nuclide.name == law.species)
    k = int(np.clip(np.searchsorted(energy, law.kinetic_energy), 1, len(energy) - 1))
    share = np.log(law.kinetic_energy / energy[k - 1]) / np.log(energy[k] / energy[k - 1])
    result[s, k - 1] = -forward.strength[c] * (1.0 - share) / at_sun[s, k - 1]
    result[s, k] = -forward.strength[c] * share / at_sun[s, k]
    return result


def _change(forward: Forward, moved: _Moved, multipliers: Array, seeds: Array, to_strength: Array) -> float:
    """First-order change of chi-square between two models.

    Minus the product of the multipliers with the change of the equations at fixed fields, what reading
    the fields elsewhere changes, and what a component of given power gains.
    """
    total = 0.0
    for j in range(len(forward.operators)):
        if multipliers[:, j].any():
            total -= _equations(forward, moved, multipliers[:, j], j)
    if moved.only_motion:
        return total
    before = at_observer(forward.density, forward.config, forward.chain)
    after = at_observer(forward.density, moved.config, moved.chain)
    total += float(np.sum(seeds * (after - before)))
    for c, source in enumerate(moved.sources):
        total += to_strength[c] * forward.strength[c] * (_power_ratio(forward, moved, c, source) - 1.0)
    return total


def _equations(forward: Forward, moved: _Moved, multipliers: Array, j: int) -> float:
    """<L, R_moved - R> of one nuclide, all components together, at fixed fields."""
    chain, before = forward.chain, forward.operators[j]
    operator = moved.chain.operator(j, forward.steep[j])
    to_log_p = chain.column(chain.kinematics(chain.network.species[j]).momentum_per_energy)
    weight = per_momentum(before.width, len(chain.grid.axes)) * chain.grid.volume
    feedback = chain.feedback(j), moved.chain.feedback(j)
    total = 0.0
    for c, source in enumerate(moved.sources):
        u = forward.density[c, j] * to_log_p
        change = operator.apply(u) - before.apply(u)
        if not moved.only_motion:
            change -= to_log_p * (
                moved.chain.injected(j, source, forward.density[c])
                - chain.injected(j, forward.sources[c], forward.density[c])
            )
            if feedback[0] is not None and feedback[1] is not None:
                change -= feedback[1](u) - feedback[0](u)
        total += float(np.sum(multipliers[c] * weight * change))
    return total


def _same_mesh(one: Grid, other: Grid) -> bool:
    return all(np.array_equal(a.faces, b.faces) for a, b in zip(one.axes, other.axes, strict=True))


def _power_ratio(forward: Forward, moved: _Moved, c: int, source: PrimarySource) -> float:
    """Factor on the strength of a component of given power when its spectra change."""
    law = moved.config.physics.sources[source.name].normalisation
    if law.kind != "luminosity":
        return 1.0
    species = forward.chain.network.species
    powers = [
        injected_power(one, chain.grid, species, law.minimum_energy)
        for one, chain in ((forward.sources[c], forward.chain), (source, moved.chain))
    ]
    return powers[0] / powers[1]
