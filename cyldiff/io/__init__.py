"""Results: datasets, files, certificate, provenance."""
