"""Models fitted to measured points."""
