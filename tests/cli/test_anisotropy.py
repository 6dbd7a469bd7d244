"""``cyldiff anisotropy`` from a run to a table and a figure; what is wrong is refused before work starts."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from cyldiff import constants as const
from cyldiff.cli import main
from cyldiff.galaxy.coordinates import equatorial_to_galactic, unit_vector
from cyldiff.io.netcdf import read_result, write_result
from cyldiff.observables.anisotropy import anisotropy
from cyldiff.observables.local_transport import LocalTransport
from cyldiff.sources.greens_function import burst

SECOND = (
    'physics.sources.pulsars={distribution={kind="uniform",vertical="plane"},reference_energy="100 GeV",'
    'abundances={H1=1.0,He4=0.1},injection.default={kind="broken-power-law",indices=[2.1]},'
    'normalisation={kind="luminosity",power="1e39 erg/s",minimum_energy="1 GeV"}}'
)


def table(text):
    """Columns of a CSV by name."""
    lines = text.strip().splitlines()
    rows = np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])
    return dict(zip(lines[0].split(","), rows.T, strict=True))


@pytest.fixture
def call(tiny):
    def invoke(*arguments, status=0):
        answer = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert answer.exit_code == status, answer.output
        return answer

    return invoke


@pytest.fixture
def result(call, tmp_path):
    """Two components on a small grid."""
    call("run", "tiny.toml", "--set", SECOND)
    return tmp_path / "tiny.nc"


@pytest.fixture
def sources(result, tmp_path):
    """A burst 0.3 kpc away in the direction RA 60, Dec 24.5, and one at l = 90, in the laws of the run."""
    solved = read_result(result)
    laws, energy = LocalTransport.of(solved), solved["kinetic_energy"].values
    sun = np.array([-laws.r, 0.0, laws.z])
    flux, gradient = [], []
    for direction in (equatorial_to_galactic(60.0, 24.5), (90.0, 0.0)):
        momentum = np.sqrt(energy * (energy + 2.0 * const.PROTON_MASS))
        D = laws.along(("r",), momentum, momentum / (energy + const.PROTON_MASS))[:, 0]
        density, slope = burst(sun, sun + 0.3 * unit_vector(*direction), diffusion=D, age=0.3)
        flux.append([density * 1e-4 * (energy / 1e3) ** -2.1])
        with np.errstate(invalid="ignore"):
            gradient.append([np.nan_to_num(slope / density[:, None]) * [-1.0, -1.0, 1.0]])
    dims = ("source", "species", "kinetic_energy")
    made = xr.Dataset(
        {
            "flux_lis": (dims, np.array(flux), {"units": "m-2 s-1 sr-1 (GeV/n)-1"}),
            "gradient_lis": ((*dims, "direction"), np.array(gradient), {"units": "kiloparsec-1"}),
        },
        coords={
            "source": ["near, by", "aside"], "species": ["H1"], "kinetic_energy": energy,
            "direction": ["r", "phi", "z"],
        },
    )  # fmt: skip
    write_result(made, tmp_path / "sources.nc")
    return tmp_path / "sources.nc"


class TestTable:
    def test_columns(self, call, result, tmp_path):
        answer = call("anisotropy", "tiny.nc", "-o", "t.csv")
        assert answer.output == "t.csv written\n"
        columns = table((tmp_path / "t.csv").read_text())
        assert list(columns) == [
            "energy", "amplitude", "phase", "amplitude_snr", "phase_snr", "amplitude_pulsars", "phase_pulsars",
        ]  # fmt: skip
        assert np.all(np.diff(columns["energy"]) > 0.0)
        assert np.all((columns["amplitude"] > 1e-6) & (columns["amplitude"] < 1e-1))
        # smooth sources in a symmetric disc, denser inside: towards the centre
        np.testing.assert_allclose(columns["phase"], 266.405, atol=1e-3)
        # along one line: the phase of a part is the sign of what it adds
        sign = {
            n: np.where(np.abs(columns[f"phase_{n}"] - 266.405) < 1e-3, 1.0, -1.0) for n in ("snr", "pulsars")
        }
        added = sum(sign[n] * columns[f"amplitude_{n}"] for n in sign)
        np.testing.assert_allclose(added, columns["amplitude"], rtol=1e-6)
        expected = anisotropy(read_result(result))
        np.testing.assert_allclose(columns["amplitude"], expected["amplitude"], rtol=1e-7)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["t.csv", "tiny.nc", "tiny.toml"]

    def test_without_a_file_it_is_printed(self, call, result):
        columns = table(call("anisotropy", "tiny.nc", "--species", "p", "--energies", "1 TeV, 5 TeV").stdout)
        np.testing.assert_allclose(columns["energy"], [1e3, 5e3])

    def test_energies_rigidities_and_mixtures(self, call, result):
        p, both, iron = (
            table(call("anisotropy", "tiny.nc", "--species", s, "--energies", "1 TeV..8 TeV").stdout)
            for s in ("p", "p+He", "all")
        )
        assert len(p["energy"]) == 19
        np.testing.assert_allclose(p["energy"][[0, -1]], [1e3, 8e3])
        # nuclei have half the rigidity of protons of the same energy
        assert np.all(both["amplitude"] < p["amplitude"])
        assert np.all(iron["amplitude"] < both["amplitude"])
        at = table(call("anisotropy", "tiny.nc", "--at", "rigidity", "--energies", "100 GV..1 TV").stdout)
        assert list(at)[:3] == ["rigidity", "amplitude", "phase"]

    def test_sources_and_the_dipole_of_one_alone(self, call, sources):
        """3 d / 2 c t whatever the energy, in the equatorial plane, at the right ascension of the burst."""
        answer = call("anisotropy", "tiny.nc", "--sources", "sources.nc", "--species", "p", "--energies",
                      "1 TeV..8 TeV", "--alone")  # fmt: skip
        assert '"amplitude_near, by"' in answer.stdout.splitlines()[0]
        columns = table(answer.stdout.replace('"amplitude_near, by"', "a").replace('"phase_near, by"', "b"))
        np.testing.assert_allclose(columns["a"], 4.89e-3 * np.cos(np.radians(24.5)), rtol=2e-3)
        np.testing.assert_allclose(columns["b"], 60.0, atol=1e-6)
        # l = 90 is RA 318.00, Dec 48.33
        np.testing.assert_allclose(columns["phase_aside"], 318.0, atol=0.1)
        np.testing.assert_allclose(columns["amplitude_aside"], 4.89e-3 * np.cos(np.radians(48.33)), rtol=2e-3)

    def test_parts_add_up_as_vectors(self, call, sources):
        """What the table holds is enough to check the sum."""
        text = call("anisotropy", "tiny.nc", "--sources", "sources.nc", "--energies", "5 TeV, 8 TeV").stdout
        columns = list(table(text.replace("near, by", "near")).values())
        pairs = [a * np.exp(1j * np.radians(p)) for a, p in zip(columns[1::2], columns[2::2], strict=True)]
        np.testing.assert_allclose(sum(pairs[1:]), pairs[0], rtol=1e-5, atol=1e-11)

    def test_weights(self, call, result):
        """A component without weight is gone; a weight on all changes nothing."""
        only = table(call("anisotropy", "tiny.nc", "--weight", "pulsars=0", "--alone").stdout)
        np.testing.assert_allclose(only["amplitude"], only["amplitude_snr"], rtol=1e-7)
        base = table(call("anisotropy", "tiny.nc").stdout)
        both = table(call("anisotropy", "tiny.nc", "--weight", "pulsars=3", "--weight", "snr=3").stdout)
        np.testing.assert_allclose(both["amplitude"], base["amplitude"], rtol=1e-7)
        assert np.all(only["amplitude"] != base["amplitude"])

    def test_motion_wind_and_band(self, call, result):
        energies = ("--energies", "5 TeV", "--species", "p")
        base = table(call("anisotropy", "tiny.nc", *energies).stdout)
        moved = table(
            call(
                "anisotropy", "tiny.nc", *energies, "--compton-getting", "20 km/s", "--apex", "270, 30"
            ).stdout
        )
        assert moved["phase_compton-getting"][0] == pytest.approx(270.0)
        # (2 + index) V / c, the index of these protons close to 2.7
        assert moved["amplitude_compton-getting"][0] == pytest.approx(
            3.14e-4 * np.cos(np.radians(30.0)), rel=0.03
        )
        galactic = [f"{float(x):.9f}" for x in equatorial_to_galactic(270.0, 30.0)]
        same = table(call("anisotropy", "tiny.nc", *energies, "--compton-getting", "20 km/s", "--apex",
                          f"l={galactic[0]}, b={galactic[1]}").stdout)  # fmt: skip
        np.testing.assert_allclose(same["amplitude"], moved["amplitude"], rtol=1e-6)
        windy = table(call("anisotropy", "tiny.nc", *energies, "--wind").stdout)
        np.testing.assert_allclose(windy["amplitude"], base["amplitude"])  # this model has no wind
        band = table(call("anisotropy", "tiny.nc", *energies, "--band", "-90..90").stdout)
        assert band["amplitude"][0] / base["amplitude"][0] == pytest.approx(np.pi / 4.0)

    def test_a_run_in_time_at_its_last_time(self, call, tmp_path):
        call("run", "tiny.toml", "--set", 'species.include=["H1"]', "--set", "solver.kind=crank-nicolson",
             "--set", SECOND, "--set", 'solver.time={times=["1 Myr","2 Gyr"],tolerance=1e-2}')  # fmt: skip
        with xr.open_dataset(tmp_path / "tiny.nc") as made:
            assert made["gradient_lis_component"].dims[0] == "time"
        late = table(call("anisotropy", "tiny.nc", "--energies", "1 TeV..5 TeV").stdout)
        call("run", "tiny.toml", "--set", 'species.include=["H1"]', "--set", SECOND)
        steady = table(call("anisotropy", "tiny.nc", "--energies", "1 TeV..5 TeV").stdout)
        np.testing.assert_allclose(late["amplitude"], steady["amplitude"], rtol=0.02)

    def test_help_and_list(self, call):
        assert "Amplitude and phase of the dipole" in call("anisotropy", "--help").stdout
        assert "anisotropy" in call("--help").stdout
        assert "icecube-dipole-2016" in call("list", "data").stdout


class TestFigure:
    def test_figure_and_table(self, call, sources, tmp_path):
        answer = call("anisotropy", "tiny.nc", "--sources", "sources.nc", "--plot", "f.png", "-o", "t.csv")
        assert answer.output == "f.png written\nt.csv written\n"
        assert (tmp_path / "f.png").read_bytes()[:4] == b"\x89PNG"
        assert (tmp_path / "t.csv").is_file()

    def test_chosen_data(self, call, result, tmp_path):
        call("anisotropy", "tiny.nc", "--plot", "f.svg", "--data", "icecube-dipole-2012")
        assert "IceCube" in (tmp_path / "f.svg").read_text()


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--energies", "1 GeV..1 TeV"], "GeV not in the result; expected"),
            (["--energies", "1 EeV"], "1e+09 GeV not in the result; expected"),
            (["--energies", "3"], '--energies'),
            (["--energies", "1 TeV..1 GeV"], "expected the lower end first"),
            (["--energies", "1 GV"], "--energies"),
            (["--at", "energie"], 'did you mean "energy"?'),
            (["--species", "Li"], '"Li" is not in this result; it holds isotopes of H, He, B, C'),
            (["--weight", "snrs=1"], '"snrs" unknown; known: snr, pulsars; did you mean "snr"?'),
            (["--weight", "snr"], "expected NAME=FACTOR"),
            (["--weight", "snr=-1"], "a finite factor of at least 0"),
            (["--weight", "snr=1", "--weight", "snr=2"], '"snr" is given twice'),
            (["--compton-getting", "20 km/s"], "speed and apex belong together"),
            (["--apex", "3,4"], "speed and apex belong together"),
            (["--compton-getting", "20 km", "--apex", "3,4"], "--compton-getting"),
            (["--compton-getting", "20 km/s", "--apex", "3,95"], "--apex: found"),
            (["--band", "60..-20"], "expected -90 <= low < high <= 90"),
            (["--data", "icecube-dipole-2016"], "are drawn only"),
            (["--plot", "f.jpg"], 'figure format "jpg" unknown; known: png, pdf, svg'),
            (["--plot", "no/f.png"], "the folder no does not exist"),
            (["--plot", "f.png", "--data", "icecube"], 'dipole data "icecube" unknown'),
            (["--plot", "f.png", "-o", "f.png"], "is the table too"),
            (["-o", "tiny.nc"], "is an input of this run"),
            (["-o", "no/t.csv"], 'folder "no" does not exist'),
            (["--sources", "no.nc"], "no.nc: no such file"),
            (["--sources", "tiny.toml"], "tiny.toml: not a readable NetCDF file"),
            (["--sources", "tiny.nc"], "the source list lacks source"),
        ],
    )  # fmt: skip
    def test_options(self, call, result, tmp_path, options, words):
        answer = call("anisotropy", "tiny.nc", *options, status=2)
        assert words in answer.output
        assert "Traceback" not in answer.output
        assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.nc", "tiny.toml"]

    def test_all_problems_at_once(self, call, result):
        answer = call(
            "anisotropy", "tiny.nc", "--at", "x", "--weight", "y", "--band", "z", "-o", "no/t.csv", status=2
        )
        assert "cyldiff anisotropy: 4 problems" in answer.output

    def test_no_result(self, call, tmp_path):
        assert "none.nc: no such file" in call("anisotropy", "none.nc", status=2).output
        assert "not a readable NetCDF file" in call("anisotropy", "tiny.toml", status=2).output

    def test_an_older_table_stays(self, call, result, tmp_path):
        (tmp_path / "t.csv").write_text("old")
        call("anisotropy", "tiny.nc", "-o", "t.csv", "--energies", "1 EeV", status=2)
        assert (tmp_path / "t.csv").read_text() == "old"
