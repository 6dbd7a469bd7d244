"""Faults measured in established codes, each as a test of this one.

They are: a solution that depends on the pseudo-time steps, gas sampled at points in r, breaks taken
in momentum per nucleon where rigidity is meant, a half space that is not the whole one, meshes that
put the Sun off the plane, and normalisations outside the grid. The treatment of r = 0 and the
effective height of the halo are tested in the files on the cylinder and on the slab, the order of
decays with the particles.
"""

from __future__ import annotations

import numpy as np
import pytest
from galaxy_model import ALL_PROCESSES, SPATIALLY_DEPENDENT, small_run
from problems import operator, plane_source, relative_difference, slab_grid

from cyldiff.errors import ConfigError, ConvergenceError, GridError
from cyldiff.grid import Kinematics
from cyldiff.particles.species import select
from cyldiff.pipeline import build_chain, build_grid, build_sources
from cyldiff.pipeline import solve as solve_run
from cyldiff.solve.steady import SteadySolver

OLD_GAS = (
    'physics.gas = { helium_fraction = 0.11, HI = { kind = "gordon-burton-1976" }, '
    'H2 = { kind = "bronfman-1988", X_CO = "1.9e20 cm^-2/(K km/s)" }, HII = { kind = "cordes-1991" } }'
)


class OtherSteps(SteadySolver):
    """The steady solver with another list of pseudo-times."""

    factor = 1.0
    extra: tuple[float, ...] = ()

    def shifts(self, operator, p_stiffness):
        return np.array([*(self.factor * super().shifts(operator, p_stiffness)), *self.extra])


@pytest.mark.parametrize("overrides", [(), SPATIALLY_DEPENDENT])
@pytest.mark.parametrize(("factor", "extra"), [(0.3, ()), (3.0, ()), (1.0, (50.0, 0.02))])
def test_the_answer_does_not_depend_on_the_pseudo_time(factor, extra, overrides):
    run = small_run(("C12",), (*ALL_PROCESSES, *overrides))
    grid = build_grid(run.config)
    chain = build_chain(run.config, grid)
    source = build_sources(run.config, grid, chain.network.species)[0]
    problem = chain.operator(0)
    right = source.spectra["C12"][:, None, None] * source.density
    expected, _ = SteadySolver(1e-11).solve(problem, right)
    other = OtherSteps(1e-11)
    other.factor, other.extra = factor, extra
    found, report = other.solve(problem, right)
    assert relative_difference(found, expected) < 1e-8
    assert not np.array_equal(found, expected)
    assert report.residual <= 1e-11


def test_long_steps_do_not_raise_the_halo():
    """D s / dz^2 of 10^6: boundary rows inside implicit lines would make the halo one cell taller."""
    grid = slab_grid(21)
    problem = operator(grid, D=0.7)
    solver = OtherSteps(1e-11)
    solver.extra = (1e5,)
    field, _ = solver.solve(problem, plane_source(grid))
    assert field[0, 0, 0] == pytest.approx(4.0 / 1.4, rel=1e-9)


def test_radial_step_hardly_moves_the_grammage():
    """Point-sampled gas moved B/C by 4 to 7 % between radial steps of 1 and 0.87 kpc."""
    ratio = {}
    for n_r in (20, 23, 80):
        run = small_run(
            ("C12", "B11"), (OLD_GAS,), n_r=n_r, n_z=13, energies=("1 GeV", "100 GeV", 3.0), tolerance=1e-8
        )
        flux = solve_run(run.config)["flux_lis"]
        ratio[n_r] = (flux.sel(species="B11") / flux.sel(species="C12")).values
    for n_r in (20, 23):
        np.testing.assert_allclose(ratio[n_r], ratio[80], rtol=5e-3)


def test_gas_mass_does_not_depend_on_the_mesh():
    mass = []
    for n_r, n_z in ((20, 13), (23, 17), (80, 41)):
        run = small_run(("C12",), (OLD_GAS,), n_r=n_r, n_z=n_z)
        grid = build_grid(run.config)
        mass.append(np.sum(build_chain(run.config, grid).galaxy.hydrogen * grid.volume))
    np.testing.assert_allclose(mass, mass[-1], rtol=3e-3)


