"""The report of a validation: Markdown, HTML and a table, to be attached to a paper."""

from __future__ import annotations

import csv
import html
import io
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from cyldiff.validation.case import Refinement
from cyldiff.validation.run import Result

__all__ = ["csv_text", "html_text", "markdown_text", "totals"]

_STYLE = """
body { font-family: sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 0.6em 0 1.2em; }
th, td { border: 1px solid #bbb; padding: 0.2em 0.6em; text-align: left; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
.pass { color: #00693e; } .fail { color: #a00; font-weight: bold; }
h2 { margin-top: 2em; } h3 { margin-bottom: 0.2em; } p { margin: 0.2em 0; }
"""


def totals(results: Sequence[Result]) -> str:
    """Counts and time in one line."""
    failed = sum(not r.passed for r in results)
    checks = sum(len(r.checks) for r in results)
    seconds = sum(r.seconds for r in results)
    verdict = "all passed" if not failed else f"{failed} FAILED"
    return f"{len(results)} cases, {checks} numbers: {verdict}; {seconds:.0f} s"


def _verdict(passed: bool) -> str:
    return "pass" if passed else "FAIL"


def _number(value: float) -> str:
    return f"{value:.3g}"


def _origin(software: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the validation ran on."""
    import json

    packages = json.loads(str(software["packages"]))
    return [
        ("cyldiff", f"{software['cyldiff_version']} {software['cyldiff_commit']}".strip()),
        ("date", str(software["history"]).split(" ")[0]),
        ("Python", str(software["python"])),
        ("packages", ", ".join(f"{name} {version}" for name, version in packages.items())),
        ("machine", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"),
    ]


def _groups(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    for name, members in groupby(results, key=lambda r: r.case.group):
        yield name, list(members)


def _meshes(table: Refinement) -> list[tuple[str, str, str]]:
    """Rows mesh, error, order."""
    orders = ["", *(f"{order:.2f}" for order in table.orders)]
    return [(m, f"{e:.2e}", o) for m, e, o in zip(table.meshes, table.errors, orders, strict=True)]


def markdown_text(results: Sequence[Result], software: Mapping[str, Any]) -> str:
    """The whole report as Markdown."""
    lines = ["# Validation of cyldiff", "", f"**{totals(results)}**", ""]
    lines += [f"- {label}: {text}" for label, text in _origin(software)]
    lines += ["", "| case | statement | reference | verdict |", "|---|---|---|---|"]
    lines += [f"| {r.case.name} | {_cell(r.case.statement)} | {_cell(r.case.reference)} | {_verdict(r.passed)} |"
              for r in results]  # fmt: skip
    for group, members in _groups(results):
        lines += ["", f"## {group}"]
        for result in members:
            lines += _markdown_case(result)
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _markdown_case(result: Result) -> list[str]:
    case = result.case
    lines = ["", f"### {case.name}: {_verdict(result.passed)}", "", _cell(case.statement)]
    lines += [f"Reference: {_cell(case.reference)}. {result.seconds:.1f} s.", ""]
    if result.error:
        return [*lines, f"Stopped by {_cell(result.error)}"]
    lines += ["| number | measured | accepted | verdict |", "|---|---|---|---|"]
    lines += [
        f"| {_cell(c.what)} | {_number(c.value)} | {c.accepted} | {_verdict(c.passed)} |"
        for c in result.checks
    ]
    for table in result.refinements:
        lines += ["", "| mesh | error | order |", "|---|---|---|"]
        lines += [f"| {mesh} | {error} | {order} |" for mesh, error, order in _meshes(table)]
    return lines


def html_text(results: Sequence[Result], software: Mapping[str, Any]) -> str:
    """The whole report as one HTML page without anything from outside."""
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Validation of cyldiff</title>',
        f"<style>{_STYLE}</style></head><body><h1>Validation of cyldiff</h1>",
        f"<p><b>{html.escape(totals(results))}</b></p><ul>",
        *(f"<li>{label}: {html.escape(text)}</li>" for label, text in _origin(software)),
        "</ul><table><tr><th>case</th><th>statement</th><th>reference</th><th>verdict</th></tr>",
    ]
    for r in results:
        name = html.escape(r.case.name)
        cells = (
            f'<a href="#{name}">{name}</a>',
            html.escape(r.case.statement),
            html.escape(r.case.reference),
        )
        parts.append(_row([*cells, _coloured(r.passed)]))
    parts.append("</table>")
    for group, members in _groups(results):
        parts.append(f"<h2>{html.escape(group)}</h2>")
        parts += [_html_case(result) for result in members]
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _row(cells: Sequence[str], numbers: Sequence[int] = ()) -> str:
    marked = [f'<td class="n">{c}</td>' if i in numbers else f"<td>{c}</td>" for i, c in enumerate(cells)]
    return f"<tr>{''.join(marked)}</tr>"


def _coloured(passed: bool) -> str:
    return f'<span class="{"pass" if passed else "fail"}">{_verdict(passed)}</span>'


def _html_case(result: Result) -> str:
    case = result.case
    parts = [
        f'<h3 id="{html.escape(case.name)}">{html.escape(case.name)}: {_coloured(result.passed)}</h3>',
        f"<p>{html.escape(case.statement)}</p>",
        f"<p>Reference: {html.escape(case.reference)}. {result.seconds:.1f} s.</p>",
    ]
    if result.error:
        return "\n".join([*parts, f'<p class="fail">Stopped by {html.escape(result.error)}</p>'])
    parts.append("<table><tr><th>number</th><th>measured</th><th>accepted</th><th>verdict</th></tr>")
    parts += [_row([html.escape(c.what), _number(c.value), html.escape(c.accepted), _coloured(c.passed)], (1,))
              for c in result.checks]  # fmt: skip
    parts.append("</table>")
    for table in result.refinements:
        parts.append("<table><tr><th>mesh</th><th>error</th><th>order</th></tr>")
        parts += [_row([html.escape(mesh), error, order], (1, 2)) for mesh, error, order in _meshes(table)]
        parts.append("</table>")
    return "\n".join(parts)


def csv_text(results: Sequence[Result]) -> str:
    """All numbers as CSV: case, number, measured, accepted, verdict."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["case", "number", "measured", "accepted", "verdict"])
    for result in results:
        if result.error:
            writer.writerow([result.case.name, result.error, "", "", "FAIL"])
        for check in result.checks:
            row = [result.case.name, check.what, f"{check.value:.6g}", check.accepted, _verdict(check.passed)]
            writer.writerow(row)
    return stream.getvalue()
