"""Every way a config can be wrong that we could think of: which key is named, and in what words."""

from __future__ import annotations

import datetime

import pytest

from cyldiff import resources
from cyldiff.config.load import load_config, load_mapping
from cyldiff.config.toml import split_path
from cyldiff.errors import ConfigError

DELETED = object()
PATH = "physics.sources.snr"

# id: ({path: value}, key of the one problem, parts of its message)
BROKEN = {
    # keys
    "unknown section": ({"outptu": {}}, "outptu", ["unknown key", "did you mean output?"]),
    "section in the wrong place": ({"halo": {}}, "halo", ["unknown key", "did you mean physics.halo?"]),
    "key in the wrong section": (
        {"solver.D0": "4e28 cm^2/s"},
        "solver.D0",
        ["unknown key", "did you mean physics.diffusion.D0?"],
    ),
    "unknown key near another": (
        {"grid.momentum.per_decad": 3},
        "grid.momentum.per_decad",
        ["unknown key", "did you mean grid.momentum.per_decade?"],
    ),
    "abbreviated key": ({"grid.nz": 3}, "grid.nz", ["unknown key", "did you mean grid.space.z?"]),
    "key like no other": ({"solver.wxq": 3}, "solver.wxq", ["unknown key", "known here: kind, "]),
    "key of another kind": (
        {"physics.diffusion.breaks": ["4 GV"]},
        "physics.diffusion.breaks",
        ['unknown key of kind "power-law"', "belongs to broken-power-law"],
    ),
    "key with a dot in it": ({"solver.'a.b'": 3}, 'solver."a.b"', ["unknown key"]),
    "unicode key": ({"solver.Δt": 3}, 'solver."Δt"', ["unknown key"]),
    "required key missing": (
        {"physics.halo.radius": DELETED},
        "physics.halo.radius",
        ["is missing", 'expected length, e.g. "4 kpc"'],
    ),
    "section missing": ({"grid": DELETED}, "grid", ["is missing", "expected a table"]),
    "schema missing": ({"schema": DELETED}, "schema", ["is missing", "expected 1"]),
    "schema of another version": ({"schema": 2}, "schema", ["2 unknown", "known: 1"]),
    "schema true": ({"schema": True}, "schema", ["true unknown", "known: 1"]),
    # kinds
    "kind missing": (
        {"physics.diffusion.kind": DELETED},
        "physics.diffusion.kind",
        ["is missing", "known: power-law, broken-power-law"],
    ),
    "kind misspelt": (
        {"physics.diffusion.kind": "powerlaw"},
        "physics.diffusion.kind",
        ['"powerlaw" unknown', 'did you mean "power-law"?'],
    ),
    "kind of another family": (
        {"physics.convection.kind": "power-law"},
        "physics.convection.kind",
        ['"power-law" unknown', "known: none, linear-wind"],
    ),
    "kind in capitals": (
        {"physics.gas.HI.kind": "Ferriere-2001-HI"},
        "physics.gas.HI.kind",
        ['did you mean "ferriere-2001-hi"?'],
    ),
    "kind that is a list": ({"physics.gas.H2.kind": ["none"]}, "physics.gas.H2.kind", ['["none"] unknown']),
    "kind that is a number": ({"physics.gas.H2.kind": 1}, "physics.gas.H2.kind", ["1 unknown"]),
    "kind without its table": (
        {"physics.convection": "none"},
        "physics.convection",
        ['found "none"', 'expected a table with a "kind"'],
    ),
    "word of a closed list": (
        {"solver.kind": "stedy"},
        "solver.kind",
        ['"stedy" unknown', "known: steady", 'did you mean "steady"?'],
    ),
    "word of the wrong type": (
        {"solver.backend": 3},
        "solver.backend",
        ["3 unknown", "known: numba, direct"],
    ),
    # units
    "number without a unit": (
        {"physics.diffusion.D0": 4e28},
        "physics.diffusion.D0",
        ["4e+28 has no unit", 'expected length²/time, e.g. "4e28 cm^2/s"'],
    ),
    "text without a unit": ({"physics.halo.radius": "20"}, "physics.halo.radius", ['"20" has no unit']),
    "unit of another dimension": (
        {"physics.halo.radius": "20 GeV"},
        "physics.halo.radius",
        ['found unit "GeV"', "expected length"],
    ),
    "unit that does not exist": (
        {"physics.halo.radius": "20 kps"},
        "physics.halo.radius",
        ['"kps" is no unit', 'did you mean "kpc"?'],
    ),
    "quantity that is no number": (
        {"physics.halo.radius": "twenty kpc"},
        "physics.halo.radius",
        ['"twenty kpc" is not a number with a unit'],
    ),
    "decimal comma": (
        {"physics.halo.radius": "2,5 kpc"},
        "physics.halo.radius",
        ["is not a number with a unit"],
    ),
    "quantity that is a list": (
        {"physics.halo.radius": ["20 kpc"]},
        "physics.halo.radius",
        ['found ["20 kpc"]'],
    ),
    "quantity that is a table": ({"physics.halo.radius": {"a": 1}}, "physics.halo.radius", ["found a table"]),
    "quantity that is true": ({"physics.halo.radius": True}, "physics.halo.radius", ["found true"]),
    "quantity out of floating range": (
        {"grid.momentum.max": "1e400 GeV"},
        "grid.momentum.max",
        ['"1e400 GeV" is not a finite number'],
    ),
    "quantity that is NaN": ({"physics.halo.radius": "nan kpc"}, "physics.halo.radius", ["is not a number"]),
    "quantity that is infinite": (
        {"physics.halo.radius": "inf kpc"},
        "physics.halo.radius",
        ["is not a number"],
    ),
    "empty text": ({"physics.halo.radius": ""}, "physics.halo.radius", ['"" is not a number with a unit']),
    # plain values
    "true for a number": (
        {"physics.diffusion.delta": True},
        "physics.diffusion.delta",
        ["found true", "a number"],
    ),
    "text for a number": ({"physics.diffusion.delta": "0.4"}, "physics.diffusion.delta", ['found "0.4"']),
    "NaN for a number": (
        {"physics.diffusion.delta": float("nan")},
        "physics.diffusion.delta",
        ["finite number"],
    ),
    "infinity for a number": ({"solver.tolerance": float("inf")}, "solver.tolerance", ["finite number"]),
    "integer beyond floats": ({"solver.tolerance": 10**400}, "solver.tolerance", ["a huge number", "finite"]),
    "fraction for a whole number": (
        {"grid.space.r.n": 6.5},
        "grid.space.r.n",
        ["found 6.5", "a whole number"],
    ),
    "number for true": ({"grid.space.half_space": 1}, "grid.space.half_space", ["found 1", "true or false"]),
    "word for true": (
        {"grid.space.half_space": "yes"},
        "grid.space.half_space",
        ['found "yes"', "true or false"],
    ),
    "number for text": ({"run.purpose": 3}, "run.purpose", ["found 3", "expected text"]),
    "text for a list": ({"species.include": "H1"}, "species.include", ['found "H1"', "expected a list"]),
    "number in a list of text": ({"species.include": ["H1", 4]}, "species.include[1]", ["found 4", "a list"]),
    "number for a table": ({"grid": 3}, "grid", ["found 3", "expected a table"]),
    "text for a table": ({"physics.halo": "big"}, "physics.halo", ['found "big"', "expected a table"]),
    "list for a table": ({"physics.sources": []}, "physics.sources", ["found []", "expected a table"]),
    "date for a number": ({"solver.tolerance": datetime.date(2026, 1, 1)}, "solver.tolerance", ["2026"]),
    # ranges
    "negative D0": (
        {"physics.diffusion.D0": "-4e28 cm^2/s"},
        "physics.diffusion.D0",
        ['found "-4e28 cm^2/s"', "expected more than 0 cm^2/s"],
    ),
    "delta too large": (
        {"physics.diffusion.delta": 2.5},
        "physics.diffusion.delta",
        ["found 2.5", "less than 2"],
    ),
    "delta too small": ({"physics.diffusion.delta": -1.5}, "physics.diffusion.delta", ["more than -1"]),
    "too few cells": ({"grid.space.z.n": 2}, "grid.space.z.n", ["found 2", "at least 5"]),
    "too many cells": ({"grid.space.z.n": 10**9}, "grid.space.z.n", ["at most 5000"]),
    "even cells in the whole space": (
        {"grid.space.half_space": False},
        "grid.space.z.n",
        ["6 cells", "galactic plane", "expected an odd number, e.g. 7"],
    ),
    "empty energy range": (
        {"grid.momentum.max": "100 MeV"},
        "grid.momentum",
        ["energy range 0.1 to 0.1 GeV is empty", "expected max at least three times min"],
    ),
    "energies upside down": ({"grid.momentum.max": "1 MeV"}, "grid.momentum", ["0.1 to 0.001 GeV is empty"]),
    "negative energy": ({"grid.momentum.min": "-1 GeV"}, "grid.momentum.min", ["expected more than 0 GeV"]),
    "loose tolerance": ({"solver.tolerance": 0.5}, "solver.tolerance", ["found 0.5", "less than 0.1"]),
    "more helium than hydrogen": (
        {"physics.gas.helium_fraction": 1.5},
        "physics.gas.helium_fraction",
        ["at most 1"],
    ),
    "charge beyond nickel": ({"species.max_z": 30}, "species.max_z", ["found 30", "at most 28"]),
    "negative abundance": (
        {f"{PATH}.abundances.C12": -1.0},
        f"{PATH}.abundances",
        ["negative abundance of C12"],
    ),
    "no sources": ({"physics.sources": {}}, "physics.sources", ["has 0 entries", "at least 1"]),
    "negative potential": (
        {"physics.modulation.potential": "-1 MV"},
        "physics.modulation.potential",
        ["at least 0"],
    ),
    "run name with a folder": ({"run.name": "a/b"}, "run.name", ['found "a/b"', "expected a plain name"]),
    "run name empty": ({"run.name": ""}, "run.name", ["expected a plain name"]),
    # lists that must fit each other
    "one slope too few": (
        {
            "physics.diffusion.kind": "broken-power-law",
            "physics.diffusion.delta": [0.4],
            "physics.diffusion.breaks": ["300 GV"],
            "physics.diffusion.smoothness": [0.1],
        },
        "physics.diffusion",
        ["1 breaks need 2 slopes", "found 1"],
    ),
    "bad entry of a list": (
        {
            f"{PATH}.injection.default": {
                "kind": "broken-power-law",
                "indices": [2.3, "x"],
                "breaks": ["4 GV"],
            }
        },
        f"{PATH}.injection.default.indices[1]",
        ['found "x"', "a number"],
    ),
    "unit missing in a list": (
        {f"{PATH}.injection.default": {"kind": "broken-power-law", "indices": [2.3, 2.5], "breaks": [4]}},
        f"{PATH}.injection.default.breaks[0]",
        ["4 has no unit", "rigidity"],
    ),
    "entry of a list out of range": (
        {f"{PATH}.injection.default": {"kind": "broken-power-law", "indices": [23.0]}},
        f"{PATH}.injection.default.indices[0]",
        ["found 23.0", "less than 10"],
    ),
    "no default spectrum": (
        {f"{PATH}.injection.default": DELETED},
        f"{PATH}.injection",
        ['"default" is missing'],
    ),
    # sections that must fit each other
    "halo thinner than the gas": (
        {"physics.halo.half_height": "50 pc"},
        "physics.halo.half_height",
        ["0.05 kpc is thinner than the gas disc", 'expected more, e.g. "4 kpc"'],
    ),
    "halo thinner than a uniform disc": (
        {
            "physics.halo.half_height": "0.9 kpc",
            "physics.gas.HI": {
                "kind": "uniform-disc",
                "surface_density": "2 mg/cm^2",
                "half_thickness": "1 kpc",
            },
        },
        "physics.halo.half_height",
        ["thinner than the gas disc (1 kpc)"],
    ),
    "Sun outside the halo": ({"physics.observer.r": "25 kpc"}, "physics.observer.r", ["outside the halo"]),
    "Sun above the halo": ({"physics.observer.z": "-4.5 kpc"}, "physics.observer.z", ["outside the halo"]),
    "slab with radial cells": ({"grid.space.geometry": "slab"}, "grid.space", ["a slab has no r"]),
    "cylinder without radial cells": ({"grid.space.r": DELETED}, "grid.space", ["r is missing"]),
    "half-space under a warped disc": (
        {
            "physics.gas.H2": {
                "kind": "bronfman-1988",
                "X_CO": "1.9e20 cm^-2/(K km/s)",
                "mid_plane_offset": True,
            }
        },
        "grid.space.half_space",
        ["found true; expected false", "the gas is not symmetric"],
    ),
    "reacceleration with a falling D": (
        {
            "physics.diffusion.delta": -0.2,
            "physics.reacceleration": {"kind": "seo-ptuskin-1994", "alfven_speed": "20 km/s"},
        },
        "physics.reacceleration.alfven_speed",
        ["slope of D between 0 and 2", "found -0.2"],
    ),
    "plane sources with a height": (
        {f"{PATH}.distribution.vertical": "plane"},
        f"{PATH}.distribution",
        ['scale_height has no meaning with vertical = "plane"'],
    ),
    "in time without times": (
        {"solver.kind": "crank-nicolson"},
        "solver",
        ['time is missing: kind = "crank-nicolson" needs time.times'],
    ),
    "times of a steady run": (
        {"solver.time": {"times": ["1 Myr"]}},
        "solver",
        ['no meaning with kind = "steady"'],
    ),
    "times that do not increase": (
        {"solver.kind": "crank-nicolson", "solver.time": {"times": ["2 Myr", "1 Myr"]}},
        "solver.time.times",
        ["times must be positive and increasing"],
    ),
    "slab with cells around the circle": (
        {"grid.space.geometry": "slab", "grid.space.r": DELETED, "grid.space.phi": {"n": 8}},
        "grid.space",
        ["a slab has no phi"],
    ),
    # species and data
    "unknown species": ({"species.include": ["H1", "Fee56"]}, "species.include[1]", ['did you mean "Fe56"?']),
    "mass number first": (
        {"species.include": ["H1", "10Be"]},
        "species.include[1]",
        ['did you mean "Be10"?'],
    ),
    "species that is not text": ({"species.include": [True]}, "species.include[0]", ["found true"]),
    "no species left": ({"species.include": []}, "species", ["no species is left"]),
    "unknown source species": (
        {f"{PATH}.abundances.C99": 1.0},
        f"{PATH}.abundances.C99",
        ["unknown species"],
    ),
    "unknown species with a spectrum": (
        {f"{PATH}.injection.Hw": {"kind": "broken-power-law", "indices": [2.2]}},
        f"{PATH}.injection.Hw",
        ["unknown species or element"],
    ),
    "nothing to inject": (
        {"species.include": ["B11"], "compare.data": [], f"{PATH}.normalisation.species": "B11"},
        f"{PATH}.abundances",
        ["none of the species of this run (B11) has a source"],
    ),
    "normalised with a species not followed": (
        {f"{PATH}.normalisation.species": "O16"},
        f"{PATH}.normalisation.species",
        ["O16 is not among the species of this run (H1, He4, B11, C12)"],
    ),
    "normalised with an unknown species": (
        {f"{PATH}.normalisation.species": "proton"},
        f"{PATH}.normalisation.species",
        ['"proton" is no nuclide'],
    ),
    "normalised outside the grid": (
        {f"{PATH}.normalisation.kinetic_energy": "5 TeV"},
        f"{PATH}.normalisation.kinetic_energy",
        ["5000 GeV/n is outside the energy grid (0.1 to 1000 GeV/n)"],
    ),
    "power above the grid": (
        {f"{PATH}.normalisation": {"kind": "luminosity", "power": "1e41 erg/s", "minimum_energy": "2 TeV"}},
        f"{PATH}.normalisation.minimum_energy",
        ["outside the energy grid"],
    ),
    "unknown data set": (
        {"compare.data": ["ams02-b-c-rigidty"]},
        "compare.data[0]",
        ['"ams02-b-c-rigidty" unknown', 'did you mean "ams02-b-c-rigidity"?'],
    ),
    "missing data file": ({"compare.data": ["./mine.csv"]}, "compare.data[0]", ["no data file", "mine.csv"]),
    "data of species not followed": (
        {"compare.data": ["ams02-o-rigidity"]},
        "compare.data[0]",
        ["ams02-o-rigidity needs O"],
    ),
    "unknown output": ({"output.quantities": ["fluxx"]}, "output.quantities", ['did you mean "flux"?']),
    # tables and formulas on the grid
    "spallation table too short": (
        {"physics.spallation.extrapolation": "refuse", "grid.momentum.min": "10 MeV"},
        "physics.spallation",
        ["asked for 0.01", 'allow it with extrapolation = "constant"'],
    ),
    "inelastic table too short": (
        {"physics.inelastic": {"kind": "barashenkov-1994"}},
        "physics.inelastic",
        ["barashenkov-1994 covers 0.01 to 10 GeV per nucleon"],
    ),
    "D beyond floating range": (
        {"physics.diffusion.D0": "1e308 kpc^2/Myr"},
        "physics.diffusion",
        ["D is inf", "expected a positive number"],
    ),
    "cut-off far below the reference": (
        {f"{PATH}.injection.default": {"kind": "broken-power-law", "indices": [2.3], "cutoff": "1 MV"}},
        f"{PATH}.injection.default",
        ["the spectrum is zero at reference_energy"],
    ),
    "unknown nuisance factor": (
        {"physics.spallation.scale": {"C12->B99": 1.1}},
        "physics.spallation.scale",
        ['"B99" in "C12->B99" is unknown'],
    ),
    # use
    "use of an unknown grid": (
        {"grid": {"use": "galaxy-2d-standart"}},
        "grid.use",
        ["is not in the library of grids", 'did you mean "galaxy-2d-standard"?'],
    ),
    "use of an unknown model": (
        {"physics": {"use": "nie2026"}},
        "physics.use",
        ["is not in the library of models", 'did you mean "nie-2026"?'],
    ),
    "use of a missing file": ({"grid": {"use": "./no.toml"}}, "grid.use", ['no file "', "no.toml"]),
    "use that is a number": ({"grid": {"use": 3}}, "grid.use", ["found 3", "expected the name of a file"]),
    "use that is a table": ({"grid": {"use": {"a": 1}}}, "grid.use", ["found a table"]),
    "use that is empty": ({"grid": {"use": ""}}, "grid.use", ["not in the library"]),
    "use that is no file name": ({"grid": {"use": "a\0b"}}, "grid.use", ["a\\u0000b"]),
    "use of endless name": ({"grid": {"use": "x" * 5000}}, "grid.use", ["xxx…"]),
    "use of nobody's home": ({"grid": {"use": "~nobody-at-all/x"}}, "grid.use", ["is no file name"]),
    "use in the wrong section": ({"solver.use": "x"}, "solver.use", ["unknown key"]),
    "unknown table of abundances": (
        {f"{PATH}.abundances": {"use": "solar-lodders-2030"}},
        f"{PATH}.abundances.use",
        ['no abundances "solar-lodders-2030"', 'did you mean "solar-lodders-2003"?'],
    ),
    "abundances used as a number": (
        {f"{PATH}.abundances": {"use": 3}},
        f"{PATH}.abundances.use",
        ["found 3"],
    ),
}


