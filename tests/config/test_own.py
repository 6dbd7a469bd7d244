"""Own physics in one function: the same numbers as shipped kinds, and every refusal."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
import textwrap
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from click.testing import CliRunner

import cyldiff
from cyldiff import pipeline, registry
from cyldiff.cli import main
from cyldiff.config.explain import library_listing
from cyldiff.config.load import load_mapping
from cyldiff.config.toml import to_toml
from cyldiff.errors import ConfigError, CyldiffError, OwnPhysicsError
from cyldiff.galaxy import Galaxy
from cyldiff.own_physics.law import OwnLaw
from cyldiff.own_physics.signature import code_of
from cyldiff.particles.inelastic import Letaw1983
from cyldiff.particles.spallation import Evoli2019
from cyldiff.sources.population.load import load_population
from cyldiff.stages import build_grid
from cyldiff.transport.diffusion import PowerLawDiffusion

D_UNIT = "cm^2/s"


@pytest.fixture(autouse=True)
def _no_own_kinds_left():
    """Kinds of a test are gone after it; those of modules that it imports stay."""
    registry.kinds("diffusion")
    yield
    for table in registry._FAMILIES.values():
        for kind in [k for k, cls in table.items() if issubclass(cls, OwnLaw)]:
            del table[kind]


def power_law(**options):
    """The shipped law again, by a function."""

    @cyldiff.own("diffusion", units=D_UNIT, kind="mine", **options)
    def mine(rigidity, beta, *, D0="4e28 cm^2/s", reference_rigidity="4 GV", delta=0.4, eta=1.0):
        return D0 * beta**eta * (rigidity / reference_rigidity) ** delta

    return mine


def put(config, path, value):
    *tables, last = path.split(".")
    for key in tables:
        config = config[key]
    config[last] = value


def spectra(config):
    return pipeline.solve(load_mapping(config).config)["flux_lis"].values


def message(config):
    with pytest.raises(ConfigError) as caught:
        load_mapping(config)
    return str(caught.value)


def refused(config, law):
    """What a config with this diffusion law says."""
    put(config, "physics.diffusion", {"kind": law.__name__.replace("_", "-")})
    return message(config)


class TestTheSameAsShipped:
    """A law written again gives the spectra of the kind it repeats."""

    def compare(self, config, path, shipped, own):
        put(config, path, shipped)
        expected = spectra(config)
        put(config, path, own)
        found = spectra(config)
        assert expected.max() > 0.0
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0.0)

    def test_diffusion_with_reacceleration(self, complete):
        power_law()
        complete["physics"]["reacceleration"] = {"kind": "seo-ptuskin-1994", "alfven_speed": "20 km/s"}
        numbers = {"D0": "3.5e28 cm^2/s", "reference_rigidity": "4000 MV", "delta": 0.45, "eta": 0.8}
        self.compare(
            complete, "physics.diffusion", {"kind": "power-law", **numbers}, {"kind": "mine", **numbers}
        )

    def test_diffusion_in_other_units(self, complete):
        @cyldiff.own("diffusion", units="m^2/s", arguments={"rigidity": "TV"})
        def in_metres(rigidity, beta, *, D0="4e24 m^2/s", delta=0.4):
            return D0 * beta * (rigidity / 0.004) ** delta

        self.compare(
            complete,
            "physics.diffusion",
            complete["physics"]["diffusion"],
            {"kind": "in-metres", "D0": "4e28 cm^2/s"},
        )

    def test_wind(self, complete):
        @cyldiff.own("convection", units="km/s")
        def my_wind(height, *, V0="10 km/s", gradient="5 km/s/kpc"):
            return V0 + gradient * height

        numbers = {"V0": "8 km/s", "gradient": "4 km/s/kpc"}
        self.compare(
            complete, "physics.convection", {"kind": "linear-wind", **numbers}, {"kind": "my-wind", **numbers}
        )

    def test_gas(self, complete):
        @cyldiff.own("gas", units="m^-3", arguments={"r": "pc", "z": "pc"})
        def my_electrons(r, z):
            thick = 0.025 * np.exp(-np.abs(z) / 1e3 - (r / 20e3) ** 2)
            return 1e6 * (thick + 0.2 * np.exp(-np.abs(z) / 150 - ((r - 4000) / 2000) ** 2))

        self.compare(complete, "physics.gas.HII", {"kind": "cordes-1991"}, {"kind": "my-electrons"})

    def test_sources(self, complete):
        @cyldiff.own("source-distribution")
        def my_remnants(r, observer_radius, *, a=2.0, b=3.53):
            x = r / observer_radius
            return 17.0 * x**a * np.exp(-b * (x - 1))

        shape = {"vertical": "exponential", "scale_height": "0.2 kpc"}
        self.compare(
            complete,
            "physics.sources.snr.distribution",
            {"kind": "case-bhattacharya-1998", **shape},
            {"kind": "my-remnants", **shape},
        )

    def test_sources_in_r_and_z(self, complete):
        @cyldiff.own("source-distribution")
        def my_disc(r, z, observer_radius, *, h="0.2 kpc"):
            x = r / observer_radius
            return 17.0 * x**2 * np.exp(-3.53 * (x - 1) - np.abs(z) / h)

        self.compare(
            complete,
            "physics.sources.snr.distribution",
            {"kind": "case-bhattacharya-1998", "scale_height": "0.2 kpc", "maximum_radius": "15 kpc"},
            {"kind": "my-disc", "maximum_radius": "15 kpc"},
        )

    def test_injection(self, complete):
        @cyldiff.own("injection")
        def my_spectrum(rigidity, *, index, cutoff="1 PV"):
            return rigidity**-index * np.exp(-rigidity / cutoff)

        self.compare(
            complete,
            "physics.sources.snr.injection.default",
            {"kind": "broken-power-law", "indices": [2.3], "cutoff": "2e6 GV"},
            {"kind": "my-spectrum", "index": 2.3, "cutoff": "2000 TV"},
        )

    def test_inelastic(self, complete):
        @cyldiff.own("inelastic", units="b", arguments={"kinetic_energy": "MeV"})
        def my_letaw(kinetic_energy, Z, A):
            plateau = 45e-3 * A**0.7 * (1 + 0.016 * np.sin(5.3 - 2.63 * np.log(A)))
            shape = 1 - 0.62 * np.exp(-kinetic_energy / 200) * np.sin(10.9 * kinetic_energy**-0.28)
            helium = np.where(Z == 2, 0.8, 1.0)
            return plateau * shape * helium * np.where(Z == 4, 1 + 0.75 * np.exp(-kinetic_energy / 75), 1.0)

        self.compare(complete, "physics.inelastic", {"kind": "letaw-1983"}, {"kind": "my-letaw"})

    def test_spallation_of_one_channel(self, complete):
        shipped = Evoli2019(extrapolation="constant")

        @cyldiff.own("spallation", units="mb", channels=["C12->B11"])
        def my_boron(kinetic_energy, parent, child, target):
            return shipped.sigma(parent, child, kinetic_energy)[0 if target == "H" else 1]

        self.compare(
            complete,
            "physics.spallation",
            {"kind": "evoli-2019", "extrapolation": "constant", "scale": {"C12->B11": 1.2}},
            {"kind": "my-boron", "extrapolation": "constant", "scale": {"C12->B11": 1.2}},
        )

    def test_fields_of_leptons(self, complete):
        @cyldiff.own("magnetic-field", units="nT")
        def my_field(r, z, *, B0="6.1 uG", rho="10 kpc", height="2 kpc"):
            return B0 * np.exp(-(r - 8.5) / rho - np.abs(z) / height)

        @cyldiff.own("radiation-field", units="eV/cm^3")
        def starlight(r, z, *, u0="0.5 eV/cm^3"):
            return u0 * np.exp(-(r - 8.5) / 5 - np.abs(z) / 2)

        physics = complete["physics"]
        shipped = {"B0": "6.1 uG", "reference_radius": "8.5 kpc", "r_scale": "10 kpc", "z_scale": "2 kpc"}
        body = {"temperature": "3000 K", "energy_density": "0.5 eV/cm^3"}
        scales = {"reference_radius": "8.5 kpc", "r_scale": "5 kpc", "z_scale": "2 kpc"}
        physics["magnetic_field"] = {"kind": "exponential", **shipped}
        physics["radiation_field"] = {"kind": "greybodies", "bodies": [body], **scales}
        expected = on_grid(complete)
        physics["magnetic_field"] = {"kind": "my-field"}
        physics["radiation_field"] = {
            "kind": "starlight",
            "temperature": "3000 K",
            "reference_radius": "8.5 kpc",
        }
        found = on_grid(complete)
        np.testing.assert_allclose(found.magnetic, expected.magnetic, rtol=1e-12)
        np.testing.assert_allclose(found.radiation_profile, expected.radiation_profile, rtol=1e-12)
        for one, other in zip(found.radiation, expected.radiation, strict=True):
            assert one.energy_density == pytest.approx(other.energy_density, rel=1e-12)
            assert one.temperature == other.temperature


def on_grid(config):
    config = load_mapping(config).config
    physics = config.physics
    return Galaxy.on_grid(
        physics.gas,
        build_grid(config),
        magnetic_field=physics.magnetic_field,
        radiation_field=physics.radiation_field,
    )


class TestWhatALawSays:
    def law(self, complete, **values):
        put(complete, "physics.diffusion", {"kind": "mine", **values})
        return load_mapping(complete).config.physics.diffusion

    def test_the_function_is_as_it_was(self):
        function = power_law()
        assert function(8.0, 1.0, D0=2.0, reference_rigidity=8.0) == 2.0

    def test_the_slope_of_a_power_law_is_exact(self, complete):
        power_law()
        slope = self.law(complete, delta=0.33, eta=-1.3).slope(np.ones((3, 1)), np.ones((1, 4)))
        assert slope.shape == (3, 4)
        np.testing.assert_allclose(slope, 0.33, rtol=0, atol=1e-12)

    def test_the_slope_by_a_difference_is_as_accurate_as_said(self, complete):
        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(rigidity, *, s=0.5):
            return 1e28 * rigidity**0.5 * (1 + (rigidity / 4) ** (1 / s)) ** (-0.3 * s)

        x = (1 / 4.0) ** 2
        found = self.law(complete).slope(np.ones(1), np.ones(1))
        np.testing.assert_allclose(found, 0.5 - 0.3 * x / (1 + x), rtol=0, atol=2e-5)

    def test_a_slope_of_its_own(self, complete):
        power_law(slope=lambda r, *, delta: delta + 0.01 * r)
        law = self.law(complete, delta=0.3)
        np.testing.assert_allclose(
            law.slope(np.array([[0.0], [10.0]]), np.zeros((1, 2))), [[0.3] * 2, [0.4] * 2]
        )

    def test_jumps_become_faces_of_the_grid(self, complete):
        @cyldiff.own("diffusion", units=D_UNIT, jumps=["edge", "300 pc"])
        def mine(rigidity, z, *, edge="0.5 kpc"):
            return 1e28 * rigidity**0.4 * np.where(np.abs(z) < edge, 0.3, 1.0)

        put(complete, "physics.diffusion", {"kind": "mine", "edge": "0.7 kpc"})
        config = load_mapping(complete).config
        assert config.physics.diffusion.kinks(4.0) == pytest.approx((0.7, 0.3))
        assert np.abs(build_grid(config).z.faces - 0.7).min() < 1e-12

    def test_jumps_below_the_plane(self, complete):
        """Faces come in pairs; a height on one side only needs one too."""

        @cyldiff.own("diffusion", units=D_UNIT, symmetric=False, jumps=["-0.6 kpc"])
        def mine(rigidity, z):
            return 1e28 * rigidity**0.4 * np.where(z < -0.6, 0.3, 1.0)

        complete["grid"]["space"]["half_space"] = False
        complete["grid"]["space"]["z"]["n"] = 9
        put(complete, "physics.diffusion", {"kind": "mine"})
        assert np.abs(build_grid(load_mapping(complete).config).z.faces + 0.6).min() < 1e-12

    def test_the_docstring_is_the_description(self):
        @cyldiff.own("gas", units="cm^-3")
        def my_gas(r, z):
            """My own gas."""
            return 0.0 * r * z

        assert "my-gas" in library_listing("kinds")
        assert "My own gas." in library_listing("kinds")

    def test_the_resolved_config_loads_again(self, complete):
        power_law()
        put(complete, "physics.diffusion", {"kind": "mine", "D0": "3e28 cm^2/s"})
        first = load_mapping(complete)
        again = load_mapping(first.resolved)
        assert again.config == first.config
        assert 'kind = "mine"' in first.toml()
        assert "delta = 0.4" in first.toml()

    def test_a_copy_travels_by_its_kind(self, complete):
        power_law()
        law = self.law(complete, delta=0.31)
        assert pickle.loads(pickle.dumps(law)) == law

    def test_one_from_a_notebook_does_not_travel(self, complete, monkeypatch):
        power_law()
        law = self.law(complete)
        monkeypatch.setattr(type(law), "__module__", "__main__")
        monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
        with pytest.raises(pickle.PicklingError, match="put it into a module of its own"):
            pickle.dumps(law)

    def test_point_sources_take_it(self, complete):
        from cyldiff.sources.propagation import is_uniform

        power_law()
        put(complete, "physics.diffusion", {"kind": "mine"})
        assert is_uniform(load_mapping(complete).config.physics)

    def test_spallation_answers_for_single_channels(self):
        @cyldiff.own("spallation", units="mb", channels=["C12->B11", "Fe56->He3"], base="webber-2003")
        def constant(kinetic_energy, *, value="10 mb"):
            return value

        law = registry.lookup("spallation", "constant").model_validate({"kind": "constant", "value": "20 mb"})
        energy = np.array([0.5, 1.0])
        np.testing.assert_allclose(law.sigma("C12", "B11", energy)[0], 20.0)
        base = registry.lookup("spallation", "webber-2003")(extrapolation="refuse")
        np.testing.assert_array_equal(law.sigma("C12", "B10", energy), base.sigma("C12", "B10", energy))
        parents, children, origins, sigma = law.production(["C12", "Fe56"], energy)
        rows = [i for i, pair in enumerate(zip(parents, children, strict=True)) if pair == ("Fe56", "He3")]
        assert [origins[i] for i in rows] == ['spallation "constant"']
        assert len(parents) == len({*zip(parents, children, strict=True)})
        assert np.all(sigma[rows[0], 1] > 20.0)  # more on helium


class TestTheFunctionGivesNoPhysics:
    """Found when the config is loaded, with file and line, whatever else is wrong."""

    def test_sign(self, complete):
        power_law()
        put(complete, "physics.diffusion", {"kind": "mine", "D0": "-1e28 cm^2/s"})
        said = message(complete)
        assert 'diffusion "mine": D is -' in said
        assert "cm^2/s at rigidity = " in said
        assert "expected more than 0 (test_own.py, line " in said

    def test_not_finite(self, complete):
        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(rigidity, z):
            return 1e28 * rigidity / np.abs(z)

        said = refused(complete, mine)
        assert "D is inf cm^2/s at rigidity = " in said
        assert "z = 0; expected a finite number" in said

    @pytest.mark.parametrize(
        ("give", "expected"),
        [
            (lambda R, r, z: np.ones(3), "gave an array of shape (3,) for arguments of shape rigidity"),
            (lambda R, r, z: (R * r * z).T, "expected one that broadcasts to (52, 24, 31)"),
            (lambda R, r, z: np.squeeze(R), "gave an array of shape (52,)"),
            (lambda R, r, z: None, "gave nothing (None); expected a return of numbers"),
            (lambda R, r, z: 1j * R, "gave complex numbers; expected real numbers"),
            (lambda R, r, z: "1e28 cm^2/s", "gave str; expected real numbers"),
            (lambda R, r, z: [[1.0], [1.0, 2.0]], "gave list; expected real numbers"),
            (lambda R, r, z: R > 1.0, "expected real numbers"),
        ],
    )
    def test_shape_and_type(self, complete, give, expected):
        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(rigidity, r, z):
            return give(rigidity, r, z)

        assert expected in refused(complete, mine)

    def test_a_unit_in_the_result(self, complete):
        from astropy import units as u

        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(rigidity):
            return 1e28 * rigidity * u.cm**2 / u.s

        assert 'gave a quantity with the unit "cm2 / s"; expected plain numbers in cm^2/s' in refused(
            complete, mine
        )

    def test_an_exception_with_its_line(self, complete):
        def table(name):
            return {"a": 1.0}[name]

        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(rigidity):
            return rigidity * table("b")

        said = refused(complete, mine)
        assert "KeyError: 'b' (test_own.py, line " in said
        assert 'return {"a": 1.0}[name])' in said

    def test_a_function_of_numbers_is_told_about_arrays(self, complete):
        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(z):
            return 1e28 * math.exp(z)

        assert "use np.exp, np.where, … instead of math and if" in refused(complete, mine)

        @cyldiff.own("diffusion", units=D_UNIT)
        def other(z):
            return 1e28 if z > 1.0 else 2e28

        assert "use np.exp, np.where, … instead of math and if" in refused(complete, other)

    def test_arguments_cannot_be_changed(self, complete):
        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(rigidity):
            rigidity *= 2.0
            return rigidity

        assert "its arguments must not be changed in place" in refused(complete, mine)

    def test_not_even(self, complete):
        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(rigidity, z):
            return 1e28 * rigidity * np.exp(z)

        assert "D is not the same at z and -z; pass symmetric=False" in refused(complete, mine)

        @cyldiff.own("diffusion", units=D_UNIT, symmetric=False)
        def tilted(rigidity, z):
            return 1e28 * rigidity * np.exp(z)

        assert "expected false, because D is not symmetric in z" in refused(complete, tilted)
        complete["grid"]["space"]["half_space"] = False
        complete["grid"]["space"]["z"]["n"] = 7
        load_mapping(complete)

    def test_a_checkpoint_is_of_one_function(self, complete):
        """Its fingerprint has the checksum of the function in it."""
        from cyldiff.io.checkpoint import fingerprint

        prints = []
        for factor in (1.0, 2.0):
            registry._FAMILIES["diffusion"].pop("mine", None)
            if factor == 1.0:
                cyldiff.own("diffusion", units=D_UNIT, kind="mine")(no_comment)
            else:
                cyldiff.own("diffusion", units=D_UNIT, kind="mine")(another)
            put(complete, "physics.diffusion", {"kind": "mine"})
            prints.append(fingerprint(load_mapping(complete).config))
        assert prints[0] != prints[1]

    def test_all_families(self, complete):
        """Every own law of a config is tried, and every problem is in the one message."""

        def bad(family, **options):
            cyldiff.own(family, kind="bad", **options)(functions[family])

        def of_place(r, z):
            return -1.0 - 0.0 * r * z

        functions = {
            "diffusion": lambda rigidity: -rigidity,
            "convection": lambda height: -1.0 - height,
            "gas": of_place,
            "magnetic-field": of_place,
            "radiation-field": of_place,
            "source-distribution": lambda r: -r,
            "injection": lambda rigidity: -rigidity,
            "inelastic": lambda A, kinetic_energy: -A,
            "spallation": lambda kinetic_energy: -kinetic_energy,
        }
        bad("diffusion", units=D_UNIT)
        bad("convection", units="km/s")
        bad("gas", units="cm^-3")
        bad("magnetic-field", units="uG")
        bad("radiation-field", units="eV/cm^3")
        bad("source-distribution")
        bad("injection")
        bad("inelastic", units="mb")
        bad("spallation", units="mb", channels=["C12->B11"])
        physics = complete["physics"]
        for key in ("diffusion", "convection", "magnetic_field", "inelastic", "spallation"):
            physics[key] = {"kind": "bad"}
        physics["radiation_field"] = {"kind": "bad", "temperature": "30 K", "reference_radius": "8.5 kpc"}
        physics["gas"]["HI"] = {"kind": "bad"}
        physics["sources"]["snr"]["distribution"] = {"kind": "bad", "scale_height": "0.2 kpc"}
        physics["sources"]["snr"]["injection"]["H1"] = {"kind": "bad"}
        said = message(complete)
        assert said.startswith("config: 9 problems")
        assert said.count('"bad": ') == 9
        assert said.count("expected 0 or more") == 8
        assert "the speed is -5 km/s at height = 4" in said

    def test_away_from_the_checks_it_is_an_error_of_ours(self, complete):
        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(rigidity):
            return np.where(rigidity < 1e5, 1e28, -1e28)

        put(complete, "physics.diffusion", {"kind": "mine"})
        law = load_mapping(complete).config.physics.diffusion
        one = np.ones(1)
        with pytest.raises(OwnPhysicsError, match=r"rigidity = 1e\+06; expected more than 0"):
            law.coefficient(1e6 * one, one, one, one, axis="z")


class TestTheConfigIsWrong:
    def test_unknown_key(self, complete):
        power_law()
        put(complete, "physics.diffusion", {"kind": "mine", "delat": 0.4})
        assert "unknown key; did you mean physics.diffusion.delta?" in message(complete)

    def test_a_number_that_has_no_unit_or_another(self, complete):
        power_law()
        put(complete, "physics.diffusion", {"kind": "mine", "D0": 3e28, "reference_rigidity": "4 GeV"})
        said = message(complete)
        assert "3e+28 has no unit; expected length²/time" in said
        assert 'found unit "GeV"; expected rigidity' in said

    def test_a_required_parameter(self, complete):
        @cyldiff.own("diffusion", units=D_UNIT, arguments={"D0": "cm^2/s"})
        def mine(rigidity, *, D0, delta):
            return D0 * rigidity**delta

        put(complete, "physics.diffusion", {"kind": "mine"})
        said = message(complete)
        assert 'D0     is missing; expected length²/time, e.g. "4e28 cm^2/s"' in said
        assert "delta  is missing; expected a number" in said
        put(complete, "physics.diffusion", {"kind": "mine", "D0": "4e28 cm^2/s", "delta": 0.3})
        shipped = PowerLawDiffusion(D0="4e28 cm^2/s", reference_rigidity="1 GV", delta=0.3, eta=0.0)
        R = np.array([10.0])
        np.testing.assert_allclose(
            load_mapping(complete).config.physics.diffusion.coefficient(R, R, R, R, axis="r"),
            shipped.coefficient(R, R, R, R, axis="r"),
            rtol=1e-14,
        )

    def test_a_function_that_has_changed(self, complete):
        power_law()
        put(complete, "physics.diffusion", {"kind": "mine"})
        old = load_mapping(complete).resolved

        def again(extra):
            @cyldiff.own("diffusion", units=D_UNIT, kind="mine")
            def power_law_two(rigidity, beta, *, D0="4e28 cm^2/s", delta=0.4):
                return D0 * beta * rigidity**delta

        del registry._FAMILIES["diffusion"]["mine"]
        again(None)
        del old["physics"]["diffusion"]["eta"], old["physics"]["diffusion"]["reference_rigidity"]
        said = message(old)
        assert "physics.diffusion.code  the function has changed since (test_own.py, line " in said
        del old["physics"]["diffusion"]["code"]
        load_mapping(old)

    def test_exit_status_of_the_command(self, complete, tmp_path):
        power_law()
        put(complete, "physics.diffusion", {"kind": "mine", "delta": -900.0})
        (tmp_path / "own.toml").write_text(to_toml(complete), encoding="utf-8")
        answer = CliRunner().invoke(main, ["check", str(tmp_path / "own.toml")])
        assert answer.exit_code == 2
        assert 'diffusion "mine": D is ' in answer.output
        assert "Traceback" not in answer.output


def no_arguments(*values):
    return values


def keywords(rigidity, **more):
    return rigidity


def with_default(rigidity=1.0):
    return rigidity


def unknown_argument(rigidty):
    return rigidty


def taken(rigidity, *, slope=0.3):
    return rigidity


def kind_taken(rigidity, *, kind=0.3):
    return rigidity


def text_default(rigidity, *, D0="4e28 cm^2/z"):
    return rigidity


def word_default(rigidity, *, how="fast"):
    return rigidity


def list_default(rigidity, *, values=(1, 2)):
    return rigidity


def fine(rigidity):
    return rigidity


def no_comment(rigidity):
    return 1e28 * rigidity


def another(rigidity):
    return 2e28 * rigidity


def no_energy():
    return 1.0


def of_radius(r):
    return r


GIVE = "cm^2/s"


@pytest.mark.parametrize(
    ("family", "options", "function", "expected"),
    [
        ("difusion", {}, fine, 'takes no own function; known: diffusion, .*did you mean "diffusion"'),
        ("diffusion", {}, fine, "units is missing: the unit of D, a length²/time"),
        ("diffusion", {"units": "cm"}, fine, 'units of D: found unit "cm"; expected length²/time'),
        ("diffusion", {"units": "flies"}, fine, 'units of D: "flies" is no unit'),
        ("diffusion", {"units": 3}, fine, "units of D is 3; expected a unit"),
        ("injection", {"units": "GV^-1"}, fine, "only the shape of dN/dR counts; leave it out"),
        ("diffusion", {"units": GIVE}, no_arguments, "cannot be filled by name"),
        ("diffusion", {"units": GIVE}, keywords, "cannot be filled by name"),
        ("diffusion", {"units": GIVE}, with_default, "comes from cyldiff and has no default"),
        ("diffusion", {"units": GIVE}, unknown_argument, 'unknown argument "rigidty"; did you mean "rigidity"'),
        ("diffusion", {"units": GIVE}, taken, '"slope" is a name that cyldiff uses itself'),
        ("diffusion", {"units": GIVE}, kind_taken, '"kind" is a name that cyldiff uses itself'),
        ("diffusion", {"units": GIVE}, text_default, 'default of "D0": "cm\\^2/z" is no unit'),
        ("diffusion", {"units": GIVE}, word_default, 'default of "how": "fast" is not a number with a unit'),
        ("diffusion", {"units": GIVE}, list_default, 'default of "values" is .*; expected a number, text'),
        ("diffusion", {"units": GIVE, "arguments": {"r": "pc"}}, fine, '"r" is no argument of the function'),
        ("diffusion", {"units": GIVE, "arguments": {"rigidity": "pc"}}, fine, 'found unit "pc"; expected rigidity'),
        ("diffusion", {"units": GIVE, "channels": ["C12->B11"]}, fine, "channels: no option of a function of this"),
        ("diffusion", {"units": GIVE, "kind": "power-law"}, fine, 'the kind "power-law" of diffusion is there already'),
        ("diffusion", {"units": GIVE, "jumps": ["3 GV"]}, fine, 'jumps: found unit "GV"; expected length'),
        ("diffusion", {"units": GIVE, "slope": lambda r, *, d: r}, fine, 'slope: "d" is no parameter of the law'),
        ("diffusion", {"units": GIVE}, lambda rigidity: rigidity, '"<lambda>" is no name of a kind'),
        ("diffusion", {"units": GIVE}, np.exp, "is no function defined with def; call it from one"),
        ("diffusion", {"units": GIVE, "arguments": ["pc"]}, fine, "expected names and units"),
        ("diffusion", {"units": GIVE, "kind": "two words"}, fine, '"two words" is no name of a kind'),
        ("source-distribution", {"symmetric": False}, of_radius, "symmetric: no option .* because it takes no z"),
        ("spallation", {"units": "mb"}, fine, "channels is missing"),
        ("spallation", {"units": "mb", "channels": ["C12"]}, no_energy, '"C12" is no channel'),
        ("spallation", {"units": "mb", "channels": ["C12->B77"]}, no_energy, '"B77" is no nuclide'),
        ("spallation", {"units": "mb", "channels": ["C12->B11"], "base": "evoli"}, no_energy,
         'did you mean "evoli-2019"'),
    ],
)  # fmt: skip
def test_refused_by_the_decorator(family, options, function, expected):
    with pytest.raises(CyldiffError, match=expected):
        cyldiff.own(family, **options)(function)


def test_a_refusal_names_the_function():
    with pytest.raises(
        OwnPhysicsError, match=r'^diffusion "fine" \(test_own.py, line \d+\): units is missing'
    ):
        cyldiff.own("diffusion")(fine)


def test_a_cell_may_be_run_again_but_two_functions_must_differ(complete):
    power_law()
    power_law()

    def other():
        @cyldiff.own("diffusion", units=D_UNIT)
        def mine(rigidity):
            return rigidity

    with pytest.raises(OwnPhysicsError, match='"mine" of diffusion is there already'):
        other()


def test_comments_and_layout_are_not_part_of_the_checksum():
    def first():
        def law(rigidity, *, a=1.0):
            """Something."""
            # nothing
            return (
                a * rigidity
            )  # fmt: skip

        return law

    def second():
        def law(rigidity, *, a=1.0):
            return a * rigidity

        return law

    def third():
        def law(rigidity, *, a=2.0):
            return a * rigidity

        return law

    codes = [code_of(make(), "") for make in (first, second, third)]
    assert codes[0] == codes[1] != codes[2]
    assert code_of(second(), "") != code_of(second(), "units")


def test_the_slope_is_part_of_the_checksum():
    """It goes into the reacceleration: a config of before must not load with another one."""
    codes = []
    for slope in (lambda *, delta: delta, lambda *, delta: 0.5 * delta):
        power_law(slope=slope)
        codes.append(registry.lookup("diffusion", "mine").law.code)
    power_law()
    assert len({*codes, registry.lookup("diffusion", "mine").law.code}) == 3


def test_the_checksum_of_what_was_typed_is_the_same_in_every_session():
    """Without source there is the compiled code; functions in it must not count by their place in memory."""
    text = "def law(r):\n    return sum((lambda x: x * 2.5)(v) for v in [r])\n"
    codes = []
    for changed in (text, text, text.replace("2.5", "2.6"), text.replace("lambda x: x", "lambda x: r")):
        space = {}
        exec(compile(changed, "<stdin>", "exec"), space)
        codes.append(code_of(space["law"], ""))
    assert codes[0] == codes[1]
    assert len(set(codes)) == 3


MODULE = """
import numpy as np
import cyldiff

