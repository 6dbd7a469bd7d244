"""Electrons in a catalogue: the same numbers as the closed form, their energy, and what a model must have."""

from __future__ import annotations

import numpy as np
import pytest

import cyldiff
from cyldiff import constants as const
from cyldiff.errors import CyldiffError
from cyldiff.sources.catalogue_file import load_catalogue_mapping
from cyldiff.sources.cooling import Cooling
from cyldiff.sources.leptons import lepton_green
from cyldiff.sources.model import as_model
from cyldiff.sources.segments import Segments
from cyldiff.transport.lepton_losses import local_medium

ENERGY = np.geomspace(1.0, 3e3, 15)


def catalogue(mix, **changes):
    row = {
        "name": "pulsar", "position": ["-8.2 kpc", "0 kpc", "0 kpc"], "age": "100 kyr",
        "history": {"kind": "burst", "energy": "1e48 erg"},
        "spectrum": {"kind": "power-law", "index": 2.2, "cutoff": "10 TV", "variable": "kinetic-energy"},
        "species": mix,
    }  # fmt: skip
    return load_catalogue_mapping({"schema": 1, "title": "t", "source": [{**row, **changes}]})


@pytest.fixture(scope="module")
def model():
    return as_model("electrons")


def test_the_closed_form_with_the_energy_of_the_source(model):
    """Half of the energy in electrons, in the medium around the Sun."""
    fluxes = cyldiff.source_fluxes(
        catalogue({"electron": 1.0, "positron": 1.0}), model, kernel="halo", kinetic_energy=ENERGY
    )
    physics = model.physics
    t = np.geomspace(1.0, 1e6, 200_001)
    shape = t**-2.2 * np.exp(-t / 1e4)
    norm = 2.0 * np.trapezoid(shape * t, t)
    segments = Segments(
        np.array([[-8.2, 0.0, 0.0]]), np.array([0.1]), np.array([0.1]), np.array([1e48 * const.ERG_GEV]),
        np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    medium = local_medium(
        physics.observer.r, physics.observer.z, gas=physics.gas,
        magnetic_field=physics.magnetic_field, radiation_field=physics.radiation_field,
    )  # fmt: skip
    cooling = Cooling.of_medium(medium, physics.diffusion, r=physics.observer.r, minimum=0.5, maximum=1e6)
    density, gradient = lepton_green(
        segments, [lambda e: e**-2.2 * np.exp(-e / 1e4) / norm], np.array([-physics.observer.r, 0.0, 0.0]),
        ENERGY, cooling=cooling, half_height=physics.halo.half_height,
    )  # fmt: skip
    beta = np.sqrt(ENERGY * (ENERGY + 2 * const.ELECTRON_MASS)) / (ENERGY + const.ELECTRON_MASS)
    unit = (const.KPC_CM * 1e-2) ** 2 * const.MYR_S
    expected = beta * const.SPEED_OF_LIGHT / (4 * np.pi) * density[0, 0] / unit
    for name in ("electron", "positron"):
        np.testing.assert_allclose(fluxes["flux_lis"].sel(species=name)[0], expected, rtol=1e-4)
    # the source lies inwards: the density falls with r
    slope = fluxes["gradient_lis"].sel(species="electron", direction="r")[0]
    alive = density[0, 0] > 0.0
    np.testing.assert_allclose(slope[alive], -gradient[0, 0, alive, 0] / density[0, 0, alive], rtol=1e-4)
    assert (slope[alive] < 0.0).all()


def test_the_budget_counts_leptons(model):
    fluxes = cyldiff.source_fluxes(catalogue({"H1": 1.0, "electron": 0.5}), model, kernel="halo")
    given = fluxes["injected_energy"].sum("species").item()
    assert given == pytest.approx(1e48, rel=1e-6)
    assert fluxes["species"].values.tolist() == ["H1", "electron"]
    ratio = fluxes["injected_energy"].sel(species="electron") / fluxes["injected_energy"].sel(species="H1")
    assert ratio.item() == pytest.approx(0.5, rel=1e-6)


def test_a_model_without_fields_is_refused():
    with pytest.raises(CyldiffError, match=r"physics\.magnetic_field and physics\.radiation_field"):
        cyldiff.source_fluxes(catalogue({"electron": 1.0}), "nie-2026")
