"""Physics of the user's own: one Python function becomes a kind of a family, see :func:`cyldiff.own`."""
