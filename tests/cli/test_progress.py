"""A bar on a terminal, log lines in batch, nothing if quiet."""

from __future__ import annotations

import io
import logging
from types import SimpleNamespace

import pytest

from cyldiff import progress
from cyldiff.logs import start_logging

ITEMS = [SimpleNamespace(name=f"item{i}") for i in range(3)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def stderr(monkeypatch):
    def use(stream):
        monkeypatch.setattr("sys.stderr", stream)
        return stream

    return use


@pytest.fixture
def restored():
    logger = logging.getLogger("cyldiff")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


def test_quiet_is_the_thing_itself(stderr):
    assert progress.track(ITEMS, label="things", quiet=True) is ITEMS


def test_a_bar(stderr):
    out = stderr(Terminal())
    assert list(progress.track(ITEMS, label="things")) == ITEMS
    assert "things" in out.getvalue()
    assert "/3 [" in out.getvalue()


def test_lines_in_batch(stderr, monkeypatch, restored):
    out = stderr(io.StringIO())
    start_logging(verbose=False)
    now = iter([0.0, 30.0, 61.0, 61.0, 62.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    assert list(progress.track(ITEMS, label="things")) == ITEMS
    assert [line.split(" ", 1)[1] for line in out.getvalue().splitlines()] == ["things: 1 of 3"]


def test_every_item_if_verbose(stderr, restored):
    out = stderr(io.StringIO())
    start_logging(verbose=True)
    list(progress.track(ITEMS, label="things"))
    assert [line.split(" ", 1)[1] for line in out.getvalue().splitlines()] == [
        "things: item0", "things: item1", "things: item2",
    ]  # fmt: skip


def test_logging_is_set_up_once(restored):
    start_logging(verbose=False)
    start_logging(verbose=True)
    assert len(logging.getLogger("cyldiff").handlers) == 1
