"""Logging of the command line: messages on standard error, nothing at import."""

from __future__ import annotations

import logging

__all__ = ["start_logging"]


def start_logging(*, verbose: bool) -> None:
    """Send the package's log to standard error; the details too if `verbose`."""
    logger = logging.getLogger("cyldiff")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    # the root logger of a program that calls the command line must not repeat the lines
    logger.propagate = False
