"""Everything that is shipped loads, says where it is from, and is what its checksum says."""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from pathlib import Path

import pytest

from cyldiff import resources
from cyldiff.config.load import load_config, load_mapping
from cyldiff.config.load_source import load_source, load_source_mapping
from cyldiff.config.show import listing
from cyldiff.fit.components import load_spectra, load_spectra_mapping
from cyldiff.fit.point_sources import load_joint, load_joint_mapping
from cyldiff.particles.abundances import abundance_tables, load_abundances
from cyldiff.sources.catalogue_file import load_catalogue

PHYSICS = resources.folder("physics")
TABLES = sorted(PHYSICS.rglob("*.csv"))
#: what every table must say of itself
PEDIGREE = {
    "title", "citation", "where_in_paper", "retrieved_from", "retrieved_on", "licence", "processing",
    "valid_range", "uncertainty", "sha256", "columns",
}  # fmt: skip
GRIDS, MODELS, RUNS = (resources.names(kind) for kind in ("grids", "models", "runs"))
CATALOGUES = resources.names("catalogues")
EMISSION = resources.names("emission")


def relative(path):
    return path.relative_to(PHYSICS).as_posix()


def run_with(grid="galaxy-2d-coarse", model="example-plain-diffusion"):
    return load_mapping(
        {"schema": 1, "run": {"name": "library"}, "grid": {"use": grid}, "physics": {"use": model}}
    )


class TestTables:
    @pytest.mark.parametrize("path", TABLES, ids=relative)
    def test_it_loads_with_its_pedigree(self, path):
        table = resources.read_table(path)
        assert len(table) > 0
        missing = PEDIGREE - set(table.source)
        assert not missing
        for key in PEDIGREE - {"columns"}:
            assert isinstance(table.source[key], str)
            assert table.source[key].strip()
        assert table.source["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", table.source["retrieved_on"])
        assert re.search(r"\b(19|20)\d\d\b", table.source["citation"]), "a citation has a year"

    @pytest.mark.parametrize("path", TABLES, ids=relative)
    def test_every_column_is_explained(self, path):
        table = resources.read_table(path)
        explained = table.source["columns"]
        energies = [name for name in table.columns if name.endswith("GeV/n")]
        for name in set(table.columns) - set(energies):
            assert explained[name].strip()
        assert set(energies) <= set(explained) or any("GeV/n" in name for name in explained) or not energies

    def test_every_pedigree_has_its_table(self):
        sides = {
            p.with_name(p.name.removesuffix(".source.toml") + ".csv") for p in PHYSICS.rglob("*.source.toml")
        }
        assert sides == set(TABLES)

    def test_no_path_of_somebody_s_machine(self):
        for path in [*PHYSICS.rglob("*.toml"), *resources.folder("runs").rglob("*.toml")]:
            assert not re.search(r"(^|[\s\"'])/(home|work|tmp|Users)/", path.read_text(encoding="utf-8")), (
                path
            )


