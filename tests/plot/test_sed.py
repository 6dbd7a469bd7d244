"""Figures of spectra of single sources."""

from __future__ import annotations

import numpy as np
import pytest

from cyldiff.config.load_source import load_source
from cyldiff.errors import DataError
from cyldiff.observables.single_source import sed
from cyldiff.plot.sed import draw_sed, sed_figure


def test_parts_points_and_limits():
    loaded = load_source("v4641-sgr-hadronic")
    figure = sed_figure(sed(loaded.model), data=loaded.data, title="V4641 Sgr")
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["protons", "LHAASO-KM2A", "HAWC"]
    assert axes.get_xlabel() == "Photon energy $E$ [TeV]"
    assert axes.get_title() == "V4641 Sgr"


def test_what_cannot_be_seen_is_not_in_the_legend():
    figure = sed_figure(sed(load_source("ss433-lepto-hadronic").model))
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["sum", "cloud", "lobes inverse-compton"]
    np.testing.assert_allclose(
        figure.axes[0].lines[0].get_ydata(), sed(load_source("ss433-lepto-hadronic").model).sed
    )


def test_refused(tmp_path):
    with pytest.raises(DataError, match='figure format "gif" unknown'):
        draw_sed(sed(load_source("ss433-hadronic").model), path=tmp_path / "x.gif")
