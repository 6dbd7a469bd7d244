"""Spectra that are cut off: hundreds of decades of density on one energy grid, and nothing negative."""

import numpy as np
import pytest

from cyldiff import pipeline
from cyldiff.config.load import load_config
from cyldiff.operators.schemes import face_weights, steep_faces, steep_places

LIGHT = [
    "grid.space.r.n=11",
    "grid.space.z.n=9",
    'species.include=["H1", "He4", "C12", "B11", "Fe56"]',
    "compare.data=[]",
    "solver.grid_error.enabled=false",
    "output.quantities=[]",
]


def cut_off(at: str, sharpness: float = 1.0) -> list[str]:
    keys = [f"physics.sources.snr.injection.{name}" for name in ("default", "H1", "He")]
    return [f"{k}.cutoff={at}" for k in keys] + [f"{k}.cutoff_sharpness={sharpness}" for k in keys]


@pytest.mark.parametrize("reacceleration", [False, True])
@pytest.mark.parametrize(
    ("at", "sharpness"), [("300 TV", 1.0), ("10 TV", 1.0), ("1 TV", 2.0), ("30 GV", 1.0)]
)
def test_a_cut_off_spectrum_converges_and_stays_positive(at, sharpness, reacceleration):
    model = "models/reacceleration" if reacceleration else "quickstart"
    result = pipeline.run(load_config(model, [*LIGHT, *cut_off(at, sharpness)]))
    assert result.attrs["certificate_residual"] <= 1e-8
    assert result.attrs["certificate_minimum"] >= 0.0


def test_far_below_the_cut_off_nothing_changes():
    """At a thousandth of the cut-off rigidity the spectrum is the uncut one to e^-0.001."""
    cut, free = (
        pipeline.run(load_config("quickstart", [*LIGHT, *extra])) for extra in (cut_off("100 TV"), [])
    )
    energy = cut["kinetic_energy"].values
    low = (energy > 1.0) & (energy < 10.0)
    ratio = (cut["flux_lis"] / free["flux_lis"]).values[:, low]
    ratio = ratio / ratio[0, :1]  # the normalisation at 100 GeV sees the cut-off itself
    assert np.max(np.abs(ratio - 1.0)) < 2e-3


def test_the_spectrum_beyond_the_cut_off_follows_the_source():
    """Where losses are negligible, N = Q tau(R): the cut-off of the flux is that of the source."""
    alone = ['species.include=["H1"]', "physics.secondary_protons=false"]
    cut, free = (
        pipeline.run(load_config("quickstart", [*LIGHT, *alone, *extra])) for extra in (cut_off("10 TV"), [])
    )
    energy = cut["kinetic_energy"].values
    high = (energy > 1e4) & (energy < 2e5)
    energy = energy[high]
    ratio = np.log((cut["flux_lis"] / free["flux_lis"]).values[0, high])
    rigidity = np.sqrt(energy * (energy + 2 * 0.938272))
    expected = -rigidity / 1e4
    assert np.polyfit(rigidity, ratio, 1)[0] == pytest.approx(-1e-4, rel=1e-3)
    # the normalisation at 100 GeV adds e^0.01
    np.testing.assert_allclose(ratio - expected, 0.01, atol=0.01)


def test_faces_of_a_cut_off_are_upwind_and_a_power_law_has_none():
    energy = np.geomspace(1.0, 1e6, 60)
    power_law = energy**-1.4
    steep = steep_faces(np.stack([power_law, power_law * np.exp(-energy / 1e3)]))
    assert not steep_faces(power_law).any()
    assert not steep[energy < 1e3].any()
    assert steep[energy > 2e4].all()
    weights = face_weights("third-order", 60, steep)
    assert np.all(weights[1:][steep[1:]] == (0.0, 1.0, 0.0))
    assert np.all(weights[1:-1][~steep[1:-1]] == (1 / 3, 5 / 6, -1 / 6))
    assert np.allclose(weights.sum(axis=1), 1.0)


def test_marks_by_place():
    """A spectrum that is cut off at one place only is upwind there only; nothing above counts as steep."""
    energy = np.geomspace(1.0, 1e6, 60)
    field = np.stack([energy**-1.4, energy**-1.4 * np.exp(-energy / 1e3), 0.0 * energy], axis=1)[:, None]
    steep = steep_places(field)
    assert steep.shape == field.shape
    assert not steep[0].any()
    assert not steep[:, 0, 0].any()
    np.testing.assert_array_equal(steep[1:, 0, 1], steep_faces(field[:, 0, 1])[1:])
    assert steep[1:, 0, 2].all()
    weights = face_weights("third-order", 60, steep)
    assert weights.shape == (60, 3, 1, 3)
    np.testing.assert_array_equal(weights[..., 0, 0], face_weights("third-order", 60))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
