"""X-ray binaries as sources of the knee: Yue et al. 2025 rerun."""
