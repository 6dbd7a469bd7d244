"""Solvers of the transport operator."""