def test_breaks_are_taken_in_rigidity():
    """Break of D at 300 GV and of the injection at 3 TV: protons (A/Z = 1) and 12C (A/Z = 2) alike in R."""
    run = small_run(
        ("H1", "C12"),
        (
            *(f'physics.gas.{phase} = {{ kind = "none" }}' for phase in ("HI", "H2", "HII")),
            "physics.secondary_protons = false",
            'physics.diffusion = { kind = "broken-power-law", D0 = "4e28 cm^2/s", '
            'reference_rigidity = "4 GV", delta = [0.5, 0.2], breaks = ["300 GV"], '
            "smoothness = [0.0], eta = 1.0 }",
            'physics.sources.remnants.injection.default = { kind = "broken-power-law", indices = [2.2, 2.6], '
            'breaks = ["3 TV"], smoothness = [0.0] }',
        ),
        energies=("10 GeV", "100 TeV", 24.0),
        slab=True,
        n_z=7,
    )
    dataset = solve_run(run.config)
    energy = dataset["kinetic_energy"].values
    for nucleus in select(include=("H1", "C12")):
        kinematics = Kinematics(energy, nucleus.Z, nucleus.A, nucleus.mass_per_nucleon)
        rigidity = kinematics.rigidity
        # J(R) = J(T) dT/dR ~ J(T) beta ~ q(R) / D
        flux = dataset["flux_lis"].sel(species=nucleus.name).values * kinematics.beta
        slope = np.gradient(np.log(flux), np.log(rigidity))
        for low, high, expected in ((30.0, 250.0, -2.7), (350.0, 2500.0, -2.4), (3500.0, 5e4, -2.8)):
            inside = (rigidity > low) & (rigidity < high)
            assert slope[inside].mean() == pytest.approx(expected, abs=0.02), nucleus.name
        # where the slope is half-way between both sides
        assert _crossing(rigidity, slope, -2.55, 100.0, 1000.0) == pytest.approx(300.0, rel=0.06)
        assert _crossing(rigidity, -slope, 2.6, 1000.0, 1e4) == pytest.approx(3000.0, rel=0.06)


def _crossing(rigidity, slope, level, low, high):
    inside = (rigidity > low) & (rigidity < high)
    return float(np.exp(np.interp(level, slope[inside], np.log(rigidity[inside]))))


@pytest.mark.parametrize("overrides", [(), SPATIALLY_DEPENDENT])
def test_half_space_is_the_whole_space(overrides):
    """For a symmetric galaxy the upper half alone gives the same numbers."""
    fields = []
    for half, n_z in ((True, 7), (False, 13)):
        run = small_run(
            ("C12", "Be10"),
            (*ALL_PROCESSES, *overrides, f"grid.space.half_space = {str(half).lower()}"),
            n_r=6,
            n_z=n_z,
            energies=("10 MeV", "100 GeV", 12.0),
        )
        grid = build_grid(run.config)
        chain = build_chain(run.config, grid)
        chain.direct = True
        fields.append(chain.solve(build_sources(run.config, grid, chain.network.species)).density[0])
        assert grid.volume.sum() == pytest.approx(np.pi * 20.0**2 * 8.0)
    half, whole = fields
    for index in range(len(half)):
        assert relative_difference(whole[index][..., 6:], half[index]) < 1e-10
        assert relative_difference(whole[index][..., 6::-1], half[index]) < 1e-10


def test_gas_that_is_not_symmetric_needs_the_whole_space():
    offset = OLD_GAS.replace('km/s)"', 'km/s)", mid_plane_offset = true')
    with pytest.raises(ConfigError, match="not symmetric"):
        small_run(("C12",), (offset,))
    whole = small_run(("C12",), (offset, "grid.space.half_space = false", "grid.space.z.n = 13"))
    grid = build_grid(whole.config)
    gas = build_chain(whole.config, grid).galaxy.neutral
    assert np.abs(gas[:, ::-1] / gas - 1.0)[:5].max() > 0.01


@pytest.mark.parametrize("n", [12, 40])
def test_even_number_of_cells_is_refused(n):
    """It would put a face on the plane and the Sun between two cells."""
    with pytest.raises((ConfigError, GridError), match=rf"{n} cells.*odd number.*{n + 1}"):
        build_grid(small_run(("C12",), ("grid.space.half_space = false",), n_z=n).config)


def test_normalisation_outside_the_grid_is_refused():
    outside = (
        'physics.sources.remnants.normalisation = { kind = "local-flux", species = "C12", '
        'kinetic_energy = "10 TeV", flux = "1e-6 GeV^-1 m^-2 s^-1 sr^-1" }'
    )
    with pytest.raises(ConfigError, match="outside the energy grid"):
        small_run(("C12",), (outside,), energies=("10 MeV", "1 TeV", 6.0))


def test_a_solve_that_does_not_converge_is_an_error():
    run = small_run(("C12",), ALL_PROCESSES)
    grid = build_grid(run.config)
    chain = build_chain(run.config, grid)
    source = build_sources(run.config, grid, chain.network.species)[0]
    right = source.spectra["C12"][:, None, None] * source.density
    with pytest.raises(ConvergenceError, match=r"C12: residual"):
        SteadySolver(1e-12, maximum_cycles=1, maximum_krylov=1).solve(chain.operator(0), right, name="C12")


def test_a_source_that_is_not_a_number_is_an_error():
    grid = slab_grid(9)
    source = plane_source(grid)
    source[1, 0, 3] = np.nan
    with pytest.raises(ConvergenceError, match="not a finite number"):
        SteadySolver(1e-8).solve(operator(grid), source)


def test_nothing_is_clipped():
    """A field with negative values goes through the solver as it is: the equation is linear."""
    grid = slab_grid(9)
    source = plane_source(grid)
    source[..., 4] = -10.0
    field, _ = SteadySolver(1e-12).solve(operator(grid), source)
    assert field.min() < -0.1
