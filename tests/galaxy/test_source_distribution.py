"""Source distributions: published shapes, normalisation on every mesh, vertical profiles."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from cyldiff.galaxy.source_distribution import CaseBhattacharya1996, SourceDistribution, UniformSources
from cyldiff.grid import Grid, energy_grid
from cyldiff.registry import kinds, lookup

#: kind -> (exponent a, decline b, offset R1) of x^a exp(-b (r - 8.5)/(8.5 + R1)), x = (r + R1)/(8.5 + R1)
PUBLISHED = {
    "case-bhattacharya-1996": (1.69, 3.33, 0.0),
    "case-bhattacharya-1998": (2.00, 3.53, 0.0),
    "green-2015": (1.09, 3.87, 0.0),
    "yusifov-kucuk-2004": (1.64, 4.01, 0.55),
    "lorimer-2006": (1.9, 5.0, 0.0),
    "trotta-2011": (1.25, 3.56, 0.0),
    "yue-2025-snr": (1.25, 3.87, 0.0),
    "yue-2025-xrb": (-5.3, 0.0, 9.5),
}
RADII = np.linspace(0.05, 25.0, 101)


def make(kind, **options):
    extra = {"a": 1.0, "b": 3.0, "R1": "0.5 kpc"} if kind == "power-exponential" else {}
    return lookup("source-distribution", kind).model_validate({"kind": kind, **extra, **options})


def grid(n_r=40, n_z=17, *, half_space=True, stretch=4.0, slab=False, half_height=4.0):
    return Grid.build(
        kinetic_energy=energy_grid(1.0, 10.0, 4.0),
        radius=20.0,
        half_height=half_height,
        n_r=n_r,
        n_z=n_z,
        half_space=half_space,
        stretch=stretch,
        slab_at=8.5 if slab else None,
    )


@pytest.mark.parametrize("kind", PUBLISHED)
def test_published_shapes(kind):
    a, b, offset = PUBLISHED[kind]
    law = make(kind, vertical="plane")
    scale = 8.5 + offset
    expected = ((RADII + offset) / scale) ** a * np.exp(-b * (RADII - 8.5) / scale)
    np.testing.assert_allclose(law.radial(RADII, 8.5), expected, rtol=1e-12)
    assert float(law.radial(np.array(8.5), 8.5)) == pytest.approx(1.0)


def test_a_law_that_becomes_constant():
    """As GALPROP's parameterised sources do between rconst and rmax."""
    law = make("power-exponential", vertical="plane", constant_beyond="10 kpc", maximum_radius="15 kpc")
    free = make("power-exponential", vertical="plane")
    r = np.array([3.0, 9.9, 10.0, 12.0, 14.9])
    np.testing.assert_allclose(law.radial(r, 8.5), free.radial(np.minimum(r, 10.0), 8.5), rtol=1e-14)
    density = law.on_grid(grid(), 8.5)[:, 0]
    np.testing.assert_allclose(density[20:30], density[20], rtol=1e-12)
    assert not density[30:].any()


def test_maximum_lies_where_the_exponents_say():
    """d ln q / dr = 0 at r + R1 = (8.5 + R1) a / b."""
    law = make("yusifov-kucuk-2004", vertical="plane")
    r = np.linspace(0.0, 15.0, 15001)
    peak = r[np.argmax(law.radial(r, 8.5))]
    assert peak == pytest.approx(9.05 * 1.64 / 4.01 - 0.55, abs=2e-3)


def test_gaussian_ring():
    law = make("faucher-giguere-kaspi-2006", vertical="plane")
    values = law.radial(np.array([7.04, 7.04 + 1.83, 7.04 - 1.83]), 8.5)
    np.testing.assert_allclose(values / values[0], [1.0, np.exp(-0.5), np.exp(-0.5)], rtol=1e-12)


#: discs; laws that depend on phi have tests of their own, on 3-D grids
DISCS = sorted(k for k, law in kinds("source-distribution").items() if issubclass(law, SourceDistribution))


