"""Links from the pages to files of the repository lead to pages that show them.

A file is linked where Markdown links to it (``[x](../cyldiff/pipeline.py)``) and where inline code is its
name: a path from the root (`cyldiff/pipeline.py`), or a bare name (`pipeline.py`) that one file has, or
that a file has beside the one named before. What is in the file may follow (`tests/docs/test_links.py::slug`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).parents[2]
FOLDERS = ("cyldiff", "tests", "runs", "grids", "physics", "docs", ".ci")
LANGUAGES = {
    ".py": "python",
    ".toml": "toml",
    ".csv": "text",
    ".ecsv": "text",
    ".md": "markdown",
    ".slurm": "bash",
}
_NAME = re.compile(r"^[\w./-]+$")
_LINKS = (nodes.reference, addnodes.download_reference, addnodes.pending_xref)


def known_files() -> dict[str, list[str]]:
    """Paths from the root of all files that can be shown, by name."""
    found: dict[str, list[str]] = {}
    top = [path for path in ROOT.iterdir() if path.is_file()]
    deep = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in LANGUAGES]
    for path in sorted((*top, *deep)):
        if "_build" not in path.parts and _shown(path):
            found.setdefault(path.name, []).append(path.relative_to(ROOT).as_posix())
    return found


def resolve(text: str, files: dict[str, list[str]], nearby: str) -> str | None:
    """Path from the root of the file that `text` names; `nearby` is the folder of the last one named."""
    text = text.partition("::")[0]
    if not _NAME.match(text):
        return None
    candidates = files.get(text.rpartition("/")[2], [])
    whole = [path for path in candidates if path == text]
    beside = [path for path in candidates if dirname(path) == nearby and path.endswith(f"/{text}")]
    tails = [path for path in candidates if path.endswith(f"/{text}")]
    for matches in (whole, beside, tails):
        if len(matches) == 1:
            return matches[0]
    return None


def page_of(path: str) -> str:
    """Name of the page that shows a file."""
    return f"_files/{path}"


def _targets(app: Sphinx, doctree: nodes.document) -> Iterator[tuple[nodes.Element, str]]:
    """Nodes of a page that name a file, and the file."""
    files, nearby = app.cyldiff_files, ""  # type: ignore[attr-defined]
    here = Path(app.env.doc2path(app.env.docname)).parent
    for node in list(doctree.findall(nodes.Element)):
        path = None
        if isinstance(node, addnodes.download_reference):
            path = _shown(here / node["reftarget"])
        elif isinstance(node, addnodes.pending_xref) and node.get("refdomain") == "doc":
            path = _shown(here / f"{node['reftarget']}.md")
        elif isinstance(node, nodes.literal) and not isinstance(node.parent, _LINKS):
            path = resolve(node.astext(), files, nearby)
        if path is not None:
            nearby = dirname(path)
            yield node, path


def _shown(path: Path) -> str | None:
    """Path from the root of a file that gets a page; None for pages of the site and what cannot be shown."""
    full = path.resolve()
    if not full.is_file() or not full.is_relative_to(ROOT) or full.suffix not in LANGUAGES:
        return None
    name = full.relative_to(ROOT).as_posix()
    return None if name.startswith("docs/") and full.suffix == ".md" else name


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Remember which files the page names, and turn the names into links."""
    docname = app.env.docname
    used: set[str] = set()
    for node, path in _targets(app, doctree):
        used.add(path)
        link = nodes.reference(
            "", "", internal=True, refuri=app.builder.get_relative_uri(docname, page_of(path))
        )
        node.replace_self(link)
        if isinstance(node, nodes.literal):
            link += node
        else:
            link += node.children
    _pages(app.env)[docname] = used


def _pages(env: BuildEnvironment) -> dict[str, set[str]]:
    if not hasattr(env, "cyldiff_files_of_pages"):
        env.cyldiff_files_of_pages = {}  # type: ignore[attr-defined]
    return env.cyldiff_files_of_pages  # type: ignore[attr-defined,no-any-return]


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _pages(env).pop(docname, None)


def show(app: Sphinx) -> Iterator[tuple[str, dict[str, str], str]]:
    """A page for every file that is named somewhere."""
    if app.builder.name != "html":
        return
    for path in sorted(set().union(*_pages(app.env).values())):
        file = ROOT / path
        language = LANGUAGES.get(file.suffix, "text")
        code = app.builder.highlighter.highlight_block(
            file.read_text(encoding="utf-8"), language, linenos=False
        )
        yield page_of(path), {"title": path, "body": f"<h1>{path}</h1>\n{code}"}, "page.html"


def start(app: Sphinx) -> None:
    app.cyldiff_files = known_files()  # type: ignore[attr-defined]


def setup(app: Sphinx) -> dict[str, object]:
    app.connect("builder-inited", start)
    app.connect("env-purge-doc", purge)
    app.connect("doctree-read", collect)
    app.connect("html-collect-pages", show)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
