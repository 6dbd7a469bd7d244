"""What `check`, `explain` and `list` print."""

from __future__ import annotations

import re

import pytest

from cyldiff import resources
from cyldiff.config.explain import explain_key, library_listing
from cyldiff.config.load import load_config, load_mapping
from cyldiff.config.schema import RunConfig
from cyldiff.config.show import listing, sizes
from cyldiff.config.toml import dotted, leaves, shown, split_path, to_toml
from cyldiff.config.tree import slot_of, walk
from cyldiff.errors import DataError, nearest, quoted

ENTRIES = list(walk(RunConfig))


class TestListing:
    def test_every_value_and_origin_is_there(self):
        loaded = load_config("quickstart", ["physics.diffusion.eta=-1"])
        text = listing(loaded)
        tables = dict(re.findall(r"^\[(.*)\]\n((?:  .*\n?)*)", text, re.MULTILINE))
        for path, value in leaves(loaded.resolved):
            table, key = dotted(path[:-1]), dotted(path[-1:])
            block = tables[table] if table else text.split("\n\n")[0]
            if table.endswith("abundances"):
                assert f"{key} {shown(value)}" in " ".join(block.split())
            else:
                (line,) = re.findall(rf"^  {re.escape(key)} .*(?:\n {{10,}}.*)*$", block, re.MULTILINE)
                sentences = isinstance(value, list) and any(len(str(v).split()) > 3 for v in value)
                words = " ".join(value) if sentences else shown(value)
                assert " ".join(words.split()) in " ".join(line.split())
                assert line.endswith(f"[{loaded.origin[dotted(path)]}]")

    def test_what_is_not_given_is_shown_too(self):
        assert re.search(r"^  include +none +\[default\]$", listing(load_config("quickstart")), re.MULTILINE)

    def test_a_table_comes_once(self):
        headers = re.findall(r"^\[.*\]$", listing(load_config("models/yue-2025")), re.MULTILINE)
        assert len(headers) == len(set(headers))

    def test_lines_are_not_endless(self):
        """Those of the library fit a terminal of 80 columns, but for words that are longer than the room."""
        for name in resources.names("runs"):
            for line in listing(load_config(name)).splitlines():
                assert len(line) <= 80 or len(line.split()) <= 2, (name, line)

    def test_numbers_are_not_rounded(self):
        assert [shown(x) for x in (0.1, 1e-8, 1 / 3, 24310000000.0, True, None, ["a", 2.0], {"a": 1})] == [
            "0.1", "1e-08", "0.3333333333333333", "2.431e+10", "true", "none", "[a, 2]", "{a = 1}",
        ]  # fmt: skip

    def test_sizes(self, complete):
        lines = sizes(load_mapping(complete)).splitlines()
        assert lines[0].startswith("4 nuclides on 21 energies x 6 r x 6 z (half-space), about 0.3 GB")
        assert lines[2].startswith("to be compared with")
        assert lines[3].replace("\u00a0", " ").split("  ") == [
            "", "ams02-h-rigidity", "H", "AMS-02", "72 points", "600 MV"
        ]  # fmt: skip


