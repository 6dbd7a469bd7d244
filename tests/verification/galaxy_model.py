"""The package's own: what ``cyldiff validate`` and these tests share."""

from cyldiff.validation.model import *  # noqa: F403
