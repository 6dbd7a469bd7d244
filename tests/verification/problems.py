"""The package's own: what ``cyldiff validate`` and these tests share."""

from cyldiff.validation.problems import *  # noqa: F403
