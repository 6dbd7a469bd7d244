"""Table 2, Figs. 2 and 3: what is known of four microquasars, and what they give at Earth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.config.load_source import load_source_mapping
from cyldiff.data.measurements import load
from cyldiff.observables.single_source import sed
from cyldiff.papers.items import claim, open_item
from cyldiff.papers.study import Study
from cyldiff.sources.catalogue import Catalogue, CatalogueSource
from cyldiff.sources.catalogue_file import load_catalogue
from cyldiff.sources.fluxes import source_fluxes
from cyldiff.units import parse_quantity

__all__ = ["Emission", "known_microquasars"]

Array = NDArray[np.float64]

#: where the contribution is compared [GeV]
KNEE = 1e6
#: "more than two orders of magnitude lower"
ORDERS = 1e-2
#: 1 Crab unit of LHAASO at 100 TeV [erg cm^-2 s^-1] (LHAASO 2024, Table 1)
CRAB = 1e-12
_HUNDRED_TEV = 1e5
_BRIGHT = (
    "with L0 of Table 2 above 1 GeV and a cut-off of 10 PV (not printed); its index of 2.2 puts more into PeV "
    "energies than the 2.5 of the others."
)
_KERNELS = {"free": "free space", "halo": "halo"}


@dataclass(frozen=True, slots=True)
class Emission:
    """Gamma rays of a microquasar.

    Attributes
    ----------
    energy : shape (n,) [GeV]
    sed : of the model with the gas that it takes to shine as measured, shape (n,) [erg cm^-2 s^-1]
    density : that gas [H / cm^3]
    measured : energies [GeV] at the ends of the measured power law, and its SED there
    """

    energy: Array
    sed: Array
    density: float
    measured: tuple[Array, Array]


def known_microquasars(study: Study, result: xr.Dataset) -> None:
    """Figs. 2 and 3 with Table 2."""
    catalogue = load_catalogue("nie-2026-microquasars")
    seen = {s.name: s for s in load_catalogue("lhaaso-2024-microquasars", objects=True).sources}
    emission = {s.name: _emission(s, seen[s.name], study.smoke) for s in catalogue.sources}
    for name, one in emission.items():
        study.add(
            open_item(
                f"Fig. 2: {name}, hydrogen around it that Table 2 needs [cm^-3]", "not printed", one.density,
                missing="gas, cut-off, and the region that shines are not printed: protons of Table 2 up to 10 PeV, "
                "D of Table 1, a sphere of the radius that LHAASO gives; the density follows from the flux at 100 TeV.",
            )
        )  # fmt: skip

    def seds():  # type: ignore[no-untyped-def]
        from cyldiff.papers.nie_2026.figures import sed_figure

        return sed_figure(emission)

    study.figure("fig2", "Fig. 2: gamma rays of four microquasars with the power laws of LHAASO", seds)
    at_earth = _at_earth(study, catalogue, result)

    def protons():  # type: ignore[no-untyped-def]
        from cyldiff.papers.nie_2026.figures import known_figure

        return known_figure(result, at_earth)

    study.figure("fig3", "Fig. 3: protons of the background and of the known microquasars", protons)


def _at_earth(study: Study, catalogue: Catalogue, result: xr.Dataset) -> dict[str, xr.Dataset]:
    """Protons of the known sources at the Sun, by kernel."""
    data = load("lhaaso-epos-lhc-h-total-energy")
    measured = float(np.exp(np.interp(np.log(KNEE), np.log(data.x), np.log(data.y))))
    found = {}
    for kernel, words in _KERNELS.items():
        found[kernel] = source_fluxes(catalogue, result, kernel=kernel)
        t = found[kernel]["kinetic_energy"].values
        for source in catalogue.sources:
            flux = found[kernel]["flux_lis"].sel(source=source.name, species="H1").values
            # linear where a source has not reached the Sun at all
            at_knee = float(np.interp(np.log(KNEE), np.log(t), flux * t**2.7)) / KNEE**2.7
            ratio = at_knee / measured
            study.add(
                claim(
                    f"Fig. 3: {source.name} at Earth over LHAASO protons, 1 PeV, {words}",
                    "< 0.01", f"{ratio:.2g}", holds=ratio < ORDERS, tolerance="two orders of magnitude",
                    note="" if ratio < ORDERS else _BRIGHT,
                )
            )  # fmt: skip
    return found


def _emission(source: CatalogueSource, seen: CatalogueSource, smoke: bool) -> Emission:
    """The SED of protons that diffuse into a uniform sphere around the source."""
    assert source.history is not None
    assert source.spectrum is not None
    radius = seen.distance * np.radians(parse_quantity(seen.data["extension"], "angle"))
    volume = 4.0 / 3.0 * np.pi * (radius * const.KPC_CM) ** 3
    mass = volume * const.HYDROGEN_MASS_G / const.SOLAR_MASS_G
    power = source.history.luminosity / (const.ERG_GEV * const.MYR_S)
    law = source.spectrum.law
    raw = {
        "schema": 1,
        "source": {"name": source.name, "distance": f"{seen.distance} kpc", "age": f"{source.age} Myr"},
        "energies": {"minimum": "1 TeV", "maximum": "1 PeV", "per_decade": 6 if smoke else 20},
        "absorption": {"kind": "cmb"},
        "components": {
            "protons": {
                "kind": "cloud",
                "injection": {
                    "kind": "broken-power-law", "indices": list(law.indices), "cutoff": f"{law.cutoff} GV",
                },
                "luminosity": f"{power} erg/s",
                "above": "1 GeV",
                "diffusion": {
                    "kind": "power-law", "D0": "3.2e28 cm^2/s", "reference_rigidity": "1 GV", "delta": 0.33,
                    "eta": 1.0,
                },
                "cloud": {
                    "mass": f"{mass} Msun", "helium_fraction": 0.0, "radius": f"{radius} kpc",
                    "separation": "0 kpc",
                },
                "pion_production": {"kind": "kelner-2006", "nuclear_enhancement": "mori-2009"},
            }
        },
    }  # fmt: skip
    spectrum = sed(load_source_mapping(raw).model)
    flux = float(seen.data["flux_100TeV_CU"]) * CRAB
    density = flux / float(
        np.exp(np.interp(np.log(_HUNDRED_TEV), np.log(spectrum.energy), np.log(spectrum.sed)))
    )
    ends = np.array([parse_quantity(seen.data[key], "energy") for key in ("energy_min", "energy_max")])
    index = float(seen.data["photon_index"])
    measured = flux * (ends / _HUNDRED_TEV) ** (2.0 - index)
    return Emission(spectrum.energy, density * spectrum.sed, density, (ends, measured))
