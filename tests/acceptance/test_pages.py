"""Every code block of the site and of the README files runs: in the order of its page, in one empty folder.

What is done otherwise than the page says stands in page_rules.py. Cells of tutorials run when the site is built.
"""

from __future__ import annotations

import page_rules as rules
import pytest
from page_blocks import LANGUAGES, ROOT, blocks, commands, indented, pages
from page_runner import HELP, Page, not_run, run_block

CASES = [block for page in pages() for block in blocks(page) if not block.cell]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """``started(name)``: the page with that name, its folder made when it is first asked for."""
    states, folders = {}, {}

    def made(command):
        if command not in folders:
            folders[command] = tmp_path_factory.mktemp("first")
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(folders[command])
                import shlex

                from page_runner import run_command

                page = Page("", folders[command])
                run_command(shlex.split(command), rules.AS_IT_STANDS, page, command)
        return folders[command]

    def start(name):
        if name not in states:
            states[name] = Page(name, tmp_path_factory.mktemp("page"))
            states[name].begin(made)
        return states[name]

    return start


@pytest.mark.parametrize("block", CASES, ids=lambda block: f"{block.page}-{block.number}")
def test_block(block, started, monkeypatch):
    assert block.language in LANGUAGES, f"{block.where}: the fence needs a language, one of {LANGUAGES}"
    page = started(block.page)
    monkeypatch.chdir(page.folder)
    page.run_up_to(block.number)
