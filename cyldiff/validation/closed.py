"""Closed solutions of the steady equation in space: slab, wind, decay, cylinder, two zones, fragmentation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import j0, jn_zeros

from cyldiff import constants as const
from cyldiff.galaxy import Galaxy
from cyldiff.galaxy.gas import GasModel
from cyldiff.grid import Kinematics, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.pipeline import build_chain, build_grid, build_sources
from cyldiff.solve.chain import ChainSolver
from cyldiff.transport.build import Propagation
from cyldiff.transport.collisions import collision_rate
from cyldiff.transport.convection import NoWind
from cyldiff.transport.diffusion import SpatiallyDependentDiffusion
from cyldiff.transport.reacceleration import NoReacceleration
from cyldiff.validation.case import Case, Check, Refinement, below, close, orders
from cyldiff.validation.exact import bessel_cylinder, case_bhattacharya_1996, decaying_slab, windy_slab
from cyldiff.validation.model import small_run
from cyldiff.validation.problems import (
    CARBON,
    cylinder_grid,
    iterate,
    operator,
    plane_source,
    slab_grid,
)

__all__ = ["CASES", "EMPTY", "THIN_DISC", "solved"]

Array = NDArray[np.float64]
Checks = Sequence[Check | Refinement]

GROUP = "Closed solutions in space"
H = 4.0  #: half-height of the halo [kpc]

EMPTY = GasModel.model_validate(
    {"HI": {"kind": "none"}, "H2": {"kind": "none"}, "HII": {"kind": "none"}, "helium_fraction": 0.0}
)

#: gas and sources on the plane, no losses: the assumptions of the closed formulas
THIN_DISC = (
    'physics.gas.HI = { kind = "uniform-disc", surface_density = "2.1 mg/cm^2", half_thickness = "5 pc" }',
    'physics.gas.H2 = { kind = "none" }',
    'physics.gas.HII = { kind = "none" }',
    'physics.sources.remnants.distribution = { kind = "uniform", vertical = "plane" }',
    "physics.energy_losses = false",
)


def _slab() -> Checks:
    checks: list[Check | Refinement] = []
    D = 0.7
    for n_z, half_space, stretch in ((5, True, 0.0), (33, True, 5.0), (65, False, 5.0)):
        grid = slab_grid(n_z, H, stretch=stretch, half_space=half_space)
        field = iterate(operator(grid, D=D), plane_source(grid))[2, 0]
        exact = (H - np.abs(grid.z.centers)) / (2.0 * D)
        checks.append(close(f"{n_z} cells, {'half' if half_space else 'whole'} space", field, exact, 1e-9))
    return checks


def _wind() -> Checks:
    checks: list[Check | Refinement] = []
    D = 0.05
    for wind in (0.003, 0.05, 1.0):
        grid = slab_grid(33, H, stretch=5.0)
        field = iterate(operator(grid, D=D, wind=wind * np.sign(grid.z.faces)), plane_source(grid))[0, 0]
        exact = windy_slab(grid.z.centers, q=1.0, D=D, half_height=H, wind=wind)
        checks.append(close(f"u H/D = {wind * H / D:g}", field, exact, 1e-8))
    return checks


def _decay() -> Checks:
    cells, errors = (17, 33, 65, 129), []
    for n_z in cells:
        grid = slab_grid(n_z, H, stretch=5.0)
        field = iterate(operator(grid, D=0.05, sink=0.1), plane_source(grid))
        exact = decaying_slab(0.0, q=1.0, D=0.05, half_height=H, lifetime=10.0)
        errors.append(abs(float(field[0, 0, 0] / exact) - 1.0))
    return [
        below("on the plane with 33 cells, relative", errors[1], 1e-3),
        *orders("z", [f"{n} cells" for n in cells], errors, 2.0, within=0.1),
    ]


def _decay_and_wind() -> Checks:
    D, wind, decay = 0.05, 0.03, 0.1
    grid = slab_grid(33, H, stretch=5.0)
    problem = operator(grid, D=D, wind=wind * np.sign(grid.z.faces), sink=decay)
    field = iterate(problem, plane_source(grid))[0, 0]
    exact = windy_slab(grid.z.centers, q=1.0, D=D, half_height=H, wind=wind, decay=decay)
    return [close("on the plane", field[0], exact[0], 1e-3)]


RADIUS = 20.0  #: radius of the halo [kpc]


def _bessel() -> Checks:
    grid = cylinder_grid(41, 21, H, radius=RADIUS)
    rings = grid.cell_average(lambda r, z: case_bhattacharya_1996(r) + 0.0 * z)[:, 0]
    field = iterate(operator(grid), plane_source(grid, rings))[0]
    places = [8.5, 4.0]
    exact = bessel_cylinder(
        case_bhattacharya_1996, places, [0.0, 0.0], radius=RADIUS, half_height=H, modes=1000
    )
    found = [float(grid.at(field, r)) for r in places]
    return [close("remnants of Case & Bhattacharya 1996 at 8.5 and 4 kpc", found, exact, 1e-3)]


def _one_mode() -> Checks:
    zeta = float(jn_zeros(0, 1)[0])
    k, cells, errors = zeta / RADIUS, (10, 20, 40, 80), []
    for n_r in cells:
        grid = cylinder_grid(n_r, n_r + 1, H, radius=RADIUS)
        rings = grid.cell_average(lambda r, z: j0(k * r) + 0.0 * z)[:, 0]
        field = iterate(operator(grid), plane_source(grid, rings))[0]
        exact = j0(k * grid.r.centers) * np.tanh(H * k) / (2.0 * k)
        errors.append(float(np.abs(field[:, 0] - exact).max() / exact[0]))
    return [
        *orders("r and z", [f"{n} x {n + 1} cells" for n in cells], errors, 2.0, within=0.1),
        below("error on the finest", errors[-1], 2e-4),
    ]


def _two_zones() -> Checks:
    height, energies = 5.0, energy_grid(0.01, 1e7, 1.0)
    law = SpatiallyDependentDiffusion(
        D0="4e28 cm^2/s", reference_rigidity="4 GV", delta0=0.58, eta=0.05, N_m=0.3, xi=0.1, n=4,
        z0=f"{height} kpc", r_s="8.5 kpc", z_s="0.2 kpc",
    )  # fmt: skip
    grid = slab_grid(33, height, energies=energies, stretch=5.0, kinks=law.kinks(height))
    laws = Propagation(grid, Galaxy.on_grid(EMPTY, grid), law, NoWind(), NoReacceleration(), losses=False)
    nucleus = Kinematics(energies, *CARBON)
    problem = TransportOperator.build(grid, laws.coefficients(nucleus, np.zeros(grid.shape)))
    found, r, edge = grid.at(iterate(problem, plane_source(grid)), 8.5), np.array(8.5), law.xi * height
    exact = []
    for R, beta in zip(nucleus.rigidity, nucleus.beta, strict=True):

        def resistance(z: float, R: float = R, beta: float = beta) -> float:
            return float(1.0 / law.coefficient(np.array(R), np.array(beta), r, np.array(z), axis="z"))

        cuts = edge * (1.0 - np.array([1.0, 0.1, 1e-2, 1e-3, 1e-4, 0.0]))
        inner = sum(quad(resistance, a, b)[0] for a, b in pairwise(cuts))
        exact.append(0.5 * (inner + quad(resistance, edge, height)[0]))
    return [close("density on the plane, 10 MeV/n to 10 PeV/n, 33 cells", found, exact, 1e-3)]


def solved(
    overrides: Sequence[str], species: Sequence[str], n_z: int, energies: tuple[str, str, float]
) -> tuple[ChainSolver, dict[str, Array]]:
    """Chain of a slab, and the densities of its nuclides on the plane."""
    run = small_run(species, overrides, slab=True, n_z=n_z, energies=energies, tolerance=1e-10)
    grid = build_grid(run.config)
    chain = build_chain(run.config, grid)
    solution = chain.solve(build_sources(run.config, grid, chain.network.species))
    return chain, {s.name: grid.at(solution.density[0, i], 8.5) for i, s in enumerate(solution.species)}


def _fragmentation() -> Checks:
    chain, plane = solved(THIN_DISC, ("C12", "B11"), 41, ("100 MeV", "1 PeV", 4.0))
    network, law, energy = chain.network, chain.propagation.diffusion, chain.grid.kinetic_energy
    names = [s.name for s in network.species]
    carbon, boron = names.index("C12"), names.index("B11")
    channel = int(np.flatnonzero((network.parent == carbon) & (network.child == boron))[0])
    # H nuclei of the disc per area, from its mass with 1.4 m_H each [cm^-2 -> cm^-3 kpc]
    column = 2.1e-3 / (1.4 * const.HYDROGEN_MASS_G) / const.KPC_CM
    species = network.species[boron]
    nucleus = Kinematics(energy, species.Z, species.A, species.mass_per_nucleon)
    D = law.coefficient(nucleus.rigidity, nucleus.beta, np.array(8.5), np.array(0.0), axis="z")
    made = column * collision_rate(network.production[channel], nucleus.beta, 0.11)
    lost = column * collision_rate(network.inelastic[boron], nucleus.beta, 0.11)
    exact = made / (2.0 * D / H + lost)
    return [close("11B/12C from 0.1 GeV/n to 1 PeV/n", plane["B11"] / plane["C12"], exact, 1e-3)]


def _slopes() -> Checks:
    chain, plane = solved((), ("C12", "B11", "B10"), 25, ("1 GeV", "100 PeV", 4.0))
    log_energy = np.log(chain.grid.kinetic_energy)
    ratio = (plane["B10"] + plane["B11"]) / plane["C12"]
    primary, secondary = (np.diff(np.log(v)) / np.diff(log_energy) for v in (plane["C12"], ratio))
    far = chain.grid.kinetic_energy[1:] > 2e4
    return [
        below("slope of 12C + (s + delta), beyond 20 TeV/n", np.abs(primary[far] + 2.3 + 0.35).max(), 0.01),
        below("slope of B/C + delta, beyond 20 TeV/n", np.abs(secondary[far] + 0.35).max(), 0.01),
        below("slope of 12C + (s + delta), last energy", primary[-1] + 2.3 + 0.35, 1e-3),
    ]


#: 10Be alone is injected on the plane of an empty halo; D is the same for all nuclides
BERYLLIUM = (
    'physics.gas = { helium_fraction = 0.0, HI = { kind = "none" }, H2 = { kind = "none" }, HII = { kind = "none" } }',
    'physics.sources.remnants.distribution = { kind = "uniform", vertical = "plane" }',
    "physics.sources.remnants.abundances = { Be10 = 1.0 }",
    "physics.energy_losses = false",
    "physics.diffusion.delta = 0.0",
    "physics.diffusion.eta = 0.0",
)


def _decay_chain() -> Checks:
    chain, plane = solved(BERYLLIUM, ("Be10", "B10"), 65, ("1 GeV", "1 TeV", 4.0))
    species = {s.name: s for s in chain.network.species}["Be10"]
    nucleus = Kinematics(chain.grid.kinetic_energy, species.Z, species.A, species.mass_per_nucleon)
    D = chain.propagation.diffusion.coefficient(
        nucleus.rigidity, nucleus.beta, np.array(8.5), np.array(0.0), axis="z"
    )
    lifetime = nucleus.gamma * species.half_life / np.log(2.0)
    share = decaying_slab(0.0, q=1.0, D=D, half_height=H, lifetime=lifetime) / (0.5 * H / D)
    total = plane["Be10"] + plane["B10"]
    return [
        close("10Be on the plane over all that was injected", plane["Be10"] / total, share, 1e-3),
        close("10Be + 10B is what stable nuclei would be", total / total[0], _power_law(chain), 1e-9),
    ]


def _power_law(chain: ChainSolver) -> Array:
    """Injection R^-2.3/beta of 10Be relative to the first energy; D does not depend on energy."""
    species = {s.name: s for s in chain.network.species}["Be10"]
    k = Kinematics(chain.grid.kinetic_energy, species.Z, species.A, species.mass_per_nucleon)
    spectrum = k.rigidity**-2.3 / k.beta
    return np.asarray(spectrum / spectrum[0])


CASES = (
    Case("slab", GROUP, "A plane source in a slab: N = q (H - |z|)/2D, on any mesh.", "closed formula", _slab),
    Case("slab-wind", GROUP, "The same in a wind, also a strong one.", "Maurin et al. 2001, ApJ 555, 585", _wind),
    Case("slab-decay", GROUP, "A decaying species has the sinh profile.",
         "Ptuskin & Soutoul 1998, A&A 337, 859", _decay),
    Case("slab-decay-wind", GROUP, "Decay and wind together.", "Maurin et al. 2001, ApJ 555, 585", _decay_and_wind),
    Case("cylinder", GROUP, "Remnants in a thin disc of a cylinder.",
         "Bessel series, Maurin et al. 2001, ApJ 555, 585", _bessel),
    Case("cylinder-mode", GROUP, "One Bessel mode in every cell of the plane.", "closed formula", _one_mode),
    Case("two-zones", GROUP, "Diffusion that changes with height: N(0) = (q/2) int dz/D.",
         "adaptive quadrature (scipy)", _two_zones),
    Case("fragmentation", GROUP, "Thin disc: secondary over primary = k sigma_ps/(1/X + k sigma_s).",
         "closed formula with the cross sections of the run", _fragmentation),
    Case("slopes", GROUP, "Far above losses and spallation spectra fall as E^-(s+delta), B/C as E^-delta.",
         "closed formula", _slopes),
    Case("decay-chain", GROUP,
         "10Be decays to 10B: its share is that of a decaying slab, their sum that of stable nuclei.",
         "closed formulas; Ptuskin & Soutoul 1998", _decay_chain),
)  # fmt: skip
