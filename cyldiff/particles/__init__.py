"""Nuclides, their cross sections and decays, the network, and injection spectra."""
