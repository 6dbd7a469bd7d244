"""Inputs of GALPROP and DRAGON, written for these tests, as configs: physics, units, and that nothing is dropped."""

from __future__ import annotations

import re
import tomllib

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.config.load import load_mapping
from cyldiff.errors import ConfigError, DataError
from cyldiff.io.dragon import read_dragon
from cyldiff.io.galdef import read_galdef

GALDEF = {
    "Title": "a small model of the tests",
    "n_spatial_dimensions": "2",
    "r_min": "0.0", "r_max": "20.0", "dr": "1.0", "z_min": "-4.0", "z_max": "+4.0", "dz": "0.2",
    "p_Ekin_grid": "Ekin", "Ekin_min": "1.0e2", "Ekin_max": "1.0e7", "Ekin_factor": "1.4",
    "D0_xx": "5.8e28", "D_rigid_br": "4.0e3", "D_g_1": "0.30", "D_g_2": "0.40",
    "diff_reacc": "1", "v_Alfven": "25.", "convection": "1", "v0_conv": "5.", "dvdz_conv": "2.",
    "He_H_ratio": "0.12", "n_X_CO": "9", "X_CO": "1.8e20",
    "source_model": "1", "source_parameters_1": "1.5", "source_parameters_2": "3.3",
    "source_parameters_3": "15.0", "source_parameters_4": "10.0",
    "nuc_rigid_br": "9.0e3", "nuc_g_1": "1.9", "nuc_g_2": "2.4", "nuc_g_2_02_004": "2.35",
    "inj_spectrum_type": "rigidity", "proton_norm_Ekin": "1.0e5", "proton_norm_flux": "5.0e-9",
    "iso_abundance_01_001": "1.06e6", "iso_abundance_02_004": "7.2e4", "iso_abundance_06_012": "2.8e3",
    "iso_abundance_06_099": "1.0", "max_Z": "6", "use_Z_3": "0",
    "total_cross_section": "2", "cross_section_option": "012", "momentum_losses": "1",
    "secondary_antiprotons": "1", "start_timestep": "1.0e9", "E_gamma_min": "100.", "DM_double0": "2.8",
    "local_bubble_radius": "0", "my_own_switch": "7",
}  # fmt: skip
ELECTRONS = {
    "primary_electrons": "1", "secondary_positrons": "1", "electron_norm_Ekin": "3.45e4",
    "electron_norm_flux": "4.0e-10", "electron_g_0": "1.6", "electron_rigid_br0": "4.0e3", "electron_g_1": "2.5",
    "electron_rigid_br": "1.0e9", "electron_g_2": "5.0", "B_field_model": "050100020", "ISRF_file": "isrf.dat",
}  # fmt: skip


@pytest.fixture
def galdef(tmp_path):
    """``galdef(key=value, …)``: a galdef file with changes; None leaves a key out."""

    def make(name="galdef_own", **changes):
        values = {key: value for key, value in {**GALDEF, **changes}.items() if value is not None}
        lines = ["# of the tests", "12345678901234567890", "======================value", ""]
        lines += [f"{key:<21}={value}    a comment, with = and 3 numbers" if key != "Title" else f"Title = {value}"
                  for key, value in values.items()]  # fmt: skip
        (tmp_path / name).write_text("\n".join(lines))
        return tmp_path / name

    return make


def config_of(imported):
    return imported.checked().config


def accounted(imported):
    """Every key of the file is in exactly one list (a difference is also taken)."""
    keys = imported.keys
    differing, absent = {e.key for e in keys.differing}, {e.key for e in keys.absent}
    for key in keys.values:
        assert (key in keys.taken) != (key in absent), key
    assert all(e.text for e in [*keys.differing, *keys.absent])
    text = imported.toml()
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    for key in keys.values:
        assert re.search(rf"(?<![\w.]){re.escape(key)}(?![\w])", comments), key
    return differing, absent


