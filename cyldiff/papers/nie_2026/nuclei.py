"""Figs. 4, 5, 8 and 9: anisotropy of all nuclei, helium and all particles, with the sources of the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cyldiff import resources
from cyldiff.data.comparison import compare
from cyldiff.data.dipoles import default_dipoles
from cyldiff.data.measurements import Measurement, load
from cyldiff.fit.load import load_fit
from cyldiff.fit.point_sources import JointConfig
from cyldiff.fit.tune import tune
from cyldiff.observables.anisotropy import anisotropy
from cyldiff.observables.spectra import spectrum
from cyldiff.papers.items import open_item
from cyldiff.papers.nie_2026.background import COARSE, NAME, background
from cyldiff.papers.nie_2026.joint import JointFits, best_of
from cyldiff.papers.study import Study
from cyldiff.particles.species import known_species
from cyldiff.sources.catalogue import Catalogue, CatalogueSource
from cyldiff.sources.combined import superpose
from cyldiff.sources.fluxes import source_fluxes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["all_particles", "nuclei", "with_nuclei"]

Array = NDArray[np.float64]

#: energies of Figs. 4 and 5 [GeV]
RANGE = (1e2, 2e9)
_MIX = (
    "the mix of species of remnant and microquasar is not printed. Helium: fitted to LHAASO and DAMPE in "
    "papers/nie-2026/helium; heavier nuclei as in the background at equal energy per nucleon."
)


def all_particles() -> Measurement:
    """The all-particle spectrum of LHAASO, which stands beside the runs of this paper."""
    folder = resources.folder("runs") / NAME
    return load(folder / "lhaaso-epos-lhc-all-particle-total-energy.csv")


def nuclei(study: Study, result: xr.Dataset, fits: JointFits) -> None:
    """Add nuclei to the sources of the free-space fit, and look at helium, all particles and the anisotropy."""
    config = _helium(study, fits)
    component = config.physics.sources["snr"]
    flux = f"{component.normalisation.flux!r} GeV^-1 m^-2 s^-1 sr^-1"
    scaled = background(
        study,
        f'physics.sources.snr.normalisation.flux="{flux}"',
        f"physics.sources.snr.abundances.He4={component.abundances['He4']!r}",
    )
    present = set(map(str, scaled["species"].values))
    abundances = {name: x for name, x in component.abundances.items() if x > 0.0 and name in present}
    sources = [with_nuclei(source, abundances) for source in config.point_sources.sources.values()]
    both = superpose(scaled, source_fluxes(Catalogue(tuple(sources)), scaled, kernel="free"))
    _spectra(study, both)
    _dipole(study, both)


def with_nuclei(source: CatalogueSource, abundances: dict[str, float]) -> CatalogueSource:
    """A source of protons and helium with heavier nuclei at their abundance at equal energy per nucleon.

    w_s = X_s (A/Z)^(g - 1) at equal rigidity for an index g, see :mod:`cyldiff.sources.spectrum`; protons and helium
    stay as they were.
    """
    assert source.spectrum is not None
    assert source.history is not None
    known, index = known_species(), source.spectrum.law.indices[-1]
    first = abundances["H1"]
    added = {
        name: x / first * (known[name].nucleons / known[name].Z) ** (index - 1.0)
        for name, x in abundances.items()
        if name not in source.species
    }
    mixed = source.model_copy(update={"species": {**source.species, **added}})
    energy = source.history.energy * source.shares()["H1"] / mixed.shares()["H1"]
    return mixed.model_copy(update={"history": source.history.model_copy(update={"energy": energy})})


def _helium(study: Study, fits: JointFits) -> JointConfig:
    """The model with the helium of remnant and microquasar fitted."""
    coarse = COARSE if study.smoke else ()
    found = tune(load_fit(f"{NAME}/helium", [*coarse, *best_of(fits.free)]))
    study.say(found.table())
    config = found.likelihood.model.predict(found.values).config
    assert isinstance(config, JointConfig)
    at = [p.name for p in found.parameters].index("helium")
    study.add(
        open_item(
            "Fig. 8: helium over hydrogen of the microquasar, dN/dR at equal rigidity", "not printed",
            f"{found.values[at]:.3f} ± {found.errors[at]:.3f} (chi2 {found.chi2:.0f}, {found.ndof} dof)", missing=_MIX,
        )
    )  # fmt: skip
    return config


def _spectra(study: Study, both: xr.Dataset) -> None:
    helium = compare(both, load("lhaaso-epos-lhc-he-total-energy"), potential=0.0)
    study.add(
        open_item(
            "Fig. 8: helium, model / LHAASO (EPOS-LHC) at 0.2, 1 and 5 PeV", "agrees with the data",
            _ratios(helium.x, helium.model / helium.y, (2e5, 1e6, 5e6)), missing=_MIX,
        )
    )  # fmt: skip
    data = all_particles()
    here = {str(name).rstrip("0123456789") for name in both["species"].values}
    names = tuple(name for name in data.numerator if name in here)
    model = spectrum(both, names, abscissa="total_energy", x=data.x).values
    study.add(
        open_item(
            "Fig. 9: all particles, model / LHAASO (EPOS-LHC) at 0.4, 1 and 5 PeV", "agrees with the data",
            _ratios(data.x, model / data.y, (4e5, 1e6, 5e6)), missing=_MIX,
        )
    )  # fmt: skip

    def figure_helium() -> Figure:
        from cyldiff.papers.nie_2026.figures import helium_figure

        return helium_figure(both)

    def figure_all() -> Figure:
        from cyldiff.papers.nie_2026.figures import all_particle_figure

        return all_particle_figure(both, names, data)

    study.figure("fig8", "Fig. 8: helium with the sources of the fit", figure_helium)
    study.figure("fig9", "Fig. 9: all particles with the sources of the fit", figure_all)


def _ratios(x: Array, ratio: Array, at: tuple[float, ...]) -> str:
    return ", ".join(f"{float(np.interp(np.log(e), np.log(x), ratio)):.2f}" for e in at)


def _dipole(study: Study, both: xr.Dataset) -> None:
    """Figs. 4 and 5, all nuclei at equal energy per particle."""
    energies = np.geomspace(*RANGE, 40 if study.smoke else 120)
    highest = float(both["kinetic_energy"].values[-1])
    found = anisotropy(both, energies=energies[energies < highest])
    shown = found.sel(energy=np.array([1e3, 1e4, 1e5, 1e6, 1e7]), method="nearest")
    ours = "; ".join(
        f"{a:.1e}, {p:.0f} deg" for a, p in zip(shown["amplitude"].values, shown["phase"].values, strict=True)
    )
    study.add(
        open_item(
            "Figs. 4, 5: amplitude (equatorial) and phase at 1, 10, 100 TeV, 1 and 10 PeV",
            "dip from 200 GeV to the knee; anticentre below 100 TeV, centre above", ours,
            missing="the local remnant is not printed. Fitted to protons alone it does not turn the dipole of the "
            "background, 3 D / c times its radial gradient, which is ten times what is measured at 100 TeV.",
        )
    )  # fmt: skip

    def figure() -> Figure:
        from cyldiff.plot.anisotropy_figure import anisotropy_figure

        return anisotropy_figure(found, default_dipoles(), RANGE)

    study.figure("fig4-5", "Figs. 4 and 5: amplitude and phase of the anisotropy, all nuclei", figure)
