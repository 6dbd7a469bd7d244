"""Our fits next to Tables 1 to 3, and why the third component is another one."""

from __future__ import annotations

import numpy as np

from cyldiff.fit.components import load_spectra
from cyldiff.papers.aharonian_zhang_2026.fits import RUNS, SHARPNESS, Fit, Fits, variants
from cyldiff.papers.aharonian_zhang_2026.points import pulls
from cyldiff.papers.aharonian_zhang_2026.printed import INTERACTIONS, TABLES, Row, Value
from cyldiff.papers.items import Item, claim, open_item
from cyldiff.papers.study import Study

__all__ = ["compare"]

FIRST = INTERACTIONS[0]
LHAASO = f"lhaaso-{FIRST}-h-total-energy"
#: rise of chi-square that 68 % of the posterior of 3 and 5 parameters lie within
JOINT = {3: 3.53, 5: 5.89}
NOT_STATED = (
    "The paper does not say for which model of interactions it takes the fluxes of LHAASO: EPOS-LHC here."
)


def compare(study: Study, fits: Fits) -> None:
    """One item per printed number, then what they hang on."""
    note = NOT_STATED + (
        " Best values (smoke mode)."
        if study.smoke
        else " Medians and 68 % of the posterior, as in the paper."
    )
    for name, row in TABLES.items():
        fit = fits[name, FIRST]
        more = third(fits, name) if "iii" in name else note
        study.add(*(_item(row, key, value, fit, more) for key, value in row.values.items()))
    study.add(_sharpness(fits[SHARPNESS, FIRST], note), *_third_items(fits), *_others(fits, note))


def _item(row: Row, key: str, value: Value, fit: Fit, note: str) -> Item:
    unit = f" [{value.unit}]" if value.unit else ""
    name = f"{row.place}: {value.label}{unit}"
    if fit.failed:
        return Item(name, _printed(value), "no minimum", "1 sigma", "fail", fit.failed)
    ours, minus, plus = (part / value.size for part in fit.value(key))
    low, high = limits(value, minus, plus)
    errors = " ".join(
        f"{sign}{error:.2g}" if np.isfinite(error) else f"{sign}?"
        for sign, error in (("-", minus), ("+", plus))
    )
    said = "1 sigma printed" if np.isfinite(value.minus) else "1 sigma ours"
    verdict = "pass" if low <= ours <= high else "fail"
    return Item(name, _printed(value), f"{ours:.4g} {errors}", f"{said}: {low:g} to {high:g}", verdict, note)  # type: ignore[arg-type]


def limits(value: Value, minus: float, plus: float) -> tuple[float, float]:
    """Interval of the printed errors; where none are printed, of our own errors."""
    if np.isfinite(value.minus):
        return value.value - value.minus, value.value + value.plus
    return float(f"{value.value - plus:.4g}"), float(f"{value.value + minus:.4g}")


def _printed(value: Value) -> str:
    return f"{value.value:g}" + (f" -{value.minus:g} +{value.plus:g}" if np.isfinite(value.minus) else "")


def inside(name: str, fit: Fit) -> tuple[list[str], list[str]]:
    """Parameters of a fit within the printed errors, and the others with their values."""
    good: list[str] = []
    bad: list[str] = []
    for key, value in TABLES[name].values.items():
        ours, minus, plus = (part / value.size for part in fit.value(key))
        low, high = limits(value, minus, plus)
        within = low <= ours <= high
        (good if within else bad).append(
            f"{TABLES[name].place} {value.label} {ours:.3g} {value.unit}".strip()
        )
    return good, bad


def third(fits: Fits, name: str) -> str:
    """Why component III is another one, in numbers."""
    fit = fits[name, FIRST]
    count = len(fit.names)
    printed = load_spectra(RUNS / f"{name}.toml").config
    shown = ", ".join(f"{pull:+.1f}" for pull in pulls(printed, LHAASO, "H", above=5e6))
    words = "fixed" if name.endswith("fixed") else "free"
    without = fits[f"III with II {words}, LHAASO to 5 PeV", FIRST]
    text = (
        f"III, II {words}: chi-square of the printed values is {fit.rise:.1f} above the minimum of {fit.chi2:.1f} for "
        f"{fit.ndof} degrees of freedom (68 % of {count} parameters: {JOINT[count]}). With them the LHAASO points "
        f"above 5 PeV (EPOS-LHC) are off by {shown} sigma. Without these points the rise is {without.rise:.1f}."
    )
    if words == "fixed":
        alone = fits["III with II fixed, IceTop alone", FIRST]
        text += f" To IceTop alone it is {alone.rise:.1f}."
    return text


def _sharpness(fit: Fit, note: str) -> Item:
    """Fig. 4."""
    middle, minus, plus = fit.value("b2")
    return open_item(
        "Fig. 4: sharpness β2 of component II, free", "figure only; 1 fixed in Table 1",
        f"{middle:.2f} -{minus:.2f} +{plus:.2f}", missing=f"No numbers are printed for Fig. 4. {note}",
    )  # fmt: skip


def _third_items(fits: Fits) -> list[Item]:
    fixed, free = (fits[f"proton-iii-{word}", FIRST] for word in ("fixed", "free"))
    alone = fits["III with II fixed, IceTop alone", FIRST]
    without = fits["III with II fixed, LHAASO to 5 PeV", FIRST]
    return [
        claim(
            "III: the fit improves when II is free", "improves",
            f"chi-square {fixed.chi2:.1f} for {fixed.ndof}, {free.chi2:.1f} for {free.ndof} degrees of freedom",
            holds=fixed.chi2 - free.chi2 > 2.3, tolerance="by more than 2.3 (two parameters)",
        ),
        claim(
            "III with II fixed: printed values against IceTop alone", "fitted",
            f"rise of chi-square {alone.rise:.1f}, without LHAASO above 5 PeV {without.rise:.1f}",
            holds=max(alone.rise, without.rise) < JOINT[3], tolerance=f"below {JOINT[3]} (68 % of three parameters)",
            note=third(fits, "proton-iii-fixed"),
        ),
    ]  # fmt: skip


def _others(fits: Fits, note: str) -> list[Item]:
    """Other models of interactions, and other choices of the data."""
    found = []
    for one in INTERACTIONS[1:]:
        if ("proton-ii", one) not in fits:
            continue
        good: list[str] = []
        bad: list[str] = []
        for name in TABLES:
            if not fits[name, one].failed:
                parts = inside(name, fits[name, one])
                good, bad = good + parts[0], bad + parts[1]
        found.append(
            open_item(
                f"parameters of Tables 1 to 3 within 1 sigma with {one}", "model not stated",
                f"{len(good)} of {len(good) + len(bad)}; outside: {', '.join(bad) or 'none'}", missing=note,
            )
        )  # fmt: skip
    for label, name, _ in variants():
        fit = fits[label, FIRST]
        if name.startswith("proton-iii") or fit.failed:
            continue
        within, outside = inside(name, fit)
        count = f"{len(within)} of {len(within) + len(outside)} within 1 sigma"
        found.append(
            open_item(
                f"best fit with another choice: {label}", "choice not stated",
                f"{count}; outside: {', '.join(outside) or 'none'}",
                missing="Ranges of the data beyond those printed; runs/papers/aharonian-zhang-2026/variants.toml.",
            )
        )  # fmt: skip
    return found