class TestGaldef:
    def test_box_grid_and_motion(self, galdef):
        config = config_of(read_galdef(galdef()))
        physics, grid = config.physics, config.grid
        assert (physics.halo.radius, physics.halo.half_height) == (20.0, 4.0)
        assert (physics.observer.r, physics.observer.z) == (8.5, 0.0)
        assert (grid.space.r.n, grid.space.z.n, grid.space.half_space) == (20, 20, True)
        assert (grid.momentum.min, grid.momentum.max) == pytest.approx((0.1, 1e4))
        assert grid.momentum.per_decade == pytest.approx(1 / np.log10(1.4), rel=1e-5)
        kms = 1e5 * const.MYR_S / const.KPC_CM
        assert physics.reacceleration.alfven_speed == pytest.approx(25 * kms)
        assert (physics.convection.V0, physics.convection.gradient) == pytest.approx((5 * kms, 2 * kms))
        assert physics.energy_losses
        assert physics.gas.helium_fraction == 0.12
        assert pytest.approx(1.8) == physics.gas.H2.X_CO
        assert physics.inelastic.kind == "barashenkov-1994"

    @pytest.mark.parametrize("reference", [None, "1.0e3", "4.0e3", "4.0e4"])
    def test_diffusion_is_the_law_of_galprop(self, galdef, reference):
        law = config_of(read_galdef(galdef(D_rigid_ref=reference, D_eta="-0.5"))).physics.diffusion
        D0, at, ref = 5.8e28 * const.MYR_S / const.KPC_CM**2, 4.0, float(reference or 4e3) * 1e-3
        for R, beta in ((0.5, 0.4), (4.0, 0.9), (100.0, 1.0)):
            # D0 beta^eta (R/ref)^g on the side of the break where ref lies, continuous at the break
            mine, other = (0.3, 0.4) if ref <= at else (0.4, 0.3)
            same_side = (at >= R) == (ref <= at)
            shape = (R / ref) ** mine if same_side else (at / ref) ** mine * (R / at) ** other
            if ref == at:
                shape = (R / at) ** (0.3 if at >= R else 0.4)
            found = law.coefficient(np.array(R), np.array(beta), np.array(8.5), np.array(0.0), axis="z")
            assert float(found) == pytest.approx(D0 * beta**-0.5 * shape, rel=1e-10)

    def test_one_slope(self, galdef):
        law = config_of(read_galdef(galdef(D_g_2="0.30"))).physics.diffusion
        assert (law.kind, law.delta, law.eta, law.reference_rigidity) == ("power-law", 0.3, 1.0, 4.0)

    def test_sources(self, galdef):
        imported = read_galdef(galdef())
        component = config_of(imported).physics.sources["nuclei"]
        where = component.distribution
        assert (where.kind, where.a, where.b, where.R1) == ("power-exponential", 1.5, 3.3, 0.0)
        assert (where.scale_height, where.maximum_radius) == (0.2, 15.0)
        assert component.injection["default"].indices == (1.9, 2.4)
        assert component.injection["default"].breaks == pytest.approx((9.0,))
        assert component.injection["He4"].indices == (1.9, 2.35)
        assert component.abundances == {"H1": 1.06e6, "He4": 7.2e4, "C12": 2.8e3}
        # 5e-9 MeV^-1 cm^-2 = 0.05 GeV^-1 m^-2
        assert component.normalisation.flux == pytest.approx(0.05)
        assert (component.normalisation.kinetic_energy, component.reference_energy) == pytest.approx(
            (100.0, 100.0)
        )

    def test_three_parts_of_a_spectrum(self, galdef):
        imported = read_galdef(
            galdef(nuc_rigid_br0="2.0e3", nuc_g_0="1.5", nuc_rigid_br="3.0e5", nuc_g_1="2.4")
        )
        law = config_of(imported).physics.sources["nuclei"].injection["default"]
        assert law.indices == (1.5, 2.4)  # nothing changes at 300 GV
        assert law.breaks == pytest.approx((2.0,))

    def test_species(self, galdef):
        names = config_of(read_galdef(galdef())).species.include
        assert {"H1", "He3", "He4", "Be10", "B11", "C12", "C13"} <= set(names)
        assert not {"Li6", "Li7", "N14", "electron"} & set(names)

    def test_electrons(self, galdef):
        pytest.importorskip("aafragpy")
        imported = read_galdef(galdef(**ELECTRONS))
        config = config_of(imported)
        component = config.physics.sources["electrons"]
        assert component.injection["default"].indices == (1.6, 2.5, 5.0)
        assert component.injection["default"].breaks == pytest.approx((4.0, 1e6))
        assert component.normalisation.flux == pytest.approx(4e-3)
        assert component.normalisation.kinetic_energy == pytest.approx(34.5)
        field = config.physics.magnetic_field
        assert (field.B0, field.r_scale, field.z_scale) == pytest.approx((5.0, 10.0, 2.0))
        assert {"electron", "positron"} <= set(config.species.include)
        differing, _ = accounted(imported)
        assert "ISRF_file" in differing

    def test_three_dimensions(self, galdef):
        config = config_of(read_galdef(galdef(
            n_spatial_dimensions="3", r_max=None, dr=None, r_min=None, x_min="-15.0", x_max="+15.0", dx="1.0",
            y_min="-15.0", y_max="+15.0", dy="1.0",
        )))  # fmt: skip
        assert config.physics.halo.radius == 15.0
        # about 1 kpc at the Sun
        assert 2 * np.pi * 8.5 / config.grid.space.phi.n == pytest.approx(1.0, rel=0.05)

    def test_a_grid_in_momentum(self, galdef):
        imported = read_galdef(galdef(p_Ekin_grid="p", p_min="1.0e3", p_max="1.0e8", p_factor="1.5"))
        low = np.sqrt(1.0 + const.PROTON_MASS**2) - const.PROTON_MASS
        assert config_of(imported).grid.momentum.min == pytest.approx(low, rel=1e-5)
        differing, absent = accounted(imported)
        assert "p_Ekin_grid" in differing
        assert {"Ekin_min", "Ekin_max", "Ekin_factor"} <= absent

    def test_nothing_is_dropped(self, galdef):
        differing, absent = accounted(read_galdef(galdef(**ELECTRONS | {"primary_electrons": "0"})))
        assert differing == {
            "n_X_CO", "total_cross_section", "cross_section_option", "v_Alfven", "v0_conv",
        }  # fmt: skip
        assert absent == {
            "iso_abundance_06_099", "secondary_antiprotons", "start_timestep", "E_gamma_min", "DM_double0",
            "my_own_switch", *ELECTRONS,
        }  # fmt: skip

    @pytest.mark.parametrize(("below", "above"), [(1.7, 2.4), (2.45, 2.3)])
    def test_smooth_breaks_are_those_of_galprop(self, galdef, below, above):
        """R^-g_1 [1 + (R/R_br)^(|g_1 - g_2|/s)]^(+-s), Boschini et al. 2020, with the sign of g_1 - g_2."""
        s, at = 0.23, 9.0
        imported = read_galdef(galdef(nuc_g_1=str(below), nuc_g_2=str(above), nuc_smoothing=str(s)))
        law = config_of(imported).physics.sources["nuclei"].injection["default"]
        R = np.geomspace(0.1, 1e4, 25)
        step = below - above
        expected = R**-below * (1.0 + (R / at) ** (abs(step) / s)) ** (np.sign(step) * s)
        found = law.per_rigidity(R)
        np.testing.assert_allclose(found / found[0], expected / expected[0], rtol=1e-11)
        assert accounted(imported)
        assert "nuc_smoothing" in imported.keys.taken

    def test_isotopes_with_breaks_that_the_others_have_not(self, galdef):
        imported = read_galdef(galdef(
            nuc_rigid_br0_02_004="7.0e3", nuc_g_0_02_004="1.7", nuc_rigid_br_02_004="3.3e5", nuc_g_1_02_004="2.4",
            nuc_g_2_02_004="2.2", nuc_rigid_br2_02_004="1.0e7", nuc_g_3_02_004="2.5", nuc_smoothing0_02_004="0.2",
        ))  # fmt: skip
        laws = config_of(imported).physics.sources["nuclei"].injection
        assert laws["He4"].indices == (1.7, 2.4, 2.2, 2.5)
        assert laws["He4"].breaks == pytest.approx((7.0, 330.0, 1e4))
        assert laws["He4"].smoothness == pytest.approx((0.2 / 0.7, 0.0, 0.0))
        assert laws["default"].indices == (1.9, 2.4)
        accounted(imported)

    def test_a_first_break_at_zero_is_none(self, galdef):
        law = (
            config_of(read_galdef(galdef(nuc_rigid_br0="0", nuc_g_0="0"))).physics.sources["nuclei"].injection
        )
        assert law["default"].indices == (1.9, 2.4)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"n_X_CO": "0"}, 1.8),
            ({"n_X_CO": "10"}, 10 ** (-0.4 + 0.066 * 8.5)),
            ({"n_X_CO": "2", "X_CO_parameters": "0.5e20, 0.1e20, 0.2e20, 0.05"}, 0.5 + 0.85 + 0.2 * 10**0.425),
            ({"n_X_CO": "2", "X_CO_parameters_0": "0.5e20", "X_CO_parameters_1": "0.1e20"}, 1.35),
            ({"n_X_CO": "1", "X_CO_radius": "5, 8, 9", "X_CO_values": "1e20,2e20,4e20"}, 3.0),
            ({"n_X_CO": "3", "X_CO_radius": "5, 8, 9", "X_CO_values": "1e20,2e20,4e20"},
             2.0 * 2.0 ** (np.log(8.5 / 8.0) / np.log(9.0 / 8.0))),
        ],
    )  # fmt: skip
    def test_X_CO_is_that_at_the_sun(self, galdef, changes, expected):
        imported = read_galdef(galdef(**changes))
        assert pytest.approx(expected, rel=1e-9) == config_of(imported).physics.gas.H2.X_CO
        differing, absent = accounted(imported)
        assert ("n_X_CO" in differing, "X_CO" in absent) == (changes["n_X_CO"] != "0",) * 2

    def test_sources_that_become_constant(self, galdef):
        imported = read_galdef(galdef())
        where = config_of(imported).physics.sources["nuclei"].distribution
        assert (where.constant_beyond, where.maximum_radius) == (10.0, 15.0)
        assert (
            config_of(read_galdef(galdef(source_parameters_4="20")))
            .physics.sources["nuclei"]
            .distribution.constant_beyond
            is None
        )

    @pytest.mark.parametrize("model", ["source_model_elec", "source_model_electron"])
    def test_sources_of_electrons(self, galdef, model):
        """Their own parameters where given, else those of nuclei."""
        pytest.importorskip("aafragpy")
        imported = read_galdef(galdef(**ELECTRONS, **{model: "1", "source_pars_elec_1": "0.7"}))
        where = config_of(imported).physics.sources["electrons"].distribution
        assert (where.a, where.b) == (0.7, 3.3)
        accounted(imported)

    def test_what_is_not_given_has_the_defaults_of_galprop(self, galdef):
        left_out = ("r_max", "dr", "z_min", "z_max", "dz", "Ekin_min", "Ekin_max", "Ekin_factor", "p_Ekin_grid",
                    "D0_xx", "D_rigid_br", "D_g_1", "D_g_2", "diff_reacc", "v_Alfven", "proton_norm_flux")  # fmt: skip
        imported = read_galdef(galdef(**dict.fromkeys(left_out)))
        config = config_of(imported)
        assert set(left_out) <= set(imported.keys.assumed)
        assert (config.physics.halo.radius, config.physics.halo.half_height) == (20.0, 4.0)
        law = config.physics.diffusion
        D0 = 5.75e28 * const.MYR_S / const.KPC_CM**2
        assert (law.kind, law.delta, law.reference_rigidity) == ("power-law", 0.34, 4.0)
        assert pytest.approx(D0) == law.D0
        assert config.physics.reacceleration.alfven_speed == pytest.approx(
            36 * 1e5 * const.MYR_S / const.KPC_CM
        )
        assert (config.grid.momentum.min, config.grid.momentum.max) == pytest.approx((0.01, 1e5))
        assert config.physics.sources["nuclei"].normalisation.flux == pytest.approx(0.049)

    def test_the_power_of_beta_under_its_other_name(self, galdef):
        imported = read_galdef(galdef(eta="0.91"))
        assert config_of(imported).physics.diffusion.eta == 0.91
        accounted(imported)

    def test_what_the_file_has_switched_off_is_not_missing(self, galdef):
        off = {"DM_gammas": "0", "n_cr_sources": "0", "B_dep_diffusion": "0", "knock_on_electrons": "0"}
        imported = read_galdef(galdef(**off))
        _, absent = accounted(imported)
        assert not set(off) & absent
        _, absent = accounted(read_galdef(galdef(**dict.fromkeys(off, "1"))))
        assert set(off) <= absent

    def test_many_of_one_reason_are_listed_together(self, galdef):
        sky = {
            key: "1" for key in ("gamma_rays", "pi0_decay", "long_min", "lat_min", "d_lat", "skymap_format")
        }
        imported = read_galdef(
            galdef(**sky, ISRF_file="a/very/long/name/of/a/file/that/holds/a/radiation/field.fits")
        )
        accounted(imported)
        report = imported.report()
        assert report.count("emission is a step of its own") == 1
        assert max(map(len, report.splitlines())) <= 80

    def test_switched_off(self, galdef):
        imported = read_galdef(galdef(diff_reacc="0", convection="0", momentum_losses="0", fragmentation="0"))
        physics = config_of(imported).physics
        assert (physics.reacceleration.kind, physics.convection.kind, physics.energy_losses) == (
            "none",
            "none",
            False,
        )
        _, absent = accounted(imported)
        assert {"v_Alfven", "v0_conv", "dvdz_conv", "fragmentation"} <= absent

    def test_what_differs_is_said(self, galdef):
        imported = read_galdef(galdef(source_model="8", diff_reacc="11", proton_norm_flux="0", convection="3",
                                      z_min="-2.0", inj_spectrum_type="Etot"))  # fmt: skip
        config_of(imported)
        differing, _ = accounted(imported)
        assert {
            "source_model",
            "diff_reacc",
            "proton_norm_flux",
            "convection",
            "z_min",
            "inj_spectrum_type",
        } <= differing

    def test_a_key_given_twice(self, galdef, tmp_path):
        path = galdef()
        path.write_text(path.read_text() + "\nD0_xx = 1e27 another\n")
        imported = read_galdef(path)
        assert "D0_xx (again)" in {e.key for e in imported.keys.absent}
        assert imported.raw["physics"]["diffusion"]["D0"].startswith("5.8e+28")

    def test_the_toml_is_the_config(self, galdef):
        imported = read_galdef(galdef(Title='a "title" with \\ and \x07'))
        raw = tomllib.loads(imported.toml())
        assert raw == imported.raw
        assert load_mapping(raw).config == config_of(imported)

    @pytest.mark.parametrize(
        ("changes", "parts"),
        [
            ({"D0_xx": "much", "dr": "-1", "Ekin_factor": "1.0"}, ("D0_xx", '"much"', "dr", "Ekin_factor")),
            (
                {"nuc_g_1": None, "source_parameters_1": None},
                ("nuc_g_1", "is missing", "source_parameters_1"),
            ),
            ({"source_class_files": "a.txt"}, ("source_class_files", "are not read")),
            ({"n_X_CO": "3", "X_CO_values": "1e20,2e20", "X_CO_radius": "3"}, ("X_CO_values", "as many")),
            ({"n_X_CO": "1", "X_CO_values": "1e20;2", "X_CO_radius": "3"}, ("X_CO_values", "with commas")),
            ({"n_X_CO": "2", "X_CO_parameters": "1e20,1"}, ("X_CO_parameters", "found 2 numbers")),
            ({"n_X_CO": "2", "X_CO_parameters": "-1e20,0,0,0"}, ("X_CO_parameters", "expected a positive")),
            ({"nuc_smoothing": "-0.1"}, ("nuc_smoothing", "at least 0")),
            ({"n_spatial_dimensions": "1"}, ("found 1; expected 2 or 3",)),
            ({"D_g_2": "99", "nuc_g_1": "1e60"}, ("between -10 and 10", "nuc_g_1")),
            ({"iso_abundance_01_001": "-1"}, ("at least 0",)),
            ({"v_Alfven": "-30"}, ("physics.reacceleration.alfven_speed",)),
            ({"dz": "1e-9"}, ("grid.space.z.n",)),
        ],
    )
    def test_bad_values(self, galdef, changes, parts):
        with pytest.raises(ConfigError) as caught:
            read_galdef(galdef(**changes)).checked()
        assert all(part in str(caught.value) for part in parts), caught.value

    @pytest.mark.parametrize(
        "content", [b"", b"\x00\xff\xfe\x00=\x01", b"[run]\nname = 'x'\n", b"= 3\n== 4\n"]
    )
    def test_other_files(self, tmp_path, content):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(DataError, match="no galdef file"):
            read_galdef(tmp_path / "f")


