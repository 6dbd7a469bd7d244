"""Numbers of the Methods that need no spectrum of gamma rays, and what the population does at 1 PeV."""

from __future__ import annotations

import numpy as np

from cyldiff import constants as const
from cyldiff.config.load_source import load_source
from cyldiff.data import load
from cyldiff.observables.emitters import CloudProtons, GasProtons
from cyldiff.observables.estimates import (
    diffusion_bound,
    leaky_box_intensity,
    residence_time,
    thin_disc_intensity,
)
from cyldiff.papers.items import claim, close, interval, open_item
from cyldiff.papers.study import Study

__all__ = ["numbers", "population"]

#: 1 cm^2/s in kpc^2/Myr, 1 erg/s in GeV/Myr
CM2_S = const.MYR_S / const.KPC_CM**2
ERG_S = const.ERG_GEV * const.MYR_S
#: halo and diffusion of the leaky box (Methods, last equation): D at 1 PeV, H, R
HALO = {"diffusion": 1e31 * CM2_S, "half_height": 4.0, "radius": 15.0}
#: sources as powerful as SS 433 (Methods)
POPULATION = 10.0
#: protons that were measured around 1 PeV
PROTONS = "lhaaso-epos-lhc-h-total-energy"


def numbers(study: Study) -> None:
    """Cloud, diffusion bound, power of PeV protons, W_p / t."""
    model = load_source("ss433-lepto-hadronic").model
    cloud = model.components["cloud"]
    assert isinstance(cloud, CloudProtons)
    bound = diffusion_bound(cloud.cloud.separation, model.source.age) / CM2_S
    gas = load_source("ss433-hadronic").model
    protons = gas.components["protons"]
    assert isinstance(protons, GasProtons)
    study.add(
        close("density of the cloud", 30.0, cloud.cloud.density, relative=0.01, unit="cm^-3"),
        interval(
            "bound on D(100 TeV) around SS 433 [cm^2/s]", "4e28", bound, low=3.5e28, high=4.5e28,
            note="The paper prints one digit; the tolerance is its rounding.",
        ),
        interval(
            "E^2 Q of protons at 1 PeV, one SS 433 [erg/s]", "~1e38", pev_power(), low=0.5e38, high=1.5e38,
            note="The paper prints one digit; the tolerance is its rounding.",
        ),
        interval(
            "W_p / t of the hadronic model [erg/s]", "8e38",
            protons.energy / gas.source.age / ERG_S, low=7.5e38, high=8.5e38,
            note="The paper prints one digit; the tolerance is its rounding.",
        ),
    )  # fmt: skip


def pev_power() -> float:
    """E^2 Q at 1 PeV of the lepto-hadronic model [erg/s]."""
    cloud = load_source("ss433-lepto-hadronic").model.components["cloud"]
    assert isinstance(cloud, CloudProtons)
    return float(1e12 * cloud.injected(np.array([1e6]))[0] / ERG_S)


def measured(energy: float = 1e6) -> float:
    """E^2 J of protons at an energy [GeV], between the points of LHAASO [GeV cm^-2 s^-1 sr^-1]."""
    points = load(PROTONS)
    return float(1e-4 * energy**2 * np.exp(np.interp(np.log(energy), np.log(points.x), np.log(points.y))))


def population(study: Study) -> None:
    """Protons of 1 PeV from ten sources like SS 433, in a leaky box and out of a thin disc."""
    from cyldiff.papers.lhaaso_2024 import figures

    total = 1e39 * ERG_S
    box, disc = (1e9 * law(total, **HALO) for law in (leaky_box_intensity, thin_disc_intensity))
    found = 1e9 * measured()
    needed = [POPULATION * found / flux * 1e38 / pev_power() for flux in (box, disc)]
    study.add(
        interval(
            "residence time of PeV protons [Myr]", "H^2/4D = 0.121",
            residence_time(HALO["diffusion"], HALO["half_height"]),
            low=0.120, high=0.122, note="No number is printed; H^2/4D with the printed D and H, by hand.",
        ),
        interval(
            "leaky box: E^2 J(1 PeV) for f L_p = 1e39 erg/s [eV cm^-2 s^-1 sr^-1]", "3e4", box,
            low=2.5e4, high=3.5e4, note="The paper prints one digit; the tolerance is its rounding.",
        ),
        claim(
            "leaky box, ten times SS 433, next to the measured protons at 1 PeV", "consistent",
            f"{box / found:.2f} of {found:.3g} eV cm^-2 s^-1 sr^-1", holds=1.0 / 3.0 <= box / found <= 3.0,
            tolerance="factor 3",
            note="The paper compares with KASCADE-Grande, here LHAASO (EPOS-LHC).",
        ),
        claim(
            "thin disc, the exact solution, next to the measured protons at 1 PeV", "consistent",
            f"{disc / found:.2f} of it", holds=1.0 / 3.0 <= disc / found <= 3.0, tolerance="factor 3",
            note="Diffusion out of a thin disc gives four times the leaky box of the paper.",
        ),
        open_item(
            "sources like SS 433 needed for the measured flux", POPULATION,
            f"{needed[0]:.2g} (leaky box), {needed[1]:.2g} (thin disc)",
            missing="D of 1 PeV protons; it enters in proportion. 1e31 cm^2/s of the paper is 3 to 5 times what "
            "the fits of the other papers give at 1 PeV.",
        ),
    )  # fmt: skip
    study.figure(
        "population",
        "Protons at 1 PeV against the power of all microquasars: leaky box of the paper, exact thin disc, and what "
        "LHAASO measures. Star: ten times SS 433.",
        lambda: figures.population(HALO, found, POPULATION * pev_power()),
    )
