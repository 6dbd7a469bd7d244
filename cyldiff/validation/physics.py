"""Kinematics, coordinates, modulation, cross sections, radiation, lines of sight: against closed forms and astropy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import gamma, gammaincc

from cyldiff import constants as const
from cyldiff.galaxy.coordinates import (
    equatorial_to_galactic,
    from_sun,
    galactic_to_equatorial,
    seen_from_sun,
    unit_vector,
)
from cyldiff.galaxy.source_distribution import CaseBhattacharya1996
from cyldiff.grid import Kinematics, kinetic_energy_of_rigidity
from cyldiff.observables.absorption import Absorption
from cyldiff.observables.emission import EmissionField, EmissionStack, Mesh
from cyldiff.observables.line_of_sight import LineOfSight
from cyldiff.observables.modulation import demodulate, force_field
from cyldiff.particles import kelner
from cyldiff.particles.inelastic import Letaw1983, proton_proton
from cyldiff.particles.injection import BrokenPowerLawInjection
from cyldiff.particles.inverse_compton import line_scattering
from cyldiff.particles.spallation import Evoli2019
from cyldiff.particles.synchrotron import critical_energy, synchrotron_rate
from cyldiff.sources.energy_spectrum import energy_above
from cyldiff.transport.lepton_losses import klein_nishina_factor, synchrotron_loss
from cyldiff.validation.case import Case, Check, Refinement, below, close, largest
from cyldiff.validation.exact import case_bhattacharya_1996
from cyldiff.validation.problems import cylinder_grid

__all__ = ["CASES"]

Array = NDArray[np.float64]
Checks = Sequence[Check | Refinement]

GROUP = "Physics and observables"
PROTON = (1, 1, const.PROTON_MASS)
IRON = (26, 56, const.ATOMIC_MASS_UNIT)


def _kinematics() -> Checks:
    t = np.geomspace(1e-3, 1e9, 121)
    worst = dict.fromkeys(("E^2 = p^2 + m^2", "beta^2 + gamma^-2 = 1", "T(R(T)) = T", "dlnp/dlnT"), 0.0)
    for charge, number, mass in (PROTON, (2, 4, const.ATOMIC_MASS_UNIT), IRON):
        k = Kinematics(t, charge, number, mass)
        total = number * (t + mass)
        back = kinetic_energy_of_rigidity(
            k.rigidity, charge=charge, mass_number=number, mass_per_nucleon=mass
        )
        up, down = (Kinematics(t * f, charge, number, mass).momentum for f in (1.0 + 1e-5, 1.0 - 1e-5))
        slope = np.log(up / down) / np.log((1.0 + 1e-5) / (1.0 - 1e-5))
        found = (
            (k.momentum**2 + (number * mass) ** 2) / total**2 - 1.0,
            k.beta**2 + k.gamma**-2.0 - 1.0,
            back / t - 1.0,
            k.dlnp_dlnT / slope - 1.0,
        )
        for key, values in zip(worst, found, strict=True):
            worst[key] = largest(worst[key], np.abs(values))
    bounds = (1e-12, 1e-12, 1e-12, 1e-8)
    return [below(f"{k}: p, 4He, 56Fe", v, b) for (k, v), b in zip(worst.items(), bounds, strict=True)]


@dataclass(frozen=True)
class _Sun:
    r: float = 8.5
    z: float = 0.0


def _angle(one: tuple[Array, Array], two: tuple[Array, Array]) -> float:
    """Largest angle between directions [deg]."""
    a, b = unit_vector(*one), unit_vector(*two)
    return float(np.degrees(2.0 * np.arcsin(0.5 * np.sqrt(np.sum((a - b) ** 2, axis=-1)))).max())


def _coordinates() -> Checks:
    from astropy import units as u
    from astropy.coordinates import FK5, Galactic, Galactocentric, SkyCoord

    random = np.random.default_rng(5)
    lon, lat = random.uniform(0.0, 360.0, 200), np.degrees(np.arcsin(random.uniform(-1.0, 1.0, 200)))
    distance, fk5 = random.uniform(0.1, 20.0, 200), FK5(equinox="J2000")
    there = SkyCoord(lon * u.deg, lat * u.deg, frame=fk5).galactic
    back = SkyCoord(lon * u.deg, lat * u.deg, frame=Galactic()).transform_to(fk5)
    centre = SkyCoord(0.0 * u.deg, 0.0 * u.deg, frame=Galactic()).icrs
    frame = Galactocentric(galcen_coord=centre, galcen_distance=8.5 * u.kpc, z_sun=0.0 * u.kpc)
    sky = SkyCoord(lon * u.deg, lat * u.deg, distance * u.kpc, frame=Galactic()).transform_to(frame)
    mine = from_sun(lon, lat, distance, _Sun())
    far = np.sqrt(np.sum((mine - np.asarray(sky.cartesian.xyz.to_value(u.kpc)).T) ** 2, axis=-1)) / distance
    again = seen_from_sun(mine, _Sun())
    to = _angle(equatorial_to_galactic(lon, lat), (there.l.deg, there.b.deg))
    fro = _angle(galactic_to_equatorial(lon, lat), (back.ra.deg, back.dec.deg))
    return [
        below("(RA, Dec) to (l, b) [deg]", to, 5e-6),
        below("(l, b) to (RA, Dec) [deg]", fro, 5e-6),
        below("(l, b, d) to (x, y, z), of d", float(far.max()), 2e-6),
        below("(x, y, z) and back [deg]", _angle((lon, lat), again[:2]), 1e-10),
    ]


def _modulation() -> Checks:
    t, phi = np.geomspace(1e-2, 1e6, 257), 0.55
    checks: list[Check | Refinement] = []
    for name, (charge, number, mass) in (("p", PROTON), ("56Fe", IRON)):
        flux, lost = 7.0 * t**-2.7, phi * charge / number
        nucleus = {"charge": charge, "mass_number": number, "mass_per_nucleon": mass}
        found = force_field(t, flux, potential=phi, **nucleus)  # type: ignore[arg-type]
        outside = t + lost
        exact = 7.0 * outside**-2.7 * t * (t + 2.0 * mass) / (outside * (outside + 2.0 * mass))
        checks.append(close(f"{name}: J/p^2 is kept along the loss of Z phi/A", found, exact, 1e-9))
        back = demodulate(t, found, potential=phi, **nucleus)  # type: ignore[arg-type]
        inside = np.isfinite(back)
        checks.append(close(f"{name}: and back", back[inside], flux[inside], 1e-5))
    return checks


def _cross_sections() -> Checks:
    letaw, spallation = Letaw1983(), Evoli2019(extrapolation="constant")
    energy, log = np.array([100.0, 1e6]), np.log(1e3 / 0.2797)
    plateau = 45.0 * 12.0**0.7 * (1.0 + 0.016 * np.sin(5.3 - 2.63 * np.log(12.0)))
    carbon = letaw.sigma("C12", energy)[0]
    fragments = sum(
        float(spallation.sigma("C12", child, np.array([10.0]))[0, 0])
        for child in ("B11", "B10", "Be10", "Be9", "Be7", "Li7", "Li6")
    )
    # Kafexhiu et al. 2014, PRD 90, 123014, Eq. 1 far above its threshold
    exact = 30.7 - 0.96 * log + 0.18 * log**2
    return [
        below("p + p below the pion threshold [mb]", float(proton_proton(np.array([0.27]))[0]), 0.0),
        close("p + p at 1 TeV: 30.7 - 0.96 L + 0.18 L^2", proton_proton(np.array([1e3])), exact, 1e-5),
        close("12C + p from 100 GeV/n: 45 A^0.7 [1 + 0.016 sin(5.3 - 2.63 ln A)]", carbon, plateau, 1e-4),
        close("the same at 1 PeV/n and at 100 GeV/n", carbon[1], carbon[0], 1e-6),
        below("12C into Li, Be and B at 10 GeV/n, of all inelastic", fragments / float(carbon[0]), 1.0),
    ]


#: shares of a proton's energy at 1 TeV, 100 TeV and 1 PeV (Kelner, Aharonian & Bugayov 2006, PRD 74, 034018,
#: Eqs. 58, 62 and 66, integrated by an independent program, to three digits)
SHARES = {
    "gamma rays": (kelner.gamma_rays, (0.166, 0.185, 0.186)),
    "electrons": (kelner.electrons, (0.061, 0.074, 0.077)),
    "muon neutrinos of pion decay": (kelner.muon_neutrinos, (0.050, 0.055, 0.056)),
}


def _pions() -> Checks:
    checks: list[Check | Refinement] = []
    for name, (function, shares) in SHARES.items():
        worst = 0.0
        for energy, share in zip((1e3, 1e5, 1e6), shares, strict=True):

            def carried(u: float, energy: float = energy, function: Callable[..., Array] = function) -> float:
                return float(np.exp(2.0 * u) * function(np.exp(u), energy))

            worst = largest(worst, abs(quad(carried, -14.0, 0.0, limit=300)[0] - share))
        checks.append(below(f"{name}, 1 TeV to 1 PeV, absolute", worst, 6e-4))
    return checks


def _synchrotron() -> Checks:
    checks: list[Check | Refinement] = []
    for total in (0.1, 1e4):
        electron = Kinematics(np.array([total - const.ELECTRON_MASS]), -1, 0, const.ELECTRON_MASS)
        speed = (electron.gamma * electron.beta) ** 2
        # (4/3) sigma_T c gamma^2 beta^2 B^2/8 pi, B = 1 microgauss [GeV/s] (Rybicki & Lightman 1979, Eq. 6.7b)
        density = 1e-12 / (8.0 * np.pi) * const.ERG_GEV
        exact = float(4.0 / 3.0 * const.THOMSON_CM2 * const.SPEED_OF_LIGHT_CM_S * density * speed[0])
        middle = float(np.log(critical_energy(total, 1.0)))

        def power(u: float, total: float = total) -> float:
            return float(np.exp(2.0 * u) * synchrotron_rate(np.exp(u), total, 1.0))

        radiated, _ = quad(power, middle - 25.0, middle + 5.0, epsrel=1e-9, limit=200)
        lost = float(synchrotron_loss(electron)[0]) * const.MICROGAUSS_ENERGY_DENSITY / const.MYR_S
        checks.append(close(f"energy of the photons at {total:g} GeV", radiated, exact, 2e-3))
        checks.append(close(f"loss of the electron at {total:g} GeV", lost, exact, 1e-6))
    return checks


def _inverse_compton() -> Checks:
    checks: list[Check | Refinement] = []
    eps = 1e-12
    for b in (1e-3, 1.0, 1e3):
        boost = b * const.ELECTRON_MASS / (4.0 * eps)
        energy = boost * const.ELECTRON_MASS

        def power(y: float, energy: float = energy) -> float:
            photon = energy / (1.0 + np.exp(-y))
            return float(photon**2 / (1.0 + np.exp(y)) * line_scattering(photon, energy, eps))

        edges = np.linspace(np.log(b) - 30.0, np.log(b), 30)
        radiated = sum(quad(power, low, high, epsrel=1e-9)[0] for low, high in pairwise(edges))
        thomson = 4.0 / 3.0 * const.THOMSON_CM2 * const.SPEED_OF_LIGHT_CM_S * boost**2 * eps
        loss = thomson * float(klein_nishina_factor(b))
        checks.append(close(f"energy of the photons = loss, 4 gamma eps/m = {b:g}", radiated, loss, 1e-4))
    small, large = 1e-4, 1e6
    checks += [
        close("Thomson limit: 1 - 63 b/40", klein_nishina_factor(small), 1.0 - 63.0 * small / 40.0, 1e-6),
        close("Klein-Nishina limit: (9/2b^2)(ln b - 11/6)", klein_nishina_factor(large),
              4.5 / large**2 * (np.log(large) - 11.0 / 6.0), 1e-4),
    ]  # fmt: skip
    return checks


def _way_out(longitude: float, latitude: float, radius: float, height: float) -> float:
    """Length of a line from (-8.5, 0, 0) to the surface of the cylinder [kpc]."""
    x, y, z = unit_vector(longitude, latitude)
    ends = []
    across = x * x + y * y
    if across > 1e-30:
        ends.append((8.5 * x + np.sqrt((8.5 * x) ** 2 + across * (radius**2 - 8.5**2))) / across)
    if abs(z) > 1e-15:
        ends.append(height / abs(z))
    return float(min(ends))


def _line_of_sight() -> Checks:
    mesh = Mesh(np.linspace(0.0, 20.0, 41), np.linspace(-4.0, 4.0, 33))
    energy, q, n, K = np.array([1e3, 1e6]), 2.5, 0.7, np.array([0.0, 0.15])
    field = EmissionField(energy, mesh, np.full((41, 1, 33, 2), q))

    def gas(r: Array, z: Array, phi: Array) -> Array:
        return np.full(np.shape(r), n)

    line = LineOfSight(_Sun(), gas, mesh)
    dimmed = Absorption(K, np.zeros(2))
    worst = dict.fromkeys(("column n L", "intensity n q L", "with absorption n q (1 - exp(-K L))/K"), 0.0)
    for lon, lat in ((0.0, 0.0), (33.0, 12.0), (90.0, 0.0), (180.0, -3.0), (247.0, 70.0), (0.0, 90.0)):
        way = _way_out(lon, lat, 20.0, 4.0)
        exact = n * way * const.KPC_CM
        stack = EmissionStack.of([field])
        plain = line.intensity(lon, lat, stack)[0, :, 0]
        seen = line.intensity(lon, lat, stack, dimmed)[0, 1, 0]
        errors = (
            line.column(lon, lat)[0] / exact - 1.0,
            np.abs(plain / (q * exact) - 1.0).max(),
            seen / (n * q * const.KPC_CM * -np.expm1(-K[1] * way) / K[1]) - 1.0,
        )
        for key, value in zip(worst, errors, strict=True):
            worst[key] = largest(worst[key], np.abs(value))
    return [below(f"{key}: six directions, relative", value, 2e-4) for key, value in worst.items()]


def _normalisation() -> Checks:
    checks: list[Check | Refinement] = []
    for s in (1.8, 2.2, 2.5):
        law = BrokenPowerLawInjection(indices=(s,), cutoff="1 PV")

        def upper(a: float, x: float) -> float:
            """Upper incomplete gamma function, for negative a by its recurrence."""
            if a > 0.0:
                return float(gamma(a) * gammaincc(a, x))
            return (upper(a + 1.0, x) - x**a * np.exp(-x)) / a

        # the law is 1 at 1 GV
        scale = float(law.per_rigidity(np.array(1.0))) / np.exp(-1e-6)
        exact = scale * 1e6 ** (2.0 - s) * upper(2.0 - s, 1e-6)
        checks.append(close(f"Ec^(2-s) Gamma(2-s, E0/Ec), s = {s:g}", energy_above(law, 1.0), exact, 1e-8))
    return checks


def _distribution() -> Checks:
    grid = cylinder_grid(41, 21, radius=20.0)
    density = CaseBhattacharya1996(vertical="exponential", scale_height="0.2 kpc").on_grid(grid, 8.5)
    volume = grid.volume
    inside = grid.r.faces[1:] <= 20.0 * 17 / 41 + 1e-9
    edge = float(grid.r.faces[1:][inside][-1])

    def ring(r: float) -> float:
        return float(r * case_bhattacharya_1996(np.asarray(r)))

    share = quad(ring, 0.0, edge, epsabs=0.0)[0] / quad(ring, 0.0, 20.0, epsabs=0.0)[0]
    return [
        close("sum of density times volume", np.sum(density * volume), 1.0, 1e-12),
        close("part within 8.3 kpc, against quadrature", np.sum((density * volume)[inside]), share, 1e-6),
    ]


CASES = (
    Case("kinematics", GROUP, "Energy, momentum, speed and rigidity are consistent.",
         "identities; differences", _kinematics),
    Case("coordinates", GROUP, "Equatorial, Galactic and Galactocentric places are astropy's.",
         "astropy", _coordinates),
    Case("modulation", GROUP, "The force field keeps J/p^2 along the energy loss.",
         "Gleeson & Axford 1968, ApJ 154, 1011", _modulation),
    Case("source-spectrum", GROUP, "Energy of a cut-off power law above 1 GeV.", "incomplete gamma function (scipy)",
         _normalisation),
    Case("source-distribution", GROUP, "Source distributions hold one source, in the right places.",
         "adaptive quadrature (scipy)", _distribution),
    Case("cross-sections", GROUP, "Cross sections have their limits.",
         "Kafexhiu et al. 2014 Eq. 1; Letaw et al. 1983; closed forms", _cross_sections),
    Case("pions", GROUP, "What a proton gives to gamma rays, electrons and neutrinos.",
         "Kelner et al. 2006, PRD 74, 034018, by an independent program", _pions),
    Case("synchrotron", GROUP, "Synchrotron photons carry what the electron loses, (4/3) sigma_T c gamma^2 u_B.",
         "Rybicki & Lightman 1979, Eq. 6.7b", _synchrotron),
    Case("inverse-compton", GROUP, "Scattered photons carry what the electron loses; both limits.",
         "Jones 1968; Moderski et al. 2005; Blumenthal & Gould 1970", _inverse_compton),
    Case("line-of-sight", GROUP, "Gamma rays of uniform gas: n q L, and n q (1 - exp(-K L))/K with absorption.",
         "closed formula", _line_of_sight),
)  # fmt: skip
