"""The shipped tables of nuclides, decays and cross sections: pedigree and shape."""

from __future__ import annotations

import pytest

from cyldiff.particles.cross_sections import Curves
from cyldiff.particles.decay import ghosts
from cyldiff.particles.species import nuclides
from cyldiff.resources import folder, read_table

PLACE = folder("physics") / "particles"
TABLES = sorted(PLACE.rglob("*.csv"))
EVERY_TABLE = pytest.mark.parametrize("path", TABLES, ids=lambda p: p.stem)


def test_there_are_tables():
    assert {"nuclides", "decay_chains", "spallation_webber_2003", "solar-lodders-2003"} <= {
        p.stem for p in TABLES
    }


@EVERY_TABLE
def test_pedigree_explains_every_column(path):
    table = read_table(path)
    assert set(table.source["columns"]) == set(table.columns)
    assert {"where_in_paper", "valid_range", "uncertainty"} <= set(table.source)
    assert path.stat().st_size < 700_000
    assert len(table) > 0


@EVERY_TABLE
def test_names_are_known(path):
    table = read_table(path)
    known = {*nuclides(), *ghosts(), ""}
    for column in ("name", "nuclide", "parent", "child", "daughter"):
        if column in table.columns:
            assert {str(n) for n in table[column]} <= known


@pytest.mark.parametrize("stem", ["inelastic_tripathi_1999", "inelastic_barashenkov_1994"])
def test_inelastic_tables_have_every_nucleus(stem):
    table = read_table(PLACE / f"{stem}.csv")
    assert {str(n) for n in table["nuclide"]} == {n for n, s in nuclides().items() if s.A > 1}
    assert (Curves.from_table(table, stem).values > 0).all()


@pytest.mark.parametrize("stem", ["spallation_webber_2003", "spallation_wks_1998", "spallation_coste_2012"])
def test_fragments_are_lighter_than_their_parents(stem):
    table = read_table(PLACE / f"{stem}.csv")

    def mass(name):
        return int("".join(c for c in str(name) if c.isdigit()))

    for parent, child in zip(table["parent"], table["child"], strict=True):
        assert mass(child) < mass(parent)
        assert str(parent) in nuclides()