def put(raw, path, value):
    """Set, or delete, the value at a dotted path (quoted parts may hold dots)."""
    *above, last = split_path(path)
    for key in above:
        raw = raw.setdefault(key, {})
    if value is DELETED:
        del raw[last]
    else:
        raw[last] = value


def problems_of(raw, overrides=()):
    with pytest.raises(ConfigError) as caught:
        load_mapping(raw, overrides, source="my.toml")
    error = caught.value
    assert error.exit_status == 2
    assert str(error).splitlines()[0] == (
        f"my.toml: {len(error.problems)} problem{'s' if len(error.problems) > 1 else ''}"
    )
    return error.problems


def test_the_complete_config_is_valid(complete):
    loaded = load_mapping(complete)
    assert loaded.config.physics.diffusion.delta == 0.4


@pytest.mark.parametrize(("changes", "key", "parts"), BROKEN.values(), ids=BROKEN.keys())
def test_one_thing_is_wrong(complete, changes, key, parts):
    for path, value in changes.items():
        put(complete, path, value)
    problems = problems_of(complete)
    assert [p.key for p in problems] == [key]
    for part in parts:
        assert part in problems[0].message


def test_there_are_many_cases():
    assert len(BROKEN) >= 60


class TestAllAtOnce:
    def test_independent_sections(self, complete):
        for path, value in {
            "grid.nz": 3,
            "grid.space.z.n": "many",
            "physics.diffusion.D0": 4e28,
            "physics.halo.radius": "20 GeV",
            "physics.sources.snr.normalisation.species": "He44",
            "species.include": ["H1", "Fee56", "Xx1"],
            "solver.kind": "stedy",
            "compare.data": ["nothing-like-it"],
            "output.quantities": ["fluxx"],
        }.items():
            put(complete, path, value)
        keys = [p.key for p in problems_of(complete)]
        assert set(keys) == {
            "grid.nz",
            "grid.space.z.n",
            "physics.diffusion.D0",
            "physics.halo.radius",
            "physics.sources.snr.normalisation.species",
            "species.include[1]",
            "species.include[2]",
            "solver.kind",
            "compare.data[0]",
            "output.quantities",
        }

    def test_within_one_source_component(self, complete):
        put(complete, "physics.sources.snr.injection.default.indices", ["x"])
        put(complete, "physics.sources.snr.abundances.Cc12", 1.0)
        put(complete, "physics.sources.snr.normalisation.kinetic_energy", "1 PeV")
        put(complete, "physics.diffusion.D0", "-1 cm^2/s")
        assert {p.key for p in problems_of(complete)} == {
            "physics.sources.snr.injection.default.indices[0]",
            "physics.sources.snr.abundances.Cc12",
            "physics.sources.snr.normalisation.kinetic_energy",
            "physics.diffusion.D0",
        }

    def test_a_missing_model_is_one_problem_not_thirty(self, complete):
        complete["physics"] = {"use": "no-such-model", "diffusion": {"D0": 3}}
        complete["species"]["include"] = ["He44"]
        keys = [p.key for p in problems_of(complete)]
        assert keys == ["physics.use", "species.include[0]"]

    def test_the_report_aligns_keys_and_messages(self, complete):
        put(complete, "grid.nz", 3)
        put(complete, "solver.kind", "stedy")
        with pytest.raises(ConfigError) as caught:
            load_mapping(complete, source="runs/my.toml")
        lines = str(caught.value).splitlines()
        assert lines[0] == "runs/my.toml: 2 problems"
        assert lines[1].startswith("  grid.nz      unknown key; did you mean")
        assert lines[2].startswith(
            '  solver.kind  "stedy" unknown; known: steady, crank-nicolson; did you mean "steady"?'
        )


