"""Logging of the command line: messages on standard error, nothing at import."""

from __future__ import annotations

import logging

__all__ = ["start_logging"]


def start_logging(*, verbose: bool) -> None:
    """Send the package's log to standard error; warnings always, details if `verbose`."""
    logger = logging.getLogger("cyldiff")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logger.handlers = [handler]
    logger.setLevel(logging.INFO if verbose else logging.WARNING)
