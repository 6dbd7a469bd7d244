"""Diffuse inverse Compton radiation and bremsstrahlung of the electrons and positrons of a result.

Per steradian, volume and energy the density n(T) = 4 pi J(T) / beta c of electrons and positrons emits
[GeV^-1 cm^-3 s^-1 sr^-1]

    q_IC(E)/4pi = (1/4pi) int dT n(T) dN/dt dE (E, T)  in the radiation of the run at that place
    q_B(E)/4pi  = (n_H/4pi) int dT n(T) beta c [(1 - x) (sigma_H + f sigma_He) + x sigma_II]

with x the share of ionised hydrogen and f helium atoms per H atom. Electrons and radiation are taken as isotropic
everywhere; starlight comes from the disc in truth, and electrons of the halo meet it head-on for an observer in
the disc, which raises gamma rays of high latitudes by up to 40 % (Moskalenko & Strong 2000, ApJ 528, 357). As in
the energy losses, the helium of ionised gas is left out.

The spectra are carried to the fine mesh of :mod:`cyldiff.observables.emission`; the profile of the radiation and
the share of ionised gas are taken at its nodes. Inverse Compton emission follows no gas; lines of sight add it
up per volume.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from cyldiff import constants as const
from cyldiff.errors import DataError
from cyldiff.galaxy.gas import GasModel
from cyldiff.galaxy.radiation_field import RadiationField
from cyldiff.observables.emission import EmissionField, Mesh
from cyldiff.observables.lepton_emission import LeptonEmission
from cyldiff.observables.surroundings import gas_of, radiation_of

__all__ = ["LEPTON_PROCESSES", "LeptonSky", "lepton_density", "lepton_range", "leptons_of"]

Array = NDArray[np.float64]

#: what electrons radiate gamma rays by
LEPTON_PROCESSES = ("inverse-compton", "bremsstrahlung")
#: a photon needs electrons of up to ten times the energy of those that make it
_REACH = 10.0
#: energy of the target photons of the hottest part [kT] above which there are none to speak of: 1e-4 of their number
_HOTTEST = 12.0
#: m^-2 of result files to cm^-2
_PER_CM2 = 1e-4
_FOUR_PI = 4.0 * np.pi


def leptons_of(dataset: xr.Dataset) -> list[str]:
    """Names of the electrons and positrons of a result: mass number 0."""
    return [
        str(name)
        for name, number in zip(dataset["species"].values, dataset["mass_number"].values, strict=True)
        if number == 0
    ]


def lepton_range(
    process: str, kinetic_energy: ArrayLike, radiation: RadiationField | None = None
) -> tuple[float, float]:
    """Photon energies [GeV] that a grid of electrons supports, in which those outside would add 2 % at most.

    Bremsstrahlung: from the first energy to a tenth of the last. Inverse Compton radiation: from where electrons
    below the grid would need photons of 12 kT of the hottest radiation, to a tenth of what the last electrons lift
    photons of 1 kT of the coldest to, T G/(1 + G) with G = 4 kT T/m^2. Of a spectrum T^-3; steeper ones lack less.
    """
    t = np.asarray(kinetic_energy, dtype=float)
    first, last = float(t[0]), float(t[-1])
    if process == "bremsstrahlung" or radiation is None:
        return first, last / _REACH
    thermal = [part.thermal_energy for part in radiation.parts if part.dilution > 0.0]
    gamma = 1.0 + first / const.ELECTRON_MASS
    lifted = 4.0 * min(thermal) * last / const.ELECTRON_MASS**2
    # 100 kT: where scattering down begins to matter
    low = max(4.0 * gamma**2 * _HOTTEST, 100.0) * max(thermal)
    return low, last / _REACH * lifted / (1.0 + lifted)


def lepton_density(dataset: xr.Dataset, component: str | None = None) -> Array:
    """Density of all electrons and positrons of a result, or of one of its source components.

    Returns
    -------
    ndarray, shape (n_T, n_r, [n_phi,] n_z)     [GeV^-1 cm^-3]

    Raises
    ------
    DataError
        if the result holds no leptons, or no intensity everywhere.
    """
    names = leptons_of(dataset)
    if not names:
        raise DataError(
            "this result holds no electrons or positrons, which inverse Compton radiation and bremsstrahlung "
            'come from; run it again with "electron" and "positron" in species.include'
        )
    variable = "flux" if component is None else "flux_component"
    if variable not in dataset:
        key = 'quantities = ["flux"]' if component is None else "components = true"
        raise DataError(
            f"this result does not hold {variable}, the intensity everywhere; run it again with output.{key}"
        )
    stored = dataset[variable] if component is None else dataset[variable].sel(component=component)
    flux = _PER_CM2 * stored.sel(species=names).values.astype(float).sum(axis=0)
    t = dataset["kinetic_energy"].values.astype(float)
    beta = np.sqrt(t * (t + 2.0 * const.ELECTRON_MASS)) / (t + const.ELECTRON_MASS)
    factor = _FOUR_PI / (beta * const.SPEED_OF_LIGHT_CM_S)
    return np.asarray(factor.reshape(-1, *[1] * (flux.ndim - 1)) * flux)


@dataclass(frozen=True, slots=True)
class LeptonSky:
    """Emission of the leptons of one result: tables made once, fields for any of its components.

    Attributes
    ----------
    energy : ndarray, shape (n_energy,)             [GeV]
    processes : tuple of str                        of LEPTON_PROCESSES
    tables : name -> LeptonEmission                 "uniform", "varying" radiation; "neutral", "ionised" gas
    radiation : RadiationField or None
    gas : GasModel
    """

    energy: Array
    processes: tuple[str, ...]
    tables: Mapping[str, LeptonEmission]
    radiation: RadiationField | None
    gas: GasModel

    @classmethod
    def of(
        cls, dataset: xr.Dataset, energy: ArrayLike, processes: Sequence[str] = LEPTON_PROCESSES
    ) -> LeptonSky:
        """Tables for the grid, radiation and gas of a result.

        Parameters
        ----------
        dataset : xarray.Dataset
        energy : array_like, shape (n_energy,)      [GeV]; see :func:`lepton_range` for what is supported
        processes : some of LEPTON_PROCESSES

        Raises
        ------
        DataError
            if the config of the result has no gas or, for inverse Compton radiation, no radiation field.
        """
        e = np.atleast_1d(np.asarray(energy, dtype=float))
        t = dataset["kinetic_energy"].values.astype(float)
        gas, radiation = gas_of(dataset), None
        tables = {}
        if "inverse-compton" in processes:
            radiation = radiation_of(dataset)
            for name, uniform in (("uniform", True), ("varying", False)):
                parts = [part for part in radiation.parts if part.uniform == uniform]
                if parts:
                    tables[name] = LeptonEmission.inverse_compton(e, t, parts)
        if "bremsstrahlung" in processes:
            tables["neutral"] = LeptonEmission.bremsstrahlung(e, t, {"H": 1.0, "He": gas.helium_fraction})
            tables["ionised"] = LeptonEmission.bremsstrahlung(e, t, {"ionised": 1.0})
        return cls(e, tuple(processes), tables, radiation, gas)

    def fields(
        self, dataset: xr.Dataset, component: str | None = None, *, suffix: str = ""
    ) -> list[EmissionField]:
        """Emission of each process, of all leptons or of one source component; none if it makes no leptons.

        The name of a field is that of the process and the suffix. Errors as :func:`lepton_density`.
        """
        density = lepton_density(dataset, component)
        if not density.any():
            return []
        parts = _on_meshes(dataset, self, density)
        made = []
        for process in self.processes:
            if process == "inverse-compton":
                made.append(self._scattered(parts, process + suffix))
            else:
                made.append(self._radiated(parts, process + suffix))
        return made

    def _scattered(self, parts: Mapping[str, EmissionField], name: str) -> EmissionField:
        """Inverse Compton radiation per volume."""
        assert self.radiation is not None
        field = next(iter(parts.values()))
        profile = _at_nodes(field.mesh, self.radiation.profile)
        total = np.zeros(field.values.shape)
        if "uniform" in parts:
            total += parts["uniform"].values
        if "varying" in parts:
            total += parts["varying"].values * profile
        return EmissionField(self.energy, field.mesh, total, name, per_atom=False)

    def _radiated(self, parts: Mapping[str, EmissionField], name: str) -> EmissionField:
        """Bremsstrahlung per hydrogen atom, neutral or not."""
        neutral, ionised = parts["neutral"], parts["ionised"]
        share = _at_nodes(neutral.mesh, self._ionised_share)
        values = (1.0 - share) * neutral.values + share * ionised.values
        return EmissionField(self.energy, neutral.mesh, values, name)

    def _ionised_share(self, r: Array, z: Array) -> Array:
        """Ionised part of the hydrogen; 0 where there is none."""
        neutral, ionised = self.gas.neutral(r, z), self.gas.ionised(r, z)
        total = neutral + ionised
        return np.asarray(np.where(total > 0.0, ionised / np.where(total > 0.0, total, 1.0), 0.0))


def _on_meshes(dataset: xr.Dataset, sky: LeptonSky, density: Array) -> dict[str, EmissionField]:
    return {
        name: EmissionField.on_grid(dataset, sky.energy, table(density) / _FOUR_PI)
        for name, table in sky.tables.items()
    }


def _at_nodes(mesh: Mesh, function: Callable[[Array, Array], Array]) -> Array:
    """A function of (r, z) at the nodes, shape (n_r, 1, n_z, 1)."""
    return np.asarray(function(mesh.r[:, None], mesh.z[None, :]))[:, None, :, None]