XML = """<?xml version="3.1.0" ?>
<Output><partialstore /><feedback value="1" /></Output>
<!-- of the tests -->
<Grid type="2D">
  <Observer><x value="8.0" /><y value="0.6" /><z value="0.02" /></Observer>
  <Rmax value="12" /> <L value="4" /> <DimR value="21" /> <DimZ value="41" />
  <Ekmin value="0.1" /> <Ekmax value="10000." /> <Ekfactor value="1.3" />
  <NuclearChain><Zmax value="6" /><Zmin value="1" /><PropSecAntiProton />LEPTONS</NuclearChain>
</Grid>
<Algorithm><OpSplit><Nrept value="30" /><Dtfactor value="0.25" /></OpSplit></Algorithm>
<Galaxy>
  <Gas type="Galprop" /> <SNR type="Lorimer" />
  <XCOmode type="constant"><XCO_constant value="1.8e20" /></XCOmode>
  <Diffusion type="Constant"><D0_1e28 value="3.0" /><DiffRefRig value="4." /><Delta value="0.5" />
    <Delta_h value="0.3" /><rho_b value="300." /><etaT value="-0.4" /></Diffusion>
  <Reacceleration type="Ptuskin94"><vA_kms value="14.0" /></Reacceleration>
  <Convection type="Constant"><v0_kms value="5." /><dvdz_kmskpc value="10." /><z_k_kpc value="0.1" /></Convection>
  <CrossSection type="Webber03" leptopt="Kamae" ApCs="2" />
  <MagneticField type="Pshirkov"><B0disk value="2.e-06" /></MagneticField>
</Galaxy>
<CR>
  <ProtNormEn_GeV value="100." /><ProtNormFlux value="0.045" /><ElNormEn_GeV value="33." />
  <ElNormFlux value="0.0048" /><CutoffRig value="5.e6" />
  <InjectionIndexElectrons><rho_0 value="5." /><alpha_0 value="1.6" /><alpha_1 value="2.6" />
    <CutoffRigEl value="10000." /></InjectionIndexElectrons>
NUCLEI</CR>
"""
PARAM = """1001\t1.06e6\t2.4\t300.\t2.3
2004\t71990\t2.3\t300.\t2.2
6012\t2866\t2.3\t10.\t2.3
6013\t0\t2.3\t10.\t2.3
99199 1 2 3 4
"""