class TestRefused:
    """What happens to a table that is not as it should be."""

    @pytest.fixture
    def table(self, tmp_path):
        path = tmp_path / "t.csv"

        def write(text="x,y\n1,2\n3,a\n", encoding="utf-8", **changes):
            path.write_bytes(text.encode(encoding))
            pedigree = {key: "x" for key in resources.PEDIGREE}
            pedigree["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
            pedigree.update(changes)
            side = "".join(f'{key} = "{value}"\n' for key, value in pedigree.items() if value is not None)
            (tmp_path / "t.source.toml").write_text(side)
            return path

        return write

    def test_a_changed_file_is_read_again(self, table):
        first = resources.read_table(table())
        assert resources.read_table(first.path) is first
        again = resources.read_table(table("x,y\n1,2\n3,a\n5,b\n"))
        assert (len(first), len(again)) == (2, 3)

    def test_a_good_one(self, table):
        read = resources.read_table(table())
        assert read["x"].tolist() == [1.0, 3.0]
        assert read["y"].tolist() == ["2", "a"]
        with pytest.raises(ValueError, match="read-only"):
            read["x"][0] = 7
        with pytest.raises(resources.DataError, match='no column "z"'):
            read["z"]

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ({"text": "x,y\n1,2,3\n"}, "line 2 has 3 entries, expected 2"),
            ({"text": ""}, "must name every column once"),
            ({"text": "x,x\n1,2\n"}, "must name every column once"),
            ({"text": "x,ü\n1,2\n", "encoding": "latin-1"}, "is not a CSV table"),
            ({"sha256": "0" * 64}, "checksum"),
            ({"licence": None, "title": None}, "pedigree lacks title, licence"),
        ],
    )
    def test_a_bad_one(self, table, content, words):
        with pytest.raises(resources.DataError, match=words):
            resources.read_table(table(**content))

    def test_without_a_pedigree(self, table):
        path = table()
        path.with_suffix(".source.toml").unlink()
        with pytest.raises(resources.DataError, match="no such file"):
            resources.read_table(path)

    def test_missing(self, tmp_path):
        with pytest.raises(resources.DataError, match="no such file"):
            resources.read_table(tmp_path / "no.csv")

    def test_tables_that_were_read_are_remembered(self, table):
        path = table("x\n5\n")
        resources.read_table(path)
        assert resources.tables_read()["t.csv"] == hashlib.sha256(path.read_bytes()).hexdigest()


class TestGrids:
    @pytest.mark.parametrize("name", GRIDS)
    def test_it_makes_a_run(self, name):
        model = "yue-2025" if name == "x" else "example-plain-diffusion"
        loaded = run_with(grid=name, model=model)
        assert loaded.config.grid.title
        assert name in listing(loaded)

    @pytest.mark.parametrize("name", GRIDS)
    def test_it_has_no_size(self, name):
        """The box belongs to the model."""
        assert set(tomllib.loads(GRIDS[name].read_text())) == {"schema", "title", "space", "momentum"}

    def test_each_is_in_the_readme(self):
        readme = (resources.folder("grids") / "README.md").read_text()
        assert [name for name in GRIDS if f"`{name}`" not in readme] == []


class TestModels:
    @pytest.mark.parametrize("name", MODELS)
    def test_it_makes_a_run(self, name):
        assert run_with(model=name).config.physics.title

    @pytest.mark.parametrize("name", MODELS)
    def test_it_says_where_it_is_from(self, name):
        source = tomllib.loads(MODELS[name].read_text())["source"]
        assert source["citation"].strip()

    def test_each_is_in_the_readme(self):
        readme = (PHYSICS / "models" / "README.md").read_text()
        assert [name for name in MODELS if f"`{name}`" not in readme] == []


class TestCatalogues:
    @pytest.mark.parametrize("name", CATALOGUES)
    def test_it_loads_and_says_where_it_is_from(self, name):
        catalogue = load_catalogue(name, objects=True)
        assert len(catalogue) > 0
        assert catalogue.title
        assert re.search(r"\b(19|20)\d\d\b", catalogue.pedigree["citation"])

    @pytest.mark.parametrize("name", CATALOGUES)
    def test_it_fits_into_every_model(self, name):
        for model in MODELS:
            physics = run_with(model=model).config.physics
            load_catalogue(name, model=physics, objects=True)

    @pytest.mark.parametrize("name", set(CATALOGUES) - {"lhaaso-2024-microquasars"})
    def test_its_sources_can_be_evaluated(self, name):
        catalogue = load_catalogue(name)
        assert catalogue.energy(catalogue.species).sum() > 0.0

    def test_each_is_in_the_readme(self):
        readme = (PHYSICS / "catalogues" / "README.md").read_text()
        assert [name for name in CATALOGUES if f"`{name}`" not in readme] == []

    def test_the_twelve_of_lhaaso(self):
        """Table 1: five detected, seven limits; fluxes at 100 TeV in Crab units."""
        catalogue = load_catalogue("lhaaso-2024-microquasars", objects=True)
        assert len(catalogue) == 12
        assert not any(source.is_complete for source in catalogue.sources)
        data = {source.name: source.data for source in catalogue.sources}
        detected = [name for name in data if "lhaaso_source" in data[name]]
        assert detected == ["SS 433", "V4641 Sgr", "GRS 1915+105", "MAXI J1820+070", "Cygnus X-1"]
        assert [data[name]["flux_100TeV_CU"] for name in detected] == [0.32, 3.9, 0.17, 0.13, 0.01]
        lobes = catalogue.pedigree["lobes_of_SS_433"]
        assert [lobe["flux_100TeV_CU"] for lobe in lobes] == [0.10, 0.082]

    def test_lhaaso_saw_them_where_they_are(self):
        """The centroids are within half a degree of the objects."""
        import astropy.units as u

        for source in load_catalogue("lhaaso-2024-microquasars", objects=True).sources:
            if "lhaaso_ra" in source.data:
                ra, dec = (u.Quantity(source.data[f"lhaaso_{key}"]).to_value(u.deg) for key in ("ra", "dec"))
                along = (ra - source.right_ascension) * math.cos(math.radians(dec))
                assert math.hypot(along, dec - source.declination) < 0.5


