"""What a test does otherwise than a page says: the one list. Everything else runs as it stands on the page.

A new block runs by itself. It needs a line here only if it takes too long (EVERYWHERE, HERE), if the reader
brings a file along (GIVEN, FIRST, CHECKOUT), if it is a part of a file (PARTS), or if it installs (NOT_RUN).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """How a command or a script is made cheaper; it stays the same command with the same options.

    Attributes
    ----------
    add : words behind the command
    instead : pieces of a command or script, and what stands there in the test
    status : exit status
    short : whether the numbers it prints are others than those of the page; then only their places are compared
    """

    add: str = ""
    instead: tuple[tuple[str, str], ...] = ()
    status: int = 0
    short: bool = True


AS_IT_STANDS = Change(short=False)
COARSE = "--set grid.use=galaxy-2d-coarse --set solver.grid_error.enabled=false"

_COARSE_LIST = '["grid.use=galaxy-2d-coarse", "solver.grid_error.enabled=false"]'
_QUICKSTART = ('load_config("quickstart")', f'load_config("quickstart", {_COARSE_LIST})')
_FEW = f"""[*{_COARSE_LIST}, 'species.include=["H1", "B10", "B11", "C12"]', "compare.data=[]"]"""
_FEW_NUCLEI = ('"quickstart"', f'cyldiff.load_config("quickstart", {_FEW})')
_FIT_GRID = (
    "--set grid.momentum.per_decade=4 --set grid.space.r.n=9 --set grid.space.z.n=7 "
    """--set 'species.include=["B10", "B11", "C12", "O16"]' """
)
_FIT = (
    f"{_FIT_GRID} "
    """--set 'fit.parameters={ D0 = { path = "physics.diffusion.D0", bounds = ["1e28 cm^2/s", "1e29 cm^2/s"] }, """
    """delta = { path = "physics.diffusion.delta[0]", bounds = [0.2, 0.9] } }'"""
)
# a response in a small halo with the same D everywhere
_SMALL_BOX = (
    """--set 'physics.diffusion={ kind = "power-law", D0 = "4e28 cm^2/s", reference_rigidity = "4 GV", """
    """delta = 0.4, eta = 1.0 }' --set physics.halo.radius="5 kpc" --set physics.observer.r="2 kpc\""""
)
_CHAIN = "--processes 1 --set fit.sampler.kind=emcee --set fit.sampler.walkers=6"

#: commands, by their first words, on all pages
EVERYWHERE: dict[str, Change] = {
    "cyldiff run": Change(add=COARSE),
    "cyldiff reproduce": Change(add="--smoke --processes 1"),
}

#: page -> how a command, or a line of a script, begins -> change; goes before EVERYWHERE, the first that fits counts
HERE: dict[str, dict[str, Change]] = {
    "README.md": {"result = ": Change(instead=(_QUICKSTART,))},
    "docs/first-steps.md": {
        # in full: the numbers of the page are compared with those that are printed
        "cyldiff run quickstart": AS_IT_STANDS,
        "cyldiff run fit/best-fit.toml": AS_IT_STANDS,
    },
    "docs/clusters.md": {
        "mpiexec": Change(add=f"""{COARSE} --set 'species={{include=["H1", "B10", "B11", "C12"]}}'"""),
    },
    "docs/how-to/ensembles.md": {
        "    found = ": Change(instead=(_FEW_NUCLEI, ("[0.3, 0.4, 0.5]", "[0.3, 0.5]"))),
        "def spectrum_of_history": Change(
            instead=(('[f"physics', f'[*{_FEW}, f"physics'), ("range(100)", "range(3)"))
        ),
        "mpiexec": Change(instead=(("129", "3"),)),
    },
    "docs/how-to/export.md": {"cyldiff export out.nc --format gammapy": Change(instead=(("64", "8"),))},
    "docs/how-to/gamma.md": {"cyldiff gamma out.nc --map": Change(add="--nside 16")},
    # its grid is its own, and coarse
    "docs/how-to/import.md": {"cyldiff run mine.toml": AS_IT_STANDS},
    "docs/how-to/population-gamma.md": {
        "cyldiff population": Change(add="--realisations 2 --processes 1"),
    },
    "docs/how-to/populations.md": {
        "cyldiff population papers/kaci-2025/population --catalogue": AS_IT_STANDS,
        "cyldiff population": Change(add="--realisations 20 --processes 1", instead=(("n = 360", "n = 12"),)),
        "config = ": Change(
            instead=(("realisations=500", "realisations=20"), ("processes=2", "processes=1"))
        ),
    },
    "docs/how-to/sources.md": {
        "result = ": Change(instead=(("['species", "['grid.use=galaxy-2d-coarse', 'species"),)),
    },
    "docs/how-to/tuning.md": {
        "cyldiff tune tuning/bc-ams02": Change(add=_FIT),
        "cyldiff sample tuning/bc-ams02 -o posterior --resume": Change(
            add=f"{_FIT} {_CHAIN} --set fit.sampler.steps=200"
        ),
        "cyldiff sample tuning/bc-ams02": Change(add=f"{_FIT} {_CHAIN} --set fit.sampler.steps=20", status=3),
        "cyldiff tune papers/nie-2026/halo": Change(add="--set fit.minos=false"),
        # their grids are their own, and coarse
        "cyldiff run fit/best-fit.toml -o best.nc": AS_IT_STANDS,
        "cyldiff run joint/best-fit.toml": AS_IT_STANDS,
    },
    "docs/how-to/validate.md": {"cyldiff validate -o": Change(add="slab dipole")},
    "docs/papers/aharonian-zhang-2026.md": {
        "cyldiff sample": Change(
            add="--processes 1 --set fit.sampler.walkers=8 --set fit.sampler.steps=40", status=3
        ),
    },
    "docs/scaling.md": {"mpiexec": Change(instead=(("97,81,65", "25,13,9"),))},
    "docs/theory/adjoint.md": {
        "cyldiff response": Change(
            add=f"{_SMALL_BOX} {COARSE} --set grid.space.z.n=9",
            instead=(("100 TeV,10 PeV", "900 TeV,1.1 PeV"), ("3 Myr", "0.2 Myr")),
        ),
        "response = ": Change(
            instead=(
                ("ages=3.0", "ages=0.5, core=0.4, growth=0.2"),
                ('models/yue-2025"', 'models/yue-2025", ["grid.use=galaxy-2d-coarse", "grid.space.z.n=9"]'),
            )
        ),
    },
    "docs/tutorials/06-fit.md": {"cyldiff tune": Change(add=_FIT_GRID)},
    "docs/verification.md": {"python tests/verification/figures.py": Change(add="figures")},
}

