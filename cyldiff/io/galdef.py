"""A galdef file of GALPROP as a config.

The keys are those of the GALPROP v54 to v56 manuals (galprop.stanford.edu; Strong & Moskalenko 1998, ApJ 509, 212):
lengths in kpc, energies and rigidities in MeV and MV, D in cm^2/s, speeds in km/s, fluxes in cm^-2 s^-1 sr^-1
MeV^-1. A line is ``key = value comment``; what follows ``#`` is a comment. Keys that are not given have the defaults of
GALPROP v56, which are those of v54 where it has the key.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from cyldiff.errors import DataError, Problem
from cyldiff.io.foreign import AGAIN, Imported, Keys, base_model, cells_in_half_space
from cyldiff.io.galdef_gas import gas
from cyldiff.io.galdef_sources import R_SUN, electrons, nuclei
from cyldiff.particles.species import MAX_Z, nuclides
from cyldiff.resources import no_file

__all__ = ["read_galdef"]

_LINE = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(.*)")
_VALUE = re.compile(r"[^\s#,]+(?:\s*,\s*[^\s#,]+)*")

_SKY = "emission is a step of its own: cyldiff gamma RESULT"
_STEPS = "the solver takes its own steps, to the residual solver.tolerance"
_ELECTRONS = "the electrons have their field and sources from other keys"
_REASONS = (
    (r"(ionization|coulomb|bremss|IC|sync)_losses", "losses are on or off together: physics.energy_losses"),
    (r"E_gamma.*|gamma_rays|pi0_decay|IC_.*|bremss|synchrotron|nu_synch.*|integration_mode", _SKY),
    (r"long_.*|lat_.*|d_long|d_lat|healpix.*|anisoHealpix.*|skymap.*|lo?s_.*|LoS.*|cameraLocation", _SKY),
    (r"COR_.*|HIR_.*|free_free.*|HII_Te|HII_clumping.*|ISRF_healpix.*|globalLuminosities", _SKY),
    (r"pair_?production|(HI|CO)_survey|(HI|CO)Cube_.*|renorm_off", _SKY),
    (r"(start|end)_timestep|timestep_.*|solution_.*|network_.*|prop_.|control_diagnostics|warm_start", _STEPS),
    (r"use_symmetry|vectorized|spatial_bound_conds", _STEPS),
    (r"DM_.*", "dark matter is not in cyldiff"),
    (r".*antiproton.*", "antiprotons are not followed"),
    (r"n_cr_sources|cr_source_.*|SNR_.*", "point sources: cyldiff sources, cyldiff population"),
    (r"damping_.*", "damping of waves by cosmic rays is not in cyldiff"),
    (r"B_dep_diffusion|D_xx_max|D_xx_min|Dxx_plane.*", "D that varies in space: physics.diffusion spatially-dependent"),
    (r"Diffusion_aniso|D0_zz", "D is the same in r and z: physics.diffusion anisotropic"),
    (r"z0_conv", "the wind begins in the plane"),
    (r"local_bubble.*", "there is no local bubble"),
    (r"verbose|output_.*|test_suite|ionization_rate", "output of GALPROP"),
    (r"comment", "a comment"),
    (r"GCR_data_filename", "data are chosen with compare.data"),
    (r"knock_on_electrons", "knock-on electrons are not in cyldiff"),
    (r"K_capture", "nuclides that decay by electron capture only are stable, as bare nuclei are"),
    (r"t_half_limit", "the nuclides that decay in flight are those of physics/particles/nuclides.csv"),
    (r"use_Z_\d+", f"nuclides end at Z = {MAX_Z}"),
    (r"primary_positrons|source_class_files|source_xmlFile|source_(model|pars)_posi.*|positron_.*",
     "add a source component by hand"),
    (r"[xyr]_(min|max)|d[xyr]|p_(min|max|factor)|Ekin_.*", "not used with this kind of grid"),
    (r"spiral_fraction", "arms: physics.sources distribution spiral-arms"),
    (r"n_X_CO_values|propagation_X_CO", "one X_CO, the same at every radius, for propagation and for the sky"),
    (r"n_X_CO|X_CO.*|n_H.*|H.*_xmlFilename", "the gas is one of the models of cyldiff: cyldiff list kinds"),
    (r"rigid_(min|max)|inj_Ekin_.*", "injection has a cutoff, but no sharp ends"),
    (r"spectra_norm_Rigidity", "abundances are ratios at equal energy per nucleon"),
    (r"(proton|electron)_norm_type|(electron_)?source_normalization",
     "a component is normalised to a flux of one species at one kinetic energy"),
    (r"nuc_.*", "an index without its break, or a break without its index"),
    (r"n_source_values|source_(normalization|radius.*|values.*|parameters_.*|specification)",
     "belongs to another source_model"),
)  # fmt: skip
#: without electrons these mean nothing, whatever the patterns above say
_OF_ELECTRONS = r"electron_.*|source_.*elec.*|n?_?B_field.*|ISRF_f.*|secondary_(positrons|electrons)"
#: processes that a file may have switched off, which is all that cyldiff can do
_SWITCHES = (
    r"B_dep_diffusion|Diffusion_aniso|n_cr_sources|SNR_events|local_bubble_radius|DM_(positrons|electrons|antiprotons"
    r"|gammas)|primary_positrons|knock_on_electrons|(secondary|tertiary)_antiprotons?|source_specification|z0_conv"
)


#: what GALPROP v56 takes where its keys are missing [MeV, MV]
_MOMENTA = {
    "Ekin": {"min": 10.0, "max": 1e8, "factor": 1.4},
    "p": {"min": 10.0, "max": 1e5, "factor": 1.3},
}


def read_galdef(path: str | Path) -> Imported:
    """Read a galdef file and translate it.

    Parameters
    ----------
    path : the input file

    Returns
    -------
    Imported
        the config, with what became of every key.

    Raises
    ------
    DataError
        if it cannot be read, or is no galdef file.
    """
    path = Path(path)
    keys = Keys(_lines(path))
    if "n_spatial_dimensions" not in keys and "D0_xx" not in keys:
        raise DataError(f"{path}: no galdef file: neither n_spatial_dimensions nor D0_xx is given")
    physics = base_model()
    halo, grid = _grid(keys)
    physics |= {"halo": halo, "observer": {"r": f"{R_SUN} kpc", "z": "0 kpc"}, "diffusion": _diffusion(keys)}
    _motion(keys, physics)
    physics["gas"] = gas(keys)
    _nuclear(keys, physics)
    species = _species(keys)
    physics["sources"] = {"nuclei": nuclei(keys)}
    followed = electrons(keys, physics, species)
    title = keys.text("Title", to="run.purpose")
    raw = {
        "schema": 1,
        "run": {"name": re.sub(r"[^\w.-]+", "-", path.name).strip(".-") or "galdef",
                "purpose": f"imported from GALPROP: {title or path.name}"},
        "grid": grid,
        "physics": physics,
        "species": {"include": species},
    }  # fmt: skip
    keys.off(_SWITCHES)
    why = _ELECTRONS if followed else "electrons are not followed (primary_electrons is 0, or has no flux)"
    keys.left(((_OF_ELECTRONS, why), *_REASONS))
    return Imported("GALPROP", path.name, keys, raw)


def _lines(path: Path) -> dict[str, str]:
    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        key, rest = match.groups()
        value = rest.strip() if key == "Title" else next(iter(_VALUE.findall(rest.split("#")[0])), "")
        while key in found:
            key += AGAIN
        found[key] = value
    return found


def _grid(keys: Keys) -> tuple[dict[str, Any], dict[str, Any]]:
    """Box and resolution."""
    dimensions = keys.flag("n_spatial_dimensions", 2, to="grid.space")
    if dimensions not in (2, 3):
        keys.problems.append(Problem("n_spatial_dimensions", f"found {dimensions}; expected 2 or 3"))
    low, high = keys.number("z_min", -4.0, to="physics.halo"), keys.positive("z_max", 4.0, to="physics.halo")
    height = 0.5 * (high - low)
    if abs(low + high) > 1e-6 * high:
        keys.differs("z_min", f"the halo is symmetric: half_height {height:g} kpc")
    dz = keys.positive("dz", 0.2, to="grid.space.z")
    space: dict[str, Any] = {"geometry": "cylindrical", "half_space": True}
    if dimensions == 3:
        radius, step = (
            keys.positive("x_max", 15.0, to="physics.halo.radius"),
            keys.positive("dx", 1.0, to="grid.space.r"),
        )
        keys.differs("x_max", f"the box is a cylinder of radius {radius:g} kpc, not a cuboid")
        for key in ("x_min", "y_min", "y_max", "dy"):
            keys.text(key)
            if key in keys:
                keys.differs(key, "the cylinder is set by x_max and dx")
        space["phi"] = {"n": max(8, 2 * round(np.pi * R_SUN / step))}
    else:
        radius, step = (
            keys.positive("r_max", 20.0, to="physics.halo.radius"),
            keys.positive("dr", 1.0, to="grid.space.r"),
        )
        if keys.number("r_min", 0.0) != 0.0:
            keys.differs("r_min", "the cylinder begins on its axis")
    space["r"] = {"n": max(5, round(radius / step))}
    space["z"] = {"n": cells_in_half_space(height, dz), "spacing": "uniform"}
    return ({"radius": f"{radius:.12g} kpc", "half_height": f"{height:.12g} kpc"},
            {"title": "resolution of the galdef file", "space": space, "momentum": _momentum(keys)})  # fmt: skip


def _momentum(keys: Keys) -> dict[str, Any]:
    kind = keys.text("p_Ekin_grid", "Ekin", to="grid.momentum")
    if kind not in ("Ekin", "p"):
        keys.differs("p_Ekin_grid", "the grid is in kinetic energy per nucleon")
    name = "p" if kind == "p" else "Ekin"
    low, high, factor = (
        keys.positive(f"{name}_{end}", default, to="grid.momentum") for end, default in _MOMENTA[name].items()
    )
    if factor <= 1.0:
        keys.problems.append(Problem(f"{name}_factor", f"found {factor:g}; expected more than 1"))
        factor = 2.0
    if name == "p":
        keys.differs(
            "p_Ekin_grid", "the grid is in kinetic energy per nucleon: of a proton at p_min and p_max"
        )
        low, high = (np.sqrt(p**2 + 938.272**2) - 938.272 for p in (low, high))
    decades = 1.0 / np.log10(factor)
    if decades <= 1.0:
        keys.differs(f"{name}_factor", "at least 1.5 energies per decade are needed; taken are 4")
        decades = 4.0
    return {"min": f"{low:.12g} MeV", "max": f"{high:.12g} MeV", "per_decade": float(f"{decades:.6g}")}


def _diffusion(keys: Keys) -> dict[str, Any]:
    """D = D0 beta^eta (R/R_ref)^g_1 below the break, continuous with g_2 above; R_ref is the break by default."""
    D0 = keys.positive("D0_xx", 5.75e28, to="physics.diffusion.D0")
    at = keys.positive("D_rigid_br", 4e3, to="physics.diffusion.breaks")
    reference = keys.positive("D_rigid_ref", at, to="physics.diffusion.reference_rigidity")
    low, high = (
        keys.slope("D_g_1", 0.34, to="physics.diffusion.delta"),
        keys.slope("D_g_2", 0.34, to="physics.diffusion.delta"),
    )
    law = {
        # the power of beta is called eta in the versions that HelMod uses
        "eta": keys.number(
            "eta" if "eta" in keys and "D_eta" not in keys else "D_eta", 1.0, to="physics.diffusion.eta"
        ),
        "reference_rigidity": f"{reference:.12g} MV",
    }
    if low == high:
        return {"kind": "power-law", "D0": f"{D0:.12g} cm^2/s", "delta": low, **law}
    # D0 of cyldiff belongs to a reference below all breaks
    at_break = D0 * (at / reference) ** (low if reference <= at else high)
    law["reference_rigidity"] = f"{at:.12g} MV"
    return {"kind": "broken-power-law", "D0": f"{at_break:.12g} cm^2/s", "delta": [low, high],
            "breaks": [f"{at:.12g} MV"], "smoothness": [0.0], **law}  # fmt: skip


def _motion(keys: Keys, physics: dict[str, Any]) -> None:
    """Reacceleration, convection, losses."""
    mode = keys.flag("diff_reacc", 1, to="physics.reacceleration")
    if mode:
        speed = keys.number("v_Alfven", 36.0, to="physics.reacceleration.alfven_speed")
        physics["reacceleration"] = {"kind": "seo-ptuskin-1994", "alfven_speed": f"{speed:.12g} km/s"}
        if keys.number("D_g_1", 0.34) != keys.number("D_g_2", 0.34):
            keys.differs(
                "v_Alfven", "D_pp has the slope of D at each rigidity, in GALPROP that below the break, D_g_1"
            )
        if mode not in (1, 2):
            keys.differs(
                "diff_reacc", "D without damping or other powers of beta, and Seo & Ptuskin 1994 with it"
            )
    else:
        keys.none("v_Alfven", "no reacceleration: diff_reacc is 0")
    wind = keys.flag("convection", 0, to="physics.convection")
    if wind:
        speed = keys.number("v0_conv", 0.0, to="physics.convection.V0")
        gradient = keys.number("dvdz_conv", 10.0, to="physics.convection.gradient")
        physics["convection"] = {
            "kind": "linear-wind", "V0": f"{speed:.12g} km/s", "gradient": f"{gradient:.12g} km/s/kpc",
        }  # fmt: skip
        if speed != 0.0:
            keys.differs(
                "v0_conv",
                "it begins in the plane and empties and cools it; the scheme of GALPROP leaves the plane out",
            )
        if wind != 1:
            keys.differs("convection", "a wind V0 + gradient |z|, the same at every radius")
    else:
        for key in ("v0_conv", "dvdz_conv"):
            keys.none(key, "no wind: convection is 0")
    losses = keys.flag("momentum_losses", 1, to="physics.energy_losses") != 0
    physics["energy_losses"] = losses
    for name in ("ionization", "coulomb", "bremss", "IC", "sync"):
        key = f"{name}_losses"
        if losses and key in keys and keys.values[key].lower() in ("1", "true"):
            keys.text(key, to="physics.energy_losses")


def _nuclear(keys: Keys, physics: dict[str, Any]) -> None:
    option = keys.flag("total_cross_section", 1, to="physics.inelastic")
    if option == 0:
        physics["inelastic"] = {"kind": "letaw-1983"}
    elif option == 2:
        physics["inelastic"] = {"kind": "barashenkov-1994", "extrapolation": "constant"}
        keys.differs("total_cross_section", "the tables of 1994, not those of 2001")
    else:
        keys.differs("total_cross_section", "Tripathi et al. 1999 instead of Wellisch & Axen 1996")
    keys.text("cross_section_option", to="physics.spallation")
    keys.differs("cross_section_option", "fragments of Evoli et al. 2019 and Webber et al. 2003")
    for key in ("fragmentation", "radioactive_decay"):
        if keys.flag(key, 1) == 0:
            keys.none(key, "cannot be switched off")
    physics["secondary_protons"] = keys.flag("secondary_protons", 1, to="physics.secondary_protons") != 0


def _species(keys: Keys) -> list[str]:
    """Nuclides up to max_Z of the elements that are switched on."""
    highest = keys.flag("max_Z", 2, to="species.include")
    if highest > MAX_Z:
        keys.differs("max_Z", f"nuclides end at Z = {MAX_Z}")
    used = {z: keys.flag(f"use_Z_{z}", 1) != 0 for z in range(1, MAX_Z + 1)}
    names = [s.name for s in nuclides().values() if highest >= s.Z and used[s.Z]]
    if not names:
        keys.problems.append(Problem("max_Z", "no nuclide is left; expected at least hydrogen"))
    return names
