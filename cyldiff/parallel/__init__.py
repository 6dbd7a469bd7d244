"""Many runs on one machine or on a cluster; parameter scans are in :mod:`cyldiff.parallel.scan`."""

from cyldiff.parallel.ensemble import Ensemble, Member, Outcome, run_ensemble

__all__ = ["Ensemble", "Member", "Outcome", "run_ensemble"]
