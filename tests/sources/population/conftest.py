"""Loading the population of microquasars with changes."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from microquasars import MICROQUASARS

from cyldiff.sources.population.load import load_population_mapping


@pytest.fixture(scope="session")
def population():
    """Function of overrides that loads the population; keys that are None are left out."""

    def load(*overrides, without=()):
        raw = copy.deepcopy(MICROQUASARS)
        for key in without:
            del raw["population"][key]
        return load_population_mapping(raw, overrides)

    return load
