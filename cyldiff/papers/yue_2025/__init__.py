"""X-ray binaries as sources of the knee: Yue et al. 2025, "X-ray Binaries: a potential dominant contributor to the
cosmic ray spectral knee structure", rerun.
"""

from cyldiff.papers.yue_2025.rerun import rerun

__all__ = ["rerun"]
