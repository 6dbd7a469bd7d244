"""What closure.py should find: the same test on many sets, with polynomials in place of the transport solver.

    python docs/scripts/closure_expected.py [--sets 1000] [--folder FOLDER]

The logarithms of B/C and C are polynomials of third degree in the parameters, fitted to solutions around the truth;
how far they are off at other places is printed in errors of the data. Thousands of fits are then a matter of seconds:
the shares inside one and two sigma, free of the chance of 20 sets, and how often 20 sets pass. With FOLDER, that of
closure.py, the fits there are compared with the polynomials'.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
from closure import TRUTH, closure_fit, mock
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import least_squares

from cyldiff.fit.likelihood import Likelihood
from cyldiff.fit.load import LoadedFit
from cyldiff.parallel.ensemble import Member

Array = NDArray[np.float64]

#: errors of the seven-parameter fit, for steps around the truth
SPREAD = {"D0": 0.005, "delta": 0.018, "delta_high": 0.055, "break": 60.0, "eta": 0.55, "index": 0.014}
#: of the solutions that the polynomials are fitted to, in these errors
RANGE = 1.6
SOLUTIONS, CHECKS, DEGREE = 250, 30, 3
#: what is a logarithm in the polynomials
POSITIVE = ("D0", "break")


class Polynomials:
    """ln B/C and ln C at the data points as polynomials of the parameters."""

    def __init__(self, fit: LoadedFit) -> None:
        self.names = [p.name for p in fit.parameters]
        self.truth = np.array([TRUTH[name] for name in self.names])
        self.slow = [i for i, name in enumerate(self.names) if name in SPREAD]
        self.carbon = self.names.index("carbon")
        self.likelihood = Likelihood.of(fit)
        sizes = [t.n_points for t in self.likelihood.terms]
        self.is_carbon = np.concatenate([np.full(n, t.name == "ams02-c-rigidity") for n, t in
                                         zip(sizes, self.likelihood.terms, strict=True)])  # fmt: skip
        roots = [np.linalg.cholesky(t.covariance(m)) for t, m in zip(
            self.likelihood.terms, self._solved(self.truth), strict=True)]  # fmt: skip
        self.root = np.zeros((sum(sizes), sum(sizes)))
        self.root[: sizes[0], : sizes[0]], self.root[sizes[0] :, sizes[0] :] = roots
        terms: list[tuple[int, ...]] = [()]
        for degree in range(1, DEGREE + 1):
            terms += combinations_with_replacement(range(len(self.slow)), degree)
        one = len(self.slow)  # a place of its own for the factor 1
        self.terms = np.array([term + (one,) * (DEGREE - len(term)) for term in terms])
        self.weights = np.zeros((len(terms), sum(sizes)))

    def _solved(self, values: Array) -> list[Array]:
        prediction = self.likelihood.model.predict(values)
        return [t.model(prediction, t.data.measurement.x[t.use]) for t in self.likelihood.terms]

    def unit(self, values: Array) -> Array:
        """Steps of the slow parameters from the truth in their errors, shape (n,)."""
        steps = []
        for i in self.slow:
            size = SPREAD[self.names[i]]
            log = self.names[i] in POSITIVE
            steps.append(
                np.log(values[i] / self.truth[i]) * self.truth[i] / size
                if log
                else (values[i] - self.truth[i]) / size
            )
        return np.array(steps)

    def values(self, unit: Array) -> Array:
        """The inverse of `unit`, with the true normalisation."""
        values = self.truth.copy()
        for i, step in zip(self.slow, unit, strict=True):
            size = step * SPREAD[self.names[i]]
            values[i] = (
                self.truth[i] * np.exp(size / self.truth[i])
                if self.names[i] in POSITIVE
                else values[i] + size
            )
        return values

    def _row(self, unit: Array) -> Array:
        return np.asarray(np.prod(np.append(unit, 1.0)[self.terms], axis=1))

    def learn(self, generator: np.random.Generator) -> Array:
        """Fit them; returns the largest deviations at other places, in errors of single points."""
        places = RANGE * generator.normal(size=(SOLUTIONS + CHECKS, len(self.slow)))
        logs = np.array([np.log(np.concatenate(self._solved(self.values(u)))) for u in places])
        rows = np.array([self._row(u) for u in places])
        self.weights = np.linalg.lstsq(rows[:SOLUTIONS], logs[:SOLUTIONS], rcond=None)[0]
        off = np.exp(rows[SOLUTIONS:] @ self.weights) - np.exp(logs[SOLUTIONS:])
        white = solve_triangular(self.root, off.T, lower=True)
        return np.asarray(np.sum(white**2, axis=0))

    def model(self, x: Array) -> Array:
        """Data points at steps of the slow parameters and ln of the normalisation, the last of x."""
        return np.exp(self._row(x[:-1]) @ self.weights + self.is_carbon * x[-1])

    def fit(self, data: Array, held: int | None = None) -> tuple[Array, float]:
        """Best place and chi-square; one parameter may be held at the truth, 0."""
        free = [i for i in range(len(self.slow) + 1) if i != held]

        def full(part: Array) -> Array:
            x = np.zeros(len(self.slow) + 1)
            x[free] = part
            return x

        found = least_squares(
            lambda part: solve_triangular(self.root, data - self.model(full(part)), lower=True), np.zeros(len(free)),
            x_scale=[1.0 if i < len(self.slow) else 0.02 for i in free], method="lm", xtol=1e-6, ftol=1e-6,
        )  # fmt: skip
        return full(found.x), 2.0 * found.cost

    def rises(self, data: Array) -> tuple[Array, Array, float]:
        """Rise of chi-square with every parameter at its true value, the best place, and chi-square there."""
        best, chi2 = self.fit(data)
        return np.array([self.fit(data, i)[1] - chi2 for i in range(len(best))]), best, chi2


def compare(polynomials: Polynomials, fit: LoadedFit, folder: Path) -> None:
    """Fits of closure.py next to fits of the polynomials to the same data."""
    differences, chi2 = [], []
    for path in sorted(folder.glob("mock_*.json")):
        record: dict[str, Any] = json.loads(path.read_text())
        truth = np.array([TRUTH[p.name] for p in fit.parameters])
        made = mock(fit, truth, Member(record["name"], root_seed=2026).generator())
        data = np.concatenate([d.measurement.y[t.use] for d, t in
                               zip(made.data, polynomials.likelihood.terms, strict=True)])  # fmt: skip
        rises, _, lowest = polynomials.rises(data)
        differences.append(np.array(record["value"]["rise"]["__array__"], dtype=float) - rises)
        chi2.append(record["value"]["chi2"] - lowest)
    print(f"{len(differences)} fits with the solver: rises differ by {np.std(differences):.3f} (largest "
          f"{np.max(np.abs(differences)):.3f}), chi-square by {np.mean(chi2):.3f} +- {np.std(chi2):.3f}")  # fmt: skip


def passing(rises: Array, sets: int, generator: np.random.Generator) -> float:
    """How often so many sets pass: 55 to 80 % inside one sigma, 90 % inside two, for all parameters."""
    passed = 0
    for _ in range(4000):
        drawn = rises[generator.integers(0, len(rises), sets)]
        one, two = np.mean(drawn <= 1.0, axis=0), np.mean(drawn <= 4.0, axis=0)
        passed += bool(np.all((one >= 0.55) & (one <= 0.80) & (two >= 0.90)))
    return passed / 4000


def main() -> None:
    """Learn, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    generator = np.random.default_rng(2026)
    fit = closure_fit()
    polynomials = Polynomials(fit)
    off = polynomials.learn(generator)
    print(f"chi-square between polynomials and solver at {CHECKS} other places: median {np.median(off):.3f}, "
          f"largest {off.max():.2f}", flush=True)  # fmt: skip
    if options.folder is not None:
        compare(polynomials, fit, options.folder)
    true = polynomials.model(np.zeros(len(polynomials.slow) + 1))
    rises, places = [], []
    for _ in range(options.sets):
        found, best, _ = polynomials.rises(true + polynomials.root @ generator.normal(size=len(true)))
        rises.append(found)
        places.append(best)
    shares, names = np.array(rises), [*(polynomials.names[i] for i in polynomials.slow), "carbon"]
    print(f"{options.sets} sets\n{'parameter':12} inside 1 sigma  inside 2 sigma  mean in errors")
    for i, name in enumerate(names):
        column = np.array(places)[:, i]
        print(f"{name:12} {100 * np.mean(shares[:, i] <= 1):10.1f} % {100 * np.mean(shares[:, i] <= 4):13.1f} % "
              f"{column.mean() / column.std():13.2f}")  # fmt: skip
    for sets in (20, 40, 100, 400):
        print(f"{sets} sets pass in {100 * passing(shares, sets, generator):.0f} % of the cases")


if __name__ == "__main__":
    main()
