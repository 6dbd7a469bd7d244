"""Units at the border: spellings, refusals, and numbers that survive the way out and back in."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyldiff.units import DIMENSIONS, format_quantity, parse_quantity, to_internal

KPC_CM = 3.0856775814913673e21
MYR_S = 3.15576e13


class TestValues:
    """Against numbers worked out by hand."""

    @pytest.mark.parametrize(
        ("text", "dimension", "value"),
        [
            ("8.5 kpc", "length", 8.5),
            ("100 pc", "length", 0.1),
            ("3.0856775814913673e21 cm", "length", 1.0),
            ("1 AU", "length", 1.495978707e13 / KPC_CM),
            ("1 yr", "time", 1e-6),
            ("3.15576e13 s", "time", 1.0),
            ("30 km/s", "speed", 30e5 * MYR_S / KPC_CM),
            ("10 km/s/kpc", "speed gradient", 10e5 * MYR_S / KPC_CM),
            ("4e28 cm^2/s", "length²/time", 4e28 * MYR_S / KPC_CM**2),
            ("1 pc^2/yr", "length²/time", 1.0),
            ("10 MeV", "energy", 0.01),
            ("1 PeV", "energy", 1e6),
            ("1 erg", "energy", 624.1509074460763),
            ("34700 GeV^1.75 m^-2 s^-1 sr^-1", "intensity times E^2.75", 34700.0),
            ("2 GeV**1.75/(cm2 s sr)", "intensity times E^2.75", 2e4),
            ("1 TeV^1.75 m^-2 s^-1 sr^-1", "intensity times E^2.75", 1000.0**1.75),
            ("600 MV", "rigidity", 0.6),
            ("0.9 cm^-3", "number density", 0.9),
            ("2.3 mg/cm^2", "surface density", 2.3e-3),
            ("30 mb", "cross section", 30.0),
            ("0.03 barn", "cross section", 30.0),
            ("1e-27 cm^2", "cross section", 1.0),
            ("1 nT", "magnetic field", 10.0),
            ("180 deg", "angle", 180.0),
            ("1e39 erg/s", "power", 1e39 * 624.1509074460763 * MYR_S),
            ("0.05 GeV^-1 m^-2 s^-1 sr^-1", "intensity", 0.05),
            ("5e-6 GeV^-1 cm^-2 s^-1 sr^-1", "intensity", 0.05),
            ("1.9e20 cm^-2/(K km/s)", "X_CO", 1.9),
            ("1e4 K", "temperature", 1e4),
        ],
    )
    def test_value(self, text, dimension, value):
        assert parse_quantity(text, dimension) == pytest.approx(value, rel=1e-9)

    def test_internal_number_of_a_unit(self):
        assert to_internal(2.0, "Mpc", "length") == 2000.0


class TestSpellings:
    SAME: ClassVar = {
        "length²/time": [
            "4e28 cm^2/s", "4e28 cm2/s", "4e28 cm**2/s", "4e28 cm² s⁻¹", "4e28 cm^2 s^-1", "4e28cm2 s-1",
            "4e28 s-1 cm2", "4.0E+28 cm^2 / s", "  4e28   cm^2/s ", "+4e28 cm^2*s^-1", "4e28 cm²·s⁻¹",
            "4e24 m^2/s",
        ],
        "speed": ["30 km/s", "30 km s-1", "30 km s^-1", "3e6 cm/s", "30 km·s⁻¹"],
        "speed gradient": ["10 km/s/kpc", "10 km/(s kpc)", "10 km s^-1 kpc^-1", "10 kpc-1 km s-1", "0.01 km/s/pc"],
        "magnetic field": ["6 uG", "6 µG", "6 μG", "6 microgauss", "6e-6 G", "0.6 nT"],
        "energy": ["10 GeV", "10 GeV/n", "10 GeV/nuc", "10 GeV/nucleon", "1e4 MeV", "1e10 eV", "0.01 TeV"],
        "number density": ["1 cm^-3", "1 cm-3", "1 1/cm^3", "1 /cm3", "1e6 m^-3"],
        "intensity": [
            "0.05 GeV^-1 m^-2 s^-1 sr^-1", "0.05 m-2 s-1 sr-1 GeV-1", "0.05 m^-2 s^-1 sr^-1 (GeV/n)^-1",
            "0.05 / (GeV m2 s sr)", "0.05 1/(m^2 sr s GeV)", "5e-5 MeV^-1 m^-2 s^-1 sr^-1",
        ],
        "X_CO": ["1.9e20 cm^-2/(K km/s)", "1.9e20 cm-2 (K km s-1)^-1", "1.9e20 cm^-2 K^-1 km^-1 s"],
    }  # fmt: skip

    @pytest.mark.parametrize("dimension", SAME)
    def test_ways_to_write_the_same(self, dimension):
        values = [parse_quantity(text, dimension) for text in self.SAME[dimension]]
        assert values == pytest.approx([values[0]] * len(values), rel=1e-12)

    def test_the_common_ones_need_no_unit_library(self):
        """astropy takes longer to import than most commands to run."""
        texts = [
            (text, dimension)
            for dimension, spellings in self.SAME.items()
            for text in spellings
            if not text.endswith(("m/s/pc", "MeV^-1 m^-2 s^-1 sr^-1"))
        ]
        code = (
            f"import sys\nfrom cyldiff.units import parse_quantity\n"
            f"for text, dimension in {texts!r}: parse_quantity(text, dimension)\nprint('astropy' in sys.modules)"
        )
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == "False"

    @pytest.mark.parametrize("dimension", DIMENSIONS)
    def test_every_example_and_unit_of_the_table_is_right(self, dimension):
        """The factors, against astropy where it knows the unit."""
        from astropy import units as u

        internal, example, table = DIMENSIONS[dimension]
        assert parse_quantity(example, dimension) > 0.0
        names = {
            "mb": "mbarn", "b": "barn", "microgauss": "uG", "km/s/kpc": "km/(s kpc)",
            "cm^-2/(K km/s)": "cm-2 K-1 km-1 s",
            **{f"GeV^1.75 {area} s^-1 sr^-1": f"GeV(7/4) {area} s^-1 sr^-1" for area in ("m^-2", "cm^-2")},
        }  # fmt: skip
        for unit, factor in table.items():
            assert parse_quantity(f"1 {unit}", dimension) == factor
            assert factor == pytest.approx(u.Unit(names.get(unit, unit)).to(u.Unit(internal)), rel=2e-8)


def finite_or_refused(text, dimension):
    """Whether a text is a finite number, or is refused with what is expected instead."""
    try:
        return math.isfinite(parse_quantity(text, dimension))
    except ValueError as error:
        return "expected" in str(error)


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (4.0, "4.0 has no unit; expected length"),
            (4, "4 has no unit"),
            ("4", '"4" has no unit'),
            ("4 GeV", 'found unit "GeV"; expected length, e.g. "4 kpc"'),
            ("4 kpc^2", 'found unit "kpc^2"'),
            ("4 kpc kpc", 'found unit "kpc kpc"'),
            ("4 kps", '"kps" is no unit; expected length, e.g. "4 kpc"; did you mean "kpc"?'),
            ("4 KPC", 'did you mean "kpc"?'),
            ("4 kpc)", "is no unit"),
            ("4 (kpc", "is no unit"),
            ("4 /", "is no unit"),
            ("4 kpc/(m", "is no unit"),
            ("4 %", "is no unit"),
            ("4 ^2", "is not a number with a unit"),
            ("4 5 kpc", "is not a number with a unit"),
            ("1,5 kpc", "is not a number with a unit"),
            ("four kpc", "is not a number with a unit"),
            ("4·10^3 kpc", "is not a number with a unit"),
            ("٤ kpc", "is not a number with a unit"),
            ("nan kpc", "is not a number with a unit"),
            ("inf kpc", "is not a number with a unit"),
            ("", '"" is not a number with a unit'),
            ("1e400 kpc", "is not a finite number"),
            ("1e308 Mpc", "is not a finite number"),
            (True, "found true; expected length"),
            (None, "found None; expected length"),
            (["4 kpc"], 'found ["4 kpc"]; expected length'),
            ({"a": 1}, "found a table"),
            pytest.param(10**5000, "a huge number has no unit", id="huge"),
            ("4 kpc\0", "is no unit"),
            ("x" * 5000, "…"),
            ("4 " + "x" * 5000, "…"),
        ],
    )
    def test_with_what_was_found_and_what_is_expected(self, text, words):
        with pytest.raises(ValueError, match="expected length") as caught:
            parse_quantity(text, "length")
        assert words in str(caught.value)
        assert len(str(caught.value)) < 200

    @given(st.text(max_size=40))
    def test_no_text_is_anything_but_a_number_or_refused(self, text):
        for dimension in ("length", "energy", "X_CO"):
            assert finite_or_refused(text, dimension)

    @given(st.text(alphabet="cmkps^-123/*() GeVµ²⁻", max_size=12))
    def test_no_unit_breaks_the_parser(self, unit):
        assert finite_or_refused(f"1 {unit}", "length²/time")


class TestRoundTrip:
    @given(st.floats(min_value=1e-60, max_value=1e60), st.sampled_from(sorted(set(DIMENSIONS) - {"X_CO"})))
    def test_the_same_number_comes_back(self, value, dimension):
        assert parse_quantity(format_quantity(value, dimension), dimension) == value

    @given(st.floats(min_value=1e-30, max_value=1e30))
    def test_the_conversion_factor_to_within_rounding(self, value):
        assert parse_quantity(format_quantity(value, "X_CO"), "X_CO") == pytest.approx(value, rel=1e-15)

    def test_no_more_digits_than_needed(self):
        assert format_quantity(8.5, "length") == "8.5 kpc"
        assert format_quantity(0.0, "length²/time") == "0 cm^2/s"
        assert format_quantity(parse_quantity("600 MV", "rigidity"), "rigidity") == "0.6 GV"
        assert format_quantity(parse_quantity("30 km/s", "speed"), "speed") == "30 km/s"
