"""Every named quantity of a result: dimensions, unit, long name. Feeds files, docs and plots."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["QUANTITIES", "Quantity"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One variable of the result file."""

    dims: tuple[str, ...]
    units: str
    long_name: str


_SPECTRUM = ("species", "kinetic_energy")
_INTENSITY = "m-2 s-1 sr-1 (GeV/n)-1"
_GAMMA = "GeV-1 cm-2 s-1 sr-1"

QUANTITIES: dict[str, Quantity] = {
    "kinetic_energy": Quantity(("kinetic_energy",), "GeV", "kinetic energy per nucleon"),
    "species": Quantity(("species",), "1", "nuclide"),
    "r": Quantity(("r",), "kiloparsec", "galactocentric radius of the cell centre"),
    "phi": Quantity(("phi",), "radian", "azimuth of the cell centre; the Sun is at pi"),
    "time": Quantity(("time",), "Myr", "time since the start of the run"),
    "z": Quantity(("z",), "kiloparsec", "height of the cell centre above the Galactic plane"),
    "r_bounds": Quantity(("r", "bounds"), "kiloparsec", "inner and outer radius of the cell"),
    "phi_bounds": Quantity(("phi", "bounds"), "radian", "limits of the cell around the circle"),
    "z_bounds": Quantity(("z", "bounds"), "kiloparsec", "lower and upper height of the cell"),
    "charge": Quantity(("species",), "1", "charge number Z"),
    "mass_number": Quantity(("species",), "1", "mass number A"),
    "mass_per_nucleon": Quantity(("species",), "GeV", "rest energy per nucleon"),
    "half_life": Quantity(("species",), "Myr", "half-life of the bare nucleus at rest; infinite if stable"),
    "flux_lis": Quantity(_SPECTRUM, _INTENSITY, "interstellar intensity at the Sun"),
    "flux_toa": Quantity(_SPECTRUM, _INTENSITY, "intensity at the top of the atmosphere, modulated"),
    "flux": Quantity((*_SPECTRUM, "r", "z"), _INTENSITY, "interstellar intensity"),
    "flux_lis_component": Quantity(
        ("component", *_SPECTRUM), _INTENSITY, "interstellar intensity at the Sun by source component"
    ),
    "flux_component": Quantity(
        ("component", *_SPECTRUM, "r", "z"), _INTENSITY, "interstellar intensity by source component"
    ),
    "gradient_lis": Quantity(
        (*_SPECTRUM, "direction"), "kiloparsec-1", "gradient of the logarithm of the density at the Sun"
    ),
    "gradient_lis_component": Quantity(
        ("component", *_SPECTRUM, "direction"),
        "kiloparsec-1",
        "gradient of the logarithm of the density at the Sun by source component",
    ),
    "residual": Quantity(("species",), "1", "true relative residual of the solve"),
    "balance": Quantity(("species",), "1", "sources minus losses minus escape, relative to the sources"),
    "minimum": Quantity(("species",), "1", "smallest density relative to the largest at the same momentum"),
    "steps": Quantity(("species",), "1", "pseudo-time steps of the solver"),
    "grid_error": Quantity(
        _SPECTRUM, "1", "estimated relative discretisation error of the intensity at the Sun"
    ),
    "source_density": Quantity(
        ("component", "r", "z"), "kiloparsec-3", "source distribution, cell average, integral 1"
    ),
    "injected_power": Quantity(
        ("component",), "erg s-1", "power injected above the lowest energy of the grid"
    ),
    "source": Quantity(("source",), "1", "name of the source"),
    "flux_lis_total": Quantity(_SPECTRUM, _INTENSITY, "interstellar intensity at the Sun, all sources"),
    "gradient_lis_total": Quantity(
        (*_SPECTRUM, "direction"),
        "kiloparsec-1",
        "gradient of the logarithm of the density at the Sun, all sources",
    ),
    "position": Quantity(
        ("source", "axis"), "kiloparsec", "place; the Galactic centre at 0, the Sun at x = -r_sun"
    ),
    "galactic_longitude": Quantity(("source",), "degree", "Galactic longitude l seen from the Sun"),
    "galactic_latitude": Quantity(("source",), "degree", "Galactic latitude b seen from the Sun"),
    "distance": Quantity(("source",), "kiloparsec", "distance from the Sun"),
    "age": Quantity(("source",), "Myr", "time since birth"),
    "injected_energy": Quantity(
        ("source", "species"),
        "erg",
        "kinetic energy given so far, above the source's minimum energy per particle",
    ),
    "present_power": Quantity(
        ("source", "species"), "erg s-1", "power at present, above the source's minimum energy per particle"
    ),
    "injected_number": Quantity(("source", *_SPECTRUM), "(GeV/n)-1", "particles injected so far"),
    "validity": Quantity(("source", *_SPECTRUM), "1", "where diffusion in closed form is doubtful"),
    **{
        f"flux_{name}": Quantity(("observer", *_SPECTRUM), _INTENSITY, f"{words} over the realisations")
        for name, words in (
            ("minimum", "smallest intensity"),
            ("maximum", "largest intensity"),
            ("mean", "sample mean of the intensity"),
        )
    },
    "flux_quantiles": Quantity(
        ("quantile", "observer", *_SPECTRUM), _INTENSITY, "quantiles of the intensity over the realisations"
    ),
    "flux_expected": Quantity(
        _SPECTRUM, _INTENSITY, "mean intensity at the Sun over all realisations, by integration"
    ),
    "flux_reference": Quantity(("kinetic_energy",), _INTENSITY, "measured intensity that is compared with"),
    "flux_realisation": Quantity(
        ("realisation", "observer", *_SPECTRUM), _INTENSITY, "interstellar intensity of each realisation"
    ),
    "gradient_realisation": Quantity(
        ("realisation", *_SPECTRUM, "direction"),
        "kiloparsec-1",
        "gradient of the logarithm of the density at the Sun in each realisation",
    ),
    "largest_share": Quantity(
        ("observer", *_SPECTRUM),
        "1",
        "part of the sample mean from the largest hundredth of the realisations",
    ),
    "tail_index": Quantity(
        ("observer", *_SPECTRUM), "1", "a in P(> flux) ~ flux^-a, Hill's estimate from the largest hundredth"
    ),
    "tail_index_error": Quantity(("observer", *_SPECTRUM), "1", "statistical error of the tail index"),
    "position_observer": Quantity(("observer", "axis"), "kiloparsec", "place of the observer"),
    "quantile": Quantity(("quantile",), "1", "part of the realisations below"),
    "observer": Quantity(("observer",), "1", "name of the observer"),
    "realisation": Quantity(("realisation",), "1", "number of the realisation"),
    "number": Quantity(("realisation",), "1", "sources that were summed"),
    "number_active": Quantity(("realisation",), "1", "sources that are on now"),
    "number_excluded": Quantity(("realisation",), "1", "births that the selection removed"),
    "nearest_active_distance": Quantity(
        ("realisation",), "kiloparsec", "distance of the nearest source that is on"
    ),
    "nearest_active_age": Quantity(("realisation",), "Myr", "age of the nearest source that is on"),
    "brightest_share": Quantity(("realisation",), "1", "part of the flux that the brightest source gives"),
    "brightest_distance": Quantity(("realisation",), "kiloparsec", "distance of the brightest source"),
    "brightest_age": Quantity(("realisation",), "Myr", "age of the brightest source"),
    "brightest_energy": Quantity(
        ("realisation",), "GeV", "energy that the brightest source has given to cosmic rays"
    ),
    "gamma_energy": Quantity(("gamma_energy",), "GeV", "gamma-ray energy"),
    "gamma_realisation": Quantity(("gamma_realisation",), "1", "number of the realisation"),
    "region": Quantity(("region",), "1", "region of the sky"),
    "cloud_case": Quantity(("cloud_case",), "1", "whether sources have molecular clouds around them"),
    **{
        f"gamma_{name}": Quantity(("gamma_realisation", "region", "gamma_energy"), _GAMMA, words)
        for name, words in (
            ("sea", "gamma rays of the sea: sources that have spread over a cell of the mesh; whole region"),
            ("active", "gamma rays of sources that are on; whole region, no clouds"),
            ("ended", "gamma rays of sources that ended lately; whole region, no clouds"),
        )
    },
    **{
        f"gamma_diffuse_{name}": Quantity(
            ("gamma_realisation", "cloud_case", "region", "gamma_energy"),
            _GAMMA,
            f"{words}, outside the discs",
        )
        for name, words in (
            ("sea", "gamma rays of the sea"),
            ("unresolved", "gamma rays of single sources that are not detected"),
            ("leaked", "gamma rays of detected sources"),
        )
    },
    "gamma_total_quantiles": Quantity(
        ("quantile", "region", "gamma_energy"), _GAMMA, "quantiles of all gamma rays of the whole region"
    ),
    "gamma_diffuse_quantiles": Quantity(
        ("quantile", "cloud_case", "region", "gamma_energy"),
        _GAMMA,
        "quantiles of sea and unresolved sources outside the discs",
    ),
    "gamma_solid_angle": Quantity(
        ("gamma_realisation", "cloud_case", "region"), "sr", "solid angle of the region outside the discs"
    ),
    "number_detected": Quantity(("gamma_realisation", "cloud_case"), "1", "sources that are detected"),
    "member_realisation": Quantity(("member",), "1", "realisation of a single source"),
    "member_longitude": Quantity(("member",), "degree", "Galactic longitude of a single source"),
    "member_latitude": Quantity(("member",), "degree", "Galactic latitude of a single source"),
    "member_distance": Quantity(("member",), "kiloparsec", "distance of a single source from the Sun"),
    "member_age": Quantity(("member",), "Myr", "time since the birth of a single source"),
    "member_active": Quantity(("member",), "1", "whether a single source is on"),
    "member_flux": Quantity(
        ("member", "cloud_case"), "erg cm-2 s-1", "energy flux of a single source at the energy of detection"
    ),
    "member_extent": Quantity(("member", "cloud_case"), "degree", "extent of a single source"),
    "member_threshold": Quantity(
        ("member", "cloud_case"), "erg cm-2 s-1", "energy flux that a single source needs to be detected"
    ),
    "member_detected": Quantity(("member", "cloud_case"), "1", "whether a single source is detected"),
    "member_mean": Quantity(
        ("member", "region", "gamma_energy"),
        _GAMMA,
        "what a single source adds to the mean of a whole region",
    ),
}
