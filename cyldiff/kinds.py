"""Import every module that registers kinds, so that configs can name them."""

from cyldiff.galaxy import gas, source_distribution, spiral_arms  # noqa: F401
from cyldiff.observables import modulation  # noqa: F401
from cyldiff.particles import inelastic, injection, pion_production, spallation  # noqa: F401
from cyldiff.sources import history, normalisation, point  # noqa: F401
from cyldiff.transport import convection, diffusion, reacceleration  # noqa: F401
