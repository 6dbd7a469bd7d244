"""An XML input of DRAGON as a config.

The elements are those of DRAGON 2 (Evoli et al. 2017, JCAP 02, 015; 2018, JCAP 07, 006; github.com/cosmicrays):
lengths in kpc, energies in GeV, rigidities in GV, D in 1e28 cm^2/s, speeds in km/s, fluxes in GeV^-1 m^-2 s^-1
sr^-1. A key is the path of an element, ``Galaxy.Diffusion.D0_1e28``, its value the attribute ``value``; other
attributes are keys too, ``Galaxy.Diffusion.type``. Abundances and injection indices per nuclide are read from the
file NAME.source.param beside NAME.xml, as DRAGON does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from cyldiff.errors import DataError, Problem
from cyldiff.io.foreign import AGAIN, Imported, Keys, base_model, cells_in_half_space, collapsed
from cyldiff.particles.species import MAX_Z, nuclides
from cyldiff.resources import no_file

__all__ = ["read_dragon"]

_REASONS = (
    (r"Output.*", "output of DRAGON"),
    (r"Algorithm.*", "the solver takes its own steps, to the residual solver.tolerance"),
    (r"Grid\.Dim._division.*", "cells are equal here"),
    (r"Grid\.Dim[RXY]", "not used with this kind of grid"),
    (r"Grid\.DoubleRun.*", "nuclides are solved once, in the order of their decays"),
    (r"Grid\.NuclearChain\.PropSecAnti.*|Galaxy\.CrossSection\.(apopt|ApCs)", "antiprotons are not followed"),
    (r"Grid\.NuclearChain\.(PropTPP|Kcapture)", "not in cyldiff"),
    (
        r"Grid\.NuclearChain\.PropExtraComponent|Galaxy\.SNR_Extra.*|CR\..*Extra.*",
        "add a source component by hand",
    ),
    (r".*LocalBubble.*", "there is no local bubble"),
    (
        r"Galaxy\.SpiralArms.*",
        "arms of sources and gas: physics.sources…distribution, physics.gas spiral-arms",
    ),
    (r"Galaxy\.MagneticField.*", "the field is exponential, or uniform: cyldiff explain magnetic_field"),
    (r"Galaxy\.ISRF.*", "the radiation field is a model of cyldiff: cyldiff explain radiation_field"),
    (r"Galaxy\.SNR\..*", "this law of sources has no such parameter"),
    (r"Galaxy\.XCOmode.*", "belongs to another XCOmode"),
    (r"Galaxy\.Convection.*", "no wind"),
    (r"Galaxy\.Reacceleration.*", "no reacceleration"),
    (
        r"Galaxy\.Diffusion.*",
        "D is the same everywhere: see physics.diffusion spatially-dependent, anisotropic",
    ),
    (r"Galaxy\.CrossSection\.leptopt", "secondary leptons are those of AAfrag"),
    (r"CR\.He.*", "only one flux normalises a component"),
    (r"CR\.(El|InjectionIndexElectrons).*", "electrons are not followed (no PropLepton)"),
    (r"CR\.InjectionIndexAllNuclei.*", "not used"),
    (r"DarkMatter.*", "dark matter is not in cyldiff"),
    (r"Flags.*", "cannot be switched off"),
)
#: a comment ends where the first --> is, whatever it holds: that is how DRAGON reads its own examples
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
#: elements within elements
_DEEPEST = 10
#: sources of DRAGON: a, b, offset, scale height [kpc] of the power-exponential law; nothing beyond 15 kpc
_SOURCES = {
    "Lorimer": (1.9, 5.0, 0.0, 0.2),
    "CaseBhattacharya": (1.69, 3.33, 0.0, 0.2),
    "GiguereKaspi": (1.64, 4.0, 0.55, 0.1),
    "Galprop": (1.25, 3.56, 0.0, 0.2),
}
_GAS = {
    "BronfFerr": ("ferriere-2001-hi", "bronfman-1988", "cordes-1991"),
    "NS": ("nakanishi-sofue-2003", "nakanishi-sofue-2006", "cordes-1991"),
    "Galprop": ("gordon-burton-1976", "bronfman-1988", "cordes-1991"),
}
_SPALLATION = {"Webber03": "webber-2003", "DRAGON2": "evoli-2019"}


def read_dragon(path: str | Path) -> Imported:
    """Read an XML input, and the .source.param file beside it if there is one.

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
        if it cannot be read, or is no input of DRAGON.
    """
    path = Path(path)
    keys = Keys(_keys(path))
    if not any(key.startswith(("Grid.", "Galaxy.")) for key in keys.values):
        raise DataError(f"{path}: no input of DRAGON: neither <Grid> nor <Galaxy> is given")
    physics = base_model()
    radius = _place(keys, physics)
    grid = _grid(keys, radius)
    physics["diffusion"] = _diffusion(keys)
    _motion(keys, physics)
    physics["gas"] = _gas(keys)
    _nuclear(keys, physics)
    species = _species(keys)
    physics["sources"] = {"nuclei": _nuclei(keys, path)}
    _electrons(keys, physics, species)
    raw = {
        "schema": 1,
        "run": {"name": re.sub(r"[^\w.-]+", "-", path.stem).strip(".-") or "dragon",
                "purpose": f"imported from DRAGON: {path.name}"},
        "grid": grid,
        "physics": physics,
        "species": {"include": species},
    }  # fmt: skip
    keys.left(_REASONS)
    return Imported("DRAGON", path.name, keys, raw)


def _keys(path: Path) -> dict[str, str]:
    """All elements and attributes by path. The file has several outermost elements and no valid declaration."""
    if reason := no_file(path):
        raise DataError(f"{path}: {reason}")
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    text = _COMMENT.sub(" ", text)
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise DataError(f"{path}: declares entities, which no input of DRAGON does")
    try:
        root = ElementTree.fromstring(f"<input>{re.sub(r'<[?].*?[?]>', '', text, flags=re.DOTALL)}</input>")
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(f"{path}: is not XML ({error})") from None
    found: dict[str, str] = {}

    def put(name: str, value: str) -> None:
        while name in found:
            name += AGAIN
        found[name] = value.strip()

    def walk(element: ElementTree.Element, name: str) -> None:
        if name.count(".") > _DEEPEST:
            raise DataError(f"{path}: elements are nested too deeply for an input of DRAGON")
        attributes = dict(element.attrib)
        if "value" in attributes or (not attributes and not len(element)):
            put(name, attributes.pop("value", ""))
        for key, value in attributes.items():
            put(f"{name}.{key}", value)
        for child in element:
            walk(child, f"{name}.{child.tag}")

    for element in root:
        walk(element, element.tag)
    return found


def _place(keys: Keys, physics: dict[str, Any]) -> float:
    """Box and observer; returns R."""
    x, y, z = (
        keys.number(f"Grid.Observer.{a}", d, to="physics.observer")
        for a, d in (("x", 8.3), ("y", 0.0), ("z", 0.0))
    )
    radius = keys.positive("Grid.Rmax", to="physics.halo.radius")
    height = keys.positive("Grid.L", to="physics.halo.half_height")
    physics["halo"] = {"radius": f"{radius:.12g} kpc", "half_height": f"{height:.12g} kpc"}
    physics["observer"] = {"r": f"{np.hypot(x, y):.12g} kpc", "z": f"{z:.12g} kpc"}
    return radius


def _grid(keys: Keys, radius: float) -> dict[str, Any]:
    kind = keys.text("Grid.type", "2D", to="grid.space")
    if kind not in ("2D", "3D"):
        keys.problems.append(Problem("Grid.type", f'found "{kind}"; expected 2D or 3D'))
    space: dict[str, Any] = {"geometry": "cylindrical", "half_space": True}
    if kind == "3D":
        step = 2.0 * radius / max(keys.positive("Grid.DimX", to="grid.space.r") - 1.0, 1.0)
        space["phi"] = {"n": max(8, 2 * round(np.pi * 8.3 / step))}
        keys.text("Grid.DimY")
        for key in ("Grid.DimX", "Grid.DimY"):
            keys.differs(
                key, "the box is a cylinder; cells around the circle as wide as DimX asks at 8.3 kpc"
            )
    else:
        step = radius / max(keys.positive("Grid.DimR", to="grid.space.r") - 1.0, 1.0)
    height = keys.number("Grid.L", 1.0)
    dz = 2.0 * height / max(keys.positive("Grid.DimZ", to="grid.space.z") - 1.0, 1.0)
    space["r"] = {"n": max(5, round(radius / step))}
    space["z"] = {"n": cells_in_half_space(height, dz), "spacing": "uniform"}
    low, high = (keys.positive(f"Grid.Ek{end}", to="grid.momentum") for end in ("min", "max"))
    factor = keys.positive("Grid.Ekfactor", to="grid.momentum.per_decade")
    if factor <= 1.0:
        keys.problems.append(Problem("Grid.Ekfactor", f"found {factor:g}; expected more than 1"))
        factor = 2.0
    per_decade = max(1.0 / float(np.log10(factor)), 4.0)
    if per_decade == 4.0:
        keys.differs("Grid.Ekfactor", "4 energies per decade, the fewest that make sense")
    momentum = {"min": f"{low:.12g} GeV", "max": f"{high:.12g} GeV", "per_decade": float(f"{per_decade:.6g}")}
    return {"title": "resolution of the DRAGON input", "space": space, "momentum": momentum}


def _diffusion(keys: Keys) -> dict[str, Any]:
    """D = D0 beta^eta (R/R_ref)^delta below rho_b, continuous with delta_h above."""
    at = "Galaxy.Diffusion"
    kind = keys.text(f"{at}.type", "Constant", to="physics.diffusion")
    if kind != "Constant":
        keys.differs(
            f"{at}.type", "D does not vary in space here: that of the plane (Exp), or of the Sun, everywhere"
        )
    D0 = 1e28 * keys.positive(f"{at}.D0_1e28", to="physics.diffusion.D0")
    reference = keys.positive(f"{at}.DiffRefRig", to="physics.diffusion.reference_rigidity")
    low = keys.slope(f"{at}.Delta", to="physics.diffusion.delta")
    high = keys.slope(f"{at}.Delta_h", low, to="physics.diffusion.delta")
    place = keys.positive(f"{at}.rho_b", 1000.0, to="physics.diffusion.breaks")
    eta = keys.number(f"{at}.etaT", 1.0, to="physics.diffusion.eta")
    if keys.flag(f"{at}.VariableDelta", 0, to="physics.diffusion.delta"):
        keys.differs(f"{at}.VariableDelta", "delta is the same everywhere")
    if low == high:
        return {"kind": "power-law", "D0": f"{D0:.12g} cm^2/s", "delta": low, "eta": eta,
                "reference_rigidity": f"{reference:.12g} GV"}  # fmt: skip
    at_break = D0 * (place / reference) ** (low if reference <= place else high)
    return {"kind": "broken-power-law", "D0": f"{at_break:.12g} cm^2/s", "delta": [low, high], "eta": eta,
            "breaks": [f"{place:.12g} GV"], "smoothness": [0.0], "reference_rigidity": f"{place:.12g} GV"}  # fmt: skip


def _on(keys: Keys, flag: str, element: str) -> bool:
    """Whether a process is on: its element is there, unless a flag says otherwise."""
    there = any(key == element or key.startswith(f"{element}.") for key in keys.values)
    return bool(keys.flag(f"Flags.{flag}", int(there), to="physics")) and there


def _motion(keys: Keys, physics: dict[str, Any]) -> None:
    """Reacceleration, convection, losses."""
    at = "Galaxy.Reacceleration"
    if _on(keys, "reacc_flag", at):
        speed = keys.number(f"{at}.vA_kms", to="physics.reacceleration.alfven_speed")
        physics["reacceleration"] = {"kind": "seo-ptuskin-1994", "alfven_speed": f"{speed:.12g} km/s"}
        if keys.text(f"{at}.type", "Ptuskin94", to="physics.reacceleration") != "Ptuskin94":
            keys.differs(f"{at}.type", "the law of Seo & Ptuskin 1994")
    at = "Galaxy.Convection"
    if _on(keys, "conv_flag", at):
        speed = keys.number(f"{at}.v0_kms", 0.0, to="physics.convection.V0")
        gradient = keys.number(f"{at}.dvdz_kmskpc", 0.0, to="physics.convection.gradient")
        physics["convection"] = {
            "kind": "linear-wind", "V0": f"{speed:.12g} km/s", "gradient": f"{gradient:.12g} km/s/kpc",
        }  # fmt: skip
        if keys.text(f"{at}.type", "Constant", to="physics.convection") != "Constant":
            keys.differs(f"{at}.type", "the wind is the same at every radius")
        for key in ("conv_threshold", "conv_index_radial", "f_b", "z_k_kpc"):
            keys.none(
                f"{at}.{key}", "the wind is V0 + gradient |z| at every radius, and reverses in the plane"
            )
    physics["energy_losses"] = bool(keys.flag("Flags.eloss_flag", 1, to="physics.energy_losses"))


def _gas(keys: Keys) -> dict[str, Any]:
    kind = keys.text("Galaxy.Gas.type", "BronfFerr", to="physics.gas")
    if kind not in _GAS:
        keys.differs("Galaxy.Gas.type", "not known; taken is the gas of BronfFerr")
    else:
        keys.differs(
            "Galaxy.Gas.type", f"the models of cyldiff for the same papers: {', '.join(_GAS.get(kind, ()))}"
        )
    HI, H2, HII = _GAS.get(kind, _GAS["BronfFerr"])
    gas: dict[str, Any] = {
        "HI": {"kind": HI},
        "H2": {"kind": H2},
        "HII": {"kind": HII},
        "helium_fraction": 0.11,
    }
    at = "Galaxy.XCOmode"
    mode, X_CO = keys.text(f"{at}.type", "SM96", to="physics.gas.H2.X_CO"), 1.9
    if mode == "constant":
        X_CO = keys.positive(f"{at}.XCO_constant", to="physics.gas.H2.X_CO")
    elif mode == "dragon":
        X_CO = keys.positive(f"{at}.XCO_inner", to="physics.gas.H2.X_CO")
        for key in ("XCO_outer", "XCO_break"):
            keys.none(f"{at}.{key}", "X_CO is the same at every radius; the inner value is taken")
    elif mode != "SM96":
        keys.differs(f"{at}.type", "X_CO = 1.9e20 cm^-2/(K km/s) at every radius")
    if H2 == "bronfman-1988":
        # factors may be given with their power of ten
        X_CO = X_CO / 1e20 if X_CO > 1e15 else X_CO
        gas["H2"]["X_CO"] = f"{X_CO:.12g}e20 cm^-2/(K km/s)"
    else:
        keys.differs(f"{at}.type", "this model of H2 has its own X_CO")
    return gas


def _nuclear(keys: Keys, physics: dict[str, Any]) -> None:
    kind = keys.text("Galaxy.CrossSection.type", "DRAGON2", to="physics.spallation")
    physics["spallation"] = {"kind": _SPALLATION.get(kind, "evoli-2019"), "extrapolation": "constant"}
    if kind not in _SPALLATION:
        keys.differs("Galaxy.CrossSection.type", "fragments of Evoli et al. 2019 and Webber et al. 2003")


def _species(keys: Keys) -> list[str]:
    low = keys.flag("Grid.NuclearChain.Zmin", 1, to="species.include")
    high = keys.flag("Grid.NuclearChain.Zmax", 2, to="species.include")
    if high > MAX_Z:
        keys.differs("Grid.NuclearChain.Zmax", f"nuclides end at Z = {MAX_Z}")
    low = max(low, 1)
    if low > 1:
        keys.differs("Grid.NuclearChain.Zmin", "hydrogen is kept: its flux is the normalisation")
    names = [s.name for s in nuclides().values() if low <= s.Z <= high or s.name == "H1"]
    if high < low:
        keys.problems.append(Problem("Grid.NuclearChain.Zmax", f"found {high}, below Zmin = {low}"))
    return names


def _law(keys: Keys, at: str, cutoff: str) -> dict[str, Any] | None:
    """Injection R^-alpha_i with sharp breaks rho_i; None where no index is given."""
    to = "physics.sources.injection"
    n = sum(f"{at}.alpha_{i}" in keys for i in range(100))
    if n == 0:
        return None
    indices = [keys.number(f"{at}.alpha_{i}", to=to) for i in range(n)]
    breaks = [keys.positive(f"{at}.rho_{i}", to=to) for i in range(n - 1)]
    for i in range(n - 1, 100):
        keys.none(f"{at}.rho_{i}", "there is no index above this break")
    if breaks != sorted(set(breaks)):
        keys.problems.append(Problem(f"{at}.rho_0", "breaks must increase"))
    indices, breaks = collapsed(indices, breaks)
    law: dict[str, Any] = {"kind": "broken-power-law", "indices": indices}
    law |= {"breaks": [f"{b:.12g} GV" for b in breaks]} if breaks else {}
    if cutoff in keys:
        law["cutoff"] = f"{keys.positive(cutoff, to=to):.12g} GV"
    return law


def _distribution(keys: Keys) -> dict[str, Any]:
    kind = keys.text("Galaxy.SNR.type", "CaseBhattacharya", to="physics.sources.distribution")
    if kind == "Ferriere":
        return {"kind": "ferriere-2001"}
    if kind == "Blasi":
        return {"kind": "power-exponential", "a": 2.0, "b": 3.53, "R1": "0 kpc", "vertical": "exponential",
                "scale_height": "1 kpc"}  # fmt: skip
    if kind not in _SOURCES:
        keys.differs("Galaxy.SNR.type", "no such law; taken are the remnants of Case & Bhattacharya 1996")
    a, b, offset, height = _SOURCES.get(kind, _SOURCES["CaseBhattacharya"])
    return {"kind": "power-exponential", "a": a, "b": b, "R1": f"{offset:g} kpc", "vertical": "exponential",
            "scale_height": f"{height:g} kpc", "maximum_radius": "15 kpc"}  # fmt: skip


def _nuclei(keys: Keys, path: Path) -> dict[str, Any]:
    """The component of all nuclei."""
    energy = keys.positive("CR.ProtNormEn_GeV", to="physics.sources.normalisation")
    flux = keys.positive("CR.ProtNormFlux", to="physics.sources.normalisation")
    keys.differs(
        "CR.ProtNormFlux", "of all protons; in DRAGON of the primary ones, which makes all 1 to 2 % more"
    )
    cutoff = (
        "CR.InjectionIndexAllNuclei.CutoffRig"
        if "CR.InjectionIndexAllNuclei.CutoffRig" in keys
        else "CR.CutoffRig"
    )
    common = _law(keys, "CR.InjectionIndexAllNuclei", cutoff)
    table = path.with_name(f"{path.name.removesuffix('.xml')}.source.param")
    abundances, laws = _source_table(keys, table)
    if keys.text("CR.type", "PowerLawBreak", to="physics.sources.injection") != "PowerLawBreak":
        keys.differs("CR.type", "power laws in rigidity with breaks and a cut-off")
    injection: dict[str, Any] = laws if common is None else {}
    if common is None and not laws:
        keys.problems.append(Problem("CR.InjectionIndexAllNuclei", f"is missing, and so is {table.name}"))
    if common is None and cutoff in keys:
        text = f"{keys.positive(cutoff, to='physics.sources.injection'):.12g} GV"
        injection = {name: {**law, "cutoff": text} for name, law in injection.items()}
    default = (
        common
        or injection.get("H1")
        or next(iter(injection.values()), {"kind": "broken-power-law", "indices": [2.3]})
    )
    return {
        "distribution": _distribution(keys),
        "injection": {"default": default, **{n: law for n, law in injection.items() if law != default}},
        "abundances": abundances,
        "reference_energy": f"{energy:.12g} GeV",
        "normalisation": {
            "kind": "local-flux", "species": "H1", "kinetic_energy": f"{energy:.12g} GeV",
            "flux": f"{flux:.12g} GeV^-1 m^-2 s^-1 sr^-1",
        },
    }  # fmt: skip


def _source_table(keys: Keys, table: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Abundances and laws of NAME.source.param: 1000 Z + A, abundance, index, break [GV], index above."""
    try:
        if reason := no_file(table):
            raise OSError(reason)
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        keys.differs(table.name, "is not there: source abundances are fitted-2026 of cyldiff")
        return {"use": "fitted-2026"}, {}
    known = {1000 * s.Z + s.A: s.name for s in nuclides().values()}
    abundances: dict[str, Any] = {}
    laws: dict[str, Any] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            code, abundance, *rest = (float(word) for word in words)
        except ValueError:
            keys.problems.append(
                Problem(f"{table.name}, line {number}", "expected numbers: code, abundance, indices")
            )
            continue
        name = known.get(int(code))
        if name is None:
            keys.absent.append(_entry(table, code, abundance))
        elif abundance > 0.0:
            abundances[name] = abundance
            if rest:
                indices, breaks = collapsed([rest[0], *rest[2::2]], rest[1::2])
                laws[name] = {"kind": "broken-power-law", "indices": indices,
                              **({"breaks": [f"{b:.12g} GV" for b in breaks]} if breaks else {})}  # fmt: skip
    keys.differs(table.name, "abundances are ratios at ProtNormEn_GeV, at equal energy per nucleon")
    return abundances or {"use": "fitted-2026"}, laws


