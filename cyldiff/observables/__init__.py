"""From the saved result to what an instrument would see: modulated spectra and ratios."""

from cyldiff.observables.abscissa import ABSCISSAE, Abscissa, Nuclide, abscissa_named
from cyldiff.observables.anisotropy import anisotropy
from cyldiff.observables.modulation import ForceField, NoModulation, demodulate, force_field
from cyldiff.observables.ratios import ratio
from cyldiff.observables.spectra import members, modulated_flux, spectrum, standard_name

__all__ = [
    "ABSCISSAE",
    "Abscissa",
    "ForceField",
    "NoModulation",
    "Nuclide",
    "abscissa_named",
    "anisotropy",
    "demodulate",
    "force_field",
    "members",
    "modulated_flux",
    "ratio",
    "spectrum",
    "standard_name",
]
