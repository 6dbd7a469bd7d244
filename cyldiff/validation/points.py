"""Point sources: Green's functions against series, the grid and differences; dipoles (T4, T17, T19)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import erfc

from cyldiff import constants as const
from cyldiff.grid import Grid
from cyldiff.solve.crank_nicolson import Stepper
from cyldiff.sources.greens_function import (
    burst,
    continuous,
    vertical_content,
    vertical_kernel,
    vertical_share,
)
from cyldiff.sources.segments import Segments
from cyldiff.sources.superposition import PointPropagation, green_functions
from cyldiff.validation.case import Case, Check, Refinement, below, close, largest
from cyldiff.validation.problems import operator, slab_grid

__all__ = ["CASES"]

Array = NDArray[np.float64]
Checks = Sequence[Check | Refinement]

GROUP = "Point sources"
H = 4.0  #: half-height of the halo [kpc]


def _images(z: Array, z_source: float, spread: float) -> Array:
    """Images at 2 n H + (-1)^n z_s, far more than it takes."""
    n = np.arange(-60, 61)[:, None]
    sign = np.where(n % 2 == 0, 1.0, -1.0)
    gauss = np.exp(-((z - sign * z_source - 2.0 * n * H) ** 2) / (4.0 * spread))
    return np.asarray(np.sum(sign * gauss, axis=0) / np.sqrt(4.0 * np.pi * spread))


def _sines(z: Array, z_source: float, spread: float) -> Array:
    """Eigenfunctions sin(k pi (z + H)/2H), far more than it takes."""
    k = np.arange(1, 2001)[:, None] * np.pi / (2.0 * H)
    return np.asarray(
        np.sum(np.sin(k * (z + H)) * np.sin(k * (z_source + H)) * np.exp(-(k**2) * spread), axis=0) / H
    )


def _halo() -> Checks:
    z, worst_images, worst_sines, slope = np.linspace(-3.99, 3.99, 41), 0.0, 0.0, 0.0
    for spread in (0.1, 1.0, 4.0, 7.99, 8.01, 20.0, 60.0):
        for z_source in (0.0, 0.7, -3.5):
            value, gradient = vertical_kernel(z, z_source, spread, H)
            top = float(value.max())
            if spread < 10.0:  # further on the images cancel to less than their own round-off
                worst_images = largest(worst_images, np.abs(value - _images(z, z_source, spread)) / top)
            worst_sines = largest(worst_sines, np.abs(value - _sines(z, z_source, spread)) / top)
            step = 1e-4
            up, down = (vertical_kernel(z + s * step, z_source, spread, H)[0] for s in (1, -1))
            steepest = float(np.abs(gradient).max())
            slope = largest(slope, np.abs((up - down) / (2.0 * step) - gradient) / steepest)
    return [
        below("against 121 images, D t up to H^2/2 and beyond, of the largest value", worst_images, 1e-12),
        below("against 2000 sines, D t = 0.1 to 60 kpc^2, of the largest value", worst_sines, 1e-12),
        below("derivative against differences, of the steepest", slope, 1e-6),
    ]


def _share() -> Checks:
    checks: list[Check | Refinement] = []
    for spread in (0.5, 8.0, 30.0):
        exact, _ = quad(
            lambda z, s=spread: float(vertical_kernel(z, 0.7, s, H)[0]), -H, H, points=[0.7], epsabs=0.0
        )
        found = float(vertical_share(0.7, spread, H))
        checks.append(close(f"part still in the halo at D t = {spread:g} kpc^2", found, exact, 1e-9))
    return checks


def _on_the_grid() -> Checks:
    """A plane burst on 81 cells, from a kernel of 1.5 cells on, against the halo's Green's function."""
    grid: Grid = slab_grid(81, H, half_space=False)
    begin, spreads = 0.5 * (1.5 * float(grid.z.widths[0])) ** 2, [0.5, 2.0, 8.0, 16.0]
    start = np.diff(vertical_content(grid.z.faces, 0.5, begin, H)) / grid.z.widths
    stepper = Stepper([operator(grid, D=1.0)], lambda i, t, f: np.zeros(grid.shape), tolerance=1e-4)
    states = stepper.advance([np.broadcast_to(start, grid.shape)], spreads, begin=begin)
    checks: list[Check | Refinement] = []
    for spread, (field,) in zip(spreads, states, strict=True):
        exact, _ = vertical_kernel(grid.z.centers, 0.5, spread, H)
        error = np.abs(field[0, 0] - exact).max() / exact.max()
        checks.append(below(f"D t = {spread:g} kpc^2, every cell, of the largest", float(error), 1e-2))
    return checks


#: the Sun, and another place [kpc]
HERE = np.array([-8.5, 0.0, 0.0])
THERE = np.array([-7.3, 1.1, 0.4])


def _free() -> Checks:
    D, t = 0.3, np.array([0.2, 1.0, 5.0, 40.0])
    d = float(np.sqrt(np.sum((HERE - THERE) ** 2)))
    gauss = (4.0 * np.pi * D * t) ** -1.5 * np.exp(-(d**2) / (4.0 * D * t))
    steady = erfc(d / np.sqrt(4.0 * D * t)) / (4.0 * np.pi * D * d)
    found, _ = burst(HERE, THERE, diffusion=D, age=t)
    lasting, _ = continuous(HERE, THERE, diffusion=D, duration=t)
    forever, _ = continuous(HERE, THERE, diffusion=D, duration=np.inf)
    integral, _ = quad(
        lambda a: float(burst(HERE, THERE, diffusion=D, age=a)[0]), 0.0, 5.0, epsabs=0.0, limit=200
    )
    return [
        close("burst: (4 pi D t)^-3/2 exp(-d^2/4Dt)", found, gauss, 1e-12),
        close("lasting: erfc(d/sqrt(4Dt))/(4 pi D d)", lasting, steady, 1e-12),
        close("always on: 1/(4 pi D d)", forever, 1.0 / (4.0 * np.pi * D * d), 1e-12),
        close("lasting = integral of bursts (quadrature)", lasting[2], integral, 1e-8),
    ]


def _dipole_amplitude(distance: float, age: float) -> float:
    """Dipole of a burst in free space, 3 D |grad n| / c n."""
    D = 0.05
    value, slope = burst(np.zeros(3), np.array([distance, 0.0, 0.0]), diffusion=D, age=age)
    return float(3.0 * D * np.sqrt(np.sum(slope**2)) / (const.SPEED_OF_LIGHT * value))


def _dipole() -> Checks:
    ages, distances = np.array([0.3, 4.82, 12.0]), np.array([0.3, 2.64, 1.0])
    found = [_dipole_amplitude(d, t) for d, t in zip(distances, ages, strict=True)]
    exact = 1.5 * distances / (const.SPEED_OF_LIGHT * ages)
    # 1 kpc is 3.0857e21 cm, 1 Myr 3.1557e13 s, c 2.99792e10 cm/s: 3 d/2 c t
    return [
        close("delta = 3 d / 2 c t, whatever D is", found, exact, 1e-12),
        close("2.64 kpc and 4.82 Myr: 2.68e-3 (by hand)", found[1], 2.68e-3, 2e-3),
        close("0.3 kpc and 0.3 Myr: 4.89e-3 (by hand)", found[0], 4.89e-3, 2e-3),
    ]


def _dipole_differences() -> Checks:
    energies = np.geomspace(10.0, 1e6, 6)
    D, step = 0.03 * (energies / 4.0) ** 0.5, 0.004
    offsets, weights = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([1.0, -8.0, 8.0, -1.0]) / 12.0
    place = np.array([-8.5, 0.3, 0.7])
    around = np.concatenate([*(place + step * offsets[:, None] * e for e in np.eye(3)), [place]])
    worst = 0.0
    for oldest, youngest in ((3.0, 3.0), (100.0, 0.0), (2.0, 0.0), (3.0, 1.0)):
        one = Segments(np.array([[-6.0, -1.5, -0.1]]), np.array([oldest]), np.array([youngest]),
                       np.ones(1), np.zeros(1, int), np.zeros(1, int))  # fmt: skip
        setting = PointPropagation(D, np.full(6, const.SPEED_OF_LIGHT), H, causality="none")
        density, gradient = green_functions(one, around, setting)
        other = np.stack([density[..., 4 * i : 4 * i + 4] @ weights / step for i in range(3)], axis=-1)[0]
        there = ~(density[0, :, -1] <= 1e-30)
        mine = gradient[0, :, -1]
        off = np.sqrt(np.sum((mine - other) ** 2, axis=-1) / np.maximum(np.sum(mine**2, axis=-1), 1e-300))
        worst = largest(worst, off[there])
    return [below("burst, always on, young, ended; of the dipole", worst, 1e-4)]


CASES = (
    Case("halo-kernel", GROUP, "The halo's Green's function is the sum over images and the sum over eigenfunctions.",
         "Blasi & Amato 2012, JCAP 01, 010; both sums written out", _halo),
    Case("halo-content", GROUP, "What is still in the halo is the integral of the Green's function.",
         "adaptive quadrature (scipy)", _share),
    Case("burst-grid", GROUP, "A burst on the grid in time is the Green's function.",
         "halo's Green's function", _on_the_grid),
    Case("free-space", GROUP, "Bursts and lasting sources in free space.",
         "closed formulas (Atoyan, Aharonian & Voelk 1995, PRD 52, 3265)", _free),
    Case("dipole", GROUP, "A burst has the dipole 3 d / 2 c t.", "closed formula", _dipole),
    Case("dipole-halo", GROUP, "In the halo the dipole is the slope of the density.",
         "finite differences of fourth order", _dipole_differences),
)  # fmt: skip
