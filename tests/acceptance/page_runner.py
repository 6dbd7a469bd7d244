"""Runs the blocks of a page in their order, in one folder."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import page_rules as rules
import pytest
from click.testing import CliRunner
from page_blocks import ROOT, blocks, commands
from page_output import compare

from cyldiff import resources
from cyldiff.cli import main
from cyldiff.config.toml import to_toml

HELP = "tests/acceptance/page_rules.py says how pages are run, and what can be said there"
#: one thread each; more processes than cores, and root, are allowed
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
}
#: what starts a process, by this Python
PROGRAMS = {"cyldiff": ["-m", "cyldiff"], "python": [], "python3": []}
#: options with a path that is written
WRITES = ("-o", "--output", "--plot", "--map", "--save", "--catalogue")


@dataclass
class Page:
    """A page while it runs: folder, names of its scripts, environment, what the last commands printed.

    `shared` is common to all pages: command -> folder and what was printed, of what is run once only.
    """

    name: str
    folder: Path
    shared: dict = field(default_factory=dict)
    names: dict = field(default_factory=lambda: {"__name__": "page"})
    environment: dict = field(default_factory=dict)
    printed: str = ""
    short: bool = False
    done: dict = field(default_factory=dict)

    def begin(self):
        """Put into the folder what the reader has; tables that another page wrote were read by another process."""
        shipped = {path.name for path in resources.folder("physics").rglob("*.csv")}
        for name in resources.tables_read().keys() - shipped:
            resources.forget(name)
        for name, source in rules.GIVEN.get(self.name, {}).items():
            shutil.copyfile(ROOT / source, self.folder / name)
        for name in rules.CHECKOUT.get(self.name, ()):
            (self.folder / name).symlink_to(sys.prefix if name == ".venv" else ROOT / name)
        if self.name in rules.FIRST:
            _once(shlex.split(rules.FIRST[self.name]), 0, self, self.name)

    def run_up_to(self, number):
        """Run the blocks before, if they have not run, then this one; where one failed the rest is not tried."""
        for block in blocks(self.name)[: number + 1]:
            if block.number not in self.done:
                self.done[block.number] = False
                run_block(block, self)
                self.done[block.number] = True
            elif not self.done[block.number]:
                pytest.fail(f"not tried: {block.where} has failed or was left out", pytrace=False)


def run_block(block, page):
    """One block, by its language. Cells run when the site is built."""
    if block.cell and block.number not in rules.CELLS.get(page.name, ()):
        return
    runners = {"bash": run_bash, "python": run_python, "toml": run_toml, "text": compare}
    if block.language not in runners:
        pytest.fail(f"{block.where}: the fence needs a language, one of {', '.join(runners)}", pytrace=False)
    runners[block.language](block, page)


def rule_of(page, words=(), text=""):
    """Page and key, and change, of a command or of a script."""
    lines = [" ".join(words)] if words else text.splitlines()
    for start, change in rules.HERE.get(page, {}).items():
        if any(line.startswith(start) for line in lines):
            return (page, start), change
    for start, change in rules.EVERYWHERE.items() if words else ():
        if lines[0].startswith(start):
            return ("", start), change
    return None, rules.AS_IT_STANDS


# --- commands ---------------------------------------------------------------------------------------------


def plain(words):
    """A command without the folder of its environment and without the variables in front of it."""
    rest = list(words)
    while rest and re.match(r"[A-Z_]+=", rest[0]):
        rest.pop(0)
    return [Path(rest[0]).name if rest[0].startswith(".venv") else rest[0], *rest[1:]] if rest else []


def not_run(words):
    """The entry of NOT_RUN for a command; None if it runs."""
    line = f"{' '.join(plain(words))} "
    return next((start for start in rules.NOT_RUN if line.startswith(f"{start} ")), None)


def run_bash(block, page):
    page.printed, page.short = "", False
    for words in commands(block):
        if not_run(words) is None:
            _, change = rule_of(page.name, words=plain(words))
            page.short |= change.short
            page.printed += run_command(plain(words), change, page, block.where)


def run_command(words, change, page, where):
    """Run one command with its change, see that it leaves what it is told to write; what it prints."""
    for piece, other in change.instead:
        words = [word.replace(piece, other) for word in words]
    words += shlex.split(change.add)
    if " ".join(words).startswith(rules.ONCE):
        return _once(words, change.status, page, where)
    printed = _started(words, change.status, page, where)
    for path in outputs(words, page):
        assert path.exists(), f"{where}: {' '.join(words)} leaves no {path.name}"
        assert path.stat().st_size > 0, f"{where}: {path.name} is empty"
    return printed


def outputs(words, page):
    """Paths that a command is told to write."""
    return [page.folder / path for option, path in itertools.pairwise(words) if option in WRITES]


def _once(words, status, page, where):
    """Run a command, or copy what the same one left before on this or another page."""
    (path,) = outputs(words, page)
    key = tuple(word for before, word in zip(["", *words], words, strict=False) if before not in WRITES)
    if key not in page.shared:
        page.shared[key] = path, _started(words, status, page, where)
    made, printed = page.shared[key]
    if made != path:
        shutil.copytree(made, path, dirs_exist_ok=True) if made.is_dir() else shutil.copyfile(made, path)
    return printed


def _started(words, status, page, where):
    """What a command prints: in this process where that is the same, else in one of its own."""
    if words[0] == "export":
        page.environment.update(word.split("=", 1) for word in words[1:])
        return ""
    if words[0] == "cyldiff" and not page.environment:
        answer = CliRunner().invoke(main, words[1:], catch_exceptions=False)
        assert answer.exit_code == status, f"{where}: {' '.join(words)}\n{answer.output}"
        return answer.output
    if words[0] == "mpiexec":
        _require_mpi()
    elif words[0] not in PROGRAMS:
        pytest.fail(f"{where}: nothing is known about {words[0]!r}. {HELP}", pytrace=False)
    return _process(words, status, page, where)


def _require_mpi():
    missing = [name for name in ("mpi4py", "petsc4py") if importlib.util.find_spec(name) is None]
    missing += [] if shutil.which("mpiexec") else ["mpiexec"]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed (docs/clusters.md)")


def _process(words, status, page, where):
    program = []
    for word in words:
        name = Path(word).name if word.startswith(".venv") else word
        program += [sys.executable, *PROGRAMS[name]] if name in PROGRAMS else [word]
    paths = (str(ROOT), page.environment.get("PYTHONPATH"), os.environ.get("PYTHONPATH"))
    environment = {**os.environ, **ENVIRONMENT, **page.environment}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    answer = subprocess.run(
        program, cwd=page.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert answer.returncode == status, f"{where}: {' '.join(words)}\n{answer.stdout}\n{answer.stderr}"
    return answer.stdout


# --- scripts and files ------------------------------------------------------------------------------------


def run_python(block, page):
    """A script with worker processes is a file; any other block goes on with the names of the ones before."""
    _, change = rule_of(page.name, text=block.text)
    text = block.text
    for piece, other in change.instead:
        assert piece in text, f"{block.where} has no {piece!r}. {HELP}"
        text = text.replace(piece, other)
    if "__main__" not in text:
        exec(compile(text, block.where, "exec"), page.names)
        return
    name = block.file or f"script{block.number}.py"
    (page.folder / name).write_text(text, encoding="utf-8")
    if not any(
        name in words for later in blocks(page.name) if later.language == "bash" for words in commands(later)
    ):
        _process(["python", name], change.status, page, block.where)


def run_toml(block, page):
    """A file is written for the commands that read it; a part of one is put into the file it completes."""
    raw = tomllib.loads(block.text)
    if "project" in raw:
        _install(raw["project"], page)
    elif block.file:
        (page.folder / block.file).write_text(block.text, encoding="utf-8")
        others = [b.text for b in blocks(page.name) if b.language in ("bash", "python")]
        if not any(block.file in text for text in others):
            pytest.fail(f"{block.where}: nothing on the page reads {block.file}. {HELP}", pytrace=False)
    elif (part := (page.name, first_line(block))) in rules.PARTS:
        words = ["cyldiff", "check", rules.PARTS[part]]
        for path, value in replaced(raw):
            words += ["--set", f"{path}={value}"]
        run_command(words, rules.AS_IT_STANDS, page, block.where)
    else:
        said = "say in the line above which file this is (`name.toml`:), or in PARTS which one it completes"
        pytest.fail(f"{block.where}: {said}. {HELP}", pytrace=False)


def first_line(block):
    return block.text.splitlines()[0].split("#")[0].strip()


def replaced(raw):
    """Paths and values, as --set takes them, of what a part of a file says."""
    found = []
    for section, content in raw.items():
        for key, value in content.items():
            path = f"{section}.{key}"
            while (
                isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict)
            ):
                [(name, value)] = value.items()
                path = f"{path}.{name}"
            found.append((path, to_toml({"value": [value]}).removeprefix("value = [").rstrip()[:-1]))
    return found


def _install(project, page):
    """What installing makes of a pyproject.toml: its entry points. The modules hold the first cell of the page."""
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {module}" for name, module in entries.items())]
        for module in entries.values():
            path = page.folder / f"{module.replace('.', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(next(b for b in blocks(page.name) if b.cell).text, encoding="utf-8")
    about = page.folder / "reader-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: reader\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("\n".join(lines))
    page.environment["PYTHONPATH"] = str(page.folder)
