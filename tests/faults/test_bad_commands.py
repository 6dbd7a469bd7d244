"""Wrong calls of every command: one message, status 2, no traceback, nothing written, and soon.

Wrong kinds of files for every argument, outputs that cannot be written, and values that no option takes.
"""

from __future__ import annotations

import os
import re
import shutil

import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff import pipeline, resources
from cyldiff.cli import main

TINY = """
schema = 1
run.name = "tiny"
grid.use = "fit-2d"
physics.use = "example-plain-diffusion"
species.include = ["H1", "C12"]
"""
LONG = "x" * 300
#: what a user must never read
INTERNAL = re.compile(
    r"Traceback|pydantic|Input should|KeyError|TypeError|ValueError|NoneType|object at 0x|Warning"
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, small_file):
    """A folder with a valid file of every kind and things that are none."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "run.toml").write_text(TINY)
    for name, kind, entry in (
        ("pop.toml", "populations", "papers/kaci-2025/population"),
        ("cat.toml", "catalogues", "example"),
        ("src.toml", "emission", "ss433-hadronic"),
        ("fit.toml", "runs", "tuning/bc-ams02"),
        ("sed.toml", "emission", "v4641-sgr-hadronic"),
    ):
        shutil.copyfile(resources.find(kind, entry), folder / name)
    shutil.copyfile(small_file, folder / "small.nc")
    xr.Dataset({"t": ("x", [1.0, 2.0])}).to_netcdf(folder / "other.nc")
    for suffix in ("toml", "nc", "csv", "ecsv", "xml", "fits"):
        (folder / f"empty.{suffix}").touch()
        (folder / f"bytes.{suffix}").write_bytes(bytes(range(256)) * 8)
        (folder / f"folder.{suffix}").mkdir()
        os.mkfifo(folder / f"pipe.{suffix}")
        (folder / f"loop.{suffix}").symlink_to(f"loop.{suffix}")
    (folder / "full").mkdir()
    (folder / "full" / "notes.txt").write_text("mine")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "columns.csv").write_text("a,b\n1,2\n")
    (folder / "deep.toml").write_text("a = " + "[" * 5000 + "]" * 5000)
    (folder / "many.toml").write_text(TINY + "".join(f"key{i} = {i}\n" for i in range(20_000)))
    (folder / "odd.toml").write_text(
        TINY + '"a.b" = 1\n"\\"" = 2\n"" = 3\nn = 123456789012345678901234567890\nd = 2026-01-01\nx = -inf\n'
    )
    return folder


def everything(folder):
    """All files with sizes."""
    return {str(p.relative_to(folder)): p.lstat().st_size for p in folder.rglob("*")}


@pytest.fixture
def refused(prepared, monkeypatch):
    """``refused(words, *arguments)``: the command says the words and leaves nothing."""
    monkeypatch.chdir(prepared)

    def no_solving(*args, **kwargs):
        raise AssertionError("bad input must be refused before anything is solved")

    monkeypatch.setattr(pipeline, "solve", no_solving)

    def call(words, *arguments):
        before = everything(prepared)
        answer = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
        assert answer.exit_code == 2, answer.output
        assert words in answer.stderr, answer.stderr
        assert not INTERNAL.search(answer.stderr), answer.stderr
        assert answer.stdout == ""
        assert everything(prepared) == before

    return call


#: what stands for X in the calls below -> what is said of it, by the suffix that belongs there
THINGS = {
    "nc": {
        "none": "no such file", "folder": "is a folder", "pipe": "is not a regular file", "loop": "cannot be read",
        "empty": "not a readable NetCDF", "bytes": "not a readable NetCDF", LONG: "cannot be read (File name too long)",
    },
    "toml": {
        "none": "no file", "folder": "is a folder", "pipe": "is not a regular file", "loop": "",
        "bytes": "is not a text file in UTF-8", "empty": "missing", "deep": "nested too deeply",
    },
    "csv": {
        "none": "no such file", "folder": "is a folder", "pipe": "is not a regular file", "loop": "cannot be read",
        "empty": "expected a table with the columns l, b, radius", "bytes": "cannot be read",
        "columns": "expected a table with the columns l, b, radius",
    },
    "ecsv": {
        "none": "no", "folder": "is a folder", "pipe": "is not a regular file", "loop": "", "bytes": "",
        "empty": "is not an ECSV table",
    },
    "xml": {
        "none": "no such file", "folder": "is a folder", "pipe": "is not a regular file", "loop": "cannot be read",
        "empty": "", "bytes": "",
    },
    "fits": {
        "none": "no such file", "folder": "is a folder", "pipe": "is not a regular file", "loop": "cannot be read",
        "empty": "not a readable FITS", "bytes": "not a readable FITS",
    },
}  # fmt: skip
INPUTS = {
    "nc": (
        ("plot", "X", "B/C", "-o", "f.png"), ("plot", "X", "response", "-o", "f.png"),
        ("anisotropy", "X", "-o", "t.csv"), ("anisotropy", "small.nc", "--sources", "X", "-o", "t.csv"),
        ("gamma", "X", "-o", "t.csv"), ("gamma", "small.nc", "--sources", "X", "-o", "t.csv"),
        ("gamma", "small.nc", "--gas", "X", "-o", "t.csv"), ("spectrum", "X", "--species", "H", "-o", "t.csv"),
        ("export", "X", "--format", "csv", "-o", "t.csv"), ("rerun", "X", "-o", "r.nc"), ("info", "X"),
        ("info", "X", "--config"), ("diff", "X", "small.nc"), ("diff", "small.nc", "X"),
        ("sources", "cat.toml", "--model", "X", "-o", "s.nc"), ("sources", "cat.toml", "--response", "X", "-o", "s.nc"),
    ),
    "toml": (
        ("run", "X", "-o", "r.nc"), ("check", "X"), ("population", "X", "-o", "r.nc"), ("source", "X", "-o", "t.csv"),
        ("sources", "X", "--model", "kaci-2025", "-o", "s.nc"), ("tune", "X", "-o", "out"),
        ("sample", "X", "-o", "out"), ("response", "X", "-o", "r.nc"),
    ),
    "csv": (("gamma", "small.nc", "--mask", "X", "-o", "t.csv"),),
    "ecsv": (("sources", "X", "--model", "kaci-2025", "-o", "s.nc"), ("check", "X")),
    "xml": (("import", "dragon", "X", "-o", "i.toml"), ("import", "galdef", "X", "-o", "i.toml")),
    "fits": (("info", "X"),),
}  # fmt: skip
FILES = [
    pytest.param(words, [f"{thing}.{suffix}" if a == "X" else a for a in call], id=f"{' '.join(call[:4])}-{thing[:9]}")
    for suffix, calls in INPUTS.items()
    for call in calls
    for thing, words in THINGS[suffix].items()
]  # fmt: skip


@pytest.mark.parametrize(("words", "arguments"), FILES)
def test_a_file_that_is_none(refused, words, arguments):
    refused(words, *arguments)


OUTPUTS = {
    "folder.nc": "is a folder", "none/x.nc": "does not exist", "/dev/full": "is not a regular file",
    "pipe.nc": "is not a regular file", "loop.nc": "leads to itself", f"{LONG}.nc": "cannot be written",
    "empty.toml/x.nc": "",
}  # fmt: skip
WRITERS = (
    ("run", "run.toml", "-o"), ("population", "pop.toml", "-o"), ("sources", "cat.toml", "--model", "kaci-2025", "-o"),
    ("response", "run.toml", "-o"), ("rerun", "small.nc", "-o"), ("spectrum", "small.nc", "--species", "H", "-o"),
    ("copy", "quickstart", "--force", "-o"), ("source", "src.toml", "--save"), ("anisotropy", "small.nc", "-o"),
    ("gamma", "small.nc", "--map"),
)  # fmt: skip


@pytest.mark.parametrize("output", OUTPUTS, ids=[name[:12] for name in OUTPUTS])
@pytest.mark.parametrize("arguments", WRITERS, ids=[f"{w[0]} {w[-1]}" for w in WRITERS])
def test_an_output_that_cannot_be(refused, arguments, output):
    if arguments[0] == "copy" and output == "folder.nc":
        pytest.skip("a copy goes into a folder")
    words = OUTPUTS[output]
    if output == "/dev/full" and arguments[0] in ("spectrum", "gamma"):
        words = "format"
    refused(words, *arguments, output)


FOLDERS = {
    "full": "has other files in it", "run.toml": "is a file", "none/x": "does not exist", "dangling": "is a link",
    LONG: "cannot be used",
}  # fmt: skip


@pytest.mark.parametrize("output", FOLDERS, ids=[name[:12] for name in FOLDERS])
@pytest.mark.parametrize("arguments", [("tune", "fit.toml"), ("sample", "fit.toml"), ("validate",)])
def test_a_folder_that_cannot_be(refused, arguments, output):
    refused(FOLDERS[output], *arguments, "-o", output)


G, A = ("gamma", "small.nc", "-o", "t.csv"), ("anisotropy", "small.nc", "-o", "t.csv")
S, X = ("spectrum", "small.nc", "-o", "t.csv"), ("export", "small.nc", "-o", "t.csv", "--format")
O, P = ("sources", "cat.toml", "--model", "kaci-2025", "-o", "s.nc"), ("population", "pop.toml", "-o", "p.nc")  # noqa: E741
VALUES = [
    *[("--nside", *G, "--nside", n, "--map", "m.fits") for n in ("0", "-4", "3", "2048", "99999999999999999999")],
    *[("--weight", *G, "--weight", w) for w in (
        "snr", "snr=", "snr=x", "snr=-1", "snr=nan", "snr=inf", "=1", "snr=1e308",
    )],
    *[("--weight", *A, "--weight", w) for w in ("snr", "snr=nan", "snr=1e400", "=2")],
    *[("--region", *G, "--region", r) for r in (
        "", "x", "l=0..nan,b=-5..5", "l=0..30,b=-5..95", "l=0..1e400,b=0..1",
    )],
    *[("--energies", *c, "--energies", e) for c in (G, A, O)
      for e in ("", "GeV", "5", "nan GeV..1 TeV", "1 TeV..1 GeV", "-1 GeV..1 TeV", "1 kpc..2 kpc", "1 TeV..1 TeV")],
    *[("--energies", *O, "--energies", f"1 GeV..{top}") for top in ("1e308 GeV", "1e999 GeV", "4e12 GeV")],
    *[("--enhancement", *G, "--enhancement", n) for n in ("-1", "nan", "inf", "x")],
    *[("--only", *G, "--only", n) for n in ("", "pion", ",")],
    *[("--band", *A, "--band", b) for b in ("", "1", "-20..", "60..-20", "-200..300", "nan..3")],
    *[("apex", *A, "--compton-getting", "20 km/s", "--apex", a) for a in (
        "", "1", "1e400,2", "0,91", "nan,0", "l=400,b=0",
    )],
    ("apex", *A, "--compton-getting", "20 km/s"), ("20", *A, "--compton-getting", "20", "--apex", "1,2"),
    *[("--at", *S, "--species", "H", "--at", p)
      for p in ("", "x", "l=80deg", "l=80deg b=95deg d=1kpc", "r=nankpc phi=0deg z=0kpc",
                "x=1e400kpc y=0kpc z=0kpc", "r=50kpc phi=0deg z=0kpc")],
    *[("--species", *S, "--species", s) for s in ("", ",", "Xx", "H,Qq", "H1x")],
    *[("--potential", *S, "--species", "H", "--potential", p) for p in ("-1 MV", "5", "x MV", "nan MV")],
    ("at most 100 GV", *S, "--species", "H", "--potential", "1e300 PV"),
    ("--abscissa", *S, "--species", "H", "--abscissa", "energy"),
    ("--format", *X, "fits"), ("ends in", *X, "hermes"), ("--step-r", *X, "csv", "--step-r", "1 kpc"),
    *[("step", "export", "small.nc", "--format", "hermes", "-o", "h.fits", "--step-z", s)
      for s in ("0 kpc", "-1 kpc", "nan kpc", "x", "1e-9 kpc")],
    *[("realisations", *P, "--realisations", n) for n in ("0", "-1", "99999999999999999999")],
    *[("--processes", *P, "--processes", n) for n in ("0", "-3", "x")],
    *[("--index", "population", "pop.toml", "--catalogue", "c.toml", "--index", n) for n in ("-1", "x")],
    ("--index", *P, "--index", "1"),
    ("suffix", "population", "pop.toml", "--catalogue", "c.csv"),
    ("--kernel", *O, "--kernel", "fre"),
    *[("--per-decade", *O, "--per-decade", n) for n in ("0", "nan", "201", "x")],
    ("executor", "sample", "fit.toml", "-o", "out", "--executor", "proceses"),
    ("--processes", "sample", "fit.toml", "-o", "out", "--processes", "0"),
    ("profiles", "tune", "fit.toml", "-o", "out", "--profile", "D1"),
    ("contours", "tune", "fit.toml", "-o", "out", "--contour", "D0,D0"),
    ("contours", "tune", "fit.toml", "-o", "out", "--contour", "D0"),
    ("species", "response", "run.toml", "-o", "r.nc", "--species", "H1x", "--energies", "1 TeV"),
    *[("--ages", "response", "run.toml", "-o", "r.nc", "--ages", a) for a in ("-1 Myr", "0 Myr", "nan Myr", "1 kpc")],
    ("paper", "reproduce", "kaci-2024"), ("no case", "validate", "slabb"), ("no case", "benchmark", "x"),
    ("no config key", "explain", "D00x"), ("to list", "list", "modells"),
    ("no run", "copy", "quikstart"),
    ("No such command", "import", "galprop", "x"), ("no command", "plott"),
    ("is an input", "rerun", "small.nc", "-o", "small.nc"),
    ("given twice", *G, "--weight", "snr=1", "--weight", "snr=2"),
    ("exclude each other", *G, "--absorption", "cmb", "--no-absorption"),
    ("files of their own", *G, "--map", "t.csv"),
    ("named twice", "source", "src.toml", "-o", "a.csv", "--save", "a.csv"),
    ("--fit needs", "source", "src.toml", "--fit"),
    *[("", "check", "run.toml", "--set", s) for s in (
        "", "=", "a", ".=1", "grid.=1", "run.name=", "physics.diffusion.D0=nan cm^2/s", "grid.space.r.n=1e400",
        "grid.space.r.n=99999999999999999999", "species.include=2026-01-01", "solver.tolerance=inf",
        "solver.tolerance=true", "physics={}", "grid.space.r.n=[[[[[[1]]]]]]",
    )],
    ("unknown key", "check", "many.toml"), ("unknown key", "check", "odd.toml"),
    ("memory", "check", "run.toml", "--set", "grid.space.r.n=5000", "--set", "grid.space.z.n=4999"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "arguments"), [pytest.param(v[0], v[1:], id=" ".join(v[1:])[:70]) for v in VALUES]
)
def test_a_value_that_no_option_takes(refused, words, arguments):
    refused(words, *arguments)
