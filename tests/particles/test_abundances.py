"""Abundance tables."""

from __future__ import annotations

import hashlib

import pytest

from cyldiff.errors import DataError
from cyldiff.particles import abundances
from cyldiff.particles.species import nuclides


def test_solar_values_and_element_sums():
    solar = abundances.load_abundances("solar-lodders-2003")
    assert set(solar) < set(nuclides())
    assert {"Be10", "Li6", "Fe60"} & set(solar) == {"Li6"}
    # Lodders 2003, Table 2: solar-system abundances of elements, Si = 1e6
    elements = {"H": 2.431e10, "He": 2.343e9, "C": 7.079e6, "O": 1.413e7, "Si": 1.0e6, "Fe": 8.380e5}
    for symbol, expected in elements.items():
        total = sum(v for n, v in solar.items() if nuclides()[n].element == symbol)
        assert total == pytest.approx(expected, rel=3e-3)


def test_unknown_table_is_refused_with_a_hint():
    with pytest.raises(DataError, match='did you mean "solar-lodders-2003"'):
        abundances.load_abundances("solar-lodders-2002")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("C12,1\n21Ne,2\n", '"21Ne" is no known nuclide; did you mean "Ne21"'),
        ("C12,1\nC12,2\n", '"C12" occurs twice'),
        ("C12,-1\nO16,\n", '"C12" has the abundance -1; "O16" has the abundance nan'),
    ],
)
def test_damaged_table_is_refused(tmp_path, monkeypatch, rows, message):
    place = tmp_path / "particles" / "abundances"
    place.mkdir(parents=True)
    raw = f"name,abundance\n{rows}".encode()
    (place / "mine.csv").write_bytes(raw)
    keys = ["title", "citation", "retrieved_from", "retrieved_on", "licence", "processing"]
    side = [f'{key} = "test"' for key in keys] + [f'sha256 = "{hashlib.sha256(raw).hexdigest()}"']
    (place / "mine.source.toml").write_text("\n".join(side))
    monkeypatch.setattr(abundances, "folder", lambda name: tmp_path)
    with pytest.raises(DataError) as caught:
        abundances.load_abundances("mine")
    assert message in str(caught.value)
