"""Ranks: who they are, which cells each of them has, and how they talk."""
