"""Parts of a grid and of its operator against the whole; no MPI is needed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import sparse

from cyldiff.errors import GridError
from cyldiff.grid import Grid
from cyldiff.parallel.comm import Comm
from cyldiff.parallel.partition import Partition, own_part
from cyldiff.solve import assembly
from cyldiff.solve.assembly import field_of, local_rows, vector_of

CUTS = [(0, 4), (4, 5), (5, 9)]


def matrix(rows):
    return sparse.csr_array((rows.values, rows.columns, rows.starts), shape=(rows.rows, rows.columns_in_all))


@pytest.fixture(params=["2d whole", "3d"])
def case(request):
    return request.param


@pytest.fixture(params=["compiled", "interpreted"])
def compiler(request, monkeypatch):
    if request.param == "interpreted":
        monkeypatch.setattr(assembly, "_fill", assembly._fill.py_func)


def test_cells_are_shared_evenly_and_completely():
    for cells in (1, 5, 41, 64):
        for ranks in range(1, cells + 1):
            partition = Partition(cells, ranks)
            ranges = [partition.range(rank) for rank in range(ranks)]
            assert ranges[0][0] == 0
            assert ranges[-1][1] == cells
            assert all(a[1] == b[0] for a, b in itertools.pairwise(ranges))
            sizes = [high - low for low, high in ranges]
            assert max(sizes) - min(sizes) <= 1
            assert min(sizes) == partition.smallest


def test_more_ranks_than_cells_is_refused():
    with pytest.raises(GridError, match="9 ranks are too many: the grid has 8 r cells"):
        Partition(8, 9)
    with pytest.raises(GridError, match="a slab has one r cell"):
        Partition(1, 2)


def test_one_rank_keeps_the_grid(cases):
    grid = cases.whole_grid("2d")
    assert own_part(grid, Comm()) is grid


def test_a_part_has_the_metric_of_the_whole(cases, case):
    grid = cases.whole_grid(case)
    for low, high in CUTS:
        part = grid.part(low, high)
        assert np.array_equal(part.volume, grid.volume[low:high])
        assert np.array_equal(part.spacing("r"), grid.spacing("r")[low : high + 1])
        assert np.array_equal(part.face_area("r"), grid.face_area("r")[low : high + 1])


def test_a_cut_of_a_cut_knows_both_neighbours():
    grid = Grid.build(
        kinetic_energy=np.geomspace(1, 10, 5), radius=20.0, half_height=4.0, n_r=9, n_z=5, half_space=True
    )
    twice = grid.part(2, 8).part(0, 3)
    assert twice.r.beyond == (grid.r.centers[1], grid.r.centers[5])
    with pytest.raises(GridError, match="no cells"):
        grid.part(3, 10)


def test_the_source_of_a_part_is_normalised_over_all_parts(cases, case):
    grid = cases.whole_grid(case)
    _, (whole,) = cases.chain_on(grid, lopsided=False)
    unnormalised = [cases.chain_on(grid.part(*cut), lopsided=False)[1][0].density for cut in CUTS]
    # the amount in every part, as a reduction over ranks would add it up
    amounts = []
    for cut in CUTS:
        cases.chain_on(grid.part(*cut, over_parts=lambda v: amounts.append(v) or v), lopsided=False)
    total = sum(amounts)
    joined = []
    for cut in CUTS:
        part = grid.part(*cut, over_parts=lambda v: total)
        joined.append(cases.chain_on(part, lopsided=False)[1][0].density)
    assert np.concatenate(joined) == pytest.approx(whole.density, rel=1e-13)
    assert not np.allclose(np.concatenate(unnormalised), whole.density, rtol=0.1)


def test_rows_are_the_sparse_matrix_of_the_operator(cases, case, compiler):
    grid = cases.whole_grid(case)
    for index in (0, 4):
        operator = cases.chain_on(grid)[0].operator(index)
        rows = matrix(local_rows(operator, first_r=0, all_r=grid.r.n))
        order = vector_of(np.arange(np.prod(grid.shape)).reshape(grid.shape)).astype(int)
        expected = operator.to_csr()[order][:, order]
        assert abs(rows - expected).max() == 0.0
        assert rows.has_canonical_format


def test_rows_of_the_parts_are_those_of_the_whole(cases, case):
    grid = cases.whole_grid(case)
    whole = matrix(local_rows(cases.chain_on(grid)[0].operator(1), first_r=0, all_r=grid.r.n))
    parts = []
    for low, high in CUTS:
        operator = cases.chain_on(grid.part(low, high))[0].operator(1)
        parts.append(matrix(local_rows(operator, first_r=low, all_r=grid.r.n)))
    joined = sparse.vstack(parts)
    assert joined.nnz == whole.nnz
    assert abs(joined - whole).max() <= 1e-15 * abs(whole).max()


def test_nothing_escapes_through_a_cut(cases, case):
    grid = cases.whole_grid(case)
    x = np.random.default_rng(3).uniform(0.5, 1.5, grid.shape)
    whole = cases.chain_on(grid)[0].operator(1).outflow(x)
    parts = [cases.chain_on(grid.part(a, b))[0].operator(1).outflow(x[:, a:b]) for a, b in CUTS]
    for name, flow in whole.items():
        assert sum(part[name] for part in parts) == pytest.approx(flow, rel=1e-12, abs=1e-300)


def test_order_of_the_rows_and_back():
    field = np.random.default_rng(1).normal(size=(4, 3, 2, 5))
    vector = vector_of(field)
    assert np.array_equal(vector.reshape(3, 2, 5, 4)[1, 0, 2], field[:, 1, 0, 2])
    assert np.array_equal(field_of(vector, field.shape), field)
