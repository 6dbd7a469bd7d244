"""The response as an object: reading it, refusing what it cannot answer, files, the map, the command."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import cyldiff
from cyldiff import constants as const
from cyldiff.cli import main
from cyldiff.config.load import load_config
from cyldiff.errors import DataError, GridError
from cyldiff.sources.response import SourceResponse, grid_density, source_response
from cyldiff.sources.response.kernels import evaluate_pieces
from cyldiff.sources.segments import Segments

COARSE = {"core": 0.4, "growth": 0.2}
SMALL = ("grid.space.z.n=9", "grid.momentum.per_decade=4", 'species.include=["H1"]', "compare.data=[]")


def small(*overrides):
    return load_config("quickstart", (*SMALL, *overrides))


def pieces(position, oldest=1.0, youngest=0.0, energy=1.0, spectrum=0):
    n = len(position)
    return Segments(
        np.asarray(position, dtype=float),
        np.full(n, float(oldest)),
        np.full(n, float(youngest)),
        np.full(n, float(energy)),
        np.arange(n),
        np.full(n, spectrum, dtype=np.int64),
    )


PLACES = np.array(
    [[-8.0, 0.3, 0.1], [-8.0, -0.3, 0.1], [-8.0, 0.3, -0.1], [-5.0, 2.0, 0.5], [3.0, 1.0, -1.0]]
)


@pytest.fixture(scope="module")
def steady():
    return source_response(small(), kinetic_energy=[1e4, 1e6], **COARSE)


@pytest.fixture(scope="module")
def in_time():
    return source_response(small(), kinetic_energy=1e5, ages=0.5, **COARSE)


class TestReading:
    def test_symmetries(self, steady):
        """Both sides of the meridian and of the plane; the gradient turns with them."""
        density, gradient = steady.transfer(pieces(PLACES))
        for other, sign in ((1, [1, -1, 1]), (2, [1, 1, -1])):
            np.testing.assert_allclose(density[other], density[0], rtol=1e-12)
            np.testing.assert_allclose(gradient[other], gradient[0] * sign, rtol=1e-9, atol=1e-14)
        # towards the source: it is nearer to the centre (r falls), at phi below pi, above the plane
        assert np.all(gradient[0] / density[0, :, None] * [-1, -1, 1] > 0.0)

    def test_the_gradient_is_that_of_the_density(self, steady):
        """Along phi: the observer that moves by dphi sees the source turned by -dphi."""
        small_angle = 1e-4
        x, y, z = PLACES[3]
        turned = [
            [x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a), z]
            for a in (-small_angle, small_angle)
        ]
        before, after = steady.transfer(pieces(turned))[0]
        slope = steady.transfer(pieces(PLACES[3:4]))[1][0, :, 1]
        np.testing.assert_allclose(slope, (before - after) / (2.0 * small_angle) / 8.5, rtol=0.01)

    def test_evaluate_is_energy_times_spectrum_times_transfer(self, steady):
        energy = np.geomspace(2e4, 5e5, 6)
        spectra = np.array([energy**-2.0, 3.0 * energy**-2.5])
        one = pieces(PLACES, energy=5.0, spectrum=1)
        density, gradient = steady.evaluate(one, spectra, energy)
        alone, slope = steady.transfer(one, energy)
        np.testing.assert_allclose(density, 5.0 * spectra[1] * alone, rtol=1e-12)
        np.testing.assert_allclose(gradient, 5.0 * spectra[1][:, None] * slope, rtol=1e-12)

    def test_a_steady_source_has_the_power_energy_over_oldest(self, steady):
        short, long = (steady.transfer(pieces(PLACES, oldest=age))[0] for age in (2.0, 10.0))
        np.testing.assert_allclose(short, 5.0 * long, rtol=1e-12)
        r, phi = np.hypot(*PLACES.T[:2]), np.arctan2(PLACES[:, 1], PLACES[:, 0])
        np.testing.assert_allclose(steady.at(r, phi, PLACES[:, 2]), 2.0 * short, rtol=1e-12)

    def test_at_broadcasts(self, in_time):
        values = in_time.at(np.array([[8.0], [7.0]]), np.pi, np.array([0.0, 0.2, 0.4]), age=0.1)
        assert values.shape == (2, 3, 1)
        assert values[0, 0, 0] == in_time.at(8.0, np.pi, 0.0, age=0.1)[0]

    def test_nothing_from_outside_of_the_box_or_from_the_future(self, in_time):
        outside = pieces([[-25.0, 0.0, 0.0], [-8.0, 0.0, 6.0]], 0.2, 0.1)
        assert not in_time.transfer(outside)[0].any()
        for old, young in ((-0.1, -0.1), (-0.1, -0.2), (0.0, 0.0)):
            assert not in_time.transfer(pieces(PLACES, old, young))[0].any()
        # half of this one is still to come
        past = in_time.transfer(pieces(PLACES, 0.2, 0.0))[0]
        np.testing.assert_allclose(in_time.transfer(pieces(PLACES, 0.2, -0.2))[0], 0.5 * past, rtol=1e-12)

    def test_causality(self, in_time):
        """Nothing before the light: d = 0.5 kpc needs 1.6 kyr."""
        place, light = np.array([[-8.0, 0.0, 0.0]]), 0.5 / const.SPEED_OF_LIGHT
        for age, seen in ((0.99 * light, False), (1.01 * light, True)):
            burst = pieces(place, age, age)
            assert bool(in_time.transfer(burst)[0].any()) is seen
            assert in_time.transfer(burst, causality=False)[0].all()
        on = in_time.transfer(pieces(place, 2.0 * light, 0.0))[0] * 2.0
        late = in_time.transfer(pieces(place, 2.0 * light, light))[0]
        np.testing.assert_allclose(on, late, rtol=1e-6)

    def test_a_piece_that_gets_short_is_a_burst(self, in_time):
        burst = in_time.transfer(pieces(PLACES[:4], 0.3, 0.3))
        short = in_time.transfer(pieces(PLACES[:4], 0.3 + 1e-6, 0.3 - 1e-6))
        for one, other in zip(burst, short, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-12)

    def test_the_closed_form_goes_over_into_the_table(self, in_time):
        """Next to no jump at the age at which the starting kernel is handed over: 2 % as in T17, cells of 0.2 kpc."""
        begin = float(in_time.start_age(1e5))
        around = [[-8.5 + 0.3 * np.cos(a), 0.3 * np.sin(a), 0.1] for a in (0.2, 1.5, 3.0)]
        before, after = (in_time.transfer(pieces(around, t, t))[0] for t in (begin * 0.9999, begin * 1.0001))
        np.testing.assert_allclose(after, before, rtol=0.02)

    def test_interpreted_kernel(self, in_time, monkeypatch):
        """The same without numba."""
        from cyldiff.sources.response import kernels

        expected = [in_time.transfer(pieces(PLACES, *ages)) for ages in ((0.2, 0.2), (0.3, 0.0), (0.3, 0.25))]
        for name in dir(kernels):
            function = getattr(kernels, name)
            if hasattr(function, "py_func"):
                monkeypatch.setattr(kernels, name, function.py_func)
        monkeypatch.setattr("cyldiff.sources.response.response.evaluate_pieces", evaluate_pieces.py_func)
        found = [in_time.transfer(pieces(PLACES, *ages)) for ages in ((0.2, 0.2), (0.3, 0.0), (0.3, 0.25))]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one[0], other[0], rtol=1e-5)


class TestRefusals:
    def test_energies_and_spectra(self, steady):
        with pytest.raises(DataError, match="the response covers 1e"):
            steady.transfer(pieces(PLACES), [1e3])
        with pytest.raises(DataError, match="a spectrum per row"):
            steady.evaluate(pieces(PLACES), np.ones(3))
        with pytest.raises(DataError, match="a spectrum per row"):
            steady.evaluate(pieces(PLACES, spectrum=2), np.ones((1, len(steady.kinetic_energy))))

    def test_a_steady_response_knows_no_ages(self, steady):
        with pytest.raises(DataError, match=r"5 of 5 pieces are not on now.*solve it with ages"):
            steady.transfer(pieces(PLACES, 2.0, 1.0))
        with pytest.raises(DataError, match="steady state"):
            steady.at(8.0, 3.0, 0.0, age=1.0)

    def test_older_than_the_response(self, in_time):
        assert not in_time.gone
        in_time.transfer(pieces(PLACES, 0.5, 0.0))
        with pytest.raises(DataError, match=r"older than the 0\.\d+ Myr of the response"):
            in_time.transfer(pieces(PLACES, 0.51, 0.0))

    @pytest.mark.parametrize(
        ("choices", "message"),
        [
            ({"species": "H9"}, 'species "H9" unknown; did you mean'),
            ({"ages": -1.0}, "ages must be positive"),
            ({"kinetic_energy": [1e12]}, "expected some within those of the run"),
            ({"kinetic_energy": []}, "expected some within"),
            ({"core": -1.0}, "expected a length"),
        ],
    )
    def test_bad_choices(self, choices, message):
        with pytest.raises((DataError, GridError), match=message):
            source_response(small(), **{"kinetic_energy": [1e5], **choices})

    def test_models_it_is_not_made_for(self):
        with pytest.raises(GridError, match="slab"):
            source_response(
                small('grid={use="slab-1d"}', "grid.momentum.per_decade=4"), kinetic_energy=[1e5], **COARSE
            )

    def test_gas_in_arms(self):
        run = load_config("spiral-arms", ('species.include=["H1"]', "compare.data=[]", "grid.space.z.n=9"))
        if not any(hasattr(getattr(run.config.physics.gas, p), "around") for p in ("HI", "H2", "HII")):
            pytest.skip("the gas of this run is axisymmetric")
        with pytest.raises(GridError, match="phi"):
            source_response(run, kinetic_energy=[1e5], **COARSE)


class TestFiles:
    def test_there_and_back(self, in_time, tmp_path):
        in_time.save(tmp_path / "r.nc")
        again = SourceResponse.load(tmp_path / "r.nc")
        for field in dataclasses.fields(SourceResponse):
            np.testing.assert_array_equal(getattr(again, field.name), getattr(in_time, field.name))
        one, other = (x.transfer(pieces(PLACES, 0.2, 0.1))[0] for x in (again, in_time))
        np.testing.assert_array_equal(one, other)
        with xr.open_dataset(tmp_path / "r.nc") as dataset:
            assert dataset["law_diffusion"].attrs["units"] == "kiloparsec2 Myr-1"
            assert dataset.attrs["species"] == "H1"

    def test_other_files(self, tmp_path):
        with pytest.raises(DataError, match="no such file"):
            SourceResponse.load(tmp_path / "none.nc")
        (tmp_path / "text.nc").write_text("text")
        with pytest.raises(DataError, match="not a readable NetCDF file"):
            SourceResponse.load(tmp_path / "text.nc")
        xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc")
        with pytest.raises(DataError, match="not a response of cyldiff"):
            SourceResponse.load(tmp_path / "other.nc")

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda d: d.attrs.pop("core"), "it lacks core"),
            (lambda d: d.attrs.pop("made_from"), "it lacks made_from"),
            (lambda d: d.attrs.update(made_from="{"), "made_from is not readable"),
            (lambda d: d.attrs.update(box="wide"), "box is not readable"),
            (lambda d: d.attrs.update(observer=[8.5]), "observer is not readable"),
            (lambda d: d.attrs.update(species="Xx9"), "species is not readable"),
            (lambda d: d.update({"law_begin": d["spread"]}), r"law_begin has the dimensions \(spread\)"),
            (lambda d: d["law_diffusion"].__setitem__(3, np.nan), "law_diffusion holds values that are no"),
            (
                lambda d: d.update({"neglected": d["neglected"].astype(str)}),
                "neglected holds values that are no",
            ),
        ],
    )
    def test_a_file_that_was_changed(self, in_time, tmp_path, change, said):
        in_time.save(tmp_path / "r.nc")
        with xr.open_dataset(tmp_path / "r.nc") as dataset:
            changed = dataset.load()
        change(changed)
        changed.to_netcdf(tmp_path / "changed.nc")
        with pytest.raises(DataError, match=said):
            SourceResponse.load(tmp_path / "changed.nc")

    def test_map(self, in_time, tmp_path):
        figure = in_time.plot(tmp_path / "map.png", age=0.1)
        assert (tmp_path / "map.png").stat().st_size > 10_000
        assert "0.1 Myr ago" in figure.get_suptitle()
        in_time.plot(tmp_path / "map.pdf", extent=1.0)
        with pytest.raises(DataError, match="unknown"):
            in_time.plot(tmp_path / "map.jpeg")

    def test_commands(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        arguments = [part for override in SMALL for part in ("--set", override)]
        call = CliRunner().invoke(
            main,
            ["response", "quickstart", "-o", "r.nc", "--energies", "10 TeV, 1 PeV", *arguments],
            catch_exceptions=False,
        )
        assert call.exit_code == 0, call.output
        assert "response of H1: 1e+04 to 1e+06 GeV/n, 4 solved; steady state" in call.output
        call = CliRunner().invoke(main, ["plot", "r.nc", "response:100 TeV", "-o", "r.png"])
        assert call.exit_code == 0, call.output
        assert (tmp_path / "r.png").is_file()
        for what, message in (
            ("response:1 kpc", "expected energy"),
            ("response:1 PeV,1 Myr", "steady state"),
        ):
            call = CliRunner().invoke(main, ["plot", "r.nc", what, "-o", "x.png"])
            assert call.exit_code == 2
            assert message in call.stderr
            assert not (tmp_path / "x.png").exists()

    def test_bad_input_is_one_message(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        call = CliRunner().invoke(
            main,
            ["response", "quickstart", "-o", "no/r.nc", "--energies", "1 kpc,-2 GeV", "--ages", "3", "--set",
             "grid.space.z.m=3"],
        )  # fmt: skip
        assert call.exit_code == 2
        for part in ("5 problems", "grid.space.z.m", "--output", "found unit", "more than 0", "has no unit"):
            assert part in call.stderr
        assert not list(tmp_path.iterdir())


class TestGridDensity:
    def test_from_a_model_or_a_response(self, in_time):
        energy = np.array([1e5])
        segments = pieces(PLACES, 0.3, 0.1, energy=2.0)
        spectra = np.array([[1e-9]])
        known = grid_density(segments, spectra, in_time, "H1", energy)
        solved = grid_density(segments, spectra, small(), "H1", energy, **COARSE)
        for one, other in zip(known, solved, strict=True):
            np.testing.assert_allclose(one, other, rtol=0.02, atol=1e-3 * np.abs(other).max())

    def test_from_physics_alone(self):
        physics = small().config.physics
        density, gradient = grid_density(
            pieces(PLACES[:1], 0.1, 0.1), np.ones((1, 1)), physics, "H1", [1e5], **COARSE
        )
        assert density.shape == (1, 1)
        assert gradient.shape == (1, 1, 3)
        assert density[0, 0] > 0.0

    def test_another_species(self):
        """Iron has another D at the same energy per nucleon."""
        one = source_response(small(), species="Fe56", kinetic_energy=1e5, **COARSE)
        other = source_response(small(), kinetic_energy=1e5, **COARSE)
        ratio = float(one.diffusion(1e5) / other.diffusion(1e5))
        assert ratio == pytest.approx((56 / 26) ** 0.3488, rel=0.01)

    def test_public_names(self):
        assert cyldiff.source_response is source_response
        assert cyldiff.SourceResponse is SourceResponse
