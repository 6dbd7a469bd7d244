"""Figs. 6 and 7: the joint fits, their posterior, protons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cyldiff import constants as const
from cyldiff.data.measurements import load
from cyldiff.fit.joint import JointModel, JointPrediction
from cyldiff.fit.load import load_fit
from cyldiff.fit.parameters import starts_of
from cyldiff.fit.tune import FitResult, tune
from cyldiff.observables.interpolation import LogLogCurve
from cyldiff.papers.items import claim, close, open_item
from cyldiff.papers.nie_2026.background import COARSE, NAME
from cyldiff.papers.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PRINTED", "JointFits", "best_of", "joint_fits"]

Array = NDArray[np.float64]

#: section 3: value, error down, error up
PRINTED = {"l": (337.4, 34.7, 44.5), "distance": (2.64, 0.45, 0.44), "age": (4.82, 0.09, 0.09)}
_UNITS = {"l": "deg", "distance": "kpc", "age": "Myr"}
_MICROQUASAR = "point_sources.sources.microquasar"
#: selections of data that the words of section 3 allow
SELECTIONS = {
    "of KASCADE-Grande alone": "[{name='kascade-grande-dipole-2015', projected=false}]",
    "of Auger up to 8 EeV": "[{name='kascade-grande-dipole-2015', projected=false}, "
    "{name='auger-dipole-2020', projected=false, max='8 EeV'}]",
    "compared in the equatorial plane": "[{name='kascade-grande-dipole-2015'}, "
    "{name='auger-dipole-2020', max='2 EeV'}]",
}
_SELECTION = (
    "Which data, with which errors, and what was held fixed is not printed. Here: LHAASO protons (EPOS-LHC) and the "
    "dipoles of KASCADE-Grande 2015 and Auger 2020 below 2 EeV; index, energy, background and remnant as fitted in "
    "papers/nie-2026/free."
)

_CONSTRUCTED = {
    "age": " The age agrees by construction: the energy is that of a fit with the printed age.",
    "distance": " With index and energy fixed the shape of the protons narrows the distance; rows below for it alone.",
}


@dataclass(frozen=True)
class JointFits:
    """What the fits find.

    Attributes
    ----------
    free : all parameters in free space, the age at its printed value
    paper : the four of the paper
    halo : all parameters with escape at |z| = H, the age free too
    draws : from the posterior of the four, shape (n, 4), in the units of :attr:`names`
    names : parameters of the draws, in their order
    """

    free: FitResult
    paper: FitResult
    halo: FitResult
    draws: Array
    names: tuple[str, ...]

    def of(self, name: str) -> Array:
        """Draws of one parameter."""
        return np.asarray(self.draws[:, self.names.index(name)])

    def predicted(self, which: str) -> JointPrediction:
        """The best fit of one of them."""
        result: FitResult = getattr(self, which)
        found = result.likelihood.model.predict(result.values)
        assert isinstance(found, JointPrediction)
        return found


def joint_fits(study: Study) -> JointFits:
    """Tune and sample, and say what came out."""
    coarse = [*COARSE] if study.smoke else []
    quick = ["fit.minos=false"] if study.smoke else []
    _amplitude(study)
    free = tune(load_fit(f"{NAME}/free", [*coarse, "fit.minos=false"]))
    study.say(free.table())
    fixed = [*coarse, *best_of(free, without=("l", "distance", "age", "spectrum.cutoff"))]
    paper = tune(load_fit(f"{NAME}/free-paper", [*fixed, *quick]))
    study.say(paper.table())
    halo = tune(load_fit(f"{NAME}/halo", coarse))
    study.say(halo.table())
    names = tuple(p.name for p in paper.parameters)
    fits = JointFits(free, paper, halo, _draws(study, paper), names)
    _printed(study, fits)
    if not study.smoke:
        _selections(study, free)
    _spectrum(study, fits)
    _figures(study, fits)
    return fits


def best_of(free: FitResult, *, without: tuple[str, ...] = ()) -> list[str]:
    """Values of a fit as overrides for another one, those of some keys of the microquasar left out."""
    second = {f"{_MICROQUASAR}.{key}" for key in without}
    overrides = []
    for p, value in zip(free.parameters, free.values, strict=True):
        for path, number in p.put(float(value)):
            name = ".".join(f'"{part}"' if " " in part else part for part in path)
            if name not in second:
                overrides.append(f"{name}={_text(number, p.dimension)}")
    return overrides


def _text(number: float, dimension: str | None) -> str:
    from cyldiff.units import format_quantity

    return repr(number) if dimension is None else f'"{format_quantity(number, dimension)}"'


def _draws(study: Study, paper: FitResult) -> Array:
    """The posterior of emcee; in smoke mode the normal distribution of the Hesse matrix."""
    factors = np.array([p.factor for p in paper.parameters])
    if study.smoke:
        generator = np.random.default_rng(0)
        sigma = np.sqrt(np.diag(paper.covariance))
        correlation = paper.covariance / np.outer(sigma, sigma)
        unit = generator.multivariate_normal(np.zeros(len(sigma)), correlation, size=4000)
        return np.asarray((paper.values + sigma * unit) * factors)
    from cyldiff.fit.sample import sample

    posterior = sample(paper.fit, state=None, workers=study.processes, quiet=study.quiet)
    return np.asarray((posterior.draws.values * factors)[posterior.draws.counting])


def _amplitude(study: Study) -> None:
    """3 r / 2 c t as the model has it, where the source is alone."""
    fit = load_fit(f"{NAME}/free", COARSE)
    model = JointModel.of(fit)
    ours = float(model.predict(starts_of(fit.parameters)).whole_dipole(np.array([5e7]))[0][0])
    study.add(
        close("Section 3: amplitude 3 r / 2 c t of the best fit (2.64 kpc, 4.82 Myr)", 2.68e-3, ours, relative=1e-3,
              note="with the distance and the age printed; the length of the whole vector, of which arrays see 0.68.")
    )  # fmt: skip
    speed = 1.5 * PRINTED["distance"][0] / (const.SPEED_OF_LIGHT * PRINTED["age"][0])
    assert abs(ours / speed - 1.0) < 1e-2


def _printed(study: Study, fits: JointFits) -> None:
    """Our intervals next to those of the paper."""
    for name, (value, down, up) in PRINTED.items():
        low, middle, high = _interval(fits, name)
        ours = f"{middle:.4g} - {middle - low:.2g} + {high - middle:.2g}"
        study.add(
            open_item(f"Fig. 7: {name} [{_UNITS[name]}]", f"{value:g} - {down:g} + {up:g}", ours,
                      missing=_SELECTION + _CONSTRUCTED.get(name, ""))
        )  # fmt: skip
    low, middle, high = _interval(fits, "cutoff")
    study.add(
        open_item("Fig. 7: cut-off rigidity [PV]", "not printed",
                  f"{middle / 1e6:.3g} - {(middle - low) / 1e6:.2g} + {(high - middle) / 1e6:.2g}",
                  missing=_SELECTION)
    )  # fmt: skip
    low, _, high = _interval(fits, "l")
    value, down, up = PRINTED["l"]
    study.add(
        claim("Fig. 7: the longitudes overlap within 1 sigma", f"{value - down:.0f} to {value + up:.0f} deg",
              f"{low:.0f} to {high:.0f} deg", holds=low < value + up and high > value - down,
              tolerance="intervals overlap",
              note="l = 337 deg is 23 deg from the Galactic centre, not towards the anticentre as the text says.")
    )  # fmt: skip


def _interval(fits: JointFits, name: str) -> Array:
    """16, 50 and 84 % of a parameter; longitudes around the printed one."""
    values = fits.of(name)
    if name == "l":
        values = (values - PRINTED["l"][0] + 180.0) % 360.0 + PRINTED["l"][0] - 180.0
    return np.asarray(np.quantile(values, (0.1587, 0.5, 0.8413)))


def _selections(study: Study, free: FitResult) -> None:
    """The fit of all parameters, the age as printed, to other dipoles."""
    found = {"as above": free}
    for words, dipoles in SELECTIONS.items():
        choice = f"fit.dipoles={dipoles.replace(chr(39), chr(34))}"
        found[words] = tune(load_fit(f"{NAME}/free", [choice, "fit.minos=false"]))
    for words, result in found.items():
        named = {p.name: i for i, p in enumerate(result.parameters)}
        longitude, distance = (
            (float(result.values[named[name]]), float(result.errors[named[name]]))
            for name in ("l", "distance")
        )
        ours = f"l = {longitude[0] % 360.0:.0f} ± {longitude[1]:.0f} deg, d = {distance[0]:.2f} ± {distance[1]:.2f} kpc"
        item = f"Fig. 7, index and energy free, age 4.82 Myr; dipoles {words}"
        study.add(open_item(item, "337 deg, 2.64 kpc", ours, missing=_SELECTION))


def _spectrum(study: Study, fits: JointFits) -> None:
    """How far the protons are from the data."""
    data = load("lhaaso-epos-lhc-h-total-energy")
    prediction = fits.predicted("free")
    model = LogLogCurve(prediction.kinetic_energy, prediction.flux[0])(data.x - const.PROTON_MASS)
    worst = float(np.max(np.abs(model / data.y - 1.0)))
    study.add(
        open_item("Fig. 6: largest deviation from LHAASO protons, 0.18 to 11 PeV", "reasonably reproduced",
                  f"{100.0 * worst:.0f} %",
                  missing="index and energy of the microquasar and of the local remnant are not printed: fitted.")
    )  # fmt: skip


def _figures(study: Study, fits: JointFits) -> None:
    from cyldiff.plot.corner import draw_corner

    def protons() -> Figure:
        from cyldiff.papers.nie_2026.figures import proton_figure

        return proton_figure(fits.predicted("free"), fits.predicted("halo"))

    def corner() -> Figure:
        scale = np.array([1e-6 if name == "cutoff" else 1.0 for name in fits.names])
        labels = [
            {"l": "l [deg]", "cutoff": "cut-off [PV]", "distance": "d [kpc]", "age": "age [Myr]"}[name]
            for name in fits.names
        ]
        factors = np.array([p.factor for p in fits.paper.parameters])
        draws, best = fits.draws * scale, fits.paper.values * factors * scale
        return draw_corner(draws, np.ones(len(draws)), best, labels=labels, path=study.results / "corner.png")

    study.figure("fig6", "Fig. 6: protons with the microquasar of the fit", protons)
    study.figure("fig7", "Fig. 7: posterior of the four parameters of the paper", corner)
