"""Superposition of dipoles over components, sources and species, against sums written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from cyldiff import constants as const
from cyldiff.constants import ATOMIC_MASS_UNIT, PROTON_MASS
from cyldiff.errors import DataError
from cyldiff.galaxy.coordinates import angles, equatorial_vector, unit_vector
from cyldiff.observables.anisotropy import COMPTON_GETTING, anisotropy, mixture
from cyldiff.observables.local_transport import LocalTransport
from cyldiff.sources.greens_function import burst
from cyldiff.transport.convection import LinearWind, NoWind
from cyldiff.transport.diffusion import (
    AnisotropicDiffusion,
    PowerLawDiffusion,
    SpatiallyDependentDiffusion,
)

C = const.SPEED_OF_LIGHT
UNIT = "m-2 s-1 sr-1 (GeV/n)-1"
#: name -> charge, mass number, mass per nucleon, flux at 1 TeV/n, index
NUCLEI = {
    "H1": (1, 1, PROTON_MASS, 1e-4, 2.7),
    "He4": (2, 4, ATOMIC_MASS_UNIT, 5e-6, 2.6),
    "C12": (6, 12, ATOMIC_MASS_UNIT, 1e-7, 2.6),
    "Fe56": (26, 56, ATOMIC_MASS_UNIT, 1e-8, 2.6),
    "antiproton": (-1, 1, PROTON_MASS, 1e-8, 2.7),
    "positron": (1, 0, const.ELECTRON_MASS, 1e-7, 3.2),
}
PLAIN = PowerLawDiffusion(D0="4e28 cm^2/s", reference_rigidity="4 GV", delta=0.4, eta=1.0)
KM_S = 1e5 * const.MYR_S / const.KPC_CM
CONFIG = """
[physics.halo]
radius = "20 kpc"
half_height = "4 kpc"
[physics.observer]
r = "8.5 kpc"
z = "20 pc"
[physics.diffusion]
kind = "power-law"
D0 = "4e28 cm^2/s"
reference_rigidity = "4 GV"
delta = 0.4
eta = 1.0
[physics.convection]
kind = "linear-wind"
V0 = "15 km/s"
gradient = "10 km/s/kpc"
"""
ENERGY = np.geomspace(10.0, 1e7, 61)


def result(components=None, nuclei=("H1", "He4", "C12", "Fe56"), config=CONFIG):
    """A result with `components`: name -> (factor of the flux, d ln n / dr, change of index)."""
    components = components or {"snr": (1.0, -0.05, 0.0)}
    charge, mass_number, mass, flux, index = zip(*(NUCLEI[n] for n in nuclei), strict=True)
    spectra = np.array([f * (ENERGY / 1e3) ** -i for f, i in zip(flux, index, strict=True)])
    each = np.array([f * spectra * (ENERGY / 1e3) ** s for f, _, s in components.values()])
    slopes = np.zeros((*each.shape, 2))
    slopes[..., 0] = np.array([g for _, g, _ in components.values()])[:, None, None]
    total = each.sum(axis=0)
    gradient = (each[..., None] * slopes).sum(axis=0) / total[..., None]
    dims = ("species", "kinetic_energy")
    data = {
        "flux_lis": (dims, total, {"units": UNIT}),
        "gradient_lis": ((*dims, "direction"), gradient),
        "charge": ("species", list(charge)),
        "mass_number": ("species", list(mass_number)),
        "mass_per_nucleon": ("species", list(mass)),
    }
    if len(components) > 1:
        data["flux_lis_component"] = (("component", *dims), each, {"units": UNIT})
        data["gradient_lis_component"] = (("component", *dims, "direction"), slopes)
    coords = {
        "species": list(nuclei), "kinetic_energy": ENERGY, "direction": ["r", "z"], "component": list(components),
    }  # fmt: skip
    return xr.Dataset(data, coords=coords, attrs={"config": config})


def source_list(directions, sizes, share=1.0, nuclei=("H1",), law=PLAIN):
    """Sources at unit vectors, each with dipole `size` (energy independent) and `share` of the proton flux."""
    flux, gradient = [], []
    for name in nuclei:
        charge, mass_number, mass, factor, index = NUCLEI[name]
        momentum = np.sqrt(ENERGY * (ENERGY + 2.0 * mass))
        rigidity, beta = mass_number * momentum / charge, momentum / (ENERGY + mass)
        D = law.coefficient(rigidity, beta, 8.5, 0.0, axis="r")
        flux.append(share * factor * (ENERGY / 1e3) ** -index)
        gradient.append(beta * C / (3.0 * D))
    dims = ("source", "species", "kinetic_energy")
    n = len(directions)
    gradient = np.einsum(
        "n,nk,se->nsek", sizes, np.asarray(directions) * [-1.0, -1.0, 1.0], np.array(gradient)
    )
    return xr.Dataset(
        {
            "flux_lis": (dims, np.broadcast_to(flux, (n, *np.shape(flux))).copy(), {"units": UNIT}),
            "gradient_lis": ((*dims, "direction"), gradient),
        },
        coords={
            "source": [f"s{i}" for i in range(n)], "species": list(nuclei), "kinetic_energy": ENERGY,
            "direction": ["r", "phi", "z"],
        },
    )  # fmt: skip


def by_hand(nuclei, energy, slope, components=1.0):
    """J(E) delta(E) and J(E) of power laws at total energy per particle, along +x (towards the centre)."""
    flow = flux = 0.0
    for name in nuclei:
        charge, mass_number, mass, factor, index = NUCLEI[name]
        t = energy / mass_number - mass
        momentum = mass_number * np.sqrt(t * (t + 2.0 * mass))
        beta = momentum / energy
        D = PLAIN.D0 * beta * (momentum / charge / 4.0) ** 0.4
        intensity = components * factor * (t / 1e3) ** -index / mass_number
        flux += intensity
        flow += intensity * 3.0 * D / (beta * C) * -slope
    return flow, flux


class TestMixture:
    @pytest.mark.parametrize(
        ("species", "nuclei"),
        [
            ("p", ["H1"]), ("p+He", ["H1", "He4"]), ("He", ["He4"]), ("Fe+12C", ["C12", "Fe56"]),
            ("all", ["H1", "He4", "C12", "Fe56"]),
        ],
    )  # fmt: skip
    def test_sum_at_equal_energy_per_particle(self, species, nuclei):
        energies = [1e4, 1e5, 3e6]
        found = anisotropy(result(), species=species, energies=energies)
        for k, energy in enumerate(energies):
            flow, flux = by_hand(nuclei, energy, -0.05)
            assert float(found["vector"][k, 0]) == pytest.approx(flow / flux, rel=1e-6)
            np.testing.assert_allclose(found["vector"][k, 1:], 0.0, atol=1e-18)
        assert found.attrs["species"] == ", ".join(nuclei)

    def test_heavy_nuclei_have_a_lower_rigidity_and_a_smaller_dipole(self):
        p, iron = (anisotropy(result(), species=s, energies=[1e6]) for s in ("p", "Fe"))
        assert float(iron["amplitude"][0] / p["amplitude"][0]) == pytest.approx(26.0**-0.4, rel=1e-3)

    def test_at_equal_rigidity_all_have_the_same(self):
        """Above 10 TV every nucleus has the D of the proton; the mix does not matter."""
        values = [
            float(anisotropy(result(), species=s, at="rigidity", energies=[1e4])["amplitude"][0])
            for s in ("p", "p+He", "all", "Fe")
        ]
        np.testing.assert_allclose(values, values[0], rtol=1e-6)
        beta_d = 3.0 * PLAIN.D0 * (1e4 / 4.0) ** 0.4 / C
        assert values[0] == pytest.approx(0.05 * beta_d * np.cos(np.radians(-28.936)), rel=1e-4)

    def test_all_means_nuclei(self):
        dataset = result(nuclei=tuple(NUCLEI))
        assert mixture(dataset, "all") == ("H1", "He4", "C12", "Fe56")
        assert mixture(dataset, "proton") == ("H1",)

    def test_default_energies_are_those_of_the_grid(self):
        found = anisotropy(result(), species="p")
        np.testing.assert_allclose(
            found["energy"], np.geomspace(ENERGY[0] + PROTON_MASS, ENERGY[-1] + PROTON_MASS, 61), rtol=1e-9
        )
        np.testing.assert_allclose(anisotropy(result())["energy"][0], 56 * (10.0 + ATOMIC_MASS_UNIT))


TWO = {"snr": (1.0, -0.05, 0.0), "xrb": (0.3, -0.1, 0.3)}


class TestComponents:
    def test_the_whole_is_that_of_the_summed_density(self):
        """Parts from flux_lis_component add up to what gradient_lis says of the sum."""
        whole = result(TWO).drop_vars(["flux_lis_component", "gradient_lis_component"])
        one, two = anisotropy(whole), anisotropy(result(TWO))
        np.testing.assert_allclose(one["vector"], two["vector"], rtol=1e-5, atol=1e-15)
        assert list(one["part"].values) == ["result"]
        assert list(two["part"].values) == ["snr", "xrb"]
        np.testing.assert_allclose(two["vector_part"].sum("part"), two["vector"], atol=1e-18)
        np.testing.assert_allclose(two["share"].sum("part"), 1.0)

    def test_a_single_component_has_its_name(self):
        assert list(anisotropy(result())["part"].values) == ["snr"]

    @given(st.floats(0.0, 10.0), st.floats(0.01, 10.0))
    def test_weights_are_as_if_solved_anew(self, a, b):
        """Linear: factors on the file give what a run with stronger sources gives."""
        strong = {n: (f * w, g, s) for (n, (f, g, s)), w in zip(TWO.items(), (a, b), strict=True)}
        energies = [1e4, 1e6]
        weighted = anisotropy(result(TWO), energies=energies, weights={"snr": a, "xrb": b})
        solved = anisotropy(result(strong), energies=energies)
        np.testing.assert_allclose(weighted["vector"], solved["vector"], rtol=1e-9, atol=1e-18)
        np.testing.assert_allclose(weighted["share"], solved["share"], rtol=1e-9, atol=1e-12)

    @given(st.floats(1e-3, 1e3))
    def test_a_common_factor_changes_nothing(self, factor):
        same = anisotropy(result(TWO), energies=[1e5], weights={"snr": factor, "xrb": factor})
        np.testing.assert_allclose(
            same["vector"], anisotropy(result(TWO), energies=[1e5])["vector"], rtol=1e-12, atol=1e-18
        )

    def test_a_component_alone(self):
        alone = anisotropy(result(TWO), weights={"xrb": 0.0}, energies=[1e5])
        flow, flux = by_hand(["H1", "He4", "C12", "Fe56"], 1e5, -0.05)
        assert float(alone["vector"][0, 0]) == pytest.approx(flow / flux, rel=1e-6)
        # and its own dipole from the run with both
        both = anisotropy(result(TWO), energies=[1e5]).sel(part="snr")
        own = both["vector_part"] / both["share"]
        assert float(own[0, 0]) == pytest.approx(flow / flux, rel=1e-6)

    def test_smooth_sources_point_to_the_centre_or_away(self):
        for slope, phase in ((-0.05, 266.405), (0.05, 86.405)):
            found = anisotropy(result({"snr": (1.0, slope, 0.0)}))
            np.testing.assert_allclose(found["phase"], phase, atol=1e-3)


class TestFlip:
    def test_the_phase_flips_where_the_sum_changes_sign_and_the_amplitude_dips_there(self):
        """A soft component with its density rising outwards and a hard one falling."""
        two = result({"soft": (1.0, 0.02, -0.3), "hard": (0.2, -0.02, 0.3)})
        # 1 * E^-0.3 = 0.2 * E^0.3 with E in TeV
        crossing = 1e3 * 5.0 ** (1.0 / 0.6)
        energies = crossing * np.geomspace(0.1, 10.0, 402)
        found = anisotropy(two, species="p", energies=energies)
        phase, amplitude = found["phase"].values, found["amplitude"].values
        np.testing.assert_allclose(phase[energies < crossing], 86.405, atol=1e-3)
        np.testing.assert_allclose(phase[energies > crossing], 266.405, atol=1e-3)
        assert int(np.argmin(amplitude)) in (200, 201)
        assert amplitude.min() < 0.02 * min(amplitude[0], amplitude[-1])
        # the parts cancel there, none of them dips
        assert np.all(found["amplitude_part"][:, 200] > 30.0 * amplitude[200])

    def test_exactly_at_the_crossing_nothing_is_left(self):
        found = anisotropy(
            result({"out": (1.0, 0.03, 0.0), "in": (1.0, -0.03, 0.0)}), species="p", energies=[1e5]
        )
        assert float(found["amplitude"][0]) < 1e-15


class TestSources:
    def test_they_add_to_the_smooth_components(self):
        directions = [unit_vector(168.6, -21.2), unit_vector(90.0, 0.0)]
        sources = source_list(directions, [4.89e-3, 1e-3], share=0.25)
        found = anisotropy(result(), sources=sources, species="p", energies=[1e5])
        flow, flux = by_hand(["H1"], 1e5, -0.05)
        expected = [flow, 0.0, 0.0] + 0.25 * flux * (4.89e-3 * directions[0] + 1e-3 * directions[1])
        np.testing.assert_allclose(found["vector"][0], expected / (1.5 * flux), rtol=1e-6, atol=1e-12)
        assert list(found["part"].values) == ["snr", "s0", "s1"]
        np.testing.assert_allclose(found["share"][:, 0], np.array([1.0, 0.25, 0.25]) / 1.5, rtol=1e-9)

    def test_only_those_species_that_a_source_has(self):
        """Protons of a source among all nuclei of the Galaxy."""
        sources = source_list([unit_vector(90.0, 0.0)], [1e-3])
        found = anisotropy(result(), sources=sources, energies=[1e5])
        nuclei = ["H1", "He4", "C12", "Fe56"]
        flow, flux = by_hand(nuclei, 1e5, -0.05)
        protons = by_hand(["H1"], 1e5, -0.05)[1]
        np.testing.assert_allclose(
            found["vector"][0],
            np.array([flow, 1e-3 * protons, 0.0]) / (flux + protons),
            rtol=1e-6,
            atol=1e-15,
        )

    def test_a_burst_from_its_green_function(self):
        """Density and gradient of physics, the same D: 3 d / 2 c t at all energies, towards the source."""
        place = np.array([-8.5, 0.0, 0.0]) + 2.64 * unit_vector(337.4, 0.0)
        D = PLAIN.D0 * (ENERGY / 4.0) ** 0.4
        density, gradient = burst(np.array([-8.5, 0.0, 0.0]), place, diffusion=D, age=4.82)
        slopes = gradient / density[:, None] * [-1.0, -1.0, 1.0]
        sources = source_list([unit_vector(337.4, 0.0)], [1.0]).assign(
            gradient_lis=(("source", "species", "kinetic_energy", "direction"), slopes[None, None]),
            flux_lis=(
                ("source", "species", "kinetic_energy"),
                (density * (ENERGY / 1e3) ** -2.0)[None, None],
            ),
        )
        found = anisotropy(
            result(), sources=sources, species="p", weights={"snr": 0.0}, energies=[1e5, 1e6, 9e6]
        )
        np.testing.assert_allclose(found["amplitude"], 1.82e-3, rtol=3e-3)
        np.testing.assert_allclose(found["phase"], 249.3, atol=0.05)
        np.testing.assert_allclose(found["declination"], -47.2, atol=0.05)

    def test_a_source_that_has_not_arrived(self):
        sources = source_list([unit_vector(90.0, 0.0)], [1e-3])
        early = sources.assign(flux_lis=sources["flux_lis"] * (sources["kinetic_energy"] > 1e5))
        found = anisotropy(result(), sources=early, species="p", energies=[1e4, 1e6])
        assert float(found["share"].sel(part="s0")[0]) == 0.0
        assert float(found["amplitude_part"].sel(part="s0")[0]) == 0.0
        assert np.isnan(found["phase_part"].sel(part="s0")[0])
        assert float(found["amplitude_part"].sel(part="s0")[1]) > 0.0
        np.testing.assert_allclose(
            found["vector"][0], anisotropy(result(), species="p", energies=[1e4])["vector"][0]
        )

    def test_the_range_is_what_both_files_cover(self):
        sources = source_list([unit_vector(90.0, 0.0)], [1e-3]).isel(kinetic_energy=slice(20, 50))
        found = anisotropy(result(), sources=sources, species="p")
        np.testing.assert_allclose(found["energy"][[0, -1]], ENERGY[[20, 49]] + PROTON_MASS, rtol=1e-9)

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("delta = 0.4", "delta = 0.5", "another diffusion law than"),
            ('z = "20 pc"', 'z = "0 pc"', "another position of the Sun than"),
            ('half_height = "4 kpc"', 'half_height = "5 kpc"', "another halo than"),
        ],
    )
    def test_another_model_is_refused(self, old, new, words):
        sources = source_list([unit_vector(90.0, 0.0)], [1e-3])
        anisotropy(result(), sources=sources)
        sources.attrs["config"] = CONFIG
        anisotropy(result(), sources=sources)
        sources.attrs["config"] = CONFIG.replace(old, new)
        with pytest.raises(DataError, match=words):
            anisotropy(result(), sources=sources)


class TestOptions:
    def test_wind(self):
        """At 20 pc above the plane: V = 15.2 km/s upwards, the excess comes from below."""
        still, windy = (anisotropy(result(), species="p", energies=[1e5], wind=w) for w in (False, True))
        change = (windy["vector"] - still["vector"]).values[0]
        velocity = (15.0 + 10.0 * 0.02) * KM_S
        np.testing.assert_allclose(change, [0.0, 0.0, -(2.0 + 2.7) * velocity / C], rtol=1e-3, atol=1e-18)

    def test_motion_of_the_observer(self):
        apex = unit_vector(48.0, 24.0)
        found = anisotropy(result(), species="p", energies=[1e5], motion=20.0 * KM_S * apex)
        part = found.sel(part=COMPTON_GETTING)
        np.testing.assert_allclose(part["vector_part"][0], 4.7 * 20.0 * KM_S / C * apex, rtol=1e-4)
        assert float(part["share"][0]) == 0.0
        still = anisotropy(result(), species="p", energies=[1e5])
        np.testing.assert_allclose(found["vector"] - part["vector_part"], still["vector"], atol=1e-15)

    def test_compton_getting_of_a_mixture_is_the_mean_over_fluxes(self):
        motion = 20.0 * KM_S * unit_vector(48.0, 24.0)
        found = anisotropy(result(), species="p+He", energies=[1e5], motion=motion).sel(part=COMPTON_GETTING)
        p, he = by_hand(["H1"], 1e5, 0.0)[1], by_hand(["He4"], 1e5, 0.0)[1]
        index = (2.7 * p + 2.6 * he) / (p + he)
        np.testing.assert_allclose(found["vector_part"][0], (2.0 + index) * motion / C, rtol=1e-4)

    def test_band(self):
        """Parts go on adding up; the amplitude is smaller by the mean cosine, the phase stays."""
        two = result(TWO)
        whole, band = (anisotropy(two, energies=[1e5], band=b) for b in (None, (-90.0, 90.0)))
        assert float(band["amplitude"][0] / whole["amplitude"][0]) == pytest.approx(np.pi / 4.0)
        np.testing.assert_allclose(band["phase"], whole["phase"])
        south = anisotropy(two, energies=[1e5], band=(-90.0, -30.0))
        np.testing.assert_allclose(south["amplitude_part"].sum("part"), south["amplitude"])

    def test_spatially_dependent_diffusion_at_the_sun(self):
        law = SpatiallyDependentDiffusion(
            D0="4e28 cm^2/s", reference_rigidity="4 GV", delta0=0.58, eta=0.05, N_m=0.62, xi=0.1, n=4,
            z0="5 kpc", r_s="8.5 kpc", z_s="0.2 kpc",
        )  # fmt: skip
        laws = LocalTransport(law, NoWind(), 8.5, 0.0)
        found = anisotropy(result(), species="p", energies=[1e4], transport=laws)
        # f = 1 at the Sun: F = 0.31, D = D0 F (R/R0)^(delta0 F)
        D = PLAIN.D0 * 0.31 * (1e4 / 4.0) ** (0.58 * 0.31)
        assert float(found["vector"][0, 0]) == pytest.approx(3.0 * D * 0.05 / C, rel=1e-5)

    def test_anisotropic_diffusion(self):
        """A gradient along all three directions; the parallel part is along phi."""
        across = PowerLawDiffusion(D0="4e27 cm^2/s", reference_rigidity="4 GV", delta=0.4, eta=1.0)
        laws = LocalTransport(AnisotropicDiffusion(parallel=PLAIN, perpendicular=across), NoWind(), 8.5, 0.0)
        sources = source_list([unit_vector(30.0, 40.0)], [1e-3])
        found = anisotropy(
            result(), sources=sources, species="p", weights={"snr": 0.0}, energies=[1e5], transport=laws
        )
        expected = 1e-3 * unit_vector(30.0, 40.0) * [0.1, 1.0, 0.1]
        np.testing.assert_allclose(found["vector"][0], expected, rtol=1e-6)
        longitude, _ = angles(found["vector"][0])
        assert 75.0 < longitude < 90.0

    def test_laws_of_the_run(self):
        laws = LocalTransport.of(result())
        assert laws.diffusion == PLAIN
        assert (laws.r, laws.z) == (8.5, pytest.approx(0.02))
        assert laws.convection == LinearWind(V0="15 km/s", gradient="10 km/s/kpc")
        np.testing.assert_allclose(laws.wind, [0.0, 0.0, 15.2 * KM_S])


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"energies": [1.0, 1e5]}, r"1 GeV not in the result; expected 612.164 to 1e\+07 GeV for H1, He4"),
            ({"energies": [1e9], "species": "p"}, r"1e\+09 GeV .* expected 10.9383 to 1e\+07 GeV for H1"),
            ({"energies": [1e9], "at": "rigidity"}, r"1e\+09 GV not in the result"),
            ({"energies": [-1.0]}, "expected positive numbers"),
            ({"energies": [np.nan]}, "expected positive numbers"),
            ({"energies": []}, "expected positive numbers"),
            ({"species": "Hf"}, r'"Hf" is not in this result'),
            ({"species": "p+"}, r'"p\+"'),
            ({"at": "momentum"}, 'at "momentum" unknown; known: energy, rigidity'),
            ({"weights": {"srn": 1.0}}, 'weight: "srn" unknown; known: snr; did you mean "snr"'),
            ({"weights": {"snr": -1.0}}, "snr=-1: expected a finite factor of at least 0"),
            ({"weights": {"snr": np.inf, "x": 1.0}}, 'unknown.*; snr=inf'),
            ({"band": (3.0, 1.0)}, "expected -90 <= low < high <= 90"),
        ],
    )  # fmt: skip
    def test_arguments(self, arguments, words):
        with pytest.raises(DataError, match=words):
            anisotropy(result(), **arguments)

    def test_files_that_lack_something(self):
        with pytest.raises(DataError, match="the result lacks gradient_lis"):
            anisotropy(result().drop_vars("gradient_lis"))
        for drop in ("gradient_lis", "source"):
            with pytest.raises(DataError, match=f"the source list lacks {drop}"):
                anisotropy(result(), sources=source_list([[1, 0, 0]], [1.0]).drop_vars(drop))
        with pytest.raises(DataError, match="does not say how its particles move"):
            anisotropy(result().assign_attrs(config="[physics]"))
        with pytest.raises(DataError, match="cannot be read"):
            anisotropy(result().assign_attrs(config="[physics"))
        with pytest.raises(DataError, match=r'cannot be read.*"power" unknown'):
            anisotropy(result(config=CONFIG.replace("power-law", "power")))

    def test_values_that_are_no_numbers(self):
        broken = result()
        broken["gradient_lis"][0, 0, 0] = np.nan
        with pytest.raises(DataError, match="not finite"):
            anisotropy(broken)

    def test_sources_of_the_same_name(self):
        sources = source_list([[1, 0, 0]], [1.0]).assign_coords(source=["snr"])
        with pytest.raises(DataError, match="snr: a component and a source"):
            anisotropy(result(), sources=sources)

    def test_sources_of_other_species(self):
        sources = source_list([[1, 0, 0]], [1.0], nuclei=("Fe56",))
        with pytest.raises(DataError, match="the source list holds Fe56, of which the result has none"):
            anisotropy(result(nuclei=("H1",)), sources=sources)

    def test_sources_in_another_unit(self):
        sources = source_list([[1, 0, 0]], [1.0])
        sources["flux_lis"].attrs["units"] = "cm-2 s-1 sr-1 GeV-1"
        with pytest.raises(DataError, match="flux_lis is in"):
            anisotropy(result(), sources=sources)

    def test_several_times(self):
        with pytest.raises(DataError, match="has a dimension time; choose one"):
            anisotropy(xr.concat([result(), result()], dim="time", data_vars=["flux_lis", "gradient_lis"]))

    def test_files_without_energies_in_common(self):
        sources = source_list([[1, 0, 0]], [1.0])
        sources = sources.assign_coords(kinetic_energy=sources["kinetic_energy"] * 1e8)
        with pytest.raises(DataError, match="no total energy of the particle in common"):
            anisotropy(result(), sources=sources)


def test_equatorial_amplitude_of_the_result():
    """What the table says is the equatorial part of the vector."""
    found = anisotropy(result(), energies=[1e5])
    x, y, z = equatorial_vector(found["vector"].values[0])
    assert float(found["amplitude"][0]) == pytest.approx(np.hypot(x, y))
    assert float(found["phase"][0]) == pytest.approx(np.degrees(np.arctan2(y, x)) % 360.0)
    assert float(found["declination"][0]) == pytest.approx(np.degrees(np.arctan2(z, np.hypot(x, y))))
