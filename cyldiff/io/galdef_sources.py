"""Sources of a galdef file: where they are, what they inject, and what they are normalised to."""

from __future__ import annotations

import re
from typing import Any

from cyldiff.errors import Problem
from cyldiff.io.foreign import Keys, smooth_breaks
from cyldiff.particles.species import nuclides

__all__ = ["R_SUN", "electrons", "nuclei"]

#: GALPROP puts the Sun here [kpc]
R_SUN = 8.5
#: MeV^-1 cm^-2 in GeV^-1 m^-2
_FLUX = 1e7
#: stem of indices, of breaks and of their smoothing
_NUCLEI = ("nuc_g", "nuc_rigid_br", "nuc_smoothing")
_ELECTRONS = ("electron_g", "electron_rigid_br", "electron_smoothing")
#: numbers of the breaks in the order of rigidity, and of the indices below and above them
_BREAKS = (("0", "_0", "_1"), ("", "_1", "_2"), ("2", "_2", "_3"), ("3", "_3", "_4"))
_INJECTION = "physics.sources.injection"
_DISTRIBUTION = "physics.sources.distribution"


def _law(keys: Keys, stems: tuple[str, str, str], ending: str = "") -> dict[str, Any]:
    """Injection R^-g with breaks, sharp or smooth; keys of one isotope end in `ending`."""
    index, place, smoothing = stems

    def name(key: str) -> str:
        return f"{key}{ending}" if f"{key}{ending}" in keys else key

    indices = [keys.slope(name(f"{index}_1"), to=_INJECTION), keys.slope(name(f"{index}_2"), to=_INJECTION)]
    breaks = [keys.positive(name(place), to=_INJECTION)]
    names = [""]
    for number, below, above in _BREAKS:
        lower = number == "0"
        at, other = name(f"{place}{number}"), name(f"{index}{below if lower else above}")
        # a break 0 of GALPROP itself means that there is none
        if number == "" or at not in keys or other not in keys or keys.number(at) == 0.0:
            continue
        found = keys.positive(at, to=_INJECTION)
        if not (found < breaks[0] if lower else found > breaks[-1]):
            keys.differs(at, "lies beyond the next break and is left out")
            continue
        slope = keys.slope(other, to=_INJECTION)
        k = 0 if lower else len(breaks)
        breaks.insert(k, found)
        names.insert(k, number)
        indices.insert(0 if lower else len(indices), slope)
    s = [keys.number(name(f"{smoothing}{n}"), 0.0, to="") for n in names]
    for n, value in zip(names, s, strict=True):
        if value < 0.0:
            keys.problems.append(Problem(name(f"{smoothing}{n}"), f"found {value:g}; expected at least 0"))
    indices, breaks, smoothness = smooth_breaks(indices, breaks, s)
    law: dict[str, Any] = {"kind": "broken-power-law", "indices": indices}
    if breaks:
        law["breaks"] = [f"{b:.12g} MV" for b in breaks]
    if any(value > 0.0 for value in smoothness):
        law["smoothness"] = smoothness
    return law


