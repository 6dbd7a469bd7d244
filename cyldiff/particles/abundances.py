"""Tables of abundances: how many nuclei of each kind a source (or the solar system) has.

A table is a file ``physics/particles/abundances/<name>.csv`` with the columns ``name`` and
``abundance``, and its pedigree beside it. Only the ratios matter.
"""

from __future__ import annotations

import numpy as np

from cyldiff.errors import DataError, nearest
from cyldiff.particles.species import hint, nuclides
from cyldiff.resources import folder, read_table

__all__ = ["abundance_tables", "load_abundances"]


def abundance_tables() -> tuple[str, ...]:
    """Names of the shipped tables."""
    place = folder("physics") / "particles" / "abundances"
    return tuple(sorted(path.stem for path in place.glob("*.csv")))


def load_abundances(name: str) -> dict[str, float]:
    """Relative number of nuclei by nuclide name, as in the table.

    Nuclides that are not in the table are not in the result: they have no source.

    Raises
    ------
    DataError
        if there is no such table, a name in it is no known nuclide or occurs twice, or an
        abundance is negative or missing.
    """
    known_tables = abundance_tables()
    if name not in known_tables:
        raise DataError(
            f'no abundances "{name}"; known: {", ".join(known_tables)}{nearest(name, known_tables)}'
        )
    table = read_table(folder("physics") / "particles" / "abundances" / f"{name}.csv")
    species = [str(n) for n in table["name"]]
    values = np.asarray(table["abundance"], dtype=float)
    known = nuclides()
    problems = [f'"{n}" is no known nuclide{hint(n)}' for n in species if n not in known]
    problems += [f'"{n}" occurs twice' for n in sorted({n for n in species if species.count(n) > 1})]
    problems += [
        f'"{n}" has the abundance {v:g}'
        for n, v in zip(species, values, strict=True)
        if not (np.isfinite(v) and v >= 0)
    ]
    if problems:
        raise DataError(f"{table.path.name}: {'; '.join(problems)}")
    return dict(zip(species, values.tolist(), strict=True))