@cyldiff.own("diffusion", units="cm^2/s")
def from_a_package(rigidity, beta, *, D0="4e28 cm^2/s", delta=0.4):
    '''A law of a package.'''
    return D0 * beta * (rigidity / 4) ** delta
"""


def test_an_entry_point(complete, tmp_path, monkeypatch):
    (tmp_path / "laws_of_a_package.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint(name="mine", value="laws_of_a_package", group="cyldiff.kinds")
    monkeypatch.setattr(registry.metadata, "entry_points", lambda group: [entry])
    monkeypatch.setitem(registry._state, "plugins_loaded", False)
    expected = spectra(complete)
    put(complete, "physics.diffusion", {"kind": "from-a-package", "delta": 0.4})
    np.testing.assert_allclose(spectra(complete), expected, rtol=1e-12)
    monkeypatch.delitem(sys.modules, "laws_of_a_package")


def run_python(code, folder, *arguments):
    paths = os.pathsep.join([str(folder), *sys.path])
    return subprocess.run(
        [sys.executable, *arguments, *(["-c", code] if code else [])],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
        timeout=300,
    )


WORK = """
import tomllib
from cyldiff.config.load import load_mapping

def work(member):
    return float(load_mapping(tomllib.loads(member.argument)).config.physics.diffusion.delta)
