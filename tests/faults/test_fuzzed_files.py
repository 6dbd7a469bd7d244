"""Files of the library with lines, words and bytes changed: a valid file, or a list of problems in our own words."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
from pathlib import Path

import pytest
from changes import INTERNAL, KINDS, changed

import cyldiff
from cyldiff import resources
from cyldiff.config.load_source import load_source
from cyldiff.data.dipoles import load_dipole
from cyldiff.data.measurements import load as load_measurement
from cyldiff.data.seds import load_sed
from cyldiff.errors import CyldiffError
from cyldiff.fit.components import load_spectra
from cyldiff.fit.load import load_fit

DEFAULTS = (
    'defaults.age="1 Myr"',
    'defaults.history={ kind = "burst", energy = "1e50 erg" }',
    'defaults.spectrum={ kind = "power-law", index = 2.2, cutoff = "5 PV" }',
)


def load_microquasars(path):
    """A table that has places only."""
    return cyldiff.load_catalogue(path, DEFAULTS)


#: folder of the library, file, and what reads it
FILES = {
    "run": ("runs", "quickstart.toml", cyldiff.load_config),
    "electrons": ("runs", "electrons.toml", cyldiff.load_config),
    "fit": ("runs", "tuning/bc-ams02.toml", load_fit),
    "joint fit": ("runs", "papers/nie-2026/free.toml", load_fit),
    "components": ("runs", "papers/aharonian-zhang-2026/proton-ii.toml", load_spectra),
    "fit of components": ("runs", "papers/aharonian-zhang-2026/proton-ii.toml", load_fit),
    "population": ("runs", "papers/kaci-2025/population.toml", cyldiff.load_population),
    "catalogue": ("physics", "catalogues/example.toml", cyldiff.load_catalogue),
    "catalogue as a table": ("physics", "catalogues/lhaaso-2024-microquasars.ecsv", load_microquasars),
    "source": ("physics", "emission/ss433-lepto-hadronic.toml", load_source),
    "measurement": ("physics", "measurements/ams02-b-c-rigidity.csv", load_measurement),
    "dipoles": ("physics", "anisotropy/argo-ybj-dipole-2015.csv", load_dipole),
    "energy flux": ("physics", "sed/v4641-sgr-hawc-2024.csv", load_sed),
}
CASES = 36


@pytest.mark.parametrize("name", FILES)
def test_it(name, tmp_path):
    folder, file, read = FILES[name]
    original = resources.folder(folder) / file
    for beside in original.parent.iterdir():
        if beside.is_file():
            shutil.copyfile(beside, tmp_path / beside.name)
    path = tmp_path / Path(file).name
    pedigree = path.with_suffix(".source.toml") if path.suffix == ".csv" else None
    read(path)
    refused = 0
    for seed in range(CASES):
        chosen = random.Random(f"{name} {seed}")
        kind = KINDS[seed % len(KINDS)]
        # of a table now and then what stands beside it
        target = pedigree if pedigree is not None and seed % 3 == 2 else path
        source = original.parent / target.name
        if kind == "bytes":
            content = bytearray(source.read_bytes())
            for _ in range(chosen.choice((1, 4))):
                content[chosen.randrange(len(content))] = chosen.randrange(256)
            target.write_bytes(content)
        else:
            target.write_text(changed(source.read_text(encoding="utf-8"), kind, chosen), encoding="utf-8")
        if pedigree is not None and target == path:
            # somebody who edits a table states its new checksum
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            stated = pedigree.read_text(encoding="utf-8")
            pedigree.write_text(re.sub(r'sha256 = "\w+"', f'sha256 = "{digest}"', stated), encoding="utf-8")
        message = None
        try:
            read(path)
        except CyldiffError as error:
            message = str(error)
        finally:
            for table in (target, pedigree or target):
                shutil.copyfile(original.parent / table.name, table)
        if message is not None:
            refused += 1
            assert message.strip(), (seed, kind)
            assert not INTERNAL.search(message), (seed, kind, message)
    # most changes matter: none of these files is mostly comment
    assert refused >= CASES // 4
