"""Inputs of GALPROP and DRAGON and downloads of CRDB with one thing changed: read, or refused in our own words."""

from __future__ import annotations

import random
import tomllib

import pytest
from changes import INTERNAL, KINDS, changed

from cyldiff.config.load import load_mapping
from cyldiff.errors import CyldiffError
from cyldiff.io.crdb import chosen as chosen_set
from cyldiff.io.crdb import read_crdb
from cyldiff.io.dragon import read_dragon
from cyldiff.io.galdef import read_galdef

GALDEF = """Title                = a model of the tests
n_spatial_dimensions = 2
r_max                = 20.0    max r
dz                   = 0.5
Ekin_min             = 1.0e1   MeV
Ekin_factor          = 1.5
D0_xx                = 4.3e28
D_rigid_br           = 4.5e3
D_g_1                = 0.39
D_g_2                = 0.40
D_eta                = 0.9
v_Alfven             = 28.5
convection           = 1
v0_conv              = 12.4
n_X_CO               = 3
X_CO_values          = 0.5e20, 1.0e20, 2.0e20
X_CO_radius          = 2.0, 6.0, 10.0
nuc_rigid_br0        = 7.0e3
nuc_rigid_br         = 3.6e5
nuc_g_0              = 1.7
nuc_g_1              = 2.4
nuc_g_2              = 2.3
nuc_smoothing0       = 0.24
nuc_g_2_02_004       = 2.2
source_parameters_1  = 1.5
source_parameters_2  = 3.5
source_parameters_4  = 10.0
iso_abundance_01_001 = 1.06e6   H
iso_abundance_02_004 = 7.2e4
iso_abundance_06_012 = 2.8e3
max_Z                = 6
use_Z_3              = 0
"""
XML = """<?xml version="3.0" ?>
<Grid type="2D">
  <!-- <!-- a comment as DRAGON has them -->
  <Observer><x value="8.3" /><y value="0.0" /></Observer>
  <Rmax value="12" />
  <L value="4" />
  <DimR value="21" />
  <DimZ value="41" />
  <Ekmin value="0.1" />
  <Ekmax value="1000." />
  <Ekfactor value="1.4" />
  <NuclearChain><Zmax value="6" /><Zmin value="1" /></NuclearChain>
</Grid>
<Galaxy>
  <Gas type="Galprop" />
  <SNR type="Ferriere" />
  <XCOmode type="SM96" />
  <Diffusion type="Constant"><D0_1e28 value="2.7" />
    <DiffRefRig value="4" />
    <Delta value="0.6" />
  </Diffusion>
  <Reacceleration type="Ptuskin94"><vA_kms value="13." /></Reacceleration>
  <CrossSection type="DRAGON2" />
</Galaxy>
<CR>
  <ProtNormEn_GeV value="100" />
  <ProtNormFlux value="5.e-2" />
  <InjectionIndexAllNuclei><alpha_0 value="2.0" />
    <rho_0 value="9." />
    <alpha_1 value="2.3" />
  </InjectionIndexAllNuclei>
</CR>
"""
POINT = (
    "B/C,AMS02(2011/05-2018/05),R,{x},{low},{high},0.2,0.01,0.01,0.02,0.02,2021PhR...894....1A,600,1,"
    "2011/05/19-0:2018/05/26-0,0"
)
DOWNLOAD = "# CRDB\n" + "".join(
    POINT.format(x=x, low=0.9 * x, high=1.1 * x) + "\n" for x in (2.0, 4.0, 8.0, 16.0, 32.0)
)


def model(read):
    def try_it(path):
        imported = read(path)
        loaded = imported.checked()
        # the file that would be written is the config that was checked, and every key is listed
        assert load_mapping(tomllib.loads(imported.toml())).config == loaded.config
        absent = {e.key for e in imported.keys.absent}
        assert all((key in imported.keys.taken) != (key in absent) for key in imported.keys.values)

    return try_it


def download(path):
    table, pedigree = chosen_set(read_crdb(path), quantity=None, experiment=None).files(path.name)
    assert len(table.splitlines()) > 1
    tomllib.loads(pedigree)


FILES = {
    "galdef": (GALDEF, model(read_galdef)),
    "dragon": (XML, model(read_dragon)),
    "crdb": (DOWNLOAD, download),
}
CASES = 70


@pytest.mark.parametrize("name", FILES)
def test_it(name, tmp_path):
    text, read = FILES[name]
    path = tmp_path / "input.xml"
    path.write_text(text, encoding="utf-8")
    read(path)
    refused = 0
    for seed in range(CASES):
        chance = random.Random(f"{name} {seed}")
        kind = KINDS[seed % len(KINDS)]
        if kind == "bytes":
            content = bytearray(text.encode())
            for _ in range(chance.choice((1, 4))):
                content[chance.randrange(len(content))] = chance.randrange(256)
            path.write_bytes(content)
        else:
            path.write_text(changed(text, kind, chance), encoding="utf-8")
        message = None
        try:
            read(path)
        except CyldiffError as error:
            message = str(error)
        if message is not None:
            refused += 1
            assert message.strip(), (seed, kind)
            assert not INTERNAL.search(message), (seed, kind, message)
    # keys that are not given have defaults, so that much is still an input
    assert refused >= CASES // 10