class TestEmission:
    @pytest.mark.parametrize("name", EMISSION)
    def test_it_is_valid(self, name):
        loaded = load_source(name)
        assert loaded.model.title
        assert loaded.model.pedigree["citation"].strip()
        assert load_source_mapping(tomllib.loads(loaded.toml())).model == loaded.model
        readme = (PHYSICS / "emission" / "README.md").read_text()
        assert [name for name in EMISSION if f"`{name}`" not in readme] == []


class TestRuns:
    @pytest.mark.parametrize("name", RUNS)
    def test_it_is_valid(self, name):
        loaded = load_config(name)
        assert loaded.config.run.purpose
        assert load_mapping(tomllib.loads(loaded.toml())).config == loaded.config

    def test_names_of_results_do_not_collide(self):
        names = [load_config(name).config.run.name for name in RUNS]
        assert len(names) == len(set(names))


class TestSpectra:
    @pytest.mark.parametrize("name", resources.names("spectra"))
    def test_it_is_valid_and_no_run(self, name):
        loaded = load_spectra(name)
        assert loaded.config.run.purpose
        assert load_spectra_mapping(tomllib.loads(loaded.toml())).config == loaded.config
        assert name not in RUNS


class TestJointFits:
    @pytest.mark.parametrize("name", resources.names("joint-fits"))
    def test_it_is_valid_and_no_run(self, name):
        loaded = load_joint(name)
        assert loaded.config.run.purpose
        assert load_joint_mapping(tomllib.loads(loaded.toml())).config == loaded.config
        assert name not in RUNS


class TestAbundances:
    @pytest.mark.parametrize("name", abundance_tables())
    def test_it_loads(self, name):
        assert load_abundances(name)["C12"] > 0.0


@pytest.mark.parametrize("place", ["grids", "physics", "runs"])
def test_no_code_among_the_data(place):
    assert list(resources.folder(place).rglob("*.py")) == []


@pytest.mark.parametrize(
    "place",
    [
        "grids", "runs", "physics", "physics/models", "physics/particles", "physics/measurements",
        "physics/anisotropy", "physics/catalogues", "physics/gamma", "physics/emission", "physics/sed",
    ],
)  # fmt: skip
def test_every_folder_opens_with_a_readme(place):
    first, _, rest = place.partition("/")
    assert (resources.folder(first) / rest / "README.md").is_file()


class TestFind:
    def test_in_a_wheel_and_in_a_checkout(self, monkeypatch, tmp_path):
        (tmp_path / "pkg" / "_data" / "grids").mkdir(parents=True)
        (tmp_path / "runs").mkdir()
        monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "pkg")
        assert resources.folder("grids") == tmp_path / "pkg" / "_data" / "grids"
        assert resources.folder("runs") == tmp_path / "runs"

    def test_the_current_folder_is_not_searched(self, tmp_path, monkeypatch):
        (tmp_path / "mine.toml").write_text("schema = 1\n[space]\n")
        monkeypatch.chdir(tmp_path)
        with pytest.raises(resources.DataError, match='"mine" is not in the library of grids'):
            resources.find("grids", "mine")
        assert resources.find("grids", "./mine.toml") == Path("mine.toml")