@pytest.fixture
def dragon(tmp_path):
    def make(text=XML, *, leptons=False, nuclei="", param=PARAM):
        text = text.replace("LEPTONS", "<PropLepton />" if leptons else "").replace("NUCLEI", nuclei)
        (tmp_path / "own.xml").write_text(text)
        if param is not None:
            (tmp_path / "own.source.param").write_text(param)
        return tmp_path / "own.xml"

    return make


class TestDragon:
    def test_box_grid_and_motion(self, dragon):
        config = config_of(read_dragon(dragon()))
        physics, grid = config.physics, config.grid
        assert (physics.halo.radius, physics.halo.half_height) == (12.0, 4.0)
        assert (physics.observer.r, physics.observer.z) == pytest.approx((np.hypot(8.0, 0.6), 0.02))
        # steps of 0.6 and 0.2 kpc
        assert (grid.space.r.n, grid.space.z.n) == (20, 20)
        assert (grid.momentum.min, grid.momentum.max) == (0.1, 1e4)
        kms = 1e5 * const.MYR_S / const.KPC_CM
        assert physics.reacceleration.alfven_speed == pytest.approx(14 * kms)
        assert (physics.convection.V0, physics.convection.gradient) == pytest.approx((5 * kms, 10 * kms))
        assert pytest.approx(1.8) == physics.gas.H2.X_CO
        assert physics.spallation.kind == "webber-2003"

    def test_diffusion(self, dragon):
        law = config_of(read_dragon(dragon())).physics.diffusion
        D0 = 3e28 * const.MYR_S / const.KPC_CM**2
        for R, beta in ((1.0, 0.5), (4.0, 0.9), (300.0, 1.0), (1e4, 1.0)):
            shape = (R / 4) ** 0.5 if R <= 300 else (300 / 4) ** 0.5 * (R / 300) ** 0.3
            found = law.coefficient(np.array(R), np.array(beta), np.array(8.5), np.array(0.0), axis="z")
            assert float(found) == pytest.approx(D0 * beta**-0.4 * shape, rel=1e-10)

    def test_sources_of_the_table(self, dragon):
        imported = read_dragon(dragon())
        component = config_of(imported).physics.sources["nuclei"]
        assert component.abundances == {"H1": 1.06e6, "He4": 71990.0, "C12": 2866.0}
        assert component.injection["default"].indices == (2.4, 2.3)
        assert component.injection["He4"].breaks == pytest.approx((300.0,))
        assert component.injection["C12"].indices == (2.3,)
        assert {law.cutoff for law in component.injection.values()} == {5e6}
        assert component.normalisation.flux == pytest.approx(0.045)
        where = component.distribution
        assert (where.a, where.b, where.R1, where.maximum_radius) == (1.9, 5.0, 0.0, 15.0)
        assert any(e.key == "own.source.param 99199" for e in imported.keys.absent)

    def test_one_law_for_all_nuclei(self, dragon):
        parts = (("alpha_0", 1.8), ("rho_0", 7), ("alpha_1", 2.4), ("rho_1", 9))
        inside = "".join(f'<{name} value="{value}"/>' for name, value in parts)
        law = f"<InjectionIndexAllNuclei>{inside}</InjectionIndexAllNuclei>"
        imported = read_dragon(dragon(nuclei=law, param=None))
        component = config_of(imported).physics.sources["nuclei"]
        assert set(component.injection) == {"default"}
        assert component.injection["default"].indices == (1.8, 2.4)
        assert component.abundances["H1"] > 0.0
        differing, absent = accounted(imported)
        assert "own.source.param" in differing
        assert "CR.InjectionIndexAllNuclei.rho_1" in absent

    def test_electrons(self, dragon):
        pytest.importorskip("aafragpy")
        config = config_of(read_dragon(dragon(leptons=True)))
        component = config.physics.sources["electrons"]
        assert component.injection["default"].indices == (1.6, 2.6)
        assert component.injection["default"].cutoff == 1e4
        assert component.normalisation.flux == pytest.approx(4.8e-3)
        assert {"electron", "positron"} <= set(config.species.include)

    def test_nothing_is_dropped(self, dragon):
        differing, absent = accounted(read_dragon(dragon()))
        assert differing == {"Galaxy.Gas.type", "own.source.param", "CR.ProtNormFlux"}
        assert {
            "Output.partialstore", "Algorithm.OpSplit.Nrept", "Grid.NuclearChain.PropSecAntiProton",
            "Galaxy.Convection.z_k_kpc", "Galaxy.CrossSection.leptopt", "Galaxy.CrossSection.ApCs",
            "Galaxy.MagneticField.B0disk", "CR.ElNormFlux", "CR.InjectionIndexElectrons.alpha_0",
        } <= absent  # fmt: skip

    def test_what_differs_is_said(self, dragon):
        text = XML.replace('Diffusion type="Constant">', 'Diffusion type="Exp"><zt value="4"/>')
        text = (
            text.replace("Lorimer", "OneRing").replace("Ptuskin94", "Ptuskin03").replace("Webber03", "Fluka")
        )
        differing, absent = accounted(read_dragon(dragon(text)))
        assert {"Galaxy.Diffusion.type", "Galaxy.SNR.type", "Galaxy.Reacceleration.type",
                "Galaxy.CrossSection.type"} <= differing  # fmt: skip
        assert "Galaxy.Diffusion.zt" in absent

    def test_flags_and_three_dimensions(self, dragon):
        text = XML.replace('"2D"', '"3D"').replace(
            '<DimR value="21" />', '<DimX value="25" /><DimY value="25" />'
        )
        flags = {"reacc_flag": 0, "conv_flag": 0, "eloss_flag": 0, "spall_flag": 1}
        text += f"<Flags>{''.join(f'<{k} value={chr(34)}{v}{chr(34)}/>' for k, v in flags.items())}</Flags>"
        imported = read_dragon(dragon(text))
        config = config_of(imported)
        assert config.grid.space.phi is not None
        assert config.physics.reacceleration.kind == "none"
        assert config.physics.convection.kind == "none"
        assert not config.physics.energy_losses
        _, absent = accounted(imported)
        assert {"Flags.spall_flag", "Galaxy.Reacceleration.vA_kms", "Galaxy.Convection.v0_kms"} <= absent

    def test_comments_within_comments(self, dragon):
        """A comment ends at the first -->: so the examples of DRAGON switch parts off."""
        parts = (
            "<!--\n <!-- ********* -->\n <!-- <Rmax value='1'/> <!-- not this -->\n"
            "<!-- <L value='2'/>\n </X> <!-- **-->"
        )
        config = config_of(read_dragon(dragon(XML.replace("<Rmax", f"{parts}<Rmax"))))
        assert (config.physics.halo.radius, config.physics.halo.half_height) == (12.0, 4.0)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("Ferriere", {"kind": "ferriere-2001"}),
            ("Galprop", {"a": 1.25, "b": 3.56, "scale_height": 0.2, "maximum_radius": 15.0}),
            ("Blasi", {"a": 2.0, "b": 3.53, "scale_height": 1.0, "maximum_radius": None}),
        ],
    )
    def test_where_sources_are(self, dragon, name, expected):
        imported = read_dragon(dragon(XML.replace("Lorimer", name)))
        where = config_of(imported).physics.sources["nuclei"].distribution
        assert {key: getattr(where, key) for key in expected} == expected
        differing, _ = accounted(imported)
        assert "Galaxy.SNR.type" not in differing

    def test_an_element_given_twice(self, dragon):
        imported = read_dragon(dragon(XML.replace("<Rmax", '<Rmax value="12"/><Rmax')))
        assert "Grid.Rmax (again)" in {e.key for e in imported.keys.absent}

    @pytest.mark.parametrize(
        ("old", "new", "parts"),
        [
            ('<Rmax value="12" />', "", ("Grid.Rmax", "is missing")),
            ('<D0_1e28 value="3.0" />', '<D0_1e28 value="three" />', ("Galaxy.Diffusion.D0_1e28", '"three"')),
            ('"2D"', '"1D"', ("Grid.type", "expected 2D or 3D")),
            ('<Zmax value="6" />', '<Zmax value="0" />', ("Grid.NuclearChain.Zmax",)),
        ],
    )
    def test_bad_values(self, dragon, old, new, parts):
        with pytest.raises(ConfigError) as caught:
            read_dragon(dragon(XML.replace(old, new))).checked()
        assert all(part in str(caught.value) for part in parts), caught.value

    def test_a_bad_table(self, dragon):
        with pytest.raises(ConfigError, match="line 1"):
            read_dragon(dragon(param="carbon 12\n")).checked()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "no input of DRAGON"),
            ("<Grid>", "is not XML"),
            ('<!DOCTYPE x [<!ENTITY a "b">]><Grid>&a;</Grid>', "declares entities"),
            ("<Grid>" + "<a>" * 5000 + "</a>" * 5000 + "</Grid>", "nested too deeply"),
            ("<x><y/></x>", "no input of DRAGON"),
        ],
    )
    def test_other_files(self, dragon, text, message):
        with pytest.raises(DataError, match=message):
            read_dragon(dragon(text))