#: commands that give the same in any folder: where a Change makes two of them equal, the files of the first are copied
ONCE = ("cyldiff reproduce",)

#: what nobody needs to run here, by its first words, and who does
NOT_RUN = {
    "sudo apt-get": ".ci/run installs MPI and PETSc",
    "python3 -m venv": ".ci/run makes an environment with the README's line",
    "pip install": ".ci/run installs with the README's line; tests/packaging what users install",
    "source": "the tests run in an environment",
    "python -m pytest": ".ci/run, all of it",
    "python -m sphinx": ".ci/run, as it stands",
}

#: files that the reader has: name in the folder of the page, and where the test takes it from
GIVEN = {
    "docs/how-to/import.md": {
        "galdef_56_mine": "tests/acceptance/given/galdef_56_mine",
        "mine.xml": "tests/acceptance/given/mine.xml",
        "mine.source.param": "tests/acceptance/given/mine.source.param",
        "database_plot.csv": "tests/acceptance/given/database_plot.csv",
    },
    "docs/theory/single-sources.md": {
        "mine.csv": "physics/sed/v4641-sgr-hawc-2024.csv",
        "mine.source.toml": "physics/sed/v4641-sgr-hawc-2024.source.toml",
    },
}

_OUT = (
    "cyldiff run electrons -o out.nc --set compare.data=[] "
    '--set \'species.include=["H1", "He4", "B10", "B11", "C12", "electron", "positron"]\' '
)
#: a command of another page that made a file the page begins with
FIRST = {
    "docs/how-to/export.md": _OUT + COARSE,
    "docs/how-to/results.md": _OUT + COARSE,
}

#: pages whose commands are typed in a checkout: the folder has links to these
CHECKOUT = {
    "README.md": ("runs", ".venv"),
    "docs/clusters.md": ("runs", ".venv"),
    "docs/scaling.md": ("docs",),
    "docs/verification.md": ("tests",),
}

#: tutorials: cells (which run when the site is built) that write what a command of the page reads
CELLS = {"docs/tutorials/06-fit.md": (0,)}

#: parts of a file, by their first line: the file of the library that they complete
PARTS = {
    ("docs/how-to/add-your-own.md", "[physics]"): "quickstart",
    ("docs/how-to/population-gamma.md", "[gamma]"): "papers/kaci-2025/gamma",
    ("docs/how-to/tuning.md", "[[fit.data]]"): "tuning/bc-ams02",
    ("docs/how-to/tuning.md", "[point_sources]"): "papers/nie-2026/halo",
    ("docs/how-to/tuning.md", "[fit.sampler]"): "tuning/bc-ams02",
    ("docs/theory/cross-sections.md", "[physics.inelastic]"): "quickstart",
}

#: what is in a file that a page leaves: a variable without holes
LEAVES = {
    "docs/how-to/ensembles.md": {"scan.nc": "ratio"},
    "docs/how-to/populations.md": {"microquasars.nc": "flux_quantiles", "galaxy-3.nc": "flux_lis_total"},
    "docs/how-to/sources.md": {"lhaaso.nc": "flux_lis", "both.nc": "flux_lis"},
}