def _entry(table: Path, code: float, abundance: float) -> Any:
    from cyldiff.io.foreign import Entry

    return Entry(f"{table.name} {int(code)}", f"{abundance:g}", "this nuclide is not followed")


def _electrons(keys: Keys, physics: dict[str, Any], species: list[str]) -> None:
    if "Grid.NuclearChain.PropLepton" not in keys:
        return
    keys.text("Grid.NuclearChain.PropLepton", to="species.include")
    energy = keys.positive("CR.ElNormEn_GeV", to="physics.sources.electrons.normalisation")
    flux = keys.positive("CR.ElNormFlux", to="physics.sources.electrons.normalisation")
    at = "CR.InjectionIndexElectrons"
    law = _law(keys, at, f"{at}.CutoffRigEl")
    if law is None:
        keys.problems.append(Problem(at, "is missing; PropLepton asks for electrons"))
        return
    physics["sources"]["electrons"] = {
        "distribution": _distribution(keys), "injection": {"default": law}, "abundances": {"electron": 1.0},
        "reference_energy": f"{energy:.12g} GeV",
        "normalisation": {
            "kind": "local-flux", "species": "electron", "kinetic_energy": f"{energy:.12g} GeV",
            "flux": f"{flux:.12g} GeV^-1 m^-2 s^-1 sr^-1",
        },
    }  # fmt: skip
    physics["secondary_leptons"] = {"kind": "aafrag"}
    physics["magnetic_field"] = {"kind": "exponential", "B0": "5 uG", "reference_radius": physics["observer"]["r"],
                                 "r_scale": "10 kpc", "z_scale": "2 kpc"}  # fmt: skip
    physics["radiation_field"] = {"kind": "delahaye-2010"}
    keys.text("Galaxy.MagneticField.type")
    keys.differs("Galaxy.MagneticField.type", "an exponential field: 5 uG at the Sun, 10 kpc and 2 kpc")
    species += ["electron", "positron"]
