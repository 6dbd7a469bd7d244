"""Downloads of the Cosmic-Ray Data Base as data sets: a table and its pedigree.

CRDB (Maurin et al. 2014, A&A 569, A32; 2020, Universe 6, 102; 2023, EPJC 83, 971; lpsc.in2p3.fr/crdb) exports points
in three formats, told apart here by their columns; lines that begin with ``#`` are comments:

- ``csv``, 16 columns, and ``usine``, the same with blanks between them: quantity, sub-experiment, axis (EKN, EK, R,
  ETOT), mean energy, edges of the bin (2), value, statistical errors - and +, systematic errors - and +, bibcode,
  modulation [MV], distance [AU], dates, whether it is an upper limit;
- ``csv-asimport``, 24 columns: experiment (4), sub-experiment (6: name, description, error of the energy scale,
  information, distance, dates), publication (2), quantity, axis, and numbers as above, upper limit, modulation.

Energies are in GeV/n, GeV or GV, fluxes in m^-2 s^-1 sr^-1 per unit of the axis: those of cyldiff.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cyldiff.config.toml import to_toml
from cyldiff.errors import ConfigError, DataError, Problem, nearest, quoted
from cyldiff.observables.abscissa import ABSCISSAE
from cyldiff.particles.species import nuclides

__all__ = ["CrdbSet", "chosen", "read_crdb"]

#: axis of CRDB -> abscissa of cyldiff
_AXES = {"EKN": "kinetic_energy_per_nucleon", "EK": "kinetic_energy", "R": "rigidity", "ETOT": "total_energy"}
#: places of quantity, name, axis, energy, bin (2), value, errors (4), paper, distance, dates, limit in a row
_SIXTEEN = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15)
_TWENTY_FOUR = (12, 4, 13, 14, 15, 16, 17, 18, 19, 20, 21, 10, 8, 9, 22)
#: beyond this a spacecraft is in interstellar space [AU]: Voyager 2, Stone et al. 2019, Nature Astronomy 3, 1013
_HELIOPAUSE = 119.0
_NAMES = {"AMS02": "AMS-02"}
_LEPTONS = {"e-": "electron", "e+": "positron"}
_PARTICLE = re.compile(r"\d{0,3}[A-Z][a-z]?(?:-bar)?|e[-+]")
_CITE = (
    "Maurin et al. 2014, A&A 569, A32; Maurin et al. 2020, Universe 6, 102; Maurin et al. 2023, EPJC 83, 971"
)
_COLUMNS = ("x", "x_low", "x_high", "y", "stat_minus", "stat_plus", "syst_minus", "syst_plus", "upper_limit")
_LARGEST = 64_000_000
#: quantity, experiment, axis, paper
_Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class CrdbSet:
    """Points of one quantity by one experiment in one paper.

    Attributes
    ----------
    quantity, experiment, axis, paper, dates : as CRDB writes them
    distance : from the Sun [AU]
    rows : (x, x_low, x_high, y, stat -, stat +, syst -, syst +, limit), in the order of x
    """

    quantity: str
    experiment: str
    axis: str
    paper: str
    dates: str
    distance: float
    rows: tuple[tuple[float, ...], ...]

    @property
    def label(self) -> str:
        """What tells it from others."""
        return f"{self.quantity} {self.experiment} {self.axis} ({len(self.rows)} points, {self.paper})"

    def particles(self) -> tuple[list[str], list[str]]:
        """Numerator and denominator in the names of cyldiff.

        Raises
        ------
        DataError
            for particles that cyldiff does not follow.
        """
        above, slash, below = self.quantity.partition("/")
        return _names(above), _names(below) if slash else []

    def files(self, source: str) -> tuple[str, str]:
        """The table and its pedigree as texts; `source` says which file it is from.

        Raises
        ------
        DataError
            for particles or an axis that cyldiff does not know.
        """
        numerator, denominator = self.particles()
        if self.axis not in _AXES:
            raise DataError(f'axis "{self.axis}" of CRDB; expected one of {", ".join(_AXES)}')
        abscissa = _AXES[self.axis]
        unit = ABSCISSAE[abscissa].unit
        lines = [",".join(_COLUMNS), *(",".join(_cell(v) for v in row) for row in self.rows)]
        table = "\n".join(lines) + "\n"
        experiment = self.experiment.partition("(")[0].strip()
        y_unit = "1" if denominator else f"m^-2 s^-1 sr^-1 {unit.removesuffix('/n')}^-1"
        pedigree = {
            "title": f"{self.quantity} of {self.experiment}",
            "citation": f"{self.paper}; data base: {_CITE}",
            "retrieved_from": f"{source}, an export of the Cosmic-Ray Data Base, {self.experiment}",
            "retrieved_on": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
            "licence": "published measurements; cite the experiment and CRDB",
            "processing": "columns selected; sorted by x; bins of no width left empty; errors positive",
            "sha256": hashlib.sha256(table.encode()).hexdigest(),
            "experiment": _NAMES.get(experiment, experiment),
            "numerator": numerator,
            "denominator": denominator,
            "abscissa": abscissa,
            "x_unit": unit,
            "y_unit": y_unit,
            "period": _period(self.dates),
            "interstellar": self.distance >= _HELIOPAUSE,
            "columns": {
                "x": f"mean of the bin [{unit}]", "x_low": f"lower edge [{unit}]", "x_high": f"upper edge [{unit}]",
                "y": f"{self.quantity} [{y_unit}]", "upper_limit": "1 for limits",
                **{f"{kind}_{side}": f"error [{y_unit}]" for kind in ("stat", "syst") for side in ("minus", "plus")},
            },
        }  # fmt: skip
        return table, to_toml(pedigree)


def read_crdb(path: Path) -> list[CrdbSet]:
    """All data sets of a download.

    Raises
    ------
    DataError
        if it cannot be read, is no export of CRDB, or a number in it is none.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{path}: is larger than {_LARGEST // 1_000_000} MB; expected an export of CRDB")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    points: dict[_Key, list[tuple[float, ...]]] = {}
    about: dict[_Key, tuple[str, float]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = _words(line)
        places = {16: _SIXTEEN, 24: _TWENTY_FOUR}.get(len(words))
        if places is None:
            raise DataError(
                f"{path}: line {number} has {len(words)} columns; expected the 16 or 24 of an export of CRDB "
                "(formats csv, csv-asimport and usine)"
            )
        row = [words[k] for k in places]
        key = (row[0], row[1].replace("&amp;", "&"), row[2].upper(), _paper(row[11]))
        values = [_number(path, number, text) for text in (*row[3:11], row[14])]
        points.setdefault(key, []).append(_point(values))
        about.setdefault(key, (row[13], _number(path, number, row[12] or "1")))
    if not points:
        raise DataError(f"{path}: no export of CRDB: it holds no points")
    return [
        CrdbSet(
            quantity, experiment, axis, paper, *about[quantity, experiment, axis, paper], tuple(sorted(rows))
        )
        for (quantity, experiment, axis, paper), rows in points.items()
    ]


def chosen(sets: Sequence[CrdbSet], *, quantity: str | None, experiment: str | None) -> CrdbSet:
    """The one set that is asked for.

    Raises
    ------
    ConfigError
        if there is none, or more than one; with what there is.
    """
    problems = []
    for option, wanted, have in (
        ("--quantity", quantity, {s.quantity: s for s in sets}),
        ("--experiment", experiment, {s.experiment: s for s in sets}),
    ):
        if wanted is not None and wanted not in have:
            text = f"{quoted(wanted)} is not in the file; it holds {', '.join(have)}{nearest(wanted, list(have))}"
            problems.append(Problem(option, text))
    left = [s for s in sets if quantity in (None, s.quantity) and experiment in (None, s.experiment)]
    if not problems and len(left) > 1:
        held = "; ".join(s.label for s in left[:12]) + ("; …" if len(left) > 12 else "")
        problems.append(
            Problem("FILE", f"holds {len(left)} data sets; choose with --quantity and --experiment: {held}")
        )
    if not problems and not left:
        problems.append(Problem("--experiment", f"{quoted(str(experiment))} has no {quantity} in the file"))
    if not problems and any(
        low[0] == high[0] for low, high in zip(left[0].rows, left[0].rows[1:], strict=False)
    ):
        problems.append(
            Problem("FILE", f"{left[0].label}: two points have the same energy; expected one, or two sets")
        )
    if problems:
        raise ConfigError("cyldiff import crdb", problems)
    return left[0]


def _words(line: str) -> list[str]:
    """Cells of a line: of CSV, which may be quoted, or words."""
    cells = [cell.strip() for cell in next(csv.reader([line]))]
    return cells if len(cells) >= 16 else line.split()


def _number(path: Path, line: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{path}: line {line}: found {quoted(text)}; expected a number")
    return value


def _point(values: Sequence[float]) -> tuple[float, ...]:
    x, low, high, y, *errors, limit = values
    if not low < high:
        low = high = math.nan
    return (x, low, high, y, *(abs(e) for e in errors), 1.0 if limit else 0.0)


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.12g}"


def _paper(text: str) -> str:
    """Bibcode, out of an address or of HTML."""
    found = re.search(r"\d{4}[A-Za-z&.0-9]{15}", text.replace("&amp;", "&").replace("%26", "&"))
    return found[0] if found else re.sub(r"<[^>]*>", "", text).strip() or "paper not given"


def _period(dates: str) -> str:
    """``2011/05/19-000000:2018/05/26-000000`` as ``2011/05-2018/05``; what is of another form stays."""
    days = re.findall(r"(\d{4}/\d{2})/\d{2}", dates)
    return f"{days[0]}-{days[-1]}" if days else dates or "not given"


def _names(text: str) -> list[str]:
    """``"10Be"`` as ``["Be10"]``, ``"e-+e+"`` as both leptons, ``"(2H+3He)"`` as both."""
    body = text.strip().strip("()")
    parts = _PARTICLE.findall(body)
    if "".join(parts) != re.sub(r"\+(?=[\dA-Ze])", "", body) or not parts:
        raise DataError(f"quantity {quoted(text)}: expected particles, as B, 10Be, e-, or a sum of them")
    elements = {re.sub(r"\d+$", "", name) for name in nuclides()}
    names = []
    for part in parts:
        mass, symbol = re.fullmatch(r"(\d*)(.*)", part).groups()  # type: ignore[union-attr]
        name = _LEPTONS.get(part, f"{symbol}{mass}")
        if name not in _LEPTONS.values() and not (name in nuclides() if mass else symbol in elements):
            raise DataError(f"quantity {quoted(text)}: {quoted(part)} is not followed by cyldiff")
        names.append(name)
    return names
