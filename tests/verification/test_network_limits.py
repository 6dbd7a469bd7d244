"""T13: spectral slopes far above 300 GV; and the closed thin-disc ratio of a secondary to its primary."""

from __future__ import annotations

import numpy as np
import pytest
from galaxy_model import small_run

from cyldiff import constants as const
from cyldiff.grid import Kinematics
from cyldiff.pipeline import build_chain, build_grid, build_sources
from cyldiff.transport.collisions import collision_rate

DELTA, INJECTION = 0.35, 2.3
#: gas and sources on the plane, no losses: the assumptions of the closed formulas
THIN_DISC = (
    'physics.gas.HI = { kind = "uniform-disc", surface_density = "2.1 mg/cm^2", half_thickness = "5 pc" }',
    'physics.gas.H2 = { kind = "none" }',
    'physics.gas.HII = { kind = "none" }',
    'physics.sources.remnants.distribution = { kind = "uniform", vertical = "plane" }',
    "physics.energy_losses = false",
)


#: the power of the sources has to lie on the grid
LOW = 'physics.sources.remnants.normalisation.minimum_energy = "20 MeV"'


def _solve(overrides, species, **options):
    run = small_run(species, overrides, **options)
    grid = build_grid(run.config)
    chain = build_chain(run.config, grid)
    solution = chain.solve(build_sources(run.config, grid, chain.network.species))
    at_sun = {s.name: grid.at(solution.density[0, i], 8.5) for i, s in enumerate(solution.species)}
    return chain, at_sun


def high_energy_slopes():
    """Energies between grid points, and the slopes of 12C and of B/C there."""
    chain, at_sun = _solve(
        (), ("C12", "B11", "B10"), slab=True, n_z=25, energies=("1 GeV", "100 PeV", 4.0), tolerance=1e-10
    )
    energy = chain.grid.kinetic_energy
    boron = at_sun["B10"] + at_sun["B11"]
    primary, ratio = (
        np.diff(np.log(v)) / np.diff(np.log(energy)) for v in (at_sun["C12"], boron / at_sun["C12"])
    )
    return np.sqrt(energy[1:] * energy[:-1]), primary, ratio


@pytest.fixture(scope="module")
def high_energy():
    return high_energy_slopes()


def test_primary_slope(high_energy):
    """-(s + delta) at R >> 300 GV, where spallation no longer competes with escape."""
    energy, primary, _ = high_energy
    far = energy > 2e4
    assert np.abs(primary[far] + INJECTION + DELTA).max() < 0.01
    assert abs(primary[-1] + INJECTION + DELTA) < 1e-3


def test_secondary_to_primary_slope(high_energy):
    energy, _, ratio = high_energy
    far = energy > 2e4
    assert np.abs(ratio[far] + DELTA).max() < 0.01
    assert abs(ratio[-1] + DELTA) < 1e-3


def test_spallation_flattens_both_at_low_energy(high_energy):
    """B/C turns to a constant where destruction beats escape: the slope is monotonic and far from delta."""
    energy, primary, ratio = high_energy
    low = energy < 20.0
    assert np.all(ratio[low] > -0.30)
    assert np.all(np.diff(ratio[energy > 10.0]) < 0.0)
    assert primary[energy < 3.0].max() > -2.2


def thin_disc_ratio(chain):
    """11B/12C = k sigma_ps / (1/X + k sigma_s), X = mu beta c H / 2D, with the cross sections of `chain`."""
    network, grid, law = chain.network, chain.grid, chain.propagation.diffusion
    names = [s.name for s in network.species]
    carbon, boron = names.index("C12"), names.index("B11")
    channel = int(np.flatnonzero((network.parent == carbon) & (network.child == boron))[0])
    # H nuclei of the disc per area, from its mass with 1.4 m_H each [cm^-2 -> cm^-3 kpc]
    column = 2.1e-3 / (1.4 * const.HYDROGEN_MASS_G) / const.KPC_CM
    species = network.species[boron]
    nucleus = Kinematics(grid.kinetic_energy, species.Z, species.A, species.mass_per_nucleon)
    D = law.coefficient(nucleus.rigidity, nucleus.beta, np.array(8.5), np.array(0.0), axis="z")
    made = column * collision_rate(network.production[channel], nucleus.beta, 0.11)
    lost = column * collision_rate(network.inelastic[boron], nucleus.beta, 0.11)
    return made / (2.0 * D / 4.0 + lost)


def test_thin_disc_ratio_at_every_energy():
    chain, at_sun = _solve(
        THIN_DISC, ("C12", "B11"), slab=True, n_z=41, energies=("100 MeV", "1 PeV", 4.0), tolerance=1e-10
    )
    np.testing.assert_allclose(at_sun["B11"] / at_sun["C12"], thin_disc_ratio(chain), rtol=1e-3)


def test_thin_disc_primary_at_every_energy():
    """N(0) = q / (2D/H + 2h Gamma) for the primary itself."""
    chain, at_sun = _solve(THIN_DISC, ("C12",), slab=True, n_z=41, energies=("100 MeV", "1 PeV", 4.0))
    grid, law, species = chain.grid, chain.propagation.diffusion, chain.network.species[0]
    nucleus = Kinematics(grid.kinetic_energy, species.Z, species.A, species.mass_per_nucleon)
    column = 2.1e-3 / (1.4 * const.HYDROGEN_MASS_G) / const.KPC_CM
    D = law.coefficient(nucleus.rigidity, nucleus.beta, np.array(8.5), np.array(0.0), axis="z")
    lost = column * collision_rate(chain.network.inelastic[0], nucleus.beta, 0.11)
    spectrum = 3e-3 * (nucleus.rigidity**-INJECTION / nucleus.beta)
    reference = Kinematics(np.array([100.0]), species.Z, species.A, species.mass_per_nucleon)
    spectrum /= (reference.rigidity**-INJECTION / reference.beta)[0]
    np.testing.assert_allclose(at_sun["C12"], spectrum / (2.0 * D / 4.0 + lost), rtol=1e-3)


def test_a_taller_halo_of_equal_escape_hides_from_stable_ratios_only():
    """H doubled at fixed H/D: B/C as before, 10Be/9Be lower by 1/sqrt(2) where it decays at home."""
    ratios = []
    for height, D0 in (("4 kpc", "5.8e28 cm^2/s"), ("8 kpc", "1.16e29 cm^2/s")):
        _, at_sun = _solve(
            (*THIN_DISC, f'physics.halo.half_height = "{height}"', f'physics.diffusion.D0 = "{D0}"', LOW),
            ("C12", "B11", "Be10", "Be9"),
            slab=True,
            n_z=81,
            energies=("20 MeV", "100 MeV", 8.0),
            tolerance=1e-9,
        )
        ratios.append((at_sun["B11"] / at_sun["C12"], at_sun["Be10"] / at_sun["Be9"]))
    np.testing.assert_allclose(ratios[1][0], ratios[0][0], rtol=1e-3)
    # sqrt(D tau) is 0.5 to 0.8 kpc, a fraction of the 4 kpc
    np.testing.assert_allclose(ratios[1][1] / ratios[0][1], 1.0 / np.sqrt(2.0), rtol=0.06)
