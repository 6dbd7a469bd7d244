"""Points around a source and on a region: closed formulas of a steady source in uniform gas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from cyldiff import constants as const
from cyldiff.observables.emission import Mesh
from cyldiff.observables.emissivity import Emissivity
from cyldiff.observables.line_of_sight import LineOfSight
from cyldiff.observables.linear_emissivity import LinearEmissivity
from cyldiff.observables.plane_mesh import PlaneMesh, mesh_of
from cyldiff.observables.region_grid import RegionGrid, spline_matrix, stretched
from cyldiff.observables.regions import Disc, Region, average
from cyldiff.observables.source_halo import HaloTable, cloud_points, halo_points, near
from cyldiff.particles.pion_production import Kelner2006
from cyldiff.sources.cloud import mean_in_sphere


@dataclass(frozen=True)
class Sun:
    r: float = 8.5
    z: float = 0.0


SUN, RADIUS, HEIGHT = Sun(), 20.0, 4.0
NONE = np.zeros(1)
PLACE = np.array([-6.0, 3.0, 0.1])


def steady(places):
    """q = 1 / (4 pi d): a source that is on for ever."""
    return 1.0 / (4.0 * np.pi * np.linalg.norm(places - PLACE, axis=-1))[None]


def uniform(r, z, phi):
    return np.ones(np.broadcast_shapes(r.shape, z.shape, phi.shape))


def grid(gas=uniform, region=None, absorption=NONE):
    region = region or Region("box", (15.0, 125.0), (-5.0, 5.0))
    return RegionGrid(region, SUN, gas, absorption, RADIUS, HEIGHT)


class TestHalo:
    TABLE = HaloTable.of(PLACE, steady, HEIGHT, escape=False)

    def points(self, gas=uniform, **more):
        how = {"reach": 0.5, "size": 1.0, "radius": RADIUS, **more}
        return halo_points(self.TABLE, gas, SUN, NONE, **how)

    def test_table_is_exact(self):
        """d q is constant; above the halo the table is filled with what is below, felt at distances from H on."""
        rng = np.random.default_rng(0)
        for size, error in ((1.5, 1e-9), (8.0, 2e-3)):
            x, y = (PLACE[i] + rng.uniform(-size, size, 300) for i in range(2))
            z = rng.uniform(-1.0, 1.0, 300)
            exact = steady(np.stack([x, y, z], -1))[0]
            assert self.TABLE.at(x, y, z)[:, 0] == pytest.approx(exact, rel=error)

    def test_flux_of_a_steady_source_in_uniform_gas(self):
        """int q dV = R^2 / 2 inside R; seen at d with the mean of 1/s^2 over shells, (1/2 d r) ln((d+r)/(d-r))."""
        d = np.linalg.norm(PLACE - np.array([-SUN.r, 0.0, 0.0]))
        r = (np.arange(20000) + 0.5) / 20000
        expected = const.KPC_CM * np.mean(r * np.log((d + r) / (d - r)) / (2.0 * d * r))
        assert self.points().flux.sum() == pytest.approx(expected, rel=1e-4)

    def test_containment_of_the_profile(self):
        """F(< R) ~ R^2 for q ~ 1/d: seen from afar, the projected half-light radius by quadrature."""
        p = self.points(reach=0.05, size=0.1)
        d = np.linalg.norm(PLACE - np.array([-SUN.r, 0.0, 0.0]))
        order = np.argsort(p.angle)
        got = p.angle[order][np.searchsorted(np.cumsum(p.flux[order, 0]), 0.68 * p.flux.sum())]
        u = np.random.default_rng(3)
        radius = 0.1 * np.sqrt(u.random(400000))  # dF ~ r dr
        projected = radius * np.sqrt(1.0 - u.uniform(-1.0, 1.0, 400000) ** 2)
        assert got == pytest.approx(np.degrees(np.quantile(projected, 0.68) / d), rel=0.02)

    def test_no_gas_no_flux(self):
        assert not self.points(lambda r, z, phi: 0.0 * (r + z + phi)).flux.any()

    def test_thin_gas(self):
        """Gas of a tenth of a kpc against a finer sum in cylindrical shells."""
        thin = lambda r, z, phi: np.exp(-np.log(2.0) * (z / 0.1) ** 2) + 0.0 * (r + phi)  # noqa: E731
        p = self.points(thin, reach=0.5, size=0.8)
        n = 240
        rho, z = 0.8 * (np.arange(n) + 0.5) / n, np.linspace(-0.8, 0.8, 2 * n + 1)[:-1] + 0.4 / n
        a = 2.0 * np.pi * (np.arange(64) + 0.5) / 64
        R, Z, A = np.meshgrid(rho, z, a, indexing="ij")
        place = PLACE + np.stack([R * np.cos(A), R * np.sin(A), Z], -1)
        inside = R**2 + Z**2 < 0.64
        s2 = np.sum((place - np.array([-SUN.r, 0.0, 0.0])) ** 2, -1)
        q = 1.0 / (4.0 * np.pi * np.hypot(R, Z))
        volume = R * (0.8 / n) ** 2 * (2.0 * np.pi / 64)
        expected = const.KPC_CM * np.sum(inside * thin(R, place[..., 2], A) * q * volume / s2)
        assert p.flux.sum() == pytest.approx(expected, rel=5e-3)

    def test_absorption(self):
        p = halo_points(self.TABLE, uniform, SUN, np.array([0.1]), reach=0.005, size=0.01, radius=RADIUS)
        q = halo_points(self.TABLE, uniform, SUN, NONE, reach=0.005, size=0.01, radius=RADIUS)
        d = np.linalg.norm(PLACE - np.array([-SUN.r, 0.0, 0.0]))
        assert p.flux.sum() / q.flux.sum() == pytest.approx(np.exp(-0.1 * d), rel=1e-4)

    def test_partition(self):
        d = np.linspace(0.0, 2.0, 201)
        part = near(d, 1.0)
        assert part[0] == 1.0
        assert part[d >= 1.0].max() == 0.0
        assert np.all(np.diff(part) <= 0.0)


class TestCloud:
    def test_against_the_mean_in_a_sphere(self):
        """F = M/m_H <q> / 4 pi d^2 with the density of diffusion averaged over the sphere (physics of clouds)."""
        D, age, radius, density = 9.0, 0.05, 0.05, 30.0
        from cyldiff.sources.greens_function import continuous

        def emitted(places):
            return continuous(places, PLACE, diffusion=D, duration=age)[0][None]

        table = HaloTable.of(PLACE, emitted, HEIGHT, escape=False)
        p = cloud_points(table, density, radius, SUN, NONE)
        d = np.linalg.norm(PLACE - np.array([-SUN.r, 0.0, 0.0]))
        mean = mean_in_sphere(separation=0.0, radius=radius, diffusion=[D], age=age)[0]
        expected = 4.0 / 3.0 * np.pi * radius**3 * density * mean * const.KPC_CM / d**2
        assert p.flux.sum() == pytest.approx(expected, rel=1e-3)
        assert p.angle.max() <= np.degrees(np.arcsin(radius / d))


class TestRegion:
    def test_uniform_emission_is_the_mean_column(self):
        """q = 1 in uniform gas: the mean length to the box, by the direct quadrature of regions."""
        g = grid()
        weights, solid = g.weights()
        sight = LineOfSight(SUN, uniform, Mesh(np.array([0.0, RADIUS]), np.array([-HEIGHT, HEIGHT])))
        expected = average(g.region, lambda lon, lat: sight.column(lon, lat)[None])[0]
        assert weights.sum() == pytest.approx(expected, rel=3e-3)
        assert solid == pytest.approx(g.region.box_solid_angle, rel=1e-12)

    def test_source_in_a_thin_disc(self):
        """Points near the source (a tenth here) and the grid around it, against the adaptive lines of sight."""
        thin = lambda r, z, phi: np.exp(-np.log(2.0) * (z / 0.12) ** 2) + 0.0 * (r + phi)  # noqa: E731
        table, reach = TestHalo.TABLE, 1.0
        g = grid(thin)
        weights, solid = g.weights()
        x, y = (p[..., None] for p in g.plane)
        q = table.at(x, y, g.heights)[..., 0]
        far = 1.0 - near(
            np.sqrt((x - PLACE[0]) ** 2 + (y - PLACE[1]) ** 2 + (g.heights - PLACE[2]) ** 2), reach
        )
        p = halo_points(table, thin, SUN, NONE, reach=reach, size=1.1, radius=RADIUS)
        own = (p.near * g.contains(p.longitude, p.latitude)) @ p.flux[:, 0] / solid
        got = np.sum(weights[0] * q * far) + own

        from cyldiff.observables.source_emission import COSINES, DISTANCES, SourceField

        # q d is constant: the other table is exact as well
        logs = np.full((DISTANCES.size, COSINES.size, 1), np.log(1.0 / (4.0 * np.pi)))
        source = SourceField("one", np.array([1e5]), PLACE, HEIGHT, logs)
        sight = LineOfSight(SUN, thin, Mesh(np.array([0.0, RADIUS]), np.array([-HEIGHT, HEIGHT])))
        away = PLACE - np.array([-SUN.r, 0.0, 0.0])
        peak = [
            [np.degrees(np.arctan2(away[1], away[0])), np.degrees(np.arctan2(away[2], np.hypot(*away[:2])))]
        ]
        expected = average(
            g.region, lambda lon, lat: sight.around(lon, lat, source), tolerance=2e-3, peaks=peak
        )
        assert own > 0.05 * got
        assert got == pytest.approx(expected[0], rel=5e-3)

    def test_discs(self):
        discs = (Disc(60.0, 0.0, 2.0), Disc(200.0, 0.0, 2.0))
        _, solid = grid().weights(discs)
        cap = 2.0 * np.pi * (1.0 - np.cos(np.radians(2.0)))
        assert grid().region.box_solid_angle - solid == pytest.approx(cap, rel=0.03)

    def test_everything_hidden(self):
        weights, solid = grid(region=Region("small", (20.0, 24.0), (-1.0, 1.0))).weights(
            (Disc(22.0, 0.0, 5.0),)
        )
        assert solid == 0.0
        assert not weights.any()


class TestMesh:
    def test_cubics_are_exact(self):
        rng = np.random.default_rng(2)
        x, y = rng.uniform(-5.0, 5.0, (2, 50))
        mesh = PlaneMesh.of(0.7, [(x, y), (x[:3], y[:3])])
        f = lambda a, b: (1.0 + a - 0.3 * a**3) * (b**2 - 0.1 * b**3)  # noqa: E731
        for carry, n in zip(mesh.carry, (50, 3), strict=True):
            assert carry @ f(*mesh.nodes.T) == pytest.approx(f(x[:n], y[:n]), rel=1e-9, abs=1e-9)

    def test_sums_of_gaussians(self):
        """A Gaussian of one cell spread: 7 % at worst between nodes, its integral to 1e-4."""
        x, y = (a.ravel() for a in np.meshgrid(*2 * [np.linspace(-6.0, 6.0, 121)], indexing="ij"))
        mesh = PlaneMesh.of(1.0, [(x, y)])
        g = lambda a, b: np.exp(-0.5 * ((a - 0.37) ** 2 + (b - 0.52) ** 2))  # noqa: E731
        got = mesh.carry[0] @ g(*mesh.nodes.T)
        assert np.abs(got - g(x, y)).max() < 0.10
        assert got.sum() == pytest.approx(g(x, y).sum(), rel=1e-4)

    def test_which_mesh(self):
        assert mesh_of(np.array([0.0, 0.9, 1.0, 1.9, 2.0, 4.0, 100.0]), 1.0).tolist() == [
            -1,
            -1,
            0,
            0,
            1,
            2,
            2,
        ]

    def test_heights(self):
        z = stretched(2.5, 11, 3.5)
        assert z[0] == -z[-1] == pytest.approx(-2.5)
        at = np.linspace(-2.0, 2.0, 9)
        assert spline_matrix(z, at) @ z**3 == pytest.approx(at**3, abs=1e-9)


class TestLinearEmissivity:
    @pytest.mark.parametrize("slope", [2.0, 2.35, 2.7])
    def test_power_laws(self, slope):
        """Against local power laws, which are exact for these: (s - a)^2 h^2 / 8 at most, h = 0.4."""
        t = np.geomspace(1e4, 1e8, 24)
        e = np.array([1e4, 1e5, 1e6])
        model = Kelner2006(nuclear_enhancement=2.0)
        flux = {"H1": t**-slope}
        got, exact = LinearEmissivity.build(e, t, model)(flux), Emissivity.build(e, t, model)(flux)
        assert got == pytest.approx(exact, rel=5e-3)

    def test_linear(self):
        t = np.geomspace(1e4, 1e8, 24)
        q = LinearEmissivity.build([1e5], t, Kelner2006())
        a, b = t**-2.0, t**-2.7 * np.exp(-t / 1e6)
        assert q({"H1": a + 1e3 * b}) == pytest.approx(q({"H1": a}) + 1e3 * q({"H1": b}), rel=1e-12)
