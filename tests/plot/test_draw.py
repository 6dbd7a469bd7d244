"""Figures: the file is written, every point is drawn, the curves are those of the observables."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from cyldiff.constants import ATOMIC_MASS_UNIT, PROTON_MASS
from cyldiff.data import compare, load
from cyldiff.errors import CyldiffError, DataError
from cyldiff.observables import ForceField, ratio, spectrum
from cyldiff.plot import draw

#: name -> charge, mass number, intensity at 10 GV [m^-2 s^-1 sr^-1 GV^-1], extra index
SPECIES = {
    "H1": (1, 1, 26.0, 0.05), "H2": (1, 2, 0.4, 0.3), "He4": (2, 4, 4.4, 0.0), "Be9": (4, 9, 0.012, 0.35),
    "Be10": (4, 10, 0.0025, 0.35), "B10": (5, 10, 0.012, 0.35), "B11": (5, 11, 0.027, 0.35),
    "C12": (6, 12, 0.135, 0.0), "O16": (8, 16, 0.13, 0.0), "Fe56": (26, 56, 0.013, 0.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def dataset():
    """Power laws in rigidity with magnitudes of the real ones, bent below 4 GV."""
    t = np.geomspace(1e-3, 1e6, 9 * 16 + 1)
    flux = []
    for charge, mass_number, norm, extra in SPECIES.values():
        mass = PROTON_MASS if mass_number == 1 else ATOMIC_MASS_UNIT
        momentum = np.sqrt(t * (t + 2.0 * mass))
        rigidity, beta = momentum * mass_number / charge, momentum / (t + mass)
        per_rigidity = norm * (rigidity / 10.0) ** (-2.7 - extra) * 1.3 / (1.0 + (rigidity / 4.0) ** -1.3)
        flux.append(per_rigidity * mass_number / charge / beta)
    charge, mass_number, _, _ = zip(*SPECIES.values(), strict=True)
    return xr.Dataset(
        {
            "flux_lis": (("species", "kinetic_energy"), np.array(flux)),
            "charge": ("species", list(charge)),
            "mass_number": ("species", list(mass_number)),
            "mass_per_nucleon": ("species", [PROTON_MASS, *[ATOMIC_MASS_UNIT] * (len(SPECIES) - 1)]),
        },
        coords={"species": list(SPECIES), "kinetic_energy": t},
    )


def _points(ax):
    """Number of points with error bars on an axis, in order of drawing."""
    return [len(container[0].get_xdata()) for container in ax.containers]


def _line(ax, label):
    (line,) = [one for one in ax.lines if label in str(one.get_label())]
    return line


def test_a_ratio_with_data_and_pulls(dataset, tmp_path):
    path = tmp_path / "bc.png"
    figure = draw(dataset, "B/C", path=path, potential=0.6)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 20_000
    main, pulls = figure.axes
    data = load("ams02-b-c-rigidity")
    assert _points(main) == [len(data)]
    # every point has its pull, inside the frame or as a triangle at its edge
    dots = [line for line in pulls.lines if line.get_marker() not in ("None", "")]
    assert sum(len(line.get_xdata()) for line in dots) == len(data)
    inside = compare(dataset, data, potential=0.6).pull
    np.testing.assert_allclose(dots[0].get_ydata(), inside[np.abs(inside) <= 5.0])
    assert "GV" in pulls.get_xlabel()
    assert "AMS-02" in main.get_legend().get_texts()[-1].get_text()


def test_the_curves_are_the_ratio_of_the_observables(dataset, tmp_path):
    figure = draw(dataset, "B/C", path=tmp_path / "bc.png", potential=0.6)
    solid, dashed = _line(figure.axes[0], "0.6 GV"), _line(figure.axes[0], "interstellar")
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    x = solid.get_xdata()
    np.testing.assert_allclose(solid.get_ydata(), ratio(dataset, "B", "C", x=x, potential=0.6))
    np.testing.assert_allclose(dashed.get_ydata(), ratio(dataset, "B", "C", x=x))
    data = load("ams02-b-c-rigidity")
    assert x[0] < data.x[0]
    assert x[-1] > data.x[-1]


@pytest.mark.parametrize("what", ["Be10/Be9", "10Be/9Be"])
def test_beryllium_isotopes_collect_the_small_experiments(dataset, tmp_path, what):
    figure = draw(dataset, what, path=tmp_path / "be.png", potential=0.5)
    assert sorted(_points(figure.axes[0])) == [2, 3, 3]
    assert figure.axes[0].get_yscale() == "linear"


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_formats(dataset, tmp_path, suffix):
    path = tmp_path / f"c.{suffix}"
    draw(dataset, "spectrum:C", path=path, potential=0.6)
    assert path.stat().st_size > 5000


def test_a_spectrum_is_shown_times_its_power(dataset, tmp_path):
    figure = draw(dataset, "spectrum:C", path=tmp_path / "c.png", potential=0.6)
    main = figure.axes[0]
    data = load("ams02-c-rigidity")
    assert _points(main) == [len(data)]
    np.testing.assert_allclose(main.containers[0][0].get_ydata(), data.y * data.x**2.7)
    assert "R^{2.7}" in main.get_ylabel()
    assert "GV$^{1.7}$" in main.get_ylabel()


def test_an_isotope_without_data_is_shown_beside_its_element(dataset, tmp_path):
    figure = draw(dataset, "spectrum:H1", path=tmp_path / "h.png", potential=0.6)
    main = figure.axes[0]
    assert _points(main) == [len(load("ams02-h-rigidity"))]
    alone, element = _line(main, "alone").get_ydata(), _line(main, "0.6 GV").get_ydata()
    assert np.all(alone < element)
    assert np.all(alone > 0.9 * element)


def test_interstellar_data_get_the_interstellar_curve_alone(dataset, tmp_path):
    figure = draw(
        dataset, "spectrum:C", path=tmp_path / "c.png", potential=0.6, abscissa="kinetic_energy_per_nucleon"
    )
    main = figure.axes[0]
    assert _points(main) == [len(load("voyager1-c-kinetic-energy-per-nucleon"))]
    labels = [text.get_text() for text in main.get_legend().get_texts()]
    assert sum("model" in label for label in labels) == 1


def test_listed_sets_of_two_abscissae_get_two_columns(dataset, tmp_path):
    sets = ["ams02-b-c-rigidity", "dampe-b-c-kinetic-energy-per-nucleon"]
    modulation = ForceField(potential="0.6 GV", by_experiment={"DAMPE": "500 MV"})
    figure = draw(dataset, "B/C", path=tmp_path / "bc.png", data=sets, potential=modulation)
    left, right = figure.axes[:2]
    assert (_points(left), _points(right)) == ([67], [13])
    assert _line(left, "0.6 GV") is not None
    assert _line(right, "0.5 GV") is not None


def test_several_spectra_on_one_axis(dataset, tmp_path):
    figure = draw(dataset, "spectra", path=tmp_path / "all.png", potential=0.6)
    (ax,) = figure.axes
    shown = ["h", "he", "c", "o", "b", "fe"]
    assert _points(ax) == [len(load(f"ams02-{e}-rigidity")) for e in shown]
    names = [text.get_text() for text in ax.texts]
    assert [name.split()[0] for name in names] == ["H", "He", "C", "O", "B", "Fe"]
    # carbon and oxygen would cover each other: one of them is shifted, and says so
    assert sum("times" in name for name in names[2:4]) == 1


@pytest.mark.parametrize("abscissa", ["rigidity", "kinetic_energy_per_nucleon"])
def test_points_and_curves_of_several_spectra_are_scaled_alike(dataset, tmp_path, abscissa):
    """A measurement that is the model itself lies on its curve, with and without a power of the energy."""
    (name,) = {"ams02-he-rigidity", "voyager1-he-kinetic-energy-per-nucleon"} & {
        f"{experiment}-he-{abscissa.replace('_', '-')}" for experiment in ("ams02", "voyager1")
    }
    data = load(name)
    model = spectrum(dataset, "He", abscissa=abscissa, x=data.x).to_numpy()
    exact = dataclasses.replace(data, y=model)
    figure = draw(dataset, "spectra:He", path=tmp_path / "he.png", data=[exact])
    (ax,) = figure.axes
    curve = ax.lines[0]
    on_curve = np.interp(np.log(data.x), np.log(curve.get_xdata()), np.log(curve.get_ydata()))
    np.testing.assert_allclose(np.log(ax.containers[0][0].get_ydata()), on_curve, atol=1e-3)


def test_chosen_spectra(dataset, tmp_path):
    figure = draw(dataset, "spectra:He,Fe", path=tmp_path / "two.png", potential=0.6)
    assert _points(figure.axes[0]) == [68, 46]


def test_without_potential_only_the_interstellar_curve_is_drawn(dataset, tmp_path):
    figure = draw(dataset, "B/C", path=tmp_path / "bc.png", data=[])
    (main,) = figure.axes
    assert len(main.lines) == 1
    assert main.lines[0].get_linestyle() == "-"


def test_upper_limits_are_arrows_not_points(dataset, tmp_path):
    data = load("ams02-b-c-rigidity")
    limits = np.arange(len(data)) >= 60
    data = dataclasses.replace(data, upper_limit=limits)
    figure = draw(dataset, "B/C", path=tmp_path / "bc.png", data=[data], potential=0.6)
    assert _points(figure.axes[0]) == [60, 7]
    assert figure.axes[0].containers[1].has_yerr


class TestRefused:
    @pytest.mark.parametrize(
        ("what", "message"),
        [
            ("spectrm:C", 'cannot draw "spectrm:C".*did you mean "spectrum:C"'),
            ("B-C", 'cannot draw.*did you mean "B/C"'),
            ("spectrum:", "cannot draw"),
            ("B/Xx", '"Xx" is not in this result'),
            ("spectra:H,Xx", '"Xx" is not in this result'),
        ],
    )
    def test_what_it_does_not_understand(self, dataset, tmp_path, what, message):
        with pytest.raises(DataError, match=message):
            draw(dataset, what, path=tmp_path / "x.png")
        assert not (tmp_path / "x.png").exists()

    def test_data_of_another_quantity(self, dataset, tmp_path):
        with pytest.raises(DataError, match='"ams02-c-rigidity" measures C, not B/C'):
            draw(dataset, "B/C", path=tmp_path / "x.png", data=["ams02-c-rigidity"])
        with pytest.raises(DataError, match="measured by ams02-b-c-rigidity"):
            draw(dataset, "spectra", path=tmp_path / "x.png", data=["ams02-b-c-rigidity"])

    def test_a_file_it_cannot_write(self, dataset, tmp_path):
        with pytest.raises(DataError, match="format"):
            draw(dataset, "B/C", path=tmp_path / "x.jpeg")
        with pytest.raises(DataError, match="does not exist"):
            draw(dataset, "B/C", path=tmp_path / "nowhere" / "x.png")

    def test_matplotlib_is_missing(self, dataset, tmp_path, monkeypatch):
        for name in [
            n for n in sys.modules if n.startswith(("cyldiff.plot.quantity", "cyldiff.plot.overview"))
        ]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(CyldiffError, match=r'pip install "cyldiff\[plot\]"'):
            draw(dataset, "B/C", path=tmp_path / "x.png")


def test_matplotlib_is_imported_only_to_draw():
    code = "import sys, cyldiff.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_global_settings_stay_as_they_are(dataset, tmp_path):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    draw(dataset, "B/C", path=tmp_path / "bc.png", potential=0.6)
    assert dict(mpl.rcParams) == before


@pytest.fixture(scope="module")
def point_sources():
    """Two sources of hydrogen and helium with the spectra of the paper figures."""
    t = np.geomspace(10.0, 1e8, 57)
    flux = np.array(
        [
            [norm * share * t**-2.7 * np.exp(-t / cut) for share in (1.0, 0.1)]
            for norm, cut in ((1e3, 1e5), (30.0, 1e7))
        ]
    )
    return xr.Dataset(
        {
            "flux_lis": (("source", "species", "kinetic_energy"), flux),
            "flux_lis_total": (("species", "kinetic_energy"), flux.sum(axis=0)),
            "charge": ("species", [1, 2]),
            "mass_number": ("species", [1, 4]),
            "mass_per_nucleon": ("species", [PROTON_MASS, ATOMIC_MASS_UNIT]),
        },
        coords={"source": ["near", "far"], "species": ["H1", "He4"], "kinetic_energy": t},
    )


class TestSources:
    def test_each_and_all(self, point_sources, tmp_path):
        """E^2.7 J of hydrogen is what went in; the sum is that of both; data per particle, DAMPE among them."""
        figure = draw(point_sources, "sources", path=tmp_path / "s.png")
        (ax,) = figure.axes
        near, far, every = (_line(ax, label) for label in ("near", "far", "sum"))
        x = near.get_xdata()
        seen = x < 5e6  # what is zero in numbers is not drawn
        np.testing.assert_allclose(near.get_ydata()[seen], 1e3 * np.exp(-x / 1e5)[seen], rtol=1e-9)
        both = np.nan_to_num(near.get_ydata()) + far.get_ydata()
        np.testing.assert_allclose(every.get_ydata(), both, rtol=1e-9)
        assert len(load("dampe-h-kinetic-energy")) in _points(ax)

    def test_helium_is_per_particle(self, point_sources, tmp_path):
        figure = draw(point_sources, "sources:He", path=tmp_path / "s.pdf", data=[])
        line = _line(figure.axes[0], "near")
        energy = line.get_xdata()
        assert energy[0] == pytest.approx(40.0)
        # J(E) = J(T) / 4
        expected = energy**2.7 * 100.0 * (energy / 4.0) ** -2.7 * np.exp(-energy / 4e5) / 4.0
        seen = energy < 5e6
        np.testing.assert_allclose(line.get_ydata()[seen], expected[seen], rtol=1e-9)

    def test_many(self, point_sources, tmp_path):
        """Beyond the brightest ones they are grey and not in the legend."""
        many = xr.concat([point_sources.isel(source=[0])] * 12, "source", data_vars="minimal")
        many = many.assign_coords(source=[f"s{i}" for i in range(12)])
        many["flux_lis"] = many["flux_lis"] * xr.DataArray(np.arange(1.0, 13.0), dims="source")
        many["flux_lis_total"] = many["flux_lis"].sum("source")
        ax = draw(many, "sources", path=tmp_path / "m.svg", data=[]).axes[0]
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == ["s11", "s10", "s9", "s8", "s7", "s6", "s5", "all 12 sources"]
        assert len(ax.lines) == 13

    def test_other_figures_are_of_the_sum(self, point_sources, tmp_path):
        figure = draw(point_sources, "spectrum:H1", path=tmp_path / "s.png", abscissa="kinetic_energy")
        assert figure.axes

    def test_refused(self, dataset, point_sources, tmp_path):
        with pytest.raises(DataError, match='draws a file of "cyldiff sources"'):
            draw(dataset, "sources", path=tmp_path / "s.png")
        with pytest.raises(DataError, match='"C" is not in this result'):
            draw(point_sources, "sources:C", path=tmp_path / "s.png")
        with pytest.raises(DataError, match="measures H against rigidity"):
            draw(point_sources, "sources", path=tmp_path / "s.png", data=["ams02-h-rigidity"])
        nothing = point_sources.assign(flux_lis_total=0.0 * point_sources["flux_lis_total"])
        with pytest.raises(DataError, match="no H1 of these sources reaches the Sun"):
            draw(nothing, "sources", path=tmp_path / "s.png")
