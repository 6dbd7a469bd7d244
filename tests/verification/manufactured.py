"""The package's own: what ``cyldiff validate`` and these tests share."""

from cyldiff.validation.manufactured import *  # noqa: F403
