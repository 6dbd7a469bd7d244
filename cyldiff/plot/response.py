"""Map of what the Sun sees: the response in the plane of the disc, and across it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyldiff.errors import CyldiffError, DataError
from cyldiff.io.whole import write_whole
from cyldiff.plot import _writable
from cyldiff.plot.style import RC, SEQUENTIAL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Response", "draw_response"]

Array = NDArray[np.float64]

#: points along the side of a map
POINTS = 241
#: decades of colour
DECADES = 5.0


class Response(Protocol):
    """What a map needs of a :class:`cyldiff.sources.response.SourceResponse`."""

    @property
    def species(self) -> str:
        """Nuclide."""

    @property
    def observer(self) -> tuple[float, float]:
        """Radius and height [kpc]."""

    @property
    def box(self) -> tuple[float, float]:
        """R and H [kpc]."""

    @property
    def kinetic_energy(self) -> Array:
        """Observed energies [GeV/n]."""

    def at(
        self,
        r: ArrayLike,
        phi: ArrayLike,
        z: ArrayLike,
        age: ArrayLike | None = None,
        kinetic_energy: ArrayLike | None = None,
    ) -> Array:
        """Density at the observer per particle."""


def draw_response(
    response: Response,
    *,
    path: str | Path,
    kinetic_energy: float | None = None,
    age: float | None = None,
    extent: float | None = None,
) -> Figure:
    """Draw the response around the Sun and write the figure.

    Parameters
    ----------
    path : file to write; .png, .pdf or .svg
    kinetic_energy : observed energy per nucleon [GeV/n]; default the middle of the response, in ln E
    age : of a burst [Myr]; default: sources that are on since ever
    extent : half of the width of the maps [kpc]; default as far as the age lets particles come, or the halo

    Raises
    ------
    DataError      if the energy or age is not in the response, or the file cannot be written
    CyldiffError   if matplotlib is not installed
    """
    target = _writable(Path(path))
    if not extent:
        extent = response.box[1]
    energy = _energy(response, kinetic_energy)
    maps = [_map(response, energy, age, extent, across) for across in (False, True)]
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "matplotlib":
            raise
        raise CyldiffError('figures need matplotlib; install it with: pip install "cyldiff[plot]"') from None
    buffer = io.BytesIO()
    with rc_context(RC):
        figure = Figure(figsize=(10.0, 4.7), layout="constrained")
        axes = figure.subplots(1, 2)
        known = np.concatenate([values[values > 0.0] for _, _, values in maps])
        if not known.size:
            raise DataError(f"nothing that the Sun sees lies within {extent:g} kpc at this age")
        top = float(np.ceil(np.log10(np.quantile(known, 0.999)) * 2.0) / 2.0)
        bottom = max(top - DECADES, float(np.floor(np.log10(known.min()) * 2.0) / 2.0))
        for ax, (x, y, values), label in zip(axes, maps, ("$y$", "$z$"), strict=True):
            image = _draw(ax, x, y, values, bottom, top)
            ax.plot([-response.observer[0]], [0.0 if label == "$y$" else response.observer[1]], "*", color="white",
                    mec="black", mew=0.6, ms=12)  # fmt: skip
            ax.set_xlabel("$x$ [kpc], Galactic centre at 0")
            ax.set_ylabel(f"{label} [kpc]")
        unit = "kpc$^{-3}$" if age is not None else "Myr kpc$^{-3}$"
        figure.colorbar(image, ax=axes, label=f"$\\log_{{10}}$ response [{unit}]", extend="both")
        figure.suptitle(_title(response, energy, age))
        figure.savefig(buffer, format=target.suffix[1:].lower())
    write_whole(target, buffer.getvalue())
    return figure


def _energy(response: Response, kinetic_energy: float | None) -> float:
    if kinetic_energy is not None:
        return float(kinetic_energy)
    return float(np.sqrt(response.kinetic_energy[0] * response.kinetic_energy[-1]))


def _map(
    response: Response, energy: float, age: float | None, extent: float, across: bool
) -> tuple[Array, Array, Array]:
    """Places x and y (or z, across the disc), and log-able response, zero outside of the box."""
    sun_r, sun_z = response.observer
    step = 2.0 * extent / (POINTS - 1)
    # no point on the Sun itself
    along = (np.arange(POINTS) - 0.5 * (POINTS - 1) + 0.25) * step
    x, other = np.meshgrid(-sun_r + along, along + (sun_z if across else 0.0))
    y, z = (np.zeros_like(x), other) if across else (other, np.full_like(x, sun_z))
    values = response.at(np.hypot(x, y), np.arctan2(y, x), z, age=age, kinetic_energy=[energy])[..., 0]
    return x, other, values


def _draw(ax: Any, x: Array, y: Array, values: Array, bottom: float, top: float) -> Any:
    shown = np.log10(np.maximum(values, 10.0 ** (bottom - 1.0)))
    image = ax.pcolormesh(
        x, y, shown, vmin=bottom, vmax=top, cmap=SEQUENTIAL, shading="nearest", rasterized=True
    )
    step = 1.0 if top - bottom > 3.0 else 0.5
    levels = np.arange(np.ceil(bottom), top + 0.1, step)
    lines = ax.contour(x, y, shown, levels=levels, colors="white", linewidths=0.6, linestyles="solid")
    ax.clabel(lines, fontsize=8, fmt="%g")
    ax.set_aspect("equal")
    return image


def _title(response: Response, energy: float, age: float | None) -> str:
    from cyldiff.plot.style import label_of

    powers = ((1e6, "PeV"), (1e3, "TeV"), (1.0, "GeV"), (1e-3, "MeV"))
    scale, unit = next(((s, u) for s, u in powers if energy >= s), powers[-1])
    when = "one particle per Myr since ever" if age is None else f"one particle {age:g} Myr ago"
    per = "" if response.species == "H1" else "/n"
    what = f"{label_of(response.species)} of {energy / scale:.3g} {unit}{per}"
    return f"What the Sun sees: density of {what} from a source of {when}"
