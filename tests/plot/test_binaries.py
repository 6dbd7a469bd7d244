"""Figures of the X-ray binary distribution."""

from __future__ import annotations

import numpy as np

from cyldiff.galaxy.xray_binaries import xrb_distribution
from cyldiff.plot.binaries import density_figure, map_figure


def test_the_map_shows_every_object_and_cell(tmp_path):
    result = xrb_distribution()
    figure = map_figure(result)
    (axes,) = figure.axes
    shown = [len(c.get_offsets()) for c in axes.collections]
    assert shown == [140, 291]
    off_axis = np.count_nonzero(result.cells.center[:, 1] > 0.0)
    # circles around the Sun and the centre, cells and their mirror images
    assert len(axes.patches) == 10 + 10 + len(result.cells) + off_axis
    figure.savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_densities_of_several_results(tmp_path):
    results = [xrb_distribution("table-2"), xrb_distribution("hmxb")]
    figure = density_figure(results, titles=["print", "high-mass"])
    first, second = figure.axes
    assert first.get_title() == "print"
    assert second.get_legend() is not None
    np.testing.assert_allclose(first.lines[1].get_ydata(), results[0].rows.plain)
    figure.savefig(tmp_path / "density.png")
