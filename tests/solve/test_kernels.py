"""The kernels of the steady solver against sparse matrices made from the operator alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu

from cyldiff.grid import Grid, energy_grid
from cyldiff.operators import TransportOperator
from cyldiff.solve import kernels
from cyldiff.solve.steady import march_lead
from cyldiff.transport.coefficients import TransportCoefficients

SMALL, LONG_ROWS = (6, 5, 7), (5, 26, 29)  # the second has whole vectors and a remainder in its rows
HELPERS = ("_multiply", "_transpose", "_plane_residual", "_solve_lines", "_eliminate_momentum")
KERNELS = ("scale", "residual_norms", "sweep")


@pytest.fixture
def interpreted(monkeypatch):
    """The kernels with the compiler switched off."""
    for name in HELPERS + KERNELS:
        monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)


def make_operator(shape, *, reacceleration, scheme="third-order", separable=False):
    """An operator in which no two coefficients are equal and every process acts."""
    n_p, n_r, n_z = shape
    energies = energy_grid(0.1, 100.0, 2.0)[:n_p]
    grid = Grid.build(
        kinetic_energy=energies,
        radius=20.0,
        half_height=4.0,
        n_r=n_r,
        n_z=n_z,
        half_space=False,
        stretch=2.0,
    )
    random = np.random.default_rng(7)
    spacing = random.uniform(0.8, 1.2, n_p - 1)
    everywhere = random.uniform(0.1, 0.5, (n_p, 1, 1))
    diffusion = {
        "D_face": {
            "r": random.uniform(0.1, 0.5, (n_p, n_r + 1, n_z)),
            "z": random.uniform(0.1, 0.5, (n_p, n_r, n_z + 1)),
        },
        "V_face": {"z": random.uniform(-0.02, 0.02, (1, 1, n_z + 1))},
        "D_center": random.uniform(0.1, 0.5, shape),
    }
    if separable:
        diffusion = {"D_face": {"r": everywhere, "z": 2.0 * everywhere}, "V_face": {}, "D_center": everywhere}
    log_momentum = np.concatenate([[0.0], np.cumsum(spacing)])
    coefficients = TransportCoefficients(
        **diffusion,
        loss_rate=random.uniform(0.01, 0.1, shape),
        reacceleration_face=random.uniform(0.01, 0.1, (n_p + 1, n_r, n_z)) if reacceleration else None,
        sink_rate=random.uniform(0.01, 0.1, shape),
        log_momentum=log_momentum,
        log_momentum_width=random.uniform(0.8, 1.2, n_p),
        log_momentum_spacing=spacing,
    )
    return TransportOperator.build(grid, coefficients, scheme=scheme)


class Kernels:
    """The arrays that the kernels want, for one operator."""

    def __init__(self, operator, source, start, escape):
        n_p, n_r, n_z = shape = operator.grid.shape
        self.operator = operator
        self.D = np.ascontiguousarray(operator.D_center)
        planes = 1 if operator.separable else n_p
        self.a, self.b = np.full((planes, 5, n_r, n_z), np.nan), np.full((planes, 2, n_z, n_r), np.nan)
        self.c, self.t = np.full((n_p, 5, n_r, n_z), np.nan), np.full((n_p, 3, n_z, n_r), np.nan)
        lead = march_lead(operator)
        r, z, p = operator.space["r"], operator.space["z"], operator.momentum
        kernels.scale(
            self.D, r.lower, r.upper, r.diagonal, z.lower, z.upper, z.diagonal, p[-1], p[1], p[2],
            operator.diagonal, operator.sink_rate, operator.loss_rate, operator.width, lead, operator.upward,
            self.a, self.b, self.c, self.t,
        )  # fmt: skip
        self.x = np.zeros((n_p + 3, n_r + 2, n_z + 2))
        self.inner = self.x[1:-2, 1:-1, 1:-1]
        self.inner[...] = start
        self.q = source / self.D
        self.has_g = operator.reacceleration is not None
        self.g = np.zeros((1, 4, 1, 1))
        if self.has_g:
            bands = [operator.reacceleration[offset] / self.D for offset in (-1, 0, 1)]
            self.g = np.stack([*bands, escape], axis=1)
        planes = (n_p + 1, n_r, n_z)
        # garbage that a sweep must overwrite; the topmost plane is the zero beyond the grid
        self.delta, self.factor = np.full(planes, 1e3), np.full(planes, 1e3)
        self.delta[-1] = self.factor[-1] = 0.0
        by_r, by_z = (n_r, kernels.padded(n_z)), (n_z, kernels.padded(n_r))
        self.tiles = [np.full(s, 1e3) for s in (by_r, by_z, by_z, by_r, by_z)]
        self.carry = np.full((2, max(by_r[1], by_z[1])), 1e3)
        assert shape == self.q.shape

    def sweep(self, s, omega, cap):
        kernels.sweep(
            self.x, self.q, self.a, self.b, self.c, self.t, self.g, self.has_g, s, omega, cap,
            self.delta, self.factor, *self.tiles, self.carry,
        )  # fmt: skip


def matrix(shape, diagonal, gains):
    """Sparse matrix diagonal - gains, the gains given as {(axis, offset): array}."""
    index = np.arange(np.prod(shape)).reshape(shape)
    result = sparse.dia_array((diagonal.reshape(1, -1), [0]), shape=(index.size, index.size)).tocsc()
    for (axis, offset), gain in gains.items():
        here, far = np.moveaxis(index, axis, 0), abs(offset)
        rows, columns = (here[:-far], here[far:]) if offset > 0 else (here[far:], here[:-far])
        values = -gain.ravel()[rows.ravel()]
        result = result + sparse.coo_array((values, (rows.ravel(), columns.ravel())), shape=result.shape)
    return result.tocsc()


def reference_step(operator, x, source, escape, s, omega, cap):
    """x + omega P (q - A x), every factor of P solved as one sparse system."""
    shape, D = operator.grid.shape, operator.D_center
    r, z = operator.space["r"], operator.space["z"]
    width = operator.width[:, None, None]
    tau = s / D
    residual = tau * (source - operator.apply(x))

    # the flux through the lower face of cell k is (1 + lead[k]) F[k] - lead[k] F[k + 1], F = b U
    lead = march_lead(operator)[:, None, None]
    march, second = np.zeros(shape), np.zeros(shape)
    march[:-1] = (1.0 + lead[1:] + lead[:-1]) * operator.loss_rate[1:] / width[:-1]
    second[:-2] = -lead[1:-1] * operator.loss_rate[2:] / width[:-2]
    losses = z.diagonal + operator.sink_rate + (1.0 + lead) * operator.loss_rate / width
    gains = {(2, -1): tau * z.lower, (2, 1): tau * z.upper, (0, 1): tau * march, (0, 2): tau * second}
    y = splu(matrix(shape, 1.0 + tau * losses, gains)).solve(residual.ravel())

    gains = {(1, -1): tau * r.lower, (1, 1): tau * r.upper}
    v = splu(matrix(shape, 1.0 + tau * r.diagonal, gains)).solve(y).reshape(shape)

    if operator.reacceleration is not None:
        g = operator.reacceleration
        capped = 1.0 + s * cap * escape
        gains = {(0, -1): tau * g[-1], (0, 1): tau * g[1]}
        v = splu(matrix(shape, capped + tau * g[0], gains)).solve((capped * v).ravel()).reshape(shape)
    return x + omega * v


def check_sweep(shape, *, reacceleration, scheme="third-order", separable=False):
    operator = make_operator(shape, reacceleration=reacceleration, scheme=scheme, separable=separable)
    assert operator.separable == separable
    random = np.random.default_rng(11)
    source, start = random.uniform(0.0, 1.0, shape), random.uniform(0.0, 1.0, shape)
    escape = random.uniform(0.01, 1.0, shape)
    solver = Kernels(operator, source, start, escape)
    expected = start
    for s, omega, cap in ((3.0, 1.8, 1.0), (0.02, 1.3, 2.0)):
        expected = reference_step(operator, expected, source, escape, s, omega, cap)
        solver.sweep(s, omega, cap)
        np.testing.assert_allclose(solver.inner, expected, rtol=1e-10, atol=1e-12)
    frame = solver.x.copy()
    frame[1:-2, 1:-1, 1:-1] = 0.0
    assert not frame.any()


@pytest.mark.parametrize("shape", [SMALL, LONG_ROWS], ids=["small", "long-rows"])
@pytest.mark.parametrize("reacceleration", [True, False])
def test_sweep_is_the_factored_step(shape, reacceleration):
    check_sweep(shape, reacceleration=reacceleration)


@pytest.mark.parametrize("reacceleration", [True, False])
def test_sweep_with_one_plane_of_couplings(reacceleration):
    check_sweep(SMALL, reacceleration=reacceleration, separable=True)


def test_sweep_keeps_the_fitted_scheme_in_the_residual_only():
    check_sweep(SMALL, reacceleration=True, scheme="chang-cooper")


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("reacceleration", [True, False])
def test_interpreted_sweep_is_the_factored_step(reacceleration):
    check_sweep(SMALL, reacceleration=reacceleration)


def check_norms(shape):
    operator = make_operator(shape, reacceleration=True)
    random = np.random.default_rng(13)
    source, x = random.uniform(0.0, 1.0, shape), random.uniform(0.0, 1.0, shape)
    solver = Kernels(operator, source, x, np.ones(shape))
    left, entering = np.full(shape[0], np.nan), np.full(shape[0], np.nan)
    kernels.residual_norms(
        solver.x, solver.q, solver.a, solver.c, solver.D, operator.grid.volume, left, entering
    )
    volume = operator.grid.volume
    r, z = operator.space["r"], operator.space["z"]
    momentum_loss = operator.diagonal - r.diagonal - z.diagonal - operator.sink_rate
    gain = np.maximum(operator.momentum_gain(x) - momentum_loss * x, 0.0)
    assert 0.0 < np.count_nonzero(gain) < gain.size
    residual = np.abs(source - operator.apply(x))
    np.testing.assert_allclose(left, (residual * volume).sum(axis=(1, 2)), rtol=1e-10)
    np.testing.assert_allclose(entering, ((source + gain) * volume).sum(axis=(1, 2)), rtol=1e-10)


@pytest.mark.parametrize("shape", [SMALL, LONG_ROWS], ids=["small", "long-rows"])
def test_residual_norms_are_those_of_the_operator(shape):
    check_norms(shape)


@pytest.mark.usefixtures("interpreted")
def test_interpreted_residual_norms_are_those_of_the_operator():
    check_norms(SMALL)


def test_the_solution_is_a_fixed_point_of_the_sweep():
    operator = make_operator(SMALL, reacceleration=True)
    random = np.random.default_rng(17)
    source, escape = random.uniform(0.0, 1.0, SMALL), random.uniform(0.01, 1.0, SMALL)
    exact = splu(operator.to_csr().tocsc()).solve(source.ravel()).reshape(SMALL)
    solver = Kernels(operator, source, exact, escape)
    solver.sweep(1.0, 1.8, 1.0)
    np.testing.assert_allclose(solver.inner, exact, rtol=1e-10)


@pytest.mark.parametrize(("n", "row"), [(1, 8), (8, 8), (25, 32), (41, 48)])
def test_padded_rows_are_whole_vectors(n, row):
    assert kernels.padded(n) == row


def test_aligned_zeros_begin_on_a_cache_line():
    arrays = [kernels.aligned_zeros(shape) for shape in ((3, 5), (2, 3, 7), (1,))]
    assert all(a.ctypes.data % 64 == 0 and a.flags.c_contiguous and not a.any() for a in arrays)
    assert arrays[1].shape == (2, 3, 7)


@pytest.mark.parametrize("reacceleration", [True, False])
def test_march_is_second_order_only_without_reacceleration(reacceleration):
    lead = march_lead(make_operator(SMALL, reacceleration=reacceleration))
    assert lead[-1] == 0.0
    assert np.all(lead[:-1] == (0.0 if reacceleration else 0.5))