def _distribution(keys: Keys, *, leptons: bool = False) -> dict[str, Any]:
    """Where sources are: x^a exp(-b (r - r_sun)/(r_sun + r0)) exp(-|z|/h), x = (r + r0)/(r_sun + r0)."""
    model, stem = "source_model", "source_parameters"
    if leptons:
        model = next((k for k in ("source_model_elec", "source_model_electron") if k in keys), model)
        stem = "source_pars_elec"

    def get(number: int) -> str:
        """Name of a parameter; those of electrons are those of nuclei unless given."""
        own = f"{stem}_{number}"
        return own if own in keys else f"source_parameters_{number}"

    kind = keys.flag(model, 1, to=_DISTRIBUTION)
    common: dict[str, Any] = {"vertical": "exponential", "scale_height": "0.2 kpc"}
    if kind != 1:
        if kind != 2:
            keys.differs(
                model, "source_model 1 and 2 are known; taken are the remnants of Case & Bhattacharya 1996"
            )
        return {"kind": "case-bhattacharya-1996", **common}
    height = keys.number(get(0), 0.2, to=_DISTRIBUTION)
    if height > 0.0:
        common["scale_height"] = f"{height:.12g} kpc"
    else:
        keys.differs(get(0), "a scale height of 0.2 kpc is taken")
    edge = keys.positive(get(3), 1e3, to=_DISTRIBUTION)
    if edge < 1e3:
        common["maximum_radius"] = f"{edge:.12g} kpc"
    constant = keys.number(get(4), 0.0, to=_DISTRIBUTION)
    if 0.0 < constant < edge:
        common["constant_beyond"] = f"{constant:.12g} kpc"
    return {"kind": "power-exponential", "a": keys.number(get(1), to=_DISTRIBUTION),
            "b": keys.number(get(2), to=_DISTRIBUTION),
            "R1": f"{keys.number(get(5), 0.0, to=_DISTRIBUTION):.12g} kpc", **common}  # fmt: skip


def nuclei(keys: Keys) -> dict[str, Any]:
    """The component of all nuclei."""
    kind = keys.text("inj_spectrum_type", "rigidity", to=_INJECTION)
    if kind != "rigidity":
        keys.differs("inj_spectrum_type", "power laws in rigidity, dN/dR ~ R^-g")
    if "source_class_files" in keys:
        keys.problems.append(
            Problem(
                "source_class_files", "sources in files of their own are not read; write them as source_model"
            )
        )
    injection = {"default": _law(keys, _NUCLEI)}
    injection |= _own_laws(keys)
    energy = keys.positive("proton_norm_Ekin", 1e5, to="physics.sources.normalisation")
    flux = keys.number("proton_norm_flux", 4.9e-9, to="physics.sources.normalisation")
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
    pattern = re.compile(r"nuc_(?:g_\d|rigid_br\d?|smoothing\d?)(_\d+_\d+)")
    for ending in dict.fromkeys(m[1] for key in keys.values if (m := pattern.fullmatch(key))):
        name = _isotope(ending[1:])
        if name is not None:
            found[name] = _law(keys, _NUCLEI, ending)
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


def electrons(keys: Keys, physics: dict[str, Any], species: list[str]) -> bool:
    """Electrons as a component, with the fields they lose energy in; secondaries. Whether there are any."""
    flux = keys.number("electron_norm_flux", 0.0) if keys.flag("primary_electrons", 0) else 0.0
    if flux <= 0.0:
        for key in ("primary_electrons", "electron_norm_flux"):
            keys.none(key, "no primary electrons are followed")
        return False
    energy = keys.positive("electron_norm_Ekin", to="physics.sources.electrons.normalisation")
    physics["sources"]["electrons"] = {
        "distribution": _distribution(keys, leptons=True),
        "injection": {"default": _law(keys, _ELECTRONS)},
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
    return True


def _magnetic_field(keys: Keys) -> dict[str, Any]:
    """B = B0 exp(-(r - 8.5)/r_B - |z|/z_B) from nine digits bbbrrrzzz (tenths of microgauss and kpc), or by name."""
    field = {"kind": "exponential", "reference_radius": f"{R_SUN} kpc"}
    code = keys.text("B_field_model", "", to="physics.magnetic_field")
    if re.fullmatch(r"\d{9}", code):
        if keys.values.get("B_field_name", "galprop_original") != "galprop_original":
            keys.differs("B_field_name", "the exponential field of B_field_model is taken")
        B, r, z = (0.1 * int(code[i : i + 3]) for i in (0, 3, 6))
        return {**field, "B0": f"{B:.12g} uG", "r_scale": f"{r:.12g} kpc", "z_scale": f"{z:.12g} kpc"}
    for key in ("B_field_model", "B_field_name", "B_field_parameters"):
        if key in keys:
            keys.differs(key, "an exponential field of 5 uG at the Sun, 10 kpc and 2 kpc")
    return {**field, "B0": "5 uG", "r_scale": "10 kpc", "z_scale": "2 kpc"}
