"""The site builds without a warning, its tutorials left unexecuted, and its links lead somewhere; extra ``docs``."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("sphinx", "myst_nb", "furo", "sphinx_copybutton")
#: pages that sphinx makes by itself
GENERAL = {"genindex", "search", "py-modindex"}

pytestmark = [
    pytest.mark.skipif(
        any(find_spec(name) is None for name in NEEDED),
        reason='sphinx is not installed: pip install -e ".[docs]"',
    ),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of the built site, and what the build said."""
    folder = tmp_path_factory.mktemp("site")
    options = ["-W", "--keep-going", "-q", "-b", "html", "-D", "nb_execution_mode=off"]
    build = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, "docs", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    return folder, build


class Page(HTMLParser):
    """Names that a page can be entered at, and where it leads."""

    def __init__(self, text):
        super().__init__()
        self.names, self.targets = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        self.targets += [given[key] for key in ("href", "src") if given.get(key)]


def broken(folder):
    """Page and target of every link within a site that leads nowhere."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    pages = {
        name: Page((folder / name).read_text(encoding="utf-8")) for name in files if name.endswith(".html")
    }
    found = []
    for name, page in pages.items():
        for target in set(page.targets):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            path = normpath(join(dirname(name), unquote(parts.path))) if parts.path else name
            anchor = unquote(parts.fragment)
            if path not in files or (anchor and path in pages and anchor not in pages[path].names):
                found.append((name, target))
    return found


def test_pages_are_read_and_references_resolve(site):
    assert site[1].returncode == 0, site[1].stderr


def test_links_of_the_built_pages_lead_somewhere(site):
    pages = {path.relative_to(site[0]).with_suffix("").as_posix() for path in site[0].rglob("*.html")}
    assert len(pages) > 100
    assert sum(len(Page((site[0] / f"{p}.html").read_text(encoding="utf-8")).targets) for p in pages) > 10_000
    assert broken(site[0]) == []


def test_every_page_can_be_reached_from_the_first(site):
    """By the table of contents in the margin, which is on every page."""
    home = Page((site[0] / "index.html").read_text(encoding="utf-8"))
    listed = {unquote(urlsplit(t).path).removesuffix(".html") for t in home.targets if not urlsplit(t).scheme}
    pages = {p.relative_to(site[0]).with_suffix("").as_posix() for p in site[0].rglob("*.html")}
    shown = {p for p in pages if p.startswith(("_files/", "_modules/", "_static/"))}
    assert pages - shown - listed - GENERAL - {"index"} == set()


def test_what_is_broken_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<h1 id="x y">A</h1><a href="b.html#z">b</a><a href="#x%20y">x</a>')
    (tmp_path / "b.html").write_text(
        '<a href="a.html#no">n</a><a href="https://a.b/c#d">o</a><img src="c.png">'
    )
    assert sorted(broken(tmp_path)) == [("a.html", "b.html#z"), ("b.html", "a.html#no"), ("b.html", "c.png")]
