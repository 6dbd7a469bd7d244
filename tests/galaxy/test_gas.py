"""Gas models: values and columns at the Sun, symmetry, plausibility everywhere, averages on a grid."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.integrate import quad

from cyldiff import constants as const
from cyldiff.errors import GridError
from cyldiff.galaxy import Galaxy
from cyldiff.galaxy.gas import GasModel
from cyldiff.grid import Grid, energy_grid
from cyldiff.registry import kinds, lookup

X_CO = "1.9e20 cm^-2/(K km/s)"
OPTIONS = {
    "bronfman-1988": {"X_CO": X_CO},
    "uniform-disc": {"surface_density": "2.3 mg/cm^2", "half_thickness": "0.1 kpc"},
}
#: density of H nuclei on the plane at 8.5 kpc [cm^-3], column through the disc [1e20 H nuclei per cm^2]
AT_SUN = {
    "ferriere-2001-hi": (0.570, 4.31),
    "ferriere-2001-h2": (2 * 0.283, 2 * 1.10),
    "nakanishi-sofue-2003": (0.232, 8.83),
    "nakanishi-sofue-2006": (2 * 0.108, 2 * 1.20),
    "cordes-1991": (0.0221, 1.2996),
    "gordon-burton-1976": (0.584, 5.86),
}
#: the arms need a 3-D grid and a disc to modulate; they have tests of their own
PHASES = sorted(set(kinds("gas")) - {"none", "spiral-arms"})


def phase(kind):
    return lookup("gas", kind).model_validate({"kind": kind, **OPTIONS.get(kind, {})})


def column(law, r=8.5):
    """int n dz over the whole disc [cm^-2]."""
    pieces = [0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0, 30.0]
    values = [
        quad(lambda z: float(law.density(np.array(r), np.array(z))), a, b)[0] for a, b in pairwise(pieces)
    ]
    return 2.0 * sum(values) * const.KPC_CM


def model(**phases):
    table = {name: {"kind": "none"} for name in ("HI", "H2", "HII")}
    for name, kind in phases.items():
        table[name] = {"kind": kind, **OPTIONS.get(kind, {})}
    return GasModel.model_validate({**table, "helium_fraction": 0.11})


def grid(n_r=20, n_z=17, *, half_space=True, stretch=4.0):
    return Grid.build(
        kinetic_energy=energy_grid(1.0, 10.0, 4.0),
        radius=20.0,
        half_height=4.0,
        n_r=n_r,
        n_z=n_z,
        half_space=half_space,
        stretch=stretch,
    )


@pytest.mark.parametrize("kind", AT_SUN)
def test_density_and_column_at_the_sun(kind):
    density, expected = AT_SUN[kind]
    law = phase(kind)
    assert float(law.density(np.array(8.5), np.array(0.0))) == pytest.approx(density, rel=5e-3)
    assert column(law) / 1e20 == pytest.approx(expected, rel=5e-3)


def test_molecular_table_of_bronfman():
    """Emissivity 9.6 K km/s/kpc at 5.25 kpc: 2 X_CO 9.6 / kpc H nuclei per cm^3 where the disc is densest."""
    law = phase("bronfman-1988")
    on_plane = float(law.density(np.array(5.25), np.array(0.0)))
    assert on_plane == pytest.approx(2.0 * 9.6 * 1.9e20 / const.KPC_CM, rel=1e-6)
    assert float(law.density(np.array(11.0), np.array(0.0))) == 0.0


def test_surface_density_of_the_local_disc():
    """1.4 m_H per H nucleus: 1.82 mg/cm^2 for Ferriere, Bronfman and Cordes, 2.93 for Nakanishi & Sofue."""
    mass = 1.4 * const.HYDROGEN_MASS_G * 1e3
    first = sum(column(phase(k)) for k in ("ferriere-2001-hi", "ferriere-2001-h2", "cordes-1991"))
    second = sum(column(phase(k)) for k in ("nakanishi-sofue-2003", "nakanishi-sofue-2006", "cordes-1991"))
    assert first * mass == pytest.approx(1.82, rel=1e-2)
    assert second * mass == pytest.approx(2.93, rel=1e-2)


def test_uniform_disc_has_its_surface_density():
    law = phase("uniform-disc")
    inside = float(law.density(np.array(3.0), np.array(0.05)))
    mass = inside * 2.0 * 0.1 * const.KPC_CM * 1.4 * const.HYDROGEN_MASS_G
    assert mass == pytest.approx(2.3e-3, rel=1e-12)
    assert float(law.density(np.array(3.0), np.array(0.11))) == 0.0
    assert law.edges == (0.1,)


@pytest.mark.parametrize("half_space", [True, False])
@pytest.mark.parametrize("n_z", [17, 33])
@pytest.mark.parametrize("stretch", [0.0, 5.0])
def test_uniform_disc_keeps_its_mass_on_every_mesh(stretch, n_z, half_space):
    """The edge of the disc lies somewhere inside a cell."""
    mesh = grid(n_z=n_z if half_space else 2 * n_z - 1, stretch=stretch, half_space=half_space)
    galaxy = Galaxy.on_grid(model(HI="uniform-disc"), mesh)
    mass = np.sum(galaxy.hydrogen * mesh.volume) * const.KPC_CM * 1.4 * const.HYDROGEN_MASS_G
    assert mass == pytest.approx(2.3e-3 * np.pi * 400.0, rel=1e-10)


@pytest.mark.parametrize("kind", PHASES)
def test_densities_are_finite_and_positive_far_beyond_the_disc(kind):
    r, z = np.meshgrid(np.linspace(0.0, 60.0, 241), np.linspace(-20.0, 20.0, 161), indexing="ij")
    density = phase(kind).density(r, z)
    assert density.shape == r.shape
    assert np.all(np.isfinite(density))
    assert np.all(density >= 0.0)
    assert density.max() > 0.01


@pytest.mark.parametrize("kind", PHASES)
def test_symmetric_unless_said_otherwise(kind):
    law = phase(kind)
    r, z = np.meshgrid(np.linspace(0.1, 20.0, 40), np.linspace(0.0, 1.0, 21), indexing="ij")
    np.testing.assert_allclose(law.density(r, z), law.density(r, -z), rtol=1e-13)


def test_measured_offsets_of_the_molecular_disc():
    law = lookup("gas", "bronfman-1988").model_validate(
        {"kind": "bronfman-1988", "X_CO": X_CO, "mid_plane_offset": True}
    )
    assert not law.symmetric
    gas = GasModel.model_validate(
        {"HI": {"kind": "none"}, "H2": law.model_dump(), "HII": {"kind": "none"}, "helium_fraction": 0.1}
    )
    with pytest.raises(GridError, match="not symmetric in z"):
        Galaxy.on_grid(gas, grid())
    assert Galaxy.on_grid(gas, grid(n_z=33, half_space=False)).neutral.max() > 0.1


@pytest.mark.parametrize("half_space", [True, False])
def test_cell_averages_keep_the_mass(half_space):
    """Total mass on coarse meshes against a fine one, uniform cells of 0.5 kpc included."""
    gas = model(HI="ferriere-2001-hi", H2="ferriere-2001-h2", HII="cordes-1991")
    n_z = 9 if half_space else 17
    meshes = [grid(20, n_z, half_space=half_space, stretch=a) for a in (0.0, 4.0)] + [grid(160, 81)]
    masses = [np.sum(Galaxy.on_grid(gas, mesh).hydrogen * mesh.volume) for mesh in meshes]
    np.testing.assert_allclose(masses, masses[-1], rtol=3e-3)
    coarse = meshes[0]
    on_points = gas.neutral(coarse.r.centers[:, None], coarse.z.centers)
    on_points = on_points + gas.ionised(coarse.r.centers[:, None], coarse.z.centers)
    assert abs(np.sum(on_points * coarse.volume) / masses[-1] - 1.0) > 0.3


def test_helium_and_phases():
    gas = model(HI="ferriere-2001-hi", H2="ferriere-2001-h2", HII="cordes-1991")
    galaxy = Galaxy.on_grid(gas, grid())
    np.testing.assert_allclose(galaxy.helium, 0.11 * galaxy.hydrogen)
    np.testing.assert_allclose(galaxy.hydrogen, galaxy.neutral + galaxy.ionised)
    assert 0.05 < gas.thickness < 0.3
    assert model().thickness == 0.0


def test_a_broken_gas_model_is_refused():
    class Negative:
        def density(self, r, z):
            return np.cos(r) + 0.0 * z

    gas = model().model_copy(update={"HI": Negative()})
    with pytest.raises(GridError, match="neutral gas density is negative or not a number"):
        Galaxy.on_grid(gas, grid())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"helium_fraction": 0.5}, "about 0.1"),
        ({"helium_fraction": -0.1}, "greater than or equal to 0"),
        ({"HI": {"kind": "ferrière"}}, "unknown"),
        ({"HI": {}}, "is missing"),
        ({"H2": {"kind": "bronfman-1988"}}, "X_CO"),
    ],
)
def test_impossible_gas_is_refused(changes, message):
    good = {
        "HI": {"kind": "ferriere-2001-hi"},
        "H2": {"kind": "none"},
        "HII": {"kind": "none"},
        "helium_fraction": 0.1,
    }
    GasModel.model_validate(good)
    with pytest.raises((ValidationError, ValueError), match=message):
        GasModel.model_validate(good | changes)
