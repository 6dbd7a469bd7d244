"""Posteriors that are known in closed form, importable by worker processes."""

from __future__ import annotations

import os

import numpy as np

from cyldiff.errors import ConvergenceError
from cyldiff.fit.parameters import Parameter
from cyldiff.fit.posterior import Evaluate
from cyldiff.fit.priors import Gaussian, Uniform


def parameter(name, start=0.0, low=-10.0, high=10.0, prior=None, **options):
    """A plain number."""
    return Parameter(name, (("physics", name),), None, start, low, high, prior or Uniform(), False, **options)


class Bowl:
    """Chi-square of a normal distribution, with its gradient."""

    no_gradient = ""

    def __init__(self, mean=(0.5, -1.0), covariance=((1.0, 0.8), (0.8, 2.0)), **options):
        self.mean, self.covariance = np.array(mean), np.array(covariance)
        self.matrix = np.linalg.inv(self.covariance)
        self.parameters = tuple(parameter(name, **options) for name in "abcdefg"[: len(self.mean)])

    def __call__(self, values):
        away = np.asarray(values) - self.mean
        return float(away @ self.matrix @ away)

    def gradient(self, values):
        return 2.0 * self.matrix @ (np.asarray(values) - self.mean)


class Banana(Bowl):
    """A bowl bent along a parabola: b - a^2 / 4 in place of b."""

    def __call__(self, values):
        a, b = values
        return super().__call__((a, b - 0.25 * a * a))

    def gradient(self, values):
        a, b = values
        inner = super().gradient((a, b - 0.25 * a * a))
        return np.array([inner[0] - 0.5 * a * inner[1], inner[1]])


class Line:
    """A straight line a + b x through data with errors: minimum and covariance from the normal equations."""

    no_gradient = ""

    def __init__(self, prior=None):
        generator = np.random.default_rng(5)
        self.x, self.sigma = np.linspace(0.0, 3.0, 12), np.linspace(0.1, 0.4, 12)
        self.y = 1.0 + 0.5 * self.x + self.sigma * generator.normal(size=12)
        self.parameters = (parameter("a", 0.3), parameter("b", 0.1, prior=prior))
        self.design = np.column_stack([np.ones(12), self.x]) / self.sigma[:, None]

    def __call__(self, values):
        pulls = self.y / self.sigma - self.design @ np.asarray(values)
        return float(pulls @ pulls) + sum(
            p.prior.chi2(v) for p, v in zip(self.parameters, values, strict=True)
        )

    def gradient(self, values):
        pulls = self.y / self.sigma - self.design @ np.asarray(values)
        return -2.0 * self.design.T @ pulls + [
            p.prior.slope(v) for p, v in zip(self.parameters, values, strict=True)
        ]

    @property
    def solution(self):
        """Best values and covariance, closed."""
        weight, right = self.design.T @ self.design, self.design.T @ (self.y / self.sigma)
        for i, p in enumerate(self.parameters):
            if isinstance(p.prior, Gaussian):
                weight[i, i] += p.prior.sigma**-2
                right[i] += p.prior.mean * p.prior.sigma**-2
        return np.linalg.solve(weight, right), np.linalg.inv(weight)


class Holey(Bowl):
    """A bowl that has no solution on one side."""

    def __call__(self, values):
        if values[0] > 2.0:
            raise ConvergenceError("no solution there")
        return super().__call__(values)


def make_bowl():
    """What a worker of the sampler calls."""
    return Evaluate(Bowl())


def make_one():
    """A single parameter."""
    return Evaluate(Bowl((0.5,), ((4.0,),)))


def make_failing():
    """Something that cannot be made."""
    raise ConvergenceError("cannot be made")


def make_identity():
    """Tells which process it is in."""
    return lambda task: os.getpid()
