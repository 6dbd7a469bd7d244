"""Gas of a galdef file: the models of the papers that GALPROP begins with, and X_CO at the Sun."""

from __future__ import annotations

from typing import Any

import numpy as np

from cyldiff.errors import Problem
from cyldiff.io.foreign import Keys
from cyldiff.io.galdef_sources import R_SUN

__all__ = ["gas"]


def gas(keys: Keys) -> dict[str, Any]:
    """Config of ``physics.gas``."""
    for key in ("nHI_model", "nH2_model", "nHII_model"):
        if keys.flag(key, 1, to="physics.gas") > 2:
            keys.differs(key, "the model of papers that GALPROP begins with is taken")
    return {
        "HI": {"kind": "gordon-burton-1976"},
        "H2": {"kind": "bronfman-1988", "X_CO": f"{_X_CO(keys):.12g} cm^-2/(K km/s)"},
        "HII": {"kind": "cordes-1991"},
        "helium_fraction": keys.number("He_H_ratio", 0.11, to="physics.gas.helium_fraction"),
    }


def _X_CO(keys: Keys) -> float:
    """X_CO [cm^-2/(K km/s)]: one number; of a law of radius, its value at the Sun.

    n_X_CO is 0 for a constant; 1 and 3 for tables of X_CO_radius and X_CO_values, linear or a power law between
    them; 2 for X0 + X1 r + X2 10^(X3 r) with X_CO_parameters; 10 for 1e20 10^(-0.4 + 0.066 r).
    """
    to = "physics.gas.H2.X_CO"
    mode = keys.flag("n_X_CO", 0, to=to)
    if mode in (1, 3) and "X_CO_values" in keys and "X_CO_radius" in keys:
        found = _of_table(keys, mode)
    elif mode == 2:
        found = _of_parameters(keys)
    elif mode == 10:
        found = 1e20 * 10.0 ** (-0.4 + 0.066 * R_SUN)
    else:
        found = keys.positive("X_CO", 1.9e20, to=to)
        if mode != 0:
            keys.differs("n_X_CO", f"X_CO is {found:g} cm^-2/(K km/s) at every radius")
        return found
    keys.differs(
        "n_X_CO", f"X_CO is {found:.4g} cm^-2/(K km/s) at every radius, that of the law at {R_SUN} kpc"
    )
    keys.none("X_CO", "the law of n_X_CO is used")
    return found


def _of_table(keys: Keys, mode: int) -> float:
    r, X = (np.asarray(keys.numbers(key, to="physics.gas.H2.X_CO")) for key in ("X_CO_radius", "X_CO_values"))
    if not (0 < r.size == X.size and np.all(np.diff(r) > 0.0) and np.all(X > 0.0)):
        text = "expected as many positive values as X_CO_radius has, which must increase"
        keys.problems.append(Problem("X_CO_values", text))
        return 1.9e20
    if mode == 1:
        return float(np.interp(R_SUN, r, X))
    first = np.maximum(r, 1e-3)
    return float(np.exp(np.interp(np.log(R_SUN), np.log(first), np.log(X))))


def _of_parameters(keys: Keys) -> float:
    key = "X_CO_parameters"
    if key in keys:
        found = keys.numbers(key, to="physics.gas.H2.X_CO")
    else:
        found = [keys.number(f"{key}_{i}", 0.0, to="physics.gas.H2.X_CO") for i in range(4)]
    if len(found) < 4:
        keys.problems.append(Problem(key, f"found {len(found)} numbers; expected 4 with n_X_CO = 2"))
        return 1.9e20
    value = found[0] + found[1] * R_SUN + found[2] * 10.0 ** min(found[3] * R_SUN, 30.0)
    if not 0.0 < value < 1e30:
        keys.problems.append(
            Problem(key, f"X_CO would be {value:g} at {R_SUN} kpc; expected a positive number")
        )
        return 1.9e20
    return value