class TestMemory:
    def test_a_grid_that_does_not_fit(self, complete, monkeypatch):
        monkeypatch.setattr("cyldiff.config.feasibility.available_memory", lambda: 2e9)
        put(complete, "grid.space.r.n", 500)
        put(complete, "grid.space.z.n", 500)
        (problem,) = problems_of(complete)
        assert problem.key == "grid"
        assert "21 x 500 x 500 cells (energy, r, z) and 4 species need about" in problem.message
        assert "2 GB are free; expected fewer cells, energies or species" in problem.message

    def test_a_factorisation_that_does_not_fit(self, complete, monkeypatch):
        monkeypatch.setattr("cyldiff.config.feasibility.available_memory", lambda: 8e9)
        put(complete, "grid.space.r.n", 60)
        put(complete, "grid.space.z.n", 60)
        load_mapping(complete)
        put(complete, "solver.backend", "direct")
        (problem,) = problems_of(complete)
        assert "expected backend = numba, fewer cells" in problem.message

    def test_a_grid_in_three_dimensions_and_time(self, complete, monkeypatch):
        monkeypatch.setattr("cyldiff.config.feasibility.available_memory", lambda: 2.6e9)
        put(complete, "grid.space.half_space", False)
        for axis, n in (("r", 50), ("phi", 60), ("z", 51)):
            put(complete, f"grid.space.{axis}", {"n": n})
        load_mapping(complete)
        put(complete, "solver.kind", "crank-nicolson")
        put(complete, "solver.time", {"times": ["1 Myr", "2 Myr", "3 Myr"]})
        (problem,) = problems_of(complete)
        assert "21 x 50 x 60 x 51 cells (energy, r, phi, z)" in problem.message

    def test_the_largest_grid_there_is(self, complete):
        """Refused, not tried: this must not take a second."""
        put(complete, "grid.space.r.n", 5000)
        put(complete, "grid.space.z.n", 5000)
        put(complete, "grid.momentum.per_decade", 200)
        (problem,) = problems_of(complete)
        assert problem.key == "grid"

    def test_unknown_memory_refuses_nothing(self, complete, monkeypatch):
        monkeypatch.setattr("cyldiff.config.feasibility.available_memory", lambda: None)
        put(complete, "grid.space.r.n", 2000)
        assert load_mapping(complete).config.grid.space.r.n == 2000


