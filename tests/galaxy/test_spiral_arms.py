"""Spiral arms: positions, the mean over phi, the sky as seen from the Sun, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

import cyldiff.kinds  # noqa: F401 - registers the kinds
from cyldiff.errors import GridError
from cyldiff.galaxy import Galaxy, GasModel
from cyldiff.galaxy.spiral_arms import LocalArm, SpiralArmGas, SpiralArmSources
from cyldiff.grid import Grid, energy_grid

SUN = 8.5
ARMS = {"pattern": "faucher-giguere-kaspi-2006", "width": "0.6 kpc"}
REID = {
    "radius": "8.4 kpc", "azimuth": "8.9 deg", "pitch": "12.8 deg", "start": "-20 deg", "end": "35 deg",
    "width": "0.33 kpc", "strength": 0.7,
}  # fmt: skip
LAW = {"kind": "trotta-2011", "scale_height": "0.1 kpc"}
CIRCLE = np.arange(4096) * 2.0 * np.pi / 4096


def sources(local=False, *, fraction=1.0, **changes):
    raw = {**ARMS, "axisymmetric": LAW, "arm_fraction": fraction, **changes}
    return SpiralArmSources.model_validate(raw if not local else {**raw, "local_arm": REID})


def gas(contrast=3.0, local=False, model="ferriere-2001-hi"):
    raw = {**ARMS, "axisymmetric": {"kind": model}, "contrast": contrast}
    return SpiralArmGas.model_validate(raw if not local else {**raw, "local_arm": REID})


def grid(n_phi: int | None = 48, *, n_r=30, half_space=True):
    return Grid.build(
        kinetic_energy=energy_grid(1.0, 10.0, 4.0), radius=20.0, half_height=4.0, n_r=n_r,
        n_z=9 if half_space else 17, half_space=half_space, stretch=4.0, n_phi=n_phi,
    )  # fmt: skip


def seen_from_the_sun(name, low, high):
    """Galactic longitudes at which the line of sight touches an arm between the radii [deg]."""
    r = np.geomspace(low, high, 100001)
    phi = sources().azimuth(r)[name]
    longitude = np.degrees(np.unwrap(np.arctan2(r * np.sin(phi), r * np.cos(phi) + SUN)))
    turn = np.flatnonzero(np.diff(np.sign(np.diff(longitude)))) + 1
    return longitude[turn] % 360.0


@pytest.mark.parametrize(
    ("name", "radius", "expected"),
    # k ln(r / r0) + theta0 with the constants of the table, at the azimuth of the Sun, 90 deg there
    [
        ("Norma", 3.48, 1.57),
        ("Carina-Sagittarius", 3.48 * np.exp((np.pi / 2 + 2 * np.pi - 4.71) / 4.25), np.pi / 2 + 2 * np.pi),
        ("Perseus", 4.90 * np.exp((np.pi / 2 + 2 * np.pi - 4.09) / 4.89), np.pi / 2 + 2 * np.pi),
        ("Crux-Scutum", 4.90 * np.exp((np.pi / 2 - 0.95) / 4.89), np.pi / 2),
    ],
)
def test_positions_follow_the_formula(name, radius, expected):
    """Theirs has the Sun at 90 deg, ours at 180 deg, both grow in the same sense."""
    found = float(sources().azimuth(np.array(radius))[name])
    assert found == pytest.approx(expected + np.pi / 2, abs=1e-12)


def test_the_sun_is_between_carina_sagittarius_and_perseus():
    """Along the line from the centre through the Sun the maxima are where the formula has them."""
    r = np.linspace(4.0, 13.0, 9001)
    profile = sources(width="0.3 kpc").shape(r, np.pi)
    crests = r[1:-1][(profile[1:-1] > profile[:-2]) & (profile[1:-1] > profile[2:])]
    np.testing.assert_allclose(crests, [5.56, 7.29, 10.58], atol=0.01)
    assert profile[np.argmin(np.abs(r - SUN))] < 0.1 * profile.max()


@pytest.mark.parametrize(
    ("name", "low", "high", "observed"),
    # tangents in CO and HI: Vallee 2014, ApJS 215, 1, Table 1
    [
        ("Carina-Sagittarius", 7.5, 9.0, 284.0),
        ("Carina-Sagittarius", 5.5, 7.2, 50.0),
        ("Crux-Scutum", 5.7, 7.5, 310.0),
        ("Crux-Scutum", 4.0, 5.5, 31.0),
        ("Norma", 4.0, 5.5, 328.0),
    ],
)
def test_tangents_are_where_they_are_observed(name, low, high, observed):
    """A mirrored or turned frame would put them tens of degrees away."""
    assert seen_from_the_sun(name, low, high) == pytest.approx([observed], abs=5.0)


def test_arms_trail():
    """The Galaxy turns towards l = 90 deg at the Sun, against phi: outwards an arm falls behind."""
    r = np.array([6.0, 7.0])
    for phi in sources().azimuth(r).values():
        assert phi[1] > phi[0]


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("r", [1e-9, 0.3, 1.0, 3.0, 8.5, 15.0, 25.0])
def test_mean_over_the_circle(local, r):
    """Closed form of the mean against the sum over 4096 points; hence a factor of mean one."""
    for law in (sources(local), sources(local, fraction=0.4), gas(4.0, local)):
        radius = np.array(r)
        assert np.mean(law.shape(radius, CIRCLE)) == pytest.approx(float(law.mean(radius)), rel=1e-10)
        assert np.mean(law.around(radius, CIRCLE)) == pytest.approx(1.0, rel=1e-10)


def test_arms_dissolve_at_the_centre():
    assert np.ptp(sources().around(np.array(0.05), CIRCLE)) < 1e-8
    assert np.ptp(sources().around(np.array(8.0), CIRCLE)) > 1.5


@pytest.mark.parametrize("r", [6.0, 10.0])
def test_width_is_that_of_a_cut_across_the_arm(r):
    """At the distance of one sigma from the crest, along its normal, exp(-1/2) is left."""
    law = sources(width="0.2 kpc")
    k = 4.89
    phi = float(law.azimuth(np.array(r))["Perseus"])
    normal = phi + np.arctan2(-1.0, k)  # the tangent makes the pitch angle with the circle
    x, y = r * np.cos(phi) + 0.2 * np.cos(normal), r * np.sin(phi) + 0.2 * np.sin(normal)
    at = float(law.shape(np.hypot(x, y), np.arctan2(y, x)))
    assert at == pytest.approx(np.exp(-0.5), rel=0.02)


@pytest.mark.parametrize("half_space", [True, False])
@pytest.mark.parametrize("vertical", [{"scale_height": "0.1 kpc"}, {"vertical": "plane"}])
@pytest.mark.parametrize("n_phi", [12, 48])
def test_sources_on_the_grid(n_phi, vertical, half_space):
    mesh = grid(n_phi, half_space=half_space)
    law = sources(True, axisymmetric={"kind": "trotta-2011", **vertical})
    density = law.on_grid(mesh, SUN)
    assert density.shape == mesh.shape[1:]
    assert np.all(density >= 0.0)
    assert np.sum(density * mesh.volume) == pytest.approx(1.0, rel=1e-13)
    axisymmetric = law.axisymmetric.on_grid(mesh.meridional, SUN)
    np.testing.assert_allclose(density.mean(axis=1), axisymmetric, rtol=1e-12)


def test_cell_averages_are_those_of_the_function():
    """Against an average over a fine mesh inside one cell."""
    mesh, law = grid(24), sources(True, axisymmetric={"kind": "uniform", "vertical": "plane"})
    density = law.on_grid(mesh, SUN)
    i, m = 12, 11
    r = np.linspace(*mesh.r.faces[i : i + 2], 801)
    phi = np.linspace(*mesh.phi.faces[m : m + 2], 801)
    middle_r, middle_phi = 0.5 * (r[1:] + r[:-1]), 0.5 * (phi[1:] + phi[:-1])
    inside = (
        np.sum(middle_r[:, None] * law.around(middle_r[:, None], middle_phi[None])) / np.sum(middle_r) / 800
    )
    level = 1.0 / (np.pi * 20.0**2) / (2.0 * mesh.z.widths[0])
    assert density[i, m, 0] == pytest.approx(level * inside, rel=1e-4)


def test_share_of_sources_in_arms():
    """Between arms remains what does not follow them."""
    far = sources(fraction=0.7, width="0.05 kpc").around(np.array(9.0), CIRCLE)
    assert far.min() == pytest.approx(0.3, rel=1e-6)
    np.testing.assert_array_equal(sources(fraction=0.0).around(np.array(9.0), CIRCLE), 1.0)


def test_contrast_of_gas_and_its_mean():
    narrow = SpiralArmGas.model_validate(
        {**ARMS, "width": "0.1 kpc", "axisymmetric": {"kind": "ferriere-2001-hi"}, "contrast": 5.0}
    )
    values = narrow.around(np.array(9.0), CIRCLE)
    assert values.max() / values.min() == pytest.approx(5.0, rel=1e-3)
    np.testing.assert_array_equal(gas(1.0).around(np.array(9.0), CIRCLE), 1.0)


def test_gas_on_the_grid_keeps_the_mass_of_every_phase():
    mesh = grid()
    smooth = {
        "HI": {"kind": "ferriere-2001-hi"},
        "H2": {"kind": "ferriere-2001-h2"},
        "HII": {"kind": "cordes-1991"},
    }
    arms = {**smooth, "HI": {**ARMS, "kind": "spiral-arms", "contrast": 4.0, "axisymmetric": smooth["HI"]}}
    flat, wavy = (
        Galaxy.on_grid(GasModel.model_validate({**phases, "helium_fraction": 0.1}), mesh)
        for phases in (smooth, arms)
    )
    np.testing.assert_allclose(wavy.neutral.mean(axis=1), flat.neutral.mean(axis=1), rtol=1e-12)
    assert np.ptp(wavy.neutral[18, :, 0]) > 0.3 * flat.neutral[18, 0, 0]
    # the ionised phase was not gathered
    np.testing.assert_array_equal(wavy.ionised, flat.ionised)


def test_gas_keeps_height_jumps_and_symmetry_of_its_law():
    disc = {"kind": "uniform-disc", "surface_density": "2.3 mg/cm^2", "half_thickness": "0.1 kpc"}
    law = SpiralArmGas.model_validate({**ARMS, "axisymmetric": disc, "contrast": 2.0})
    assert law.edges == pytest.approx((0.1,))
    assert law.symmetric
    bent = {"kind": "bronfman-1988", "X_CO": "1.9e20 cm^-2/(K km/s)", "mid_plane_offset": True}
    assert not SpiralArmGas.model_validate({**ARMS, "axisymmetric": bent, "contrast": 2.0}).symmetric


def test_two_dimensions_are_refused():
    flat = grid(None)
    with pytest.raises(GridError, match="depends on phi needs a 3-D grid"):
        sources().on_grid(flat, SUN)
    phases = {
        "HI": {**ARMS, "kind": "spiral-arms", "contrast": 2.0, "axisymmetric": {"kind": "ferriere-2001-hi"}}
    }
    model = GasModel.model_validate(
        {**phases, "H2": {"kind": "none"}, "HII": {"kind": "none"}, "helium_fraction": 0.1}
    )
    with pytest.raises(GridError, match="depends on phi needs a 3-D grid"):
        Galaxy.on_grid(model, flat)


def test_an_explicit_function_of_phi_gives_the_same_averages():
    """The two ways of Grid.cell_average: a factor, and a function of all three coordinates."""
    mesh, law = grid(48, n_r=10), sources(True)

    def whole(r, phi, z):
        return np.exp(-(r / 9.0) - np.abs(z)) * law.around(r, phi)

    whole.azimuthal = True
    factor = mesh.cell_average(lambda r, z: np.exp(-(r / 9.0) - np.abs(z)), around=law.around)
    np.testing.assert_allclose(mesh.cell_average(whole), factor, rtol=1e-6)
    with pytest.raises(GridError, match="3-D grid"):
        grid(None).cell_average(whole)


class TestLocalArm:
    arm = LocalArm.model_validate(REID)

    def test_crest_passes_the_sun_where_reid_has_it(self):
        """At the azimuth of the Sun: 8.4 kpc exp(8.9 deg tan 12.8 deg)."""
        r = np.linspace(7.5, 10.0, 25001)
        crest = r[np.argmax(self.arm.shape(r, np.pi))]
        assert crest == pytest.approx(8.4 * np.exp(np.radians(8.9) * np.tan(np.radians(12.8))), abs=0.01)

    def test_it_ends(self):
        """In the sense of rotation, towards l = 90 deg, phi is less than pi."""

        def on_crest(beta):
            radius = 8.4 * np.exp(-np.radians(beta - 8.9) * np.tan(np.radians(12.8)))
            return float(self.arm.shape(np.array(radius), np.array(np.pi - np.radians(beta))))

        assert on_crest(8.0) == pytest.approx(1.0, abs=1e-3)
        assert on_crest(-20.0) == pytest.approx(0.5, abs=1e-3)
        assert on_crest(35.0) == pytest.approx(0.5, abs=1e-3)
        assert max(on_crest(-40.0), on_crest(55.0), on_crest(180.0)) < 1e-6

    def test_the_standard_grid_resolves_it(self):
        """Sources in the arm and beside it differ by half of the strength."""
        mesh = Grid.build(
            kinetic_energy=energy_grid(1.0, 10.0, 4.0), radius=20.0, half_height=4.0, n_r=41, n_z=9,
            half_space=True, stretch=4.0, n_phi=64,
        )  # fmt: skip
        flat = {"kind": "uniform", "vertical": "plane"}
        with_arm, without = (
            sources(local, axisymmetric=flat).on_grid(mesh, SUN)[:, :, 0] for local in (True, False)
        )
        added = with_arm / with_arm.mean() - without / without.mean()
        sun = int(np.argmin(np.abs(mesh.phi.centers - np.pi)))
        i = int(np.argmin(np.abs(mesh.r.centers - 8.6)))
        assert added[i, sun] > 0.6 * added[i].max()
        assert added[i, sun] > 4.0 * abs(added[i - 4, sun])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pattern": "somebody-2030"}, "pattern"),
        ({"width": "0 kpc"}, "width"),
        ({"arm_fraction": 1.5}, "arm_fraction"),
        (
            {"axisymmetric": {**ARMS, "kind": "spiral-arms", "arm_fraction": 1.0, "axisymmetric": LAW}},
            "axisymmetric kind",
        ),
        ({"local_arm": {**REID, "end": "-30 deg"}}, "extent"),
        ({"local_arm": {**REID, "pitch": "0 deg"}}, "pitch"),
    ],
)
def test_nonsense_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        sources(**change)


def test_all_gas_at_points():
    """What lines of sight ask for: the sum of the phases, each around the circle as it is."""
    smooth = {
        "HI": {"kind": "ferriere-2001-hi"}, "H2": {"kind": "none"}, "HII": {"kind": "cordes-1991"},
        "helium_fraction": 0.1,
    }  # fmt: skip
    arms = {**smooth, "HI": {**ARMS, "kind": "spiral-arms", "contrast": 4.0, "axisymmetric": smooth["HI"]}}
    round_, spiral = GasModel.model_validate(smooth), GasModel.model_validate(arms)
    phi = 2.0 * np.pi * (np.arange(720) + 0.5) / 720
    r, z = np.full(720, 7.0), np.full(720, 0.05)
    expected = round_.neutral(7.0, 0.05) + round_.ionised(7.0, 0.05)
    assert round_.hydrogen(r, z, phi) == pytest.approx(np.full(720, expected), rel=1e-12)
    assert spiral.hydrogen(r, z) == pytest.approx(np.full(720, expected), rel=1e-12)
    around = spiral.hydrogen(r, z, phi)
    assert around.mean() == pytest.approx(expected, rel=1e-6)
    assert around.max() > 2.0 * around.min()
