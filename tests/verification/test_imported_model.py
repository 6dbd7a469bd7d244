"""A galdef with diffusion only, run as imported, against closed formulas of the slab: D0, z_h, breaks and units.

Sources exp(-|z|/h), the same at every radius, in a thin halo: far from the rim the density in the plane is that of the
slab, n = q h [H - h (1 - exp(-H/h))] / D (twice integrated D n'' = -q exp(-|z|/h), n(H) = 0), of the slope of q/D.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

import cyldiff
from cyldiff import constants as const
from cyldiff.config.load import load_mapping
from cyldiff.io.galdef import read_galdef

M = const.PROTON_MASS
HEIGHT, RADIUS, FLUX, AT = 0.2, 20.0, 4.0e-9, 1.0e5
G_1, G_2, BREAK = 1.9, 2.4, 9.0e3
D_1, D_2, D_BREAK = 0.3, 0.5, 5.0e3


def galdef(path, *, D0, z_h):
    path.write_text(f"""Title = diffusion alone
n_spatial_dimensions = 2
r_min = 0   r_max below
r_max = {RADIUS}
dr    = 1.0
z_min = {-z_h}
z_max = {z_h}
dz    = 0.02
Ekin_min = 1.0e2
Ekin_max = 1.0e7
Ekin_factor = 1.5
D0_xx = {D0}      cm^2 s^-1
D_rigid_br = {D_BREAK}
D_g_1 = {D_1}
D_g_2 = {D_2}
diff_reacc = 0
convection = 0
momentum_losses = 0
source_model = 1
source_parameters_0 = {HEIGHT}
source_parameters_1 = 0.
source_parameters_2 = 0.
nuc_rigid_br = {BREAK}
nuc_g_1 = {G_1}
nuc_g_2 = {G_2}
proton_norm_Ekin = {AT}
proton_norm_flux = {FLUX}
iso_abundance_01_001 = 1.06e+06
max_Z = 1
secondary_protons = 0
""")
    imported = read_galdef(path)
    raw = dict(imported.raw)
    # GALPROP cannot switch its gas off: here it is, for the formula to hold
    raw["physics"] = {**raw["physics"], "gas": {**{p: {"kind": "none"} for p in ("HI", "H2", "HII")},
                                                "helium_fraction": 0.0}}  # fmt: skip
    raw["species"] = {"include": ["H1"]}
    raw["solver"] = {"grid_error": {"enabled": False}}
    return cyldiff.run(load_mapping(raw))


def rigidity(t):
    return np.sqrt(t * (t + 2.0 * M))


def beta(t):
    return rigidity(t) / (t + M)


def injected(t):
    """dN/dT of dN/dR ~ R^-g, any unit: dR/dT = 1/beta."""
    x = rigidity(t) / (1e-3 * BREAK)
    return np.where(x < 1.0, x**-G_1, x**-G_2) / beta(t)


def diffusion(t, D0):
    """[kpc^2/Myr]; D0 is that of the break, where no D_rigid_ref is given."""
    x = rigidity(t) / (1e-3 * D_BREAK)
    return D0 * const.MYR_S / const.KPC_CM**2 * beta(t) * np.where(x < 1.0, x**D_1, x**D_2)


def height(z_h):
    """Of the slab's solution, n = q / D times this [kpc^2]."""
    return HEIGHT * (z_h - HEIGHT * (1.0 - np.exp(-z_h / HEIGHT)))


@pytest.mark.parametrize(("D0", "z_h"), [(5.8e28, 1.0), (5.8e28, 2.0), (1.16e29, 1.0)])
def test_flux_and_power_are_those_of_the_slab(tmp_path, D0, z_h):
    result = galdef(tmp_path / "galdef_50_slab", D0=D0, z_h=z_h)
    t, flux = result["kinetic_energy"].values, result["flux_lis"].sel(species="H1").values
    # the spectrum: intensity ~ beta q / D
    shape = beta(t) * injected(t) / diffusion(t, D0)
    k = int(np.argmin(np.abs(t - 1e-3 * AT)))
    np.testing.assert_allclose(flux / flux[k], shape / shape[k], rtol=1e-4)
    # its size at 100 GeV, in the units of the galdef: cm^-2 s^-1 sr^-1 MeV^-1
    between = np.exp(np.interp(np.log(1e-3 * AT), np.log(t), np.log(flux)))
    assert between == pytest.approx(1e7 * FLUX, rel=2e-3)
    # the power that the sources need for it scales with D0 over z_h
    density = (
        4.0 * np.pi / (const.SPEED_OF_LIGHT_CM_S * beta(t[k])) * flux[k] * 1e-4 * const.KPC_CM**3
    )  # [GeV^-1 kpc^-3]
    q = density * diffusion(t[k], D0) / height(z_h) / injected(t[k])
    volume = np.pi * RADIUS**2 * 2.0 * HEIGHT * (1.0 - np.exp(-z_h / HEIGHT))
    energy = quad(lambda x: np.exp(2.0 * x) * float(injected(np.exp(x))), np.log(t[0]), np.log(t[-1]),
                  points=[np.log(8.1)], limit=200)[0]  # fmt: skip
    power = q * volume * energy / (const.ERG_GEV * const.MYR_S)
    found = float(result["injected_power"][0])
    print(
        f"D0 {D0:.3g} cm^2/s, z_h {z_h} kpc: power {found:.5e} erg/s, slab {power:.5e}, {found / power - 1:+.2%}"
    )
    assert found == pytest.approx(power, rel=2e-3)
