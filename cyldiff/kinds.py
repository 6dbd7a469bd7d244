"""Import every module that registers kinds, so that configs can name them."""

from cyldiff.galaxy import (  # noqa: F401
    ferriere_sources,
    gas,
    magnetic_field,
    radiation_field,
    source_distribution,
    spiral_arms,
)
from cyldiff.observables import emitters, modulation  # noqa: F401
from cyldiff.particles import (  # noqa: F401
    inelastic,
    injection,
    lepton_production,
    pion_production,
    spallation,
)
from cyldiff.sources import history, laws, luminosity, normalisation, point, spectrum  # noqa: F401
from cyldiff.transport import convection, diffusion, reacceleration  # noqa: F401
