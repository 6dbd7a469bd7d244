"""The figure of point sources."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff import load_catalogue, source_fluxes
from cyldiff.plot.sources import sources_figure


@pytest.mark.parametrize("efficiency", [1.0, 1e-12])
def test_sources_far_below_the_data_are_still_seen(efficiency):
    catalogue = load_catalogue(
        "example", [f"defaults.efficiency={efficiency}", 'source."active".efficiency=1e-12']
    )
    fluxes = source_fluxes(catalogue, "nie-2026", kinetic_energy=np.geomspace(10.0, 1e7, 25))
    figure = sources_figure(fluxes, "H1", None)
    (ax,) = figure.axes
    total = fluxes["flux_lis_total"].sel(species="H1") * fluxes["kinetic_energy"] ** 2.7
    low, high = ax.get_ylim()
    assert low < total.max() / 100.0 < total.max() < high
    assert "GeV" in ax.get_xlabel()
    assert "m$^{-2}$" in ax.get_ylabel()