@pytest.mark.parametrize("kind", DISCS)
@pytest.mark.parametrize(
    "profile", [("plane", None), ("exponential", "0.1 kpc"), ("gaussian", "0.2 kpc"), ("uniform", "0.2 kpc")]
)
@pytest.mark.parametrize("mesh", [{}, {"half_space": False}, {"stretch": 0.0}, {"slab": True}])
def test_one_particle_in_all(kind, profile, mesh):
    vertical, height = profile
    law = make(kind, vertical=vertical, **({"scale_height": height} if height else {}))
    place = grid(**mesh)
    density = law.on_grid(place, 8.5)
    assert np.sum(density * place.volume) == pytest.approx(1.0, rel=1e-13)
    assert np.all(density >= 0.0)
    if not mesh.get("half_space", True):
        np.testing.assert_allclose(density, density[:, ::-1], rtol=1e-12)


@pytest.mark.parametrize("stretch", [0.0, 4.0])
def test_local_surface_density_does_not_depend_on_the_mesh(stretch):
    r = np.linspace(0.0, 20.0, 200001)
    law = CaseBhattacharya1996(vertical="exponential", scale_height="0.1 kpc")
    exact = 1.0 / (2.0 * np.pi * np.trapezoid(r * law.radial(r, 8.5), r))
    for n_r, n_z in ((20, 9), (40, 17), (41, 33)):
        place = grid(n_r, n_z, stretch=stretch)
        column = 2.0 * np.sum(law.on_grid(place, 8.5) * place.z.widths, axis=1)
        # averages over rings of the surface density
        ring = place.cell_average(lambda r, z: law.radial(r, 8.5) + 0.0 * z)[:, 0]
        np.testing.assert_allclose(column, ring * exact, rtol=1e-4)


@pytest.mark.parametrize(("vertical", "integral"), [("exponential", 1.0), ("gaussian", np.sqrt(np.pi) / 2.0)])
def test_vertical_profiles(vertical, integral):
    """int_0^H of the profile over its height h."""
    h = 0.3
    law = UniformSources(vertical=vertical, scale_height=f"{h} kpc")
    place = grid(n_z=81, stretch=4.0)
    density = law.on_grid(place, 8.5)[3]
    on_plane = 1.0 / (2.0 * h * integral * np.pi * 400.0)
    assert density[0] == pytest.approx(on_plane, rel=2e-2)
    j = int(np.argmin(np.abs(place.z.centers - h)))
    z = place.z.centers[j]
    expected = on_plane * np.exp(-z / h if vertical == "exponential" else -((z / h) ** 2))
    assert density[j] == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("mesh", [{}, {"half_space": False}, {"stretch": 0.0}, {"n_z": 9}])
@pytest.mark.parametrize("h", [0.03, 0.2, 1.234])
def test_uniform_profile_overlaps_cells_exactly(mesh, h):
    """A cell holds the part of it that lies within |z| < h, whatever the mesh."""
    place = grid(**mesh)
    density = UniformSources(vertical="uniform", scale_height=f"{h} kpc").on_grid(place, 8.5)[3]
    low, high = place.z.faces[:-1], place.z.faces[1:]
    overlap = np.clip(np.minimum(high, h) - np.maximum(low, -h), 0.0, None) / (high - low)
    np.testing.assert_allclose(density, overlap / (2.0 * h * np.pi * 400.0), rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("half_space", [True, False])
def test_plane_sources_are_in_the_cell_on_the_plane(half_space):
    place = grid(n_z=21, half_space=half_space)
    density = UniformSources(vertical="plane").on_grid(place, 8.5)
    middle = 0 if half_space else 10
    assert np.all(density[:, middle] > 0.0)
    assert not np.delete(density, middle, axis=1).any()


def test_truncation():
    law = CaseBhattacharya1996(vertical="plane", maximum_radius="15 kpc")
    place = grid()
    density = law.on_grid(place, 8.5)
    assert not density[place.r.faces[:-1] >= 15.0].any()
    assert np.all(density[place.r.faces[1:] <= 15.0, 0] > 0.0)


def test_nothing_on_the_grid_is_refused():
    law = CaseBhattacharya1996(vertical="plane", maximum_radius="0.0001 pc")
    with pytest.raises(ValueError, match="zero everywhere"):
        law.on_grid(grid(n_r=5), 8.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vertical": "plane", "scale_height": "0.1 kpc"}, "remove it"),
        ({"vertical": "exponential"}, "scale_height is missing"),
        ({"vertical": "exponential", "scale_height": "-0.1 kpc"}, "positive"),
        ({"vertical": "parabolic", "scale_height": "0.1 kpc"}, "exponential"),
        ({"vertical": "exponential", "scale_height": 0.1}, "unit"),
    ],
)
def test_impossible_profiles_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        make("green-2015", **options)
