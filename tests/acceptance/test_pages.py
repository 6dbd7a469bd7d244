"""Every code block of the site and of the README files runs: in the order of its page, in one empty folder.

What is done otherwise than the page says stands in page_rules.py. Cells of tutorials run when the site is built.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import nullcontext

import numpy as np
import page_rules as rules
import pytest
import xarray as xr
from page_blocks import ROOT, blocks, commands, indented, pages, parsed
from page_output import close, compare, label
from page_runner import HELP, Page, first_line, not_run, outputs, plain, rule_of

CASES = [block for page in pages() for block in blocks(page) if not block.cell]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """``started(name)``: the page with that name, begun when it is first asked for."""
    known, shared = {}, {}

    def start(name):
        if name not in known:
            known[name] = Page(name, tmp_path_factory.mktemp("page"), shared)
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(known[name].folder)
                known[name].begin()
        return known[name]

    return start


@pytest.mark.parametrize("block", CASES, ids=lambda block: f"{block.page}-{block.number}")
def test_block(block, started, monkeypatch):
    page = started(block.page)
    monkeypatch.chdir(page.folder)
    page.run_up_to(block.number)
    for file, variable in rules.LEAVES.get(block.page, {}).items():
        if (page.folder / file).exists():
            with xr.open_dataset(page.folder / file) as dataset:
                assert np.all(np.isfinite(dataset[variable])), file
    for figure in page.folder.glob("*.png"):
        assert figure.stat().st_size > 5_000, figure.name


def calls(page):
    """Words of all commands of a page, and texts of its scripts."""
    found = [(plain(words), "") for b in blocks(page) if b.language == "bash" for words in commands(b)]
    return found + [((), b.text) for b in blocks(page) if b.language == "python" and not b.cell]


class TestRules:
    """Nothing is said in page_rules.py that no page needs."""

    def test_changes(self):
        used = {rule_of(page, *call)[0] for page in pages() for call in calls(page)}
        said = {
            (page, start)
            for page, changes in {"": rules.EVERYWHERE, **rules.HERE}.items()
            for start in changes
        }
        assert said - used == set()

    def test_pieces_are_there(self):
        found = {}
        for page in pages():
            for words, text in calls(page):
                found.setdefault(rule_of(page, words, text)[0], []).append(text or " ".join(words))
        for page, changes in rules.HERE.items():
            for start, change in changes.items():
                texts = found[page, start]
                assert [p for p, _ in change.instead if not any(p in text for text in texts)] == [], (
                    page,
                    start,
                )

    def test_what_does_not_run(self):
        left = {not_run(words) for b in CASES if b.language == "bash" for words in commands(b)}
        assert left - {None} == set(rules.NOT_RUN)

    def test_files(self):
        for table in (rules.GIVEN, rules.FIRST, rules.CHECKOUT, rules.CELLS, rules.LEAVES):
            assert set(table) <= {block.page for block in CASES}
        for page, names in [*rules.GIVEN.items(), *rules.CHECKOUT.items(), *rules.LEAVES.items()]:
            text = (ROOT / page).read_text(encoding="utf-8")
            assert all(name.removesuffix(".source.toml") in text for name in names), page
        parts = {(b.page, first_line(b)) for b in CASES if b.language == "toml" and not b.file}
        assert set(rules.PARTS) <= parts

    def test_once(self):
        for start in rules.ONCE:
            assert any(" ".join(words).startswith(start) for page in pages() for words, _ in calls(page))


class TestBlocks:
    """New blocks are found, and what cannot be run says what to do."""

    def test_all_fences_are_seen(self):
        for page in pages():
            text = (ROOT / page).read_text(encoding="utf-8")
            fences = re.findall(r"^ *`{3,}(?!.*`)", text, re.MULTILINE)
            others = re.findall(r"^ *`{3,}\{(?!code)", text, re.MULTILINE)
            assert len(fences) == 2 * (len(blocks(page)) + len(others)), page
        assert Counter(b.language for b in CASES)["bash"] > 40

    def test_indented_blocks_are_formulas(self):
        first = re.compile(r"(cyldiff|python|pip|mpiexec|git|\$|import|from \w+ import|\[[\w.]+\]$)\b")
        assert [(page, line) for page in pages() for line in indented(page) if first.match(line)] == []

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("```\ncyldiff list runs\n```\n", "needs a language"),
            ("```json\n{}\n```\n", "needs a language"),
            ("```bash\nmake coffee\n```\n", HELP),
            ("```bash\ncyldiff check nothing\n```\n", "nothing"),
            ("```toml\n[physics]\nx = 1\n```\n", "say in the line above"),
            ("It is `own.toml`:\n\n```toml\nschema = 1\n```\n", "nothing on the page reads own.toml"),
            ("```text\nsome output\n```\n", "formulas are indented"),
            ("```bash\ncyldiff list runs\n```\n\n```text\nsome output\n```\n", "no line is like"),
            ("```bash\ncyldiff list runs > out.txt\n```\n", "unexpected extra argument"),
            ("- an item\n\n  ```python\n  1 / 0\n  ```\n", "division"),
        ],
    )
    def test_what_cannot_run_fails(self, text, said, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        found = parsed("new.md", text)
        monkeypatch.setattr("page_runner.blocks", lambda page: found)
        monkeypatch.setattr("page_output.blocks", lambda page: found)
        page = Page("new.md", tmp_path)
        with pytest.raises((pytest.fail.Exception, AssertionError, ZeroDivisionError), match=said):
            page.run_up_to(len(found))

    def test_a_block_after_one_that_failed_is_not_tried(self, tmp_path, monkeypatch):
        found = parsed("new.md", "```python\n1 / 0\n```\n\n```python\n1\n```\n")
        monkeypatch.setattr("page_runner.blocks", lambda page: found)
        page = Page("new.md", tmp_path)
        with pytest.raises(ZeroDivisionError):
            page.run_up_to(0)
        with pytest.raises(pytest.fail.Exception, match="not tried"):
            page.run_up_to(1)

    def test_printed_numbers(self):
        assert label("fluxes 0.64 %, B/C 0.18 %") == label("fluxes 12 %, B/C 1e-3 %")
        assert label("ams02-b-c-rigidity  67") != label("ams02-h-rigidity  67")
        assert close("39.61", "39.9")
        assert close("1e+38", "1e+38")
        assert not close("39.61", "41")
        assert not close("-1.2", "1.2")

    @pytest.mark.parametrize(
        ("shown", "short", "right"), [("39.6", False, True), ("45", False, False), ("45", True, True)]
    )
    def test_shown_numbers_are_those_of_the_command(self, shown, short, right, tmp_path, monkeypatch):
        found = parsed("new.md", f"```bash\ncyldiff list runs\n```\n\n```text\nchi2 {shown}\n```\n")
        monkeypatch.setattr("page_output.blocks", lambda page: found)
        page = Page("new.md", tmp_path, printed="other 1\nchi2  39.61\n", short=short)
        with nullcontext() if right else pytest.raises(AssertionError, match="the command prints"):
            compare(found[1], page)

    def test_outputs(self, tmp_path):
        words = ["cyldiff", "source", "x", "-o", "sed.csv", "--plot", "sed.png", "--set", "a=1"]
        assert [p.name for p in outputs(words, Page("", tmp_path))] == ["sed.csv", "sed.png"]
