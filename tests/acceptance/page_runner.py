"""Runs the blocks of a page in their order, in one folder."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import page_rules as rules
import pytest
from click.testing import CliRunner
from page_blocks import ROOT, Block, blocks, commands

from cyldiff.cli import main
from cyldiff.config.toml import to_toml

HELP = "tests/acceptance/page_rules.py says how a page is run, and what can be said there"
#: more processes than cores, and root, are allowed; one thread each
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
}
PROGRAMS = {"cyldiff": ["-m", "cyldiff"], "python": [], "python3": []}


@dataclass
class Page:
    """A page while it is run: folder, names of the scripts, environment, what the last commands printed."""

    name: str
    folder: Path
    names: dict = field(default_factory=lambda: {"__name__": "page"})
    environment: dict = field(default_factory=dict)
    printed: str = ""
    short: bool = False
    done: dict = field(default_factory=dict)
    used: set = field(default_factory=set)

    def begin(self, made):
        """Put into the folder what the reader has; `made` runs a command once and gives its folder."""
        for name, source in rules.GIVEN.get(self.name, {}).items():
            shutil.copyfile(ROOT / source, self.folder / name)
        for name in rules.CHECKOUT.get(self.name, ()):
            (self.folder / name).symlink_to(sys.prefix if name == ".venv" else ROOT / name)
        if self.name in rules.FIRST:
            for file in made(rules.FIRST[self.name]).iterdir():
                shutil.copyfile(file, self.folder / file.name)

    def run_up_to(self, number):
        """Run the blocks before, if they have not run, then this one."""
        for block in blocks(self.name)[: number + 1]:
            if block.number not in self.done:
                self.done[block.number] = False
                run_block(block, self)
                self.done[block.number] = True
            elif not self.done[block.number] and block.number != number:
                pytest.fail(f"not tried: {block.where} has failed or was left out")


def run_block(block, page):
    """One block, by its language."""
    if block.cell and block.number not in rules.CELLS.get(page.name, ()):
        return  # runs when the site is built
    runners = {"bash": _bash, "python": _python, "toml": _toml, "text": _text}
    runners[block.language](block, page)


def change_of(page, words, text=""):
    """What is changed in a command (its words, text) or a script (its text), and by which rule."""
    line = " ".join(words) if words else text
    for key, change in rules.HERE.items():
        starts = line.startswith(key[1]) if words else any(s.startswith(key[1]) for s in text.splitlines())
        if key[0] == page.name and starts:
            page.used.add(key)
            return change
    for key, change in rules.EVERYWHERE.items() if words else ():
        if line.startswith(key):
            return change
    return rules.AS_IT_STANDS


def shortened(text, change, where):
    for piece, other in change.instead:
        assert piece in text, f"{where} has no {piece!r} that tests/acceptance/page_rules.py replaces"
        text = text.replace(piece, other)
    return text


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


def _bash(block, page):
    page.printed, page.short = "", False
    for words in commands(block):
        if not_run(words) is None:
            change = change_of(page, plain(words))
            page.short |= change.short
            page.printed += run_command(plain(words), change, page, block.where)


def run_command(words, change, page, where):
    """Run one command with its change; what it prints."""
    import shlex

    for piece, other in change.instead:
        words = [word.replace(piece, other) for word in words]
    words += shlex.split(change.add)
    name = words[0]
    if name == "export":
        page.environment.update(word.split("=", 1) for word in words[1:])
        return ""
    if name == "cyldiff" and not page.environment:
        answer = CliRunner().invoke(main, words[1:], catch_exceptions=False)
        assert answer.exit_code == change.status, f"{where}: {' '.join(words)}\n{answer.output}"
        return answer.output
    if name == "mpiexec":
        _require_mpi()
    elif name not in PROGRAMS:
        pytest.fail(f"{where}: nobody runs {name!r}. {HELP}")
    return _process(words, change, page, where)


def _require_mpi():
    missing = [name for name in ("mpi4py", "petsc4py") if importlib.util.find_spec(name) is None]
    missing += [] if shutil.which("mpiexec") else ["mpiexec"]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed (docs/clusters.md)")


def _process(words, change, page, where):
    programs = [
        part
        for word in words
        for part in ([sys.executable, *PROGRAMS[Path(word).name]] if Path(word).name in PROGRAMS else [word])
    ]
    paths = (str(ROOT), page.environment.get("PYTHONPATH"), os.environ.get("PYTHONPATH"))
    answer = subprocess.run(
        programs,
        cwd=page.folder,
        env={
            **os.environ,
            **ENVIRONMENT,
            **page.environment,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == change.status, f"{where}: {' '.join(words)}\n{answer.stdout}\n{answer.stderr}"
    return answer.stdout


# --- scripts and files ------------------------------------------------------------------------------------


def _python(block, page):
    change = change_of(page, (), block.text)
    text = shortened(block.text, change, block.where)
    if block.file or "__main__" in text:  # worker processes read the file
        name = block.file or f"script{block.number}.py"
        (page.folder / name).write_text(text, encoding="utf-8")
        started = any(
            name in words for b in blocks(page.name) if b.language == "bash" for words in commands(b)
        )
        if not started or "__main__" in text:
            _process(["python", name], change, page, block.where)
    else:
        exec(compile(text, block.where, "exec"), page.names)


def _toml(block, page):
    raw = tomllib.loads(block.text)
    if "project" in raw:
        return _package(raw["project"], page)
    if block.file:
        (page.folder / block.file).write_text(block.text, encoding="utf-8")
        later = "\n".join(b.text for b in blocks(page.name) if b.language in ("bash", "python"))
        assert block.file in later, f"{block.where}: no command and no script of the page reads {block.file}"
        return
    key = (page.name, block.text.splitlines()[0].split("#")[0].strip())
    base = rules.PARTS.get(key)
    if base is None:
        pytest.fail(
            f"{block.where}: say in the line above which file this is (`name.toml`:), "
            f"or in PARTS which one it completes. {HELP}"
        )
    page.used.add(key)
    words = ["cyldiff", "check", base]
    for path, value in replaced(raw):
        words += ["--set", f"{path}={value}"]
    run_command(words, rules.AS_IT_STANDS, page, block.where)


def _package(project, page):
    """What installing makes of a pyproject.toml: its entry points. The modules have the first cell of the page."""
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


def replaced(raw):
    """Paths and values, as --set takes them, of the keys that a part of a file gives."""
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


# --- what is printed --------------------------------------------------------------------------------------

_NUMBER = re.compile(r"(?<![\w.-])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")


def _text(block, page):
    before = [b for b in blocks(page.name)[: block.number] if b.language == "bash"]
    assert before, f"{block.where}: a ```text block shows what the commands before it print; indent formulas"
    printed = [line for line in page.printed.splitlines() if line.strip()]
    for line in filter(str.strip, block.text.splitlines()):
        rank = next((k for k, other in enumerate(printed) if label(other) == label(line)), None)
        assert rank is not None, f"{block.where}: nothing printed is like {line!r} in\n{page.printed}"
        other = printed[rank]
        printed = printed[rank + 1 :]
        if not page.short:
            for one, two in zip(_NUMBER.findall(line), _NUMBER.findall(other), strict=True):
                assert close(one, two), f"{block.where}: the page has\n{line}\nthe command prints\n{other}"


def label(line):
    """A line without its numbers."""
    return " ".join(_NUMBER.sub("#", line).split())


def close(shown, printed):
    """Whether a printed number is that of the page: 2 % and one in the last digit that the page gives."""
    mantissa, _, exponent = shown.partition("e")
    step = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(printed) - float(shown)) <= 0.02 * abs(float(shown)) + step