class TestExplain:
    @pytest.mark.parametrize("path", sorted({path for path, _, _ in ENTRIES}))
    def test_every_key_is_explained(self, path):
        owners = [(owner, field) for p, owner, field in ENTRIES if p == path]
        text = explain_key(path.replace("NAME", "anything"))
        assert f"\n\n{path}" in f"\n\n{text}"
        if path.endswith(".kind") and owners[0][0]:
            assert "the other keys depend on it" in text
            return
        for _, field in owners:
            assert field.description, f"{path} has no description"
            assert field.description in text
            slot = slot_of(field)
            assert slot.family or slot.model or slot.dimension or slot.plain or slot.table or "one of" in text

    def test_defaults_are_those_of_the_schema(self):
        assert "default: 1e-08" in explain_key("solver.tolerance")
        assert "default: 0 cm^2/s" in explain_key("physics.diffusion.floor")
        assert "default: none" in explain_key("species.max_z")
        assert "required" in explain_key("halo.radius")

    def test_bounds_in_the_unit_a_user_writes(self):
        assert "more than 0 cm^2/s" in explain_key("diffusion.D0")
        assert "more than -1, less than 2" in explain_key("diffusion.delta")

    def test_kinds_with_their_keys(self):
        text = explain_key("physics.convection")
        assert re.search(r"linear-wind +V_z = ", text)
        assert "keys: V0, gradient" in text

    def test_use(self):
        assert "galaxy-2d-standard" in explain_key("grid.use")
        assert "nie-2026" in explain_key("physics.use")
        assert "solar-lodders-2003" in explain_key("physics.sources.snr.abundances.use")

    def test_the_same_key_of_several_kinds_comes_once(self):
        assert explain_key("scale_height").count("physics.sources.NAME.distribution.scale_height") == 1

    @pytest.mark.parametrize(
        ("key", "hint"),
        [
            ("tolerence", 'did you mean "tolerance"?'),
            ("physics.difusion.D0", 'did you mean "physics.diffusion.D0"?'),
            ("", ""),
            ("..", ""),
            ("x" * 500, "…"),
        ],
    )
    def test_unknown(self, key, hint):
        with pytest.raises(DataError, match="no config key") as caught:
            explain_key(key)
        assert hint in str(caught.value)


class TestList:
    def test_all(self):
        text = library_listing(None)
        for block in ("runs:", "models:", "grids:", "data:", "species:", "kinds:"):
            assert f"\n{block}\n" in f"\n{text}\n"

    def test_every_line_says_something(self):
        for what in ("runs", "models", "grids", "data", "kinds"):
            for line in library_listing(what).splitlines()[1:]:
                assert re.fullmatch(r"  \S+( \S+)?  +\S.*", line), line

    def test_half_lives(self):
        lines = [line.split() for line in library_listing("species").splitlines()]
        assert ["Be10", "half-life", "1.387", "Myr"] in lines
        assert ["positron", "stable"] in lines

    def test_a_file_that_cannot_be_read_is_not_listed(self, tmp_path, monkeypatch):
        (tmp_path / "broken.toml").write_text("[")
        monkeypatch.setenv("CYLDIFF_PATH", str(tmp_path))
        assert "broken" not in library_listing("runs")

    def test_unknown(self):
        with pytest.raises(DataError, match='did you mean "models"'):
            library_listing("model")


class TestText:
    @pytest.mark.parametrize(
        ("path", "text"),
        [
            (("a", "b_c", "d-1"), "a.b_c.d-1"),
            (("a", "C12->B11"), 'a."C12->B11"'),
            (("a", "x.y"), 'a."x.y"'),
        ],
    )
    def test_paths(self, path, text):
        assert dotted(path) == text
        assert split_path(text) == path

    def test_places_in_lists(self):
        assert dotted(("a", 0, "b")) == "a[0].b"
        assert split_path("a[0].b") == ("a", "0", "b")

    def test_paths_typed_carelessly(self):
        assert split_path(" a . b ") == ("a", "b")
        assert split_path("scale.C12->B11") == ("scale", "C12->B11")
        for bad in ("", " ", ".", "a.", "a..b", 'a."b'):
            assert split_path(bad) is None

    def test_toml_leaves_out_none(self):
        assert to_toml({"a": None, "b": {"c": (1, 2.0, True)}, "d": {}}) == "[b]\nc = [1, 2.0, true]\n\n[d]\n"

    def test_quoted(self):
        assert [quoted(x) for x in ("a", True, 4e28, [1], {"a": 1}, 10**100)] == [
            '"a"', "true", "4e+28", "[1]", "a table", "a huge number",
        ]  # fmt: skip
        assert len(quoted("x" * 1000)) == 60

    def test_nearest(self):
        assert nearest("D_0", ["D0", "delta"]) == '; did you mean "D0"?'
        assert nearest("ALFVEN-SPEED", ["alfven_speed"]) == '; did you mean "alfven_speed"?'
        assert nearest("xyz", ["abc"]) == ""
        assert nearest("a", []) == ""
