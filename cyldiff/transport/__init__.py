"""From the laws of motion to coefficients of the transport equation."""