class TestOverrides:
    @pytest.mark.parametrize("item", ["solver.tolerance", "=3", "", "a..b=3", ".a=1", "a.=1", 'a."b=3'])
    def test_malformed(self, complete, item):
        (problem,) = problems_of(complete, [item])
        assert problem.key == "--set"
        assert "is not of the form path=value" in problem.message

    def test_unknown_path(self, complete):
        (problem,) = problems_of(complete, ["physics.diffusion.D1=3"])
        assert problem.key == "physics.diffusion.D1"
        assert "did you mean physics.diffusion.D0?" in problem.message
        assert problem.where == "--set"

    def test_path_from_the_middle(self, complete):
        (problem,) = problems_of(complete, ["diffusion.D0=3e28 cm^2/s"])
        assert "did you mean physics.diffusion?" in problem.message

    def test_path_through_a_value(self, complete):
        (problem,) = problems_of(complete, ["run.name.first=3"])
        assert problem.key == "run.name"
        assert "found a table; expected text" in problem.message

    @pytest.mark.parametrize("value", ["", "[0.5, 0.3", "nonsense", "{", "1\nrun.name = 3"])
    def test_bad_values(self, complete, value):
        (problem,) = problems_of(complete, [f"physics.diffusion.delta={value}"])
        assert problem.key == "physics.diffusion.delta"
        assert problem.where == "--set"

    def test_all_of_them_are_reported(self, complete):
        problems = problems_of(complete, ["solver.kind=stedy", "nonsense", "run.name=a/b"])
        assert [p.key for p in problems] == ["--set", "run.name", "solver.kind"]


