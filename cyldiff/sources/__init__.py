"""Absolute strength of the sources."""
