"""Losses, adiabatic losses and momentum diffusion alone (T9, T10, T11)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from cyldiff.galaxy import Galaxy
from cyldiff.grid import Grid, Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.transport.build import Propagation
from cyldiff.transport.convection import LinearWind
from cyldiff.transport.diffusion import PowerLawDiffusion
from cyldiff.transport.reacceleration import NoReacceleration
from cyldiff.validation.case import Case, Check, Refinement, below, close, orders
from cyldiff.validation.closed import EMPTY
from cyldiff.validation.exact import pure_loss
from cyldiff.validation.problems import CARBON, direct, iterate, operator, plane_source, slab_grid

__all__ = ["CASES"]

Array = NDArray[np.float64]
Checks = Sequence[Check | Refinement]

GROUP = "Motion in momentum"
#: nothing leaves in the time that momenta take [kpc^2/Myr]
NO_ESCAPE = 1e-14


def _grid(per_decade: float, low: float = 0.01, high: float = 1e4) -> tuple[Grid, Kinematics]:
    grid = slab_grid(5, energies=energy_grid(low, high, per_decade))
    return grid, Kinematics(grid.kinetic_energy, *CARBON)


def _everywhere(values: Array, grid: Grid) -> Array:
    return np.broadcast_to(values[:, None, None], grid.shape).copy()


def _line() -> Checks:
    numbers, errors = (8, 16, 32, 64), []
    for n in numbers:
        grid, nucleus = _grid(n)
        x, middle, width = np.log(nucleus.momentum), np.log(100.0), 1.2
        b = 0.01 * np.exp(middle - x) + 0.02 * np.exp(0.5 * (x - middle))
        problem = operator(grid, D=NO_ESCAPE, loss=b[:, None, None])
        source = _everywhere(np.exp(-(((x - middle) / width) ** 2)), grid)

        def rate(y: Array, b: Array = b) -> Array:
            return b

        def above(y: Array, middle: float = middle, width: float = width) -> Array:
            return np.asarray(0.5 * width * np.sqrt(np.pi) * erfc((y - middle) / width))

        exact = pure_loss(x, rate, above)
        found = direct(problem, source)[:, 0, 0]
        errors.append(float(np.abs(b * (found - exact)).max() / (b * exact).max()))
    return orders("ln p", [f"{n} per decade" for n in numbers], errors, 3.0, within=0.05)


def _power_law_source() -> Checks:
    checks: list[Check | Refinement] = []
    for power in (1.0, -2.0):
        grid, nucleus = _grid(12.0)
        p, s = nucleus.momentum, 2.3
        b = 0.01 * p**power
        source = _everywhere(p ** (1.0 - s), grid)
        # nothing is injected above the uppermost face
        top = nucleus.at(grid.kinetic_energy_faces[-1:]).momentum[0]
        exact = (p ** (1.0 - s) - top ** (1.0 - s)) / (s - 1.0) / b
        found = direct(operator(grid, D=NO_ESCAPE, loss=b[:, None, None]), source)[:, 0, 0]
        below_top = grid.kinetic_energy < grid.kinetic_energy[-1] / 30.0
        name = f"losses as p^{1 + power:g}, 12 per decade"
        checks.append(close(name, found[below_top], exact[below_top], 3e-3))
    return checks


def _windy(
    grid: Grid, V0: str, gradient: str, D0: str
) -> tuple[TransportOperator, Kinematics, LinearWind, float]:
    """Carbon in a wind with its adiabatic losses, and nothing else."""
    wind = LinearWind(V0=V0, gradient=gradient)
    diffusion = PowerLawDiffusion(D0=D0, reference_rigidity="1 GV", delta=0.0, eta=0.0)
    laws = Propagation(grid, Galaxy.on_grid(EMPTY, grid), diffusion, wind, NoReacceleration(), losses=False)
    nucleus = Kinematics(grid.kinetic_energy, *CARBON)
    problem = TransportOperator.build(grid, laws.coefficients(nucleus, np.zeros(grid.shape)))
    return problem, nucleus, wind, float(diffusion.D0)


def _expansion() -> Checks:
    grid = slab_grid(21, energies=energy_grid(10.0, 1e5, 12.0))
    problem, nucleus, wind, _ = _windy(grid, "0 km/s", "10 km/s/kpc", "1e26 cm^2/s")
    source = _everywhere(nucleus.momentum**-1.3, grid)
    exact = 3.0 * source / (wind.gradient * (3.0 + 1.3))
    inside = (grid.kinetic_energy > 15.0) & (grid.kinetic_energy < 1e3), slice(None), slice(0, -1)
    return [
        close("U = 3q/V'(3 + s - 1), 12 per decade", iterate(problem, source)[inside], exact[inside], 1e-3)
    ]


def _constant_wind() -> Checks:
    height, s = 4.0, 2.3
    grid = slab_grid(21, height, energies=energy_grid(10.0, 1e5, 12.0))
    problem, nucleus, wind, D = _windy(grid, "20 km/s", "0 km/s/kpc", "1e28 cm^2/s")
    spectrum = nucleus.momentum ** (1.0 - s)
    found = grid.at(iterate(problem, plane_source(grid) * spectrum[:, None, None]), 8.5)
    u = wind.V0
    rate = 2.0 * u / (1.0 - np.exp(-u * height / D)) + 2.0 * u / 3.0 * (s - 1.0)
    inside = (grid.kinetic_energy > 15.0) & (grid.kinetic_energy < 1e3)
    return [close("N(0), 12 per decade", found[inside], (spectrum / rate)[inside], 1e-3)]


def _zero_flux() -> Checks:
    checks: list[Check | Refinement] = []
    for scheme in ("chang-cooper", "upwind"):
        grid, nucleus = _grid(12.0)
        rate = 0.02 * (1.0 + 0.9 * np.sin(np.arange(len(grid.kinetic_energy) + 1)))
        problem = operator(grid, D=NO_ESCAPE, reacceleration=rate[:, None, None], scheme=scheme)
        field = _everywhere(nucleus.momentum**3, grid)
        left = np.abs(problem.apply(field) / (problem.diagonal * field)).max()
        checks.append(below(f"{scheme}: residual of U ~ p^3", left, 1e-12))
    grid, _ = _grid(12.0)
    for scheme in ("third-order", "chang-cooper"):
        problem = operator(grid, D=NO_ESCAPE, reacceleration=0.02, scheme=scheme)
        field = np.random.default_rng(1).random(grid.shape)
        change = np.einsum("k,krz->rz", problem.width, problem.apply(field))
        size = np.einsum("k,krz->rz", problem.width, problem.diagonal * field)
        checks.append(below(f"{scheme}: flow through the ends", np.abs(change / size).max(), 1e-8))
    return checks


def _balance() -> Checks:
    checks: list[Check | Refinement] = []
    for scheme in ("third-order", "chang-cooper"):
        numbers, errors = (8, 16, 32), []
        for n in numbers:
            grid, nucleus = _grid(n, low=1e-3, high=1e8)
            g, tau, a = 0.001, 30.0, -1.4  # the ends are forgotten as p^-3 and p^9
            problem = operator(grid, D=NO_ESCAPE, reacceleration=g, sink=1.0 / tau, scheme=scheme)
            power_law = nucleus.momentum**a
            exact = power_law / (1.0 / tau - g * (a * a - 3.0 * a))
            inside = (grid.kinetic_energy > 10.0) & (grid.kinetic_energy < 1e3)
            found = direct(problem, _everywhere(power_law, grid))[inside, 0, 0]
            errors.append(float(np.abs(found / exact[inside] - 1.0).max()))
        meshes = [f"{n} per decade" for n in numbers]
        checks += orders(f"ln p, {scheme}", meshes, errors, 2.0, within=0.05, or_more=True)
        checks.append(below(f"{scheme}, 32 per decade, relative", errors[-1], 1e-2))
    return checks


CASES = (
    Case("losses-line", GROUP, "A line that cools: b U is what was injected above p; third order.",
         "closed formula (erfc)", _line),
    Case("losses-power-law", GROUP, "A power-law source that cools.", "closed formula", _power_law_source),
    Case("adiabatic", GROUP, "A uniform expansion takes energy: U = 3q/V'(3 + s - 1).", "closed formula", _expansion),
    Case("adiabatic-plane", GROUP, "A constant wind that turns at the plane: losses (2/3) u p delta(z).",
         "closed formula", _constant_wind),
    Case("zero-flux", GROUP, "Momentum diffusion alone keeps U ~ p^3, and no particle passes the ends.",
         "equilibrium of the Fokker-Planck equation (Chang & Cooper 1970)", _zero_flux),
    Case("reacceleration", GROUP,
         "Source, escape and momentum diffusion balance in a power law; second order or better.",
         "closed formula", _balance),
)  # fmt: skip
