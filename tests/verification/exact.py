"""The package's own: what ``cyldiff validate`` and these tests share."""

from cyldiff.validation.exact import *  # noqa: F403
