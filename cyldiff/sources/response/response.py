"""What the Sun can see: its response to a particle released anywhere, any time ago.

The adjoint of the transport equation, solved once (:func:`cyldiff.sources.response.solve.source_response`),
answers for every source: ``density = sum energy * spectrum * R(place, age)``. This module holds the
answer as a table and reads it for pieces of source histories.

Close to the observer, and for a short while after a burst, the table has nothing to say: R starts from the
kernel of uniform D with the spread `start`, and what is younger is the closed form of free space with D
at the observer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.grid import Kinematics
from cyldiff.particles.species import Species, nuclides
from cyldiff.sources.response.kernels import evaluate_pieces
from cyldiff.sources.segments import Segments

__all__ = ["SourceResponse"]

Array = NDArray[np.float64]
Table = NDArray[np.float32]

#: part of the largest R at an energy and age that is taken for noise: of a burst, and of the steady state
NOISE, STEADY_NOISE = 1e-7, 1e-9
#: a place this many widths of the starting kernel away does not depend on D being uniform in it
NEAR = 4.0


@dataclass(frozen=True)
class SourceResponse:
    """Response of density and gradient of one nuclide at the observer.

    Attributes
    ----------
    species : name of the nuclide
    observer : radius and height of the observer [kpc]; it is at phi = pi
    box : R and H of the halo [kpc]
    kinetic_energy : observed energies per nucleon, shape (n_k,) [GeV/n]
    injected_energy : the same if nothing moves in momentum, else those that the observed ones come
        from, shape (n_q,) [GeV/n]
    weight : (n_k, n_q), what makes R into density of N(T) per injected N(T); ones if nothing moves
    core : standard deviation of the starting kernel [kpc]
    law_energy, law_diffusion : D at the observer as a function of energy, finely [GeV/n], [kpc^2/Myr]
    law_begin : age of the starting kernel at the same energies [Myr]
    spread : s = D t of the ages in the table, the first core^2 / 2; empty for the steady state [kpc^2]
    r, psi, z : nodes; psi is the angle to the observer, from just below 0 to just beyond pi
    values : (n_r, n_psi, n_z, n_k, n_q or 1, n_a + 1, 4), R [kpc^-3] and its derivatives along (r, phi, z) at
        the observer [kpc^-4]; the last age is the integral of R over s from the start on
    mirrored : R is even in z; then z has the nodes of the upper half, and two below
    gone : nothing is left in the box at the last spread
    uniform : D is the same everywhere, so that the closed form near the observer is exact
    neglected : (n_k,), how much motion in momentum would change the flux, where it is left out
    attributes : what the response was made from
    """

    species: str
    observer: tuple[float, float]
    box: tuple[float, float]
    kinetic_energy: Array
    injected_energy: Array
    weight: Array
    core: float
    law_energy: Array
    law_diffusion: Array
    law_begin: Array
    spread: Array
    r: Array
    psi: Array
    z: Array
    values: Table = field(repr=False)
    mirrored: bool
    gone: bool
    uniform: bool
    neglected: Array
    attributes: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def coupled(self) -> bool:
        """Whether motion in momentum is in it."""
        return self.values.shape[4] > 1

    @property
    def steady(self) -> bool:
        """Whether it knows the steady state only."""
        return not len(self.spread)

    @property
    def nucleus(self) -> Species:
        """The nuclide."""
        return nuclides()[self.species]

    def diffusion(self, kinetic_energy: ArrayLike) -> Array:
        """D at the observer [kpc^2/Myr]."""
        law = CubicSpline(np.log(self.law_energy), np.log(self.law_diffusion))
        return np.asarray(np.exp(law(np.log(kinetic_energy))))

    def start_age(self, kinetic_energy: ArrayLike) -> Array:
        """Age of the starting kernel [Myr]: what is younger is in closed form."""
        law = CubicSpline(np.log(self.law_energy), np.log(self.law_begin))
        return np.asarray(np.exp(law(np.log(kinetic_energy))))

    def resolved(self, segments: Segments) -> NDArray[np.bool_]:
        """Which pieces do not depend on D being uniform around the observer, within a few `core`."""
        away = segments.position - np.array([-self.observer[0], 0.0, self.observer[1]])
        far = np.sqrt(np.sum(away**2, axis=1)) >= NEAR * self.core
        return far | self.uniform

    def evaluate(
        self,
        segments: Segments,
        spectra: ArrayLike,
        kinetic_energy: ArrayLike | None = None,
        *,
        causality: bool = True,
    ) -> tuple[Array, Array]:
        """Density that every piece adds at the observer, and its gradient.

        Parameters
        ----------
        segments : n pieces. For a steady response all must last until now: they stand for sources that
            have been on forever, with the power energy / oldest.
        spectra : shape (n_spectra, n_e), injected number per kinetic energy per nucleon and GeV of energy
            [1 / (GeV/n) / GeV]; of a coupled response at `injected_energy`
        kinetic_energy : within the range of the response, shape (n_e,) [GeV/n]; default that of the response
        causality : nothing arrives faster than the particles are (not for a steady response)

        Returns
        -------
        density N(T), shape (n, n_e) [kpc^-3 (GeV/n)^-1]; gradient, shape (n, n_e, 3), along r, phi and z at
        the observer [kpc^-4 (GeV/n)^-1]

        Raises
        ------
        DataError
            for energies outside the range, spectra of another shape, pieces older than the response, or
            pieces in the past for a steady one.
        """
        energy = self.energies(kinetic_energy)
        spectra = np.atleast_2d(np.asarray(spectra, dtype=float))
        wanted = self.injected_energy.shape if self.coupled else energy.shape
        used = segments.spectrum.max(initial=-1) + 1
        if spectra.shape[1:] != wanted or len(spectra) < used:
            raise DataError(
                f"spectra have shape {spectra.shape}; expected ({used} or more, {wanted[0]}), "
                "a spectrum per row and an injected energy per column"
            )
        if not self.coupled:
            density, gradient = self.transfer(segments, energy, causality=causality)
            factor = segments.energy[:, None] * spectra[segments.spectrum]
            return density * factor, gradient * factor[..., None]
        density, gradient = np.zeros((len(segments), len(energy))), np.zeros((len(segments), len(energy), 3))
        for number in np.unique(segments.spectrum):
            mine = np.flatnonzero(segments.spectrum == number)
            table = _logarithmic(self._contracted(spectra[number]))
            own = np.searchsorted(self.injected_energy, energy * (1.0 - 1e-9))
            close = spectra[number, own]
            found = self._read(table, _some(segments, mine), energy, causality, close=close)
            density[mine] = found[0] * segments.energy[mine, None]
            gradient[mine] = found[1] * segments.energy[mine, None, None]
        return density, gradient

    def transfer(
        self, segments: Segments, kinetic_energy: ArrayLike | None = None, *, causality: bool = True
    ) -> tuple[Array, Array]:
        """Density per particle that a piece releases, and its gradient, whatever its energy; see `evaluate`.

        Raises
        ------
        DataError
            as :meth:`evaluate`; and for a coupled response, where it depends on the spectrum.
        """
        if self.coupled:
            raise DataError("particles change their energy in this response: use evaluate() with spectra")
        return self._read(self._table, segments, self.energies(kinetic_energy), causality)

    def at(
        self,
        r: ArrayLike,
        phi: ArrayLike,
        z: ArrayLike,
        age: ArrayLike | None = None,
        kinetic_energy: ArrayLike | None = None,
    ) -> Array:
        """Density at the observer of one particle released at (r, phi, z), shape (..., n_e) [kpc^-3].

        Without an age, of one particle released per Myr since ever [kpc^-3 Myr]. Causality is left out.
        """
        if self.coupled:
            raise DataError("particles change their energy in this response: use evaluate() with spectra")
        if age is not None and self.steady:
            raise DataError("the response is that of the steady state; solve it with ages")
        lasting = age is None
        numbers = (np.asarray(a, dtype=float) for a in (r, phi, z, 1.0 if age is None else age))
        r, phi, z, ages = np.broadcast_arrays(*numbers)
        place = np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=-1).reshape(-1, 3)
        n, oldest = len(place), ages.reshape(-1).astype(float)
        none = np.zeros(n, dtype=np.int64)
        pieces = Segments(place, oldest, np.zeros(n) if lasting else oldest, np.ones(n), none, none)
        energy = self.energies(kinetic_energy)
        density, _ = self._read(self._table, pieces, energy, False, lasting=lasting)
        return density.reshape(*r.shape, len(energy))

    @cached_property
    def _table(self) -> tuple[Table, Table]:
        return _logarithmic(self.values[:, :, :, :, 0])

    def _contracted(self, spectrum: Array) -> Table:
        """Response to a spectrum: the sum over injected energies."""
        return np.einsum(
            "ijlkqac,kq->ijlkac", self.values, (self.weight * spectrum).astype(np.float32), optimize=True
        )

    def energies(self, kinetic_energy: ArrayLike | None = None) -> Array:
        """Energies as they are read [GeV/n], shape (n_e,); default those of the response.

        Raises
        ------
        DataError
            for energies that it does not cover.
        """
        if kinetic_energy is None:
            return self.kinetic_energy
        energy = np.atleast_1d(np.asarray(kinetic_energy, dtype=float))
        low, high = self.kinetic_energy[0] * (1.0 - 1e-9), self.kinetic_energy[-1] * (1.0 + 1e-9)
        if self.coupled and not np.array_equal(energy, self.kinetic_energy):
            raise DataError("a coupled response is read at its own energies")
        if not np.all((energy >= low) & (energy <= high)):
            raise DataError(
                f"energies {energy.min():.4g} to {energy.max():.4g} GeV/n; the response covers "
                f"{self.kinetic_energy[0]:.4g} to {self.kinetic_energy[-1]:.4g} GeV/n"
            )
        return energy

    def check_ages(self, pieces: Segments, energy: Array) -> None:
        """Refuse pieces of histories that it has no answer for at energies [GeV/n].

        Raises
        ------
        DataError
            for pieces older than the response, or in the past for one of the steady state.
        """
        if self.steady:
            bad = np.flatnonzero((pieces.youngest > 0.0) | ~(pieces.oldest > 0.0))
            if len(bad):
                raise DataError(
                    f"{len(bad)} of {len(pieces)} pieces are not on now, the first of source "
                    f"{pieces.source[bad[0]]}: the response is that of the steady state; solve it with ages"
                )
        elif not self.gone:
            limit = float(
                np.min(self.start_age(energy) + (self.spread[-1] - self.spread[0]) / self.diffusion(energy))
            )
            old = np.flatnonzero(pieces.oldest > limit * (1.0 + 1e-9))
            if len(old):
                raise DataError(
                    f"{len(old)} of {len(pieces)} pieces are older than the {limit:.4g} Myr of the response, "
                    f"the first of source {pieces.source[old[0]]}: solve it with older ages"
                )

    def _read(
        self,
        table: tuple[Table, Table],
        pieces: Segments,
        energy: Array,
        causality: bool,
        lasting: bool | None = None,
        close: Array | None = None,
    ) -> tuple[Array, Array]:
        lasting = self.steady if lasting is None else lasting
        if not (lasting and not self.steady):
            self.check_ages(pieces, energy)
        first, weights = _energy_weights(np.log(self.kinetic_energy), np.log(energy))
        s = self.nucleus
        speed = Kinematics(energy, s.Z, s.A, s.mass_per_nucleon).beta * const.SPEED_OF_LIGHT
        density, gradient = np.empty((len(pieces), len(energy))), np.empty((len(pieces), len(energy), 3))
        evaluate_pieces(
            *table, self.r, self.psi, self.z, self.mirrored, self.spread, self.gone,
            np.ascontiguousarray(pieces.position, dtype=float), np.array(self.observer), np.array(self.box),
            np.asarray(pieces.oldest, dtype=float), np.asarray(pieces.youngest, dtype=float), first, weights,
            self.diffusion(energy), 0.5 * self.core**2, self.start_age(energy),
            speed if causality else np.full_like(speed, np.inf), np.ones(len(energy)) if close is None else close,
            lasting, density, gradient,
        )  # fmt: skip
        if lasting and self.steady:
            # a source of the power energy / oldest
            density /= pieces.oldest[:, None]
            gradient /= pieces.oldest[:, None, None]
        return density, gradient

    def summary(self) -> str:
        """What it holds, in a few lines."""
        E, a = self.kinetic_energy, self.attributes
        span = f"{E[0]:.4g} GeV/n" if len(E) == 1 else f"{E[0]:.4g} to {E[-1]:.4g} GeV/n, {len(E)} solved"
        if self.steady:
            when = "steady state"
        else:
            oldest = self.start_age(E) + (self.spread[-1] - self.spread[0]) / self.diffusion(E)
            when = (
                f"all ages ({len(self.spread)} in the table)"
                if self.gone
                else f"ages up to {oldest.min():.4g} Myr"
            )
        left_out = (
            f"motion in momentum left out: it would change the flux by up to {self.neglected.max():.1e}"
        )
        return "\n".join(
            [
                f"response of {self.species}: {span}; {when}",
                f"{a.get('cells_r', '?')} x {a.get('cells_z', '?')} cells, {a.get('modes', '?')} modes in phi up to "
                f"{a.get('highest_mode', float('nan')):.0f}, starting kernel of {1e3 * self.core:.3g} pc",
                "motion in momentum followed" if self.coupled else left_out,
            ]
        )

    def save(self, path: str | Path) -> None:
        """Write as NetCDF; see :func:`cyldiff.sources.response.file.to_dataset`."""
        from cyldiff.io.netcdf import write_result
        from cyldiff.sources.response.file import to_dataset

        write_result(to_dataset(self), Path(path))

    @classmethod
    def load(cls, path: str | Path) -> SourceResponse:
        """Read what :meth:`save` wrote.

        Raises
        ------
        DataError
            if it is missing, not NetCDF, or no response.
        """
        from cyldiff.sources.response.file import read_response

        return read_response(Path(path))

    def plot(self, path: str | Path, **choices: Any) -> Any:
        """Draw what the observer sees; see :func:`cyldiff.plot.response.draw_response`."""
        from cyldiff.plot.response import draw_response

        return draw_response(self, path=path, **choices)


def _logarithmic(values: Table) -> tuple[Table, Table]:
    """Table of ln R and the gradient of ln R, and ln R of the noise, shape (n_k, n_a + 1).

    Where R is below the noise it stays at it, without gradient.
    """
    n = values.ndim - 1
    largest = values[..., 0].max(axis=tuple(range(n - 2)))
    noise = np.full(values.shape[-2], NOISE)
    noise[-1] = STEADY_NOISE
    floor = np.maximum(noise * largest, 1e-35)
    table = np.empty_like(values)
    above = values[..., 0] > floor
    safe = np.where(above, values[..., 0], floor)
    table[..., 0] = np.log(safe)
    for c in range(1, 4):
        table[..., c] = np.where(above, values[..., c] / safe, 0.0)
    return np.ascontiguousarray(table), np.log(floor).astype(np.float32)


def _energy_weights(nodes: Array, where: Array) -> tuple[NDArray[np.int64], Array]:
    """First of up to four nodes around every energy, and their Lagrange weights; shape (n_e,), (n_e, 4)."""
    order = min(4, len(nodes))
    first = np.clip(np.searchsorted(nodes, where) - order // 2, 0, len(nodes) - order)
    weights = np.zeros((len(where), 4))
    for a in range(order):
        weights[:, a] = 1.0
        for b in (b for b in range(order) if b != a):
            weights[:, a] *= (where - nodes[first + b]) / (nodes[first + a] - nodes[first + b])
    return first.astype(np.int64), weights


def _some(pieces: Segments, chosen: NDArray[np.int64]) -> Segments:
    return Segments(
        pieces.position[chosen],
        pieces.oldest[chosen],
        pieces.youngest[chosen],
        pieces.energy[chosen],
        pieces.source[chosen],
        pieces.spectrum[chosen],
    )
