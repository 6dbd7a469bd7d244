"""Table 1: the twelve microquasars, where LHAASO saw five of them, and their spectra (Fig. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from cyldiff.config.load_source import load_source
from cyldiff.data.seds import SedPoints
from cyldiff.fit.sed import fit_sed
from cyldiff.observables.single_source import sed
from cyldiff.papers.items import Item, claim, close, interval, open_item
from cyldiff.papers.study import Study
from cyldiff.sources.catalogue import CatalogueSource
from cyldiff.sources.catalogue_file import load_catalogue

__all__ = ["CATALOGUE", "CRAB_UNIT", "morphology", "table"]

CATALOGUE = "lhaaso-2024-microquasars"
#: [erg cm^-2 s^-1] (Table 1, footnote b)
CRAB_UNIT = 1e-12
#: printed in the text: centre of the LHAASO source from the object [deg]
OFFSETS = {
    "SS 433": 0.25, "V4641 Sgr": 0.18, "GRS 1915+105": 0.21, "MAXI J1820+070": 0.27, "Cygnus X-1": 0.19,
}  # fmt: skip
#: Extended Data Table 1
DELTA_AIC = {"1 to 25 TeV": 22.7, "25 to 100 TeV": 22.8, "above 100 TeV": -12.5}


def number(source: CatalogueSource, key: str, unit: str) -> float:
    """A column of the catalogue in a unit; NaN where it is empty."""
    value = source.data.get(key)
    return float("nan") if value is None else float(u.Quantity(value).to_value(unit))


def celestial(source: CatalogueSource) -> tuple[float, float]:
    """Right ascension and declination [deg]."""
    assert source.right_ascension is not None
    assert source.declination is not None
    return source.right_ascension, source.declination


def table(study: Study) -> None:
    """Counts and offsets of Table 1, and the spectra of V4641 Sgr."""
    from cyldiff.papers.lhaaso_2024 import figures

    catalogue = load_catalogue(CATALOGUE, objects=True)
    seen = [source for source in catalogue.sources if "lhaaso_source" in source.data]
    study.add(
        claim(
            "microquasars in the field of view, and detected (Table 1)",
            "12, 5",
            f"{len(catalogue)}, {len(seen)}",
            holds=(len(catalogue), len(seen)) == (12, 5),
            tolerance="exact",
        )
    )
    for source in seen:
        study.add(_offset(source))
    study.figure(
        "table1",
        "Table 1: the twelve microquasars on the sky (Galactic coordinates; grey: declinations LHAASO sees at "
        "zenith angles up to 50 degrees) and their flux at 100 TeV against distance, with lines of equal luminosity.",
        lambda: figures.objects(catalogue.sources),
    )
    _v4641(study, seen)


def _offset(source: CatalogueSource) -> Item:
    right_ascension, declination = celestial(source)
    ra, dec = number(source, "lhaaso_ra", "deg"), number(source, "lhaaso_dec", "deg")
    across = (ra - right_ascension) * np.cos(np.deg2rad(dec))
    note = ""
    if source.name == "V4641 Sgr":
        note = (
            "The centre that the text prints (274.82, -25.68) is 0.27 degrees from the object (274.84, -25.41); "
            "both numbers of the text cannot hold. The printed errors of the centre are 0.09 and 0.11."
        )
    return close(
        f"{source.name}: LHAASO source from the object", OFFSETS[source.name],
        float(np.hypot(across, dec - declination)), absolute=0.015, unit="deg", note=note,
    )  # fmt: skip


def _v4641(study: Study, seen: list[CatalogueSource]) -> None:
    """Power law and hadronic model of the only source whose points are at hand."""
    from cyldiff.papers.lhaaso_2024 import figures

    loaded = load_source("v4641-sgr-hadronic", ["energies.per_decade=10"] if study.smoke else [])
    points = next(one for one in loaded.data if one.name.startswith("v4641-sgr-lhaaso"))
    index, flux = power_law(points)
    missing = (
        "The points of Fig. 3a are a digitisation by others, whose first point is five times its neighbours; "
    )
    study.add(
        interval("V4641 Sgr: photon index, 40 to 1000 TeV (Table 1)", "2.67 ± 0.27", index, low=2.40, high=2.94),
        open_item(
            "V4641 Sgr: flux at 100 TeV (Table 1) [CU]", 3.9, flux / CRAB_UNIT,
            missing=missing + "no error of the flux is printed.",
        ),
    )  # fmt: skip
    fit = fit_sed(loaded.raw, loaded.data)
    study.add(
        open_item(
            "V4641 Sgr: energy that protons reach [PeV]", "at least ~10",
            f"{fit.values[2]:.2g} ± {fit.errors[2]:.2g}",
            missing=f"The paper shows no fit. Ours, to the points of LHAASO and HAWC: E^-{fit.values[1]:.2f} with an "
            f"exponential cut-off, chi-square {fit.chi2:.1f} for {fit.degrees_of_freedom} degrees of freedom.",
        )
    )  # fmt: skip
    spectrum = sed(fit.model)
    study.figure(
        "fig3",
        "Fig. 3: spectra of the four other sources. Bands: power laws of Table 1 with the errors of their indices "
        "(Cygnus X-1: its flux is a limit). V4641 Sgr: digitised points and protons in gas, fitted.",
        lambda: figures.four(seen[1:], spectrum, loaded.data),
    )


def power_law(points: SedPoints) -> tuple[float, float]:
    """Index of dN/dE and E^2 dN/dE at 100 TeV [erg cm^-2 s^-1]: chi-square with the larger error of a point."""
    from scipy.optimize import least_squares

    use = ~points.upper_limit
    e, y = points.energy[use] / 1e5, points.sed[use] / CRAB_UNIT
    sigma = np.maximum(points.minus[use], points.plus[use]) / CRAB_UNIT

    def pulls(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((np.exp(p[0]) * e ** (2.0 - p[1]) - y) / sigma)

    found = least_squares(pulls, [1.0, 2.7])
    return float(found.x[1]), float(CRAB_UNIT * np.exp(found.x[0]))


def morphology(study: Study) -> None:
    """What is not modelled: the maps."""
    for energies, printed in DELTA_AIC.items():
        study.add(
            open_item(
                f"SS 433: AIC of a Gaussian less AIC of two points, {energies}", printed, "not modelled",
                missing="Event maps, exposure and point spread function are not published; "
                "Figs. 1a-c and 2 (significance maps) and Extended Data Fig. 1 (21 cm) are not drawn for this reason.",
            )
        )  # fmt: skip


def lobes(pedigree: Mapping[str, Any]) -> list[tuple[float, float, float]]:
    """Flux at 100 TeV [CU], index and its error of the two lobes of SS 433."""
    return [
        (one["flux_100TeV_CU"], one["photon_index"], one["photon_index_error"])
        for one in pedigree["lobes_of_SS_433"]
    ]