"""

HERE = """
import sys, tomllib, cyldiff, ensemble_of_own
{law}
if __name__ == "__main__":
    text = open("own.toml").read()
    found = cyldiff.run_ensemble({{"a": text}}, ensemble_of_own.work, workers=1)
    print(found.outcomes[0].message or found.values)
"""


class TestOtherProcesses:
    """Spawned workers know what can be imported, and say what to do about the rest."""

    @pytest.fixture
    def folder(self, complete, tmp_path):
        (tmp_path / "laws_of_a_package.py").write_text(MODULE, encoding="utf-8")
        (tmp_path / "ensemble_of_own.py").write_text(WORK, encoding="utf-8")
        put(complete, "physics.diffusion", {"kind": "from-a-package", "delta": 0.37})
        (tmp_path / "own.toml").write_text(to_toml(complete), encoding="utf-8")
        return tmp_path

    def test_of_a_module(self, folder):
        answer = run_python(HERE.format(law="import laws_of_a_package"), folder)
        assert "{'a': 0.37}" in answer.stdout, answer.stderr

    def test_of_a_script(self, folder):
        (folder / "script.py").write_text(HERE.format(law=MODULE), encoding="utf-8")
        answer = run_python("", folder, "script.py")
        assert "{'a': 0.37}" in answer.stdout, answer.stderr

    def test_typed_at_a_prompt(self, folder):
        answer = run_python(HERE.format(law=textwrap.dedent(MODULE)), folder)
        assert "is defined in a notebook or at a prompt, which worker processes cannot see" in answer.stdout
        assert 'or use executor = "serial"' in answer.stdout


def test_cross_sections_of_protons_are_those_of_all_kinds():
    @cyldiff.own("inelastic", units="mb")
    def simple(A):
        return 45.0 * A**0.7

    law = registry.lookup("inelastic", "simple").model_validate({"kind": "simple"})
    energy = np.array([1.0, 10.0])
    np.testing.assert_array_equal(law.sigma("H1", energy)[0], Letaw1983().sigma("H1", energy)[0])
    np.testing.assert_allclose(law.sigma("C12", energy)[0], 45.0 * 12**0.7)
    np.testing.assert_allclose(law.sigma("H1", energy)[1], 45.0 * 4**0.7)


class TestPopulation:
    """Own laws of a population are tried before anything is drawn, over its box and energies."""

    @staticmethod
    def load(override):
        return load_population("papers/kaci-2025/population", [override])

    def test_diffusion_that_fails_at_high_rigidity(self):
        @cyldiff.own("diffusion", units=D_UNIT, kind="breaks-down")
        def breaks_down(rigidity, beta, *, D0="4e28 cm^2/s"):
            return np.where(rigidity > 1e6, np.nan, D0 * beta * rigidity**0.3)

        with pytest.raises(
            ConfigError, match=r"model\.diffusion +diffusion .breaks-down.: D is nan"
        ) as error:
            self.load('model.diffusion={ kind = "breaks-down" }')
        assert len(error.value.problems) == 1

    def test_distribution_that_raises(self):
        @cyldiff.own("source-distribution", kind="unfinished")
        def unfinished(r, observer_radius):
            raise RuntimeError("no such arm")

        with pytest.raises(ConfigError, match=r"population\.distribution .*RuntimeError: no such arm"):
            self.load(
                'population.distribution={ kind = "unfinished", vertical = "uniform", scale_height = "0.2 kpc" }'
            )

    def test_a_good_one(self):
        @cyldiff.own("diffusion", units=D_UNIT, kind="fine")
        def fine(rigidity, beta, *, D0="4e28 cm^2/s"):
            return D0 * beta * rigidity**0.3

        assert self.load('model.diffusion={ kind = "fine" }').config.model.diffusion.kind == "fine"
