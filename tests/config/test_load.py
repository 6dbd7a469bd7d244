"""Layers of a config: who wins, where a value is from, which file is meant."""

from __future__ import annotations

import copy
import datetime
import tomllib
from pathlib import Path

import pytest

from cyldiff import resources
from cyldiff.config.load import load_config, load_mapping
from cyldiff.errors import ConfigError

RUN = """
schema = 1
[run]
name = "mine"
[grid]
use = "fit-2d"
momentum.per_decade = 7
[physics]
use = "example-plain-diffusion"
halo.half_height = "3 kpc"
"""


@pytest.fixture
def run_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(RUN)
    return file


class TestPrecedence:
    def test_default_use_file_run_and_set(self, run_file):
        loaded = load_config(str(run_file), ["physics.diffusion.eta=-1", "solver.tolerance=1e-5"])
        assert loaded.config.grid.momentum.per_decade == 7
        assert loaded.config.physics.halo.half_height == 3.0
        assert loaded.config.physics.diffusion.eta == -1
        assert loaded.config.solver.tolerance == 1e-5
        expected = {
            "solver.maximum_cycles": "default",
            "physics.diffusion.floor": "default",
            "grid.momentum.min": "fit-2d",
            "physics.halo.radius": "example-plain-diffusion",
            "grid.momentum.per_decade": str(run_file),
            "physics.halo.half_height": str(run_file),
            "run.name": str(run_file),
            "physics.diffusion.eta": "--set",
            "solver.tolerance": "--set",
        }
        assert {key: loaded.origin[key] for key in expected} == expected
        tables = {o for k, o in loaded.origin.items() if k.startswith("physics.sources.snr.abundances")}
        assert tables == {"table fitted-2026"}

    def test_every_value_has_an_origin(self):
        loaded = load_config("quickstart")
        assert set(loaded.origin.values()) == {
            "default", "quickstart", "galaxy-2d-standard", "example-plain-diffusion", "table fitted-2026",
        }  # fmt: skip

    def test_set_of_use_keeps_what_the_run_says(self, run_file):
        loaded = load_config(run_file, ["grid.use=galaxy-2d-coarse", "physics.use=nie-2026"])
        assert loaded.config.grid.momentum.per_decade == 7
        assert loaded.config.physics.halo.half_height == 3.0
        assert loaded.origin["grid.space.r.n"] == "galaxy-2d-coarse"
        assert loaded.origin["physics.halo.radius"] == "nie-2026"

    def test_set_of_use_without_effect_is_refused(self, complete):
        """As of a best fit, which is complete: all of its own keys would stay on top."""
        with pytest.raises(ConfigError) as caught:
            load_mapping(complete, ["grid.use=galaxy-2d-coarse", "physics.use=nie-2026"])
        assert [p.key for p in caught.value.problems] == ["grid.use", "physics.use"]
        assert """--set 'grid={use="galaxy-2d-coarse"}'""" in str(caught.value)
        replaced = load_mapping(complete, ['grid={use="galaxy-2d-coarse"}'])
        assert replaced.origin["grid.space.r.n"] == "galaxy-2d-coarse"

    def test_set_of_use_under_a_part_of_a_section(self, complete):
        complete["physics"] = {"halo": {"half_height": "3.5 kpc"}}
        loaded = load_mapping(complete, ["physics.use=nie-2026"])
        assert loaded.config.physics.halo.half_height == 3.5
        assert loaded.origin["physics.halo.radius"] == "nie-2026"

    def test_the_last_set_wins(self, run_file):
        loaded = load_config(run_file, ["solver.tolerance=1e-5", "solver.tolerance=1e-4"])
        assert loaded.config.solver.tolerance == 1e-4

    def test_set_of_a_table_replaces_it(self, complete):
        law = '{ kind = "broken-power-law", D0 = "3e28 cm2/s", reference_rigidity = "1 GV", delta = [0.5, 0.3], '
        law += 'breaks = ["300 GV"], smoothness = [0.1], eta = 1 }'
        loaded = load_mapping(complete, [f"physics.diffusion = {law}"], source="my.toml")
        assert loaded.resolved["physics"]["diffusion"]["delta"] == [0.5, 0.3]
        assert loaded.origin["physics.diffusion.eta"] == "--set"
        assert loaded.origin["physics.diffusion.floor"] == "default"

    def test_set_of_a_kind_keeps_the_other_keys(self, complete):
        loaded = load_mapping(complete, ["physics.spallation.kind=webber-2003"])
        assert loaded.config.physics.spallation.kind == "webber-2003"
        assert loaded.config.physics.spallation.extrapolation == "constant"

    def test_set_of_an_entry_of_a_list(self, complete):
        complete["physics"]["sources"]["snr"]["injection"]["default"] = {
            "kind": "broken-power-law", "indices": [2.1, 2.4], "breaks": ["4 GV"],
        }  # fmt: skip
        before = copy.deepcopy(complete)
        path = "physics.sources.snr.injection.default.indices"
        loaded = load_mapping(complete, [f"{path}[1]=2.5", f"{path}.0=2.0"])
        assert loaded.config.physics.sources["snr"].injection["default"].indices == (2.0, 2.5)
        assert loaded.origin[path] == "--set"
        assert complete == before, "what the caller gave must not change"

    def test_a_kind_of_the_run_replaces_that_of_the_model(self, run_file):
        run_file.write_text(
            RUN + '[physics.convection]\nkind = "linear-wind"\nV0 = "1 km/s"\ngradient = "0 km/s/kpc"\n'
        )
        loaded = load_config(run_file)
        assert loaded.config.physics.convection.kind == "linear-wind"
        run_file.write_text(RUN + '[physics.diffusion]\nkind = "power-law"\nD0 = "4e28 cm^2/s"\n')
        with pytest.raises(ConfigError) as caught:
            load_config(run_file)
        assert {p.key for p in caught.value.problems} == {
            f"physics.diffusion.{name}" for name in ("reference_rigidity", "delta", "eta")
        }

    def test_abundances_start_from_a_table(self, complete):
        component = complete["physics"]["sources"]["snr"]
        component["abundances"] = {"use": "solar-lodders-2003", "C12": 5.0}
        loaded = load_mapping(complete, ["physics.sources.snr.abundances.O16=7"], source="my.toml")
        abundances = loaded.config.physics.sources["snr"].abundances
        assert (abundances["C12"], abundances["O16"]) == (5.0, 7.0)
        assert abundances["Fe56"] > 0.0
        origins = [loaded.origin[f"physics.sources.snr.abundances.{s}"] for s in ("C12", "O16", "Fe56")]
        assert origins == ["my.toml", "--set", "table solar-lodders-2003"]
        other = load_mapping(complete, ["physics.sources.snr.abundances.use=fitted-2026"])
        assert other.config.physics.sources["snr"].abundances["C12"] == 5.0
        assert other.config.physics.sources["snr"].abundances["Fe56"] != abundances["Fe56"]

    def test_values_with_dots_and_arrows_in_their_names(self, complete):
        loaded = load_mapping(
            complete, ['physics.spallation.scale."C12->B11"=1.1', "physics.spallation.scale.B=0.9"]
        )
        assert loaded.config.physics.spallation.scale == {"C12->B11": 1.1, "B": 0.9}
        assert loaded.origin['physics.spallation.scale."C12->B11"'] == "--set"


