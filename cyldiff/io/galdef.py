"""A galdef file of GALPROP as a config.

The keys are those of the GALPROP v54 to v56 manuals (galprop.stanford.edu; Strong & Moskalenko 1998, ApJ 509, 212):
lengths in kpc, energies and rigidities in MeV and MV, D in cm^2/s, speeds in km/s, fluxes in cm^-2 s^-1 sr^-1
MeV^-1. A line is ``key = value comment``; what follows ``#`` is a comment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from cyldiff.errors import DataError, Problem
from cyldiff.io.foreign import AGAIN, Imported, Keys, base_model, cells_in_half_space, collapsed
from cyldiff.particles.species import MAX_Z, nuclides
from cyldiff.resources import no_file

__all__ = ["read_galdef"]

_LINE = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(.*)")
_VALUE = re.compile(r"[^\s#,]+(?:\s*,\s*[^\s#,]+)*")
#: GALPROP puts the Sun here [kpc]
R_SUN = 8.5
#: MeV^-1 cm^-2 in GeV^-1 m^-2
_FLUX = 1e7

_SKY = "emission is a step of its own: cyldiff gamma RESULT"
_STEPS = "the solver takes its own steps, to the residual solver.tolerance"
_REASONS = (
    (r"E_gamma.*|gamma_rays|pi0_decay|IC_.*|bremss|synchrotron|nu_synch.*|integration_mode", _SKY),
    (r"long_.*|lat_.*|d_long|d_lat|healpix.*|anisoHealpix.*|skymap.*|lo?s_.*|LoS.*|cameraLocation", _SKY),
    (r"COR_.*|HIR_.*|free_free.*|HII_Te|HII_clumping.*|ISRF_healpix.*|globalLuminosities|pairproduction", _SKY),
    (r"(start|end)_timestep|timestep_.*|solution_.*|network_.*|prop_.|control_diagnostics|warm_start", _STEPS),
    (r"DM_.*", "dark matter is not in cyldiff"),
    (r".*antiproton.*", "antiprotons are not followed"),
    (r"n_cr_sources|cr_source_.*|SNR_.*", "point sources: cyldiff sources, cyldiff population"),
    (r"damping_.*", "damping of waves by cosmic rays is not in cyldiff"),
    (r"B_dep_diffusion|D_xx_max|D_xx_min|Dxx_plane.*", "D that varies in space: physics.diffusion spatially-dependent"),
    (r"local_bubble.*", "there is no local bubble"),
    (r"verbose|output_.*|test_suite|ionization_rate", "output of GALPROP"),
    (r"knock_on_electrons", "knock-on electrons are not in cyldiff"),
    (r"K_capture", "nuclides that decay by electron capture only are stable, as bare nuclei are"),
    (r"t_half_limit", "the nuclides that decay in flight are those of physics/particles/nuclides.csv"),
    (r"primary_positrons|source_class_files|source_xmlFile", "add a source component by hand"),
    (r"[xyr]_(min|max)|d[xyr]|p_(min|max|factor)|Ekin_.*", "not used with this kind of grid"),
    (r"electron_.*|source_.*elec.*|B_field.*|ISRF.*|secondary_(positrons|electrons)",
     "electrons are not followed (primary_electrons is 0, or has no flux)"),
    (r"n_X_CO|X_CO.*|n_H.*|H.*_xmlFilename", "the gas is one of the models of cyldiff: cyldiff list kinds"),
    (r"rigid_(min|max)|inj_Ekin_.*", "injection has a cutoff, but no sharp ends"),
    (r"(ionization|coulomb|bremss|IC|sync)_losses", "losses are on or off together: physics.energy_losses"),
    (r"source_(normalization|radius.*|values.*|parameters_.*|specification)", "belongs to another source_model"),
)  # fmt: skip


def read_galdef(path: Path) -> Imported:
    """Read a galdef file and translate it.

    Raises
    ------
    DataError
        if it cannot be read, or is no galdef file.
    """
    keys = Keys(_lines(path))
    if "n_spatial_dimensions" not in keys and "D0_xx" not in keys:
        raise DataError(f"{path}: no galdef file: neither n_spatial_dimensions nor D0_xx is given")
    physics = base_model()
    halo, grid = _grid(keys)
    physics |= {"halo": halo, "observer": {"r": f"{R_SUN} kpc", "z": "0 kpc"}, "diffusion": _diffusion(keys)}
    _motion(keys, physics)
    physics["gas"] = _gas(keys)
    _nuclear(keys, physics)
    species = _species(keys)
    physics["sources"] = {"nuclei": _nuclei(keys, species)}
    _electrons(keys, physics, species)
    title = keys.text("Title", to="run.purpose")
    raw = {
        "schema": 1,
        "run": {"name": re.sub(r"[^\w.-]+", "-", path.name).strip(".-") or "galdef",
                "purpose": f"imported from GALPROP: {title or path.name}"},
        "grid": grid,
        "physics": physics,
        "species": {"include": species},
    }  # fmt: skip
    keys.left(_REASONS)
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
    low, high = keys.number("z_min", to="physics.halo"), keys.positive("z_max", to="physics.halo")
    height = 0.5 * (high - low)
    if abs(low + high) > 1e-6 * high:
        keys.differs("z_min", f"the halo is symmetric: half_height {height:g} kpc")
    dz = keys.positive("dz", to="grid.space.z")
    space: dict[str, Any] = {"geometry": "cylindrical", "half_space": True}
    if dimensions == 3:
        radius, step = (
            keys.positive("x_max", to="physics.halo.radius"),
            keys.positive("dx", to="grid.space.r"),
        )
        keys.differs("x_max", f"the box is a cylinder of radius {radius:g} kpc, not a cuboid")
        for key in ("x_min", "y_min", "y_max", "dy"):
            keys.text(key)
            if key in keys:
                keys.differs(key, "the cylinder is set by x_max and dx")
        space["phi"] = {"n": max(8, 2 * round(np.pi * R_SUN / step))}
    else:
        radius, step = (
            keys.positive("r_max", to="physics.halo.radius"),
            keys.positive("dr", to="grid.space.r"),
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
        keys.positive(f"{name}_{end}", to="grid.momentum") for end in ("min", "max", "factor")
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
    D0 = keys.positive("D0_xx", to="physics.diffusion.D0")
    at = keys.positive("D_rigid_br", to="physics.diffusion.breaks")
    reference = keys.positive("D_rigid_ref", at, to="physics.diffusion.reference_rigidity")
    low, high = (
        keys.slope("D_g_1", to="physics.diffusion.delta"),
        keys.slope("D_g_2", to="physics.diffusion.delta"),
    )
    law = {
        "eta": keys.number("D_eta", 1.0, to="physics.diffusion.eta"),
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
    mode = keys.flag("diff_reacc", 0, to="physics.reacceleration")
    if mode:
        speed = keys.number("v_Alfven", to="physics.reacceleration.alfven_speed")
        physics["reacceleration"] = {"kind": "seo-ptuskin-1994", "alfven_speed": f"{speed:.12g} km/s"}
        if mode not in (1, 2):
            keys.differs(
                "diff_reacc", "D without damping or other powers of beta, and Seo & Ptuskin 1994 with it"
            )
    else:
        keys.none("v_Alfven", "no reacceleration: diff_reacc is 0")
    wind = keys.flag("convection", 0, to="physics.convection")
    if wind:
        speed = keys.number("v0_conv", 0.0, to="physics.convection.V0")
        gradient = keys.number("dvdz_conv", 0.0, to="physics.convection.gradient")
        physics["convection"] = {
            "kind": "linear-wind", "V0": f"{speed:.12g} km/s", "gradient": f"{gradient:.12g} km/s/kpc",
        }  # fmt: skip
        if wind != 1:
            keys.differs("convection", "a wind V0 + gradient |z|, the same at every radius")
    else:
        for key in ("v0_conv", "dvdz_conv"):
            keys.none(key, "no wind: convection is 0")
    physics["energy_losses"] = keys.flag("momentum_losses", 1, to="physics.energy_losses") != 0


def _gas(keys: Keys) -> dict[str, Any]:
    for key in ("nHI_model", "nH2_model", "nHII_model"):
        if keys.flag(key, 1, to="physics.gas") > 2:
            keys.differs(key, "the model of papers that GALPROP begins with is taken")
    X_CO = keys.positive("X_CO", 1.9e20, to="physics.gas.H2.X_CO")
    if keys.flag("n_X_CO", 0, to="physics.gas.H2.X_CO") != 0:
        keys.differs("n_X_CO", f"X_CO is {X_CO:g} cm^-2/(K km/s) at every radius")
    return {
        "HI": {"kind": "gordon-burton-1976"},
        "H2": {"kind": "bronfman-1988", "X_CO": f"{X_CO:.12g} cm^-2/(K km/s)"},
        "HII": {"kind": "cordes-1991"},
        "helium_fraction": keys.number("He_H_ratio", 0.11, to="physics.gas.helium_fraction"),
    }


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


def _law(keys: Keys, stems: tuple[str, str], ending: str = "") -> dict[str, Any]:
    """Injection R^-g with up to two sharp breaks; `stems` of indices and breaks, e.g. nuc_g and nuc_rigid_br."""
    index, place = stems
    to = "physics.sources.injection"

    def get(key: str, default: float | None = None) -> float:
        own = f"{key}{ending}"
        return keys.number(own if own in keys else key, default, to=to)

    indices, breaks = [get(f"{index}_1"), get(f"{index}_2")], [get(place)]
    if f"{place}0" in keys and f"{index}_0" in keys:
        first = get(f"{place}0")
        if first < breaks[0]:
            indices, breaks = [get(f"{index}_0"), *indices], [first, *breaks]
        else:
            keys.differs(f"{place}0", "lies above the other break and is left out")
    indices, breaks = collapsed(indices, breaks)
    law: dict[str, Any] = {"kind": "broken-power-law", "indices": indices}
    return law | ({"breaks": [f"{b:.12g} MV" for b in breaks]} if breaks else {})


def _distribution(keys: Keys, ending: str = "") -> dict[str, Any]:
    """Where sources are: x^a exp(-b (r - r_sun)/(r_sun + r0)) exp(-|z|/h), x = (r + r0)/(r_sun + r0)."""
    model, stem = (
        ("source_model_elec", "source_pars_elec") if ending else ("source_model", "source_parameters")
    )
    if model not in keys:
        model, stem = "source_model", "source_parameters"
    kind, to = keys.flag(model, 1, to="physics.sources.distribution"), "physics.sources.distribution"
    common: dict[str, Any] = {"vertical": "exponential", "scale_height": "0.2 kpc"}
    if kind != 1:
        if kind != 2:
            keys.differs(
                model, "source_model 1 and 2 are known; taken are the remnants of Case & Bhattacharya 1996"
            )
        return {"kind": "case-bhattacharya-1996", **common}
    height = keys.number(f"{stem}_0", 0.2, to=to)
    if height > 0.0:
        common["scale_height"] = f"{height:.12g} kpc"
    else:
        keys.differs(f"{stem}_0", "a scale height of 0.2 kpc is taken")
    edge = keys.positive(f"{stem}_3", 1e3, to=to)
    if edge < 1e3:
        common["maximum_radius"] = f"{edge:.12g} kpc"
    if 0.0 < keys.number(f"{stem}_4", 0.0, to=to) < edge:
        keys.differs(f"{stem}_4", "the law goes on beyond this radius, it does not become constant")
    return {"kind": "power-exponential", "a": keys.number(f"{stem}_1", to=to), "b": keys.number(f"{stem}_2", to=to),
            "R1": f"{keys.number(f'{stem}_5', 0.0, to=to):.12g} kpc", **common}  # fmt: skip


def _nuclei(keys: Keys, species: list[str]) -> dict[str, Any]:
    """The component of all nuclei."""
    kind = keys.text("inj_spectrum_type", "rigidity", to="physics.sources.injection")
    if kind != "rigidity":
        keys.differs("inj_spectrum_type", "power laws in rigidity, dN/dR ~ R^-g")
    injection = {"default": _law(keys, ("nuc_g", "nuc_rigid_br"))}
    injection |= _own_laws(keys)
    energy = keys.positive("proton_norm_Ekin", 1e5, to="physics.sources.normalisation")
    flux = keys.number("proton_norm_flux", 0.0, to="physics.sources.normalisation")
    if flux <= 0.0:
        keys.differs(
            "proton_norm_flux", "no flux is given; the strength is that of the measured protons at 100 GeV"
        )
        energy, flux = 1e5, 4.401e-9
    return {
        "distribution": _distribution(keys),
        "injection": injection,
        "abundances": _abundances(keys),
        "reference_energy": f"{energy:.12g} MeV",
        "normalisation": {
            "kind": "local-flux", "species": "H1", "kinetic_energy": f"{energy:.12g} MeV",
            "flux": f"{flux * _FLUX:.12g} GeV^-1 m^-2 s^-1 sr^-1",
        },
    }  # fmt: skip


def _isotope(digits: str) -> str | None:
    """``"06_012"`` as ``"C12"``; None for what is not followed."""
    z, a = (int(part) for part in digits.split("_"))
    return next((s.name for s in nuclides().values() if (z, a) == (s.Z, s.A)), None)


def _own_laws(keys: Keys) -> dict[str, Any]:
    """Spectra of single isotopes, keys that end in _ZZ_AAA."""
    found = {}
    pattern = re.compile(r"nuc_(?:g_\d|rigid_br0?)(_\d+_\d+)")
    for ending in dict.fromkeys(m[1] for key in keys.values if (m := pattern.fullmatch(key))):
        name = _isotope(ending[1:])
        if name is not None:
            found[name] = _law(keys, ("nuc_g", "nuc_rigid_br"), ending)
            continue
        for key in [k for k in keys.values if k.endswith(ending) and k.startswith("nuc_")]:
            keys.none(key, "this nuclide is not followed")
    return found


def _abundances(keys: Keys) -> dict[str, float]:
    found: dict[str, float] = {}
    for key in [k for k in keys.values if re.fullmatch(r"iso_abundance_\d+_\d+", k)]:
        value = keys.number(key, 0.0, to="physics.sources.abundances")
        name = _isotope(key.removeprefix("iso_abundance_"))
        if value < 0.0:
            keys.problems.append(Problem(key, f"found {value:g}; expected at least 0"))
        elif name is None:
            keys.none(key, "this nuclide is not followed")
        elif value > 0.0:
            found[name] = value
    if not found:
        keys.problems.append(Problem("iso_abundance_ZZ_AAA", "no isotope has an abundance"))
    return found


def _electrons(keys: Keys, physics: dict[str, Any], species: list[str]) -> None:
    """Electrons as a component, with the fields they lose energy in; secondaries."""
    flux = keys.number("electron_norm_flux", 0.0) if keys.flag("primary_electrons", 0) else 0.0
    if flux <= 0.0:
        for key in ("primary_electrons", "electron_norm_flux"):
            keys.none(key, "no primary electrons are followed")
        return
    energy = keys.positive("electron_norm_Ekin", to="physics.sources.electrons.normalisation")
    physics["sources"]["electrons"] = {
        "distribution": _distribution(keys, "elec"),
        "injection": {"default": _law(keys, ("electron_g", "electron_rigid_br"))},
        "abundances": {"electron": 1.0},
        "reference_energy": f"{energy:.12g} MeV",
        "normalisation": {
            "kind": "local-flux", "species": "electron", "kinetic_energy": f"{energy:.12g} MeV",
            "flux": f"{flux * _FLUX:.12g} GeV^-1 m^-2 s^-1 sr^-1",
        },
    }  # fmt: skip
    keys.differs(
        "electron_norm_flux", "the flux holds for all electrons of this component; secondaries come on top"
    )
    species.append("electron")
    made = [
        keys.flag(f"secondary_{name}", 0, to="physics.secondary_leptons")
        for name in ("positrons", "electrons")
    ]
    if any(made):
        physics["secondary_leptons"] = {"kind": "aafrag"}
        species += ["positron"]
    physics["magnetic_field"] = _magnetic_field(keys)
    physics["radiation_field"] = {"kind": "delahaye-2010"}
    for key in ("ISRF_file", "ISRF_filetype", "ISRF_factors"):
        if key in keys:
            keys.differs(key, "the radiation field of Delahaye et al. 2010, the same everywhere")


def _magnetic_field(keys: Keys) -> dict[str, Any]:
    """B = B0 exp(-(r - 8.5)/r_B - |z|/z_B) from nine digits bbbrrrzzz (tenths of microgauss and kpc), or by name."""
    field = {"kind": "exponential", "reference_radius": f"{R_SUN} kpc"}
    code = keys.text("B_field_model", "", to="physics.magnetic_field")
    if re.fullmatch(r"\d{9}", code):
        B, r, z = (0.1 * int(code[i : i + 3]) for i in (0, 3, 6))
        return {**field, "B0": f"{B:.12g} uG", "r_scale": f"{r:.12g} kpc", "z_scale": f"{z:.12g} kpc"}
    for key in ("B_field_model", "B_field_name", "B_field_parameters"):
        if key in keys:
            keys.differs(key, "an exponential field of 5 uG at the Sun, 10 kpc and 2 kpc")
    return {**field, "B0": "5 uG", "r_scale": "10 kpc", "z_scale": "2 kpc"}
