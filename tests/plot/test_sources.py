"""The figure of point sources."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff import load_catalogue, source_fluxes
from cyldiff.data.measurements import load
from cyldiff.errors import DataError
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


def test_air_showers_are_shown_where_sources_matter():
    """Protons at the knee are measured against total energy; the point moves by the rest energy, its value stays."""
    fluxes = source_fluxes("example", "nie-2026", kinetic_energy=np.geomspace(1e3, 1e8, 21))
    (ax,) = sources_figure(fluxes, "H1", None).axes
    labels = {c.get_label().removesuffix(", measured"): c for c in ax.containers}
    assert {"DAMPE", "LHAASO (EPOS-LHC)", "IceTop+IceCube", "GRAPES-3"} <= set(labels)
    m = load("grapes3-h-total-energy")
    drawn = labels["GRAPES-3"].lines[0]
    assert drawn.get_xdata() == pytest.approx(m.x - 0.93827, rel=1e-6)
    assert drawn.get_ydata() == pytest.approx(m.y * (m.x - 0.93827) ** 2.7, rel=1e-4)


def test_a_data_set_against_something_else_is_refused():
    fluxes = source_fluxes("example", "nie-2026", kinetic_energy=np.geomspace(1e3, 1e8, 21))
    with pytest.raises(DataError, match="against rigidity"):
        sources_figure(fluxes, "H1", ["ams02-h-rigidity"])
