"""Physical constants and the internal unit system, each with its source.

Internal units are kpc, Myr, GeV (momentum in GeV/c, rigidity in GV), gas densities in
cm^-3, cross sections in mb. Everything else is converted at the border by
:mod:`cyldiff.units`. No number below is written anywhere else in the package.

Sources: CODATA 2018 (Tiesinga et al. 2021, RMP 93, 025010); IAU 2012 Resolution B2 and
IAU 2015 Resolution B2 (astronomical unit, parsec); Particle Data Group 2022 (PTEP 2022,
083C01).
"""

from __future__ import annotations

import math

SPEED_OF_LIGHT_CM_S = 2.99792458e10  #: cm/s, exact (SI)
KPC_CM = 3.0856775814913673e21  #: cm per kpc, IAU 2015 Resolution B2 (648000/pi au)
MYR_S = 3.15576e13  #: s per Myr, Julian year of 365.25 d, exact (IAU)
BARN_CM2 = 1.0e-24  #: cm^2, exact
ERG_GEV = 624.1509074460763  #: GeV per erg, from e = 1.602176634e-19 C, exact (SI 2019)

SPEED_OF_LIGHT = SPEED_OF_LIGHT_CM_S * MYR_S / KPC_CM  #: kpc/Myr (306.6014)
#: rate in 1/Myr of one collision channel of 1 mb in a gas of 1 cm^-3 at speed c (9.460730e-4)
MILLIBARN_DENSITY_RATE = SPEED_OF_LIGHT_CM_S * 1.0e-3 * BARN_CM2 * MYR_S

ELECTRON_MASS = 0.51099895000e-3  #: GeV, CODATA 2018
PROTON_MASS = 0.93827208816  #: GeV, CODATA 2018
ATOMIC_MASS_UNIT = 0.93149410242  #: GeV, CODATA 2018
CLASSICAL_ELECTRON_RADIUS_CM = 2.8179403262e-13  #: cm, CODATA 2018
FINE_STRUCTURE = 7.2973525693e-3  #: CODATA 2018
HBAR_C_GEV_CM = 197.3269804e-3 * 1.0e-13  #: GeV cm, CODATA 2018
BOLTZMANN_GEV_K = 8.617333262e-14  #: GeV/K, CODATA 2018
#: g, nominal solar mass parameter GM of IAU 2015 Resolution B3 over G of CODATA 2018
SOLAR_MASS_G = 1.3271244e26 / 6.67430e-8
HYDROGEN_MASS_G = 1.6735328e-24  #: g, mass of the 1H atom, CODATA 2018 and AME 2020

#: pi r_e^2 c m_e c^2 in GeV cm^3 / Myr: the scale of ionisation and Coulomb losses
#: (3.8217e-9 eV cm^3/s; Mannheim & Schlickeiser 1994, A&A 286, 983)
STOPPING_SCALE = math.pi * CLASSICAL_ELECTRON_RADIUS_CM**2 * SPEED_OF_LIGHT_CM_S * ELECTRON_MASS * MYR_S
#: mean excitation energies in GeV (Mannheim & Schlickeiser 1994; ICRU Report 37, 1984)
IONISATION_ENERGY_H = 19.0e-9
IONISATION_ENERGY_HE = 44.0e-9
#: electron temperature of the warm ionised medium in K (Strong & Moskalenko 1998, ApJ 509, 212)
ELECTRON_TEMPERATURE_K = 1.0e4

#: Thomson cross section in cm^2, 8 pi/3 r_e^2
THOMSON_CM2 = 8.0 * math.pi / 3.0 * CLASSICAL_ELECTRON_RADIUS_CM**2
HELIUM_MASS_G = 6.6464791e-24  #: g, mass of the 4He atom, CODATA 2018 and AME 2020
CMB_TEMPERATURE_K = 2.7255  #: K (Fixsen 2009, ApJ 707, 916)
#: energy density of a magnetic field of 1 microgauss in GeV/cm^3, B^2 / 8 pi (Gaussian units)
MICROGAUSS_ENERGY_DENSITY = 1.0e-12 / (8.0 * math.pi) * ERG_GEV
#: energy density of black-body radiation in GeV/cm^3 per K^4, pi^2 k^4 / 15 (hbar c)^3
BLACK_BODY_ENERGY_DENSITY = math.pi**2 * BOLTZMANN_GEV_K**4 / (15.0 * HBAR_C_GEV_CM**3)
#: ionisation potentials in GeV that enter the losses of electrons (Strong & Moskalenko 1998, ApJ 509, 212, App. C)
IONISATION_POTENTIAL_H = 13.6e-9
IONISATION_POTENTIAL_HE = 24.59e-9
#: radiation lengths in g/cm^2 (Strong & Moskalenko 1998, App. C)
RADIATION_LENGTH_H = 62.8
RADIATION_LENGTH_HE = 93.1