class TestFiles:
    def test_paths_are_relative_to_the_file_that_names_them(self, tmp_path, monkeypatch):
        place = tmp_path / "project"
        place.mkdir()
        shipped = resources.find("grids", "fit-2d")
        (place / "grid.toml").write_bytes(shipped.read_bytes())
        (place / "run.toml").write_text(RUN.replace('"fit-2d"', '"./grid.toml"'))
        monkeypatch.chdir(tmp_path)
        loaded = load_config("project/run.toml")
        assert loaded.origin["grid.space.r.n"] == "./grid.toml"
        assert [p.name for p in loaded.inputs] == ["run.toml", "grid.toml", "example-plain-diffusion.toml"]

    def test_paths_in_set_are_relative_to_the_current_folder(self, tmp_path, monkeypatch):
        (tmp_path / "grid.toml").write_bytes(resources.find("grids", "fit-2d").read_bytes())
        (tmp_path / "below").mkdir()
        (tmp_path / "below" / "run.toml").write_text(RUN)
        monkeypatch.chdir(tmp_path)
        loaded = load_config("below/run.toml", ["grid.use=./grid.toml"])
        assert loaded.origin["grid.space.r.n"] == "./grid.toml"

    def test_data_files_are_relative_to_the_run_file(self, tmp_path, monkeypatch):
        shipped = resources.folder("physics") / "measurements" / "ams02-b-c-rigidity"
        for suffix in (".csv", ".source.toml"):
            (tmp_path / f"mine{suffix}").write_bytes(Path(f"{shipped}{suffix}").read_bytes())
        (tmp_path / "run.toml").write_text(RUN + '[compare]\ndata = ["mine.csv", "ams02-b-c-rigidity"]\n')
        monkeypatch.chdir("/")
        loaded = load_config(tmp_path / "run.toml")
        assert loaded.config.compare.data == (str(tmp_path / "mine.csv"), "ams02-b-c-rigidity")

    def test_a_bare_name_is_the_library_not_a_file_here(self, tmp_path, monkeypatch):
        (tmp_path / "quickstart").write_text("nonsense")
        monkeypatch.chdir(tmp_path)
        assert load_config("quickstart").config.run.name == "quickstart"
        with pytest.raises(ConfigError, match="is not valid TOML"):
            load_config("./quickstart")

    def test_a_file_without_suffix(self, tmp_path, monkeypatch):
        (tmp_path / "config").write_text(RUN)
        monkeypatch.chdir(tmp_path)
        assert load_config("config").config.run.name == "mine"

    def test_a_folder_of_the_library(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CYLDIFF_PATH", str(tmp_path))
        (tmp_path / "mine.toml").write_text(RUN.replace('"fit-2d"', '"my-grid"'))
        (tmp_path / "my-grid.toml").write_bytes(resources.find("grids", "fit-2d").read_bytes())
        assert load_config("mine").origin["grid.space.r.n"] == "my-grid"
        assert "mine" in resources.names("runs")
        assert "mine" not in resources.names("grids")
        assert "my-grid" in resources.names("grids")
        assert "my-grid" not in resources.names("models")

    def test_a_byte_order_mark(self, run_file):
        run_file.write_bytes(b"\xef\xbb\xbf" + RUN.encode())
        assert load_config(run_file).config.run.name == "mine"


class TestResolved:
    @pytest.mark.parametrize("name", ["quickstart", "models/evoli-2019-like", "models/yue-2025"])
    def test_it_reads_back_as_the_same_config(self, tmp_path, name):
        loaded = load_config(name)
        file = tmp_path / "resolved.toml"
        file.write_text(loaded.toml())
        again = load_config(file)
        assert again.config == loaded.config
        assert again.resolved == loaded.resolved
        assert "use" not in loaded.toml().split("physics.source]")[0]

    def test_nothing_is_left_to_the_reader_to_fill_in(self):
        """The text names every key that has a value."""
        text = tomllib.loads(load_config("quickstart").toml())
        assert text["solver"]["maximum_cycles"] == 40
        assert text["physics"]["diffusion"]["floor"] == "0 cm^2/s"
        assert next(iter(text["physics"]["spallation"])) == "kind"

    def test_values_are_spelled_as_they_were_written(self, complete):
        complete["physics"]["diffusion"]["D0"] = "0.04e30 cm2/s"
        assert load_mapping(complete).resolved["physics"]["diffusion"]["D0"] == "0.04e30 cm2/s"

    def test_odd_values_in_the_pedigree(self, complete, tmp_path):
        complete["physics"]["source"] = {
            "when": datetime.date(2026, 11, 20),
            "at": datetime.time(12, 30),
            "text": 'quo"te\n\ttab \\ \x7f é',
            "list": [1, 2.5, "x", [True]],
            "nested": {"a b": {"c.d": float("inf")}, "": 3, "empty": {}},
            "tables": [{"x": 1}, {"y": {"z": 2}}],
        }
        loaded = load_mapping(complete)
        (tmp_path / "a.toml").write_text(loaded.toml())
        assert load_config(tmp_path / "a.toml").config == loaded.config

    def test_a_loaded_config_cannot_be_changed(self, complete):
        config = load_mapping(complete).config
        with pytest.raises(ValueError, match="frozen"):
            config.physics.diffusion.delta = 0.5


def test_a_user_class_is_a_kind_like_any_other(complete):
    """A package of a user registers a class; the config knows it, names it and refuses its bad values."""
    from typing import Literal

    from pydantic import Field

    from cyldiff import registry
    from cyldiff.config.base import Model, Quantity
    from cyldiff.config.explain import explain_key

    @registry.register("convection", "test-wind")
    class TestWind(Model):
        """A wind for this test."""

        kind: Literal["test-wind"] = "test-wind"
        speed: Quantity("speed") = Field(gt=0, description="how fast")

    try:
        complete["physics"]["convection"] = {"kind": "test-wind", "speed": "10 km/s"}
        assert load_mapping(complete).config.physics.convection.speed == pytest.approx(0.0102271217)
        complete["physics"]["convection"] = {"kind": "test-wint", "speed": "10 km/s"}
        with pytest.raises(ConfigError, match='did you mean "test-wind"'):
            load_mapping(complete)
        assert "how fast" in explain_key("convection.speed")
        with pytest.raises(Exception, match="registered twice"):
            registry.register("convection", "test-wind")(type("Other", (Model,), {}))
    finally:
        del registry._FAMILIES["convection"]["test-wind"]


def test_a_broken_plug_in_is_named(monkeypatch):
    from importlib.metadata import EntryPoint

    from cyldiff import registry
    from cyldiff.errors import CyldiffError

    entry = EntryPoint(name="bad", value="no_such_module_at_all", group="cyldiff.kinds")
    monkeypatch.setattr(registry.metadata, "entry_points", lambda group: [entry])
    monkeypatch.setitem(registry._state, "plugins_loaded", False)
    with pytest.raises(CyldiffError, match='plug-in "bad" cannot be imported'):
        registry.kinds("diffusion")
