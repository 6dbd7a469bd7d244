"""``cyldiff import``: a config that loads and runs, the list of what has no equivalent, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff.cli import main

GALDEF = """
n_spatial_dimensions = 2
r_max = 20
dr = 2.5        # coarse
z_min = -4
z_max = 4
dz = 0.5
Ekin_min = 1e2
Ekin_max = 1e7
Ekin_factor = 1.6
D0_xx = 5e28
D_rigid_br = 4e3
D_g_1 = 0.4
D_g_2 = 0.4
diff_reacc = 0
source_model = 2
nuc_rigid_br = 1e4
nuc_g_1 = 2.3
nuc_g_2 = 2.3
proton_norm_Ekin = 1e5
proton_norm_flux = 4.4e-9
iso_abundance_01_001 = 1e6
iso_abundance_02_004 = 7e4
max_Z = 2
gamma_rays = 1
"""
XML = """<Grid type="2D"><Rmax value="20"/><L value="4"/><DimR value="9"/><DimZ value="17"/>
<Ekmin value="0.1"/><Ekmax value="1e4"/><Ekfactor value="1.6"/><NuclearChain><Zmax value="2"/></NuclearChain></Grid>
<Galaxy><Gas type="Galprop"/><SNR type="Lorimer"/><XCOmode type="SM96"/>
<Diffusion type="Constant"><D0_1e28 value="5"/><DiffRefRig value="4"/><Delta value="0.4"/></Diffusion>
<CrossSection type="DRAGON2"/></Galaxy>
<CR><ProtNormEn_GeV value="100"/><ProtNormFlux value="0.044"/>
<InjectionIndexAllNuclei><alpha_0 value="2.3"/></InjectionIndexAllNuclei></CR>
"""


def call(*arguments, status=0):
    answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert answer.exit_code == status, answer.output
    assert "Traceback" not in answer.output
    return answer


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "galdef_x").write_text(GALDEF)
    (tmp_path / "x.xml").write_text(XML)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "file", "flux"), [("galdef", "galdef_x", 0.044), ("dragon", "x.xml", 0.044)]
)
def test_it_loads_runs_and_has_the_flux_it_was_given(here, kind, file, flux):
    text = call("import", kind, file, "-o", "m.toml").stdout
    assert "without an equivalent" in text
    assert "m.toml written" in text
    assert "m.toml: valid" in call("check", "m.toml").stdout
    call("run", "m.toml", "-o", "m.nc", "--set", "solver.grid_error.enabled=false")
    with xr.open_dataset("m.nc") as result:
        protons = result["flux_lis"].sel(species="H1")
        t = result["kinetic_energy"].values
        k = abs(t - 100.0).argmin()
        around = slice(k - 1, k + 2)
        at = np.exp(np.interp(np.log(100.0), np.log(t[around]), np.log(protons.values[around])))
        assert at == pytest.approx(flux, rel=1e-3)
        assert "imported from" in result.attrs["purpose"]


def test_the_list_stands_in_the_config(here):
    printed = call("import", "galdef", "galdef_x", "-o", "m.toml").stdout
    comments = [line[2:] for line in (here / "m.toml").read_text().splitlines() if line.startswith("# ")]
    line = next(line for line in printed.splitlines() if "gamma_rays" in line)
    assert "cyldiff gamma RESULT" in line
    assert line in comments
    assert comments[0] == "imported from galdef_x, an input of GALPROP"


def test_refusals(here):
    (here / "m.toml").write_text("mine")
    answer = call("import", "galdef", "galdef_x", "-o", "m.toml", status=2)
    assert '"m.toml" exists; use --force to replace it' in answer.stderr
    assert (here / "m.toml").read_text() == "mine"
    call("import", "galdef", "galdef_x", "-o", "m.toml", "--force")
    (here / "bad").write_text(GALDEF.replace("D0_xx = 5e28", "D0_xx = many").replace("dz = 0.5", "dz = 0"))
    answer = call("import", "galdef", "bad", "-o", "no/b.toml", status=2)
    for part in ("3 problems", "D0_xx", '"many"', "dz", 'folder "no" does not exist'):
        assert part in answer.stderr
    answer = call("import", "dragon", "galdef_x", "-o", "b.txt", status=2)
    for part in ("2 problems", "ends in .toml", "no input of DRAGON"):
        assert part in answer.stderr
    assert "none: no such file" in call("import", "galdef", "none", "-o", "b.toml", status=2).stderr
    assert not list(here.glob("b.*"))


@pytest.mark.parametrize("name", ["galdef", "dragon"])
def test_help(name):
    text = call("import", name, "--help").stdout
    assert max(map(len, text.splitlines())) <= 80