class TestFiles:
    def report(self, path, **kwargs):
        with pytest.raises(ConfigError) as caught:
            load_config(path, **kwargs)
        return str(caught.value)

    def test_missing(self, tmp_path):
        (tmp_path / "mine.toml").touch()
        report = self.report(str(tmp_path / "mime.toml"))
        assert "no file" in report
        assert 'did you mean "mine.toml"?' in report

    def test_missing_name(self):
        assert 'did you mean "quickstart"?' in self.report("quikstart")

    def test_folder(self, tmp_path):
        assert "is a folder" in self.report(str(tmp_path))
        assert "is a folder" in self.report(tmp_path)

    def test_binary(self, tmp_path):
        (tmp_path / "a.toml").write_bytes(bytes(range(256)))
        assert "is not a text file in UTF-8" in self.report(str(tmp_path / "a.toml"))

    def test_invalid_toml_says_where(self, tmp_path):
        (tmp_path / "a.toml").write_text("schema = 1\n[run\n")
        assert "is not valid TOML" in self.report(str(tmp_path / "a.toml"))
        assert "line 2" in self.report(str(tmp_path / "a.toml"))

    @pytest.mark.parametrize(
        "text",
        [
            "a = " + "[" * 100_000,
            "a = " + "9" * 10_000,
            "a = 2026-13-45",
            "[a]\n[a]",
            'x = "\0"',
            "x = 1 y = 2",
        ],
        ids=["nested", "digits", "date", "twice", "zero byte", "two on a line"],
    )
    def test_odd_toml(self, tmp_path, text):
        (tmp_path / "a.toml").write_text(text)
        assert "is not valid TOML" in self.report(str(tmp_path / "a.toml"))

    def test_tables_nested_too_deeply(self, tmp_path):
        (tmp_path / "a.toml").write_text("solver." + ".".join("a" * 3000) + " = 1")
        assert "nested too deeply" in self.report(str(tmp_path / "a.toml"))

    def test_empty_file(self, tmp_path):
        (tmp_path / "a.toml").touch()
        report = self.report(str(tmp_path / "a.toml"))
        for key in ("schema", "run", "grid", "physics"):
            assert f"\n  {key:<7}  is missing" in report

    def test_no_permission(self, tmp_path, monkeypatch):
        file = tmp_path / "a.toml"
        file.write_text("schema = 1")

        def refuse(self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
        assert "may not be read (permissions)" in self.report(str(file))

    def test_a_library_file_without_schema(self, tmp_path):
        (tmp_path / "g.toml").write_text('title = "x"\n')
        (tmp_path / "h.toml").write_text('schema = 7\ntitle = "x"\n')
        (tmp_path / "i.toml").write_text('schema = 1\nuse = "galaxy-2d-standard"\n')
        for name, part in (
            ("g", "schema is missing; expected 1"),
            ("h", "schema is 7; expected 1"),
            ("i", 'has a "use" of its own'),
        ):
            (tmp_path / "run.toml").write_text(
                f'schema = 1\nrun.name = "a"\ngrid.use = "./{name}.toml"\nphysics.use = "example-plain-diffusion"\n'
            )
            report = self.report(tmp_path / "run.toml")
            assert part in report
            assert "1 problem\n" in report

    def test_a_wrong_value_in_a_model_file_names_that_file(self, tmp_path):
        (tmp_path / "grid.toml").write_text('schema = 1\n[space]\ngeometry = "cylinder"\n')
        (tmp_path / "run.toml").write_text(
            'schema = 1\nrun.name = "a"\ngrid.use = "./grid.toml"\nphysics.use = "example-plain-diffusion"\n'
        )
        line = next(line for line in self.report(tmp_path / "run.toml").splitlines() if "geometry" in line)
        assert '"cylinder" unknown; known: cylindrical, slab; did you mean "cylindrical"?' in line
        assert line.endswith("(in ./grid.toml)")

    def test_a_name_found_twice(self, tmp_path, monkeypatch):
        shipped = resources.find("grids", "galaxy-2d-standard")
        (tmp_path / "galaxy-2d-standard.toml").write_bytes(shipped.read_bytes())
        monkeypatch.setenv("CYLDIFF_PATH", str(tmp_path))
        report = self.report("quickstart")
        assert "grid.use" in report
        assert f"is found twice: {tmp_path / 'galaxy-2d-standard.toml'} and {shipped}" in report
