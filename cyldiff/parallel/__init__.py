"""Ranks: who they are, which cells each of them has, how they talk; and many runs at once."""
