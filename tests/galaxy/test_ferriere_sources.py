"""Supernovae of Ferriere 2001: her rates per area and in the whole Galaxy, and the mesh."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from cyldiff.errors import ConfigError
from cyldiff.galaxy.ferriere_sources import Ferriere2001
from cyldiff.grid import Grid, energy_grid
from cyldiff.registry import lookup

FAR = 30.0


def grid(n_r=60, n_z=41, **more):
    return Grid.build(
        kinetic_energy=energy_grid(1.0, 10.0, 4.0), radius=20.0, half_height=4.0, n_r=n_r, n_z=n_z,
        **{"half_space": True, "stretch": 4.0, **more},
    )  # fmt: skip


def column(r):
    """Per area [kpc^-2 Myr^-1], by quadrature of the density."""
    law = Ferriere2001()
    return 2.0 * quad(lambda z: float(law.density(np.asarray(r), np.asarray(z))), 0.0, 6.0, epsabs=1e-10)[0]


def test_rates_per_area_at_the_sun():
    """4.8 of type I and 27 of type II per kpc^2 and Myr: her numbers."""
    one, two = 7.3 * 2 * 0.325, 50.0 * np.sqrt(np.pi) * (0.79 * 0.212 + 0.21 * 0.636)
    assert (one, two) == (pytest.approx(4.8, abs=0.06), pytest.approx(27.0, abs=0.4))
    assert column(8.5) == pytest.approx(one + two, rel=1e-8)


def test_rates_of_the_galaxy():
    """One of type I in 250 yr and one of type II in 60 yr: her numbers; 4000 and 16700 per Myr."""
    total = quad(lambda r: 2.0 * np.pi * r * column(r), 0.0, FAR, points=[3.7])[0]
    assert total == pytest.approx(1e6 / 250 + 1e6 / 60, rel=0.04)


def test_it_is_continuous_where_the_ring_begins():
    law = Ferriere2001()
    below, above = (float(law.density(np.asarray(r), np.asarray(0.0))) for r in (3.7 - 1e-9, 3.7 + 1e-9))
    assert below == pytest.approx(above, rel=2e-3)  # she rounds to 3.55


@pytest.mark.parametrize("mesh", [{}, {"half_space": False, "n_z": 81}, {"stretch": 0.0}, {"n_r": 20}])
def test_on_the_mesh(mesh):
    place = grid(**mesh)
    density = lookup("source-distribution", "ferriere-2001")().on_grid(place, 8.3)
    assert np.sum(density * place.volume) == pytest.approx(1.0, rel=1e-12)
    total = quad(lambda r: 2.0 * np.pi * r * column(r), 0.0, 20.0, points=[3.7])[0]
    i = int(np.argmin(np.abs(place.r.centers - 8.0)))
    across = np.sum(density[i] * place.z.widths) * (2.0 if mesh.get("half_space", True) else 1.0)
    low, high = place.r.faces[i : i + 2]
    ring = quad(lambda r: r * column(r), low, high)[0] / quad(lambda r: r, low, high)[0]
    assert across == pytest.approx(ring / total, rel=2e-3)


def test_an_edge():
    density = Ferriere2001(maximum_radius="15 kpc").on_grid(grid(), 8.5)
    assert not density[46:].any()
    assert density[43, 0] > 0.0


def test_no_places_are_drawn_from_it():
    from cyldiff.errors import GridError
    from cyldiff.galaxy.source_places import SourcePlaces

    with pytest.raises(GridError, match="no radial law"):
        SourcePlaces.of(Ferriere2001(), observer_radius=8.5, radius=20.0, half_height=4.0)


def test_a_config_takes_it(tmp_path):
    from cyldiff.config.load import load_config

    text = {"kind": "ferriere-2001"}
    with pytest.raises(ConfigError, match="scale_height"):
        load_config(
            "quickstart",
            overrides=["physics.sources.snr.distribution={kind='ferriere-2001', scale_height='1 kpc'}"],
        )
    config = load_config(
        "quickstart", overrides=["physics.sources.snr.distribution={kind='ferriere-2001'}"]
    ).config
    assert config.physics.sources["snr"].distribution.kind == text["kind"]
