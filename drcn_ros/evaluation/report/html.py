# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pages that are one file each: style and pictures lie inside, nothing is loaded from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 2rem auto;
  max-width: 1120px; padding: 0 1.2rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
p.lead { color: #555; margin: 0 0 1rem; }
table { border-collapse: collapse; margin: .6rem 0; font-variant-numeric: tabular-nums; display: block;
  overflow-x: auto; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #e4e4e4;
  vertical-align: top; }
table.numbers td { white-space: nowrap; } table.numbers th { overflow-wrap: normal; }
table:not(.numbers) td:first-child { min-width: 7rem; }
@media (min-width: 700px) { table:not(.numbers) td:first-child { white-space: nowrap; } }
th { font-weight: 600; color: #555; }
img { max-width: 100%; height: auto; display: block; }
figure { margin: .4rem 0 1.2rem; } figcaption { color: #555; font-size: .9rem; }
ul.notes { background: #fff6e0; border-left: 4px solid #f2c14e; padding: .6rem 1.6rem; }
details { margin-top: 1.5rem; } summary { cursor: pointer; color: #555; }
"""


def page(title: str, lead: str, parts: Sequence[str]) -> str:
    """Return a whole page; `parts` are HTML already."""
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="lead">{escape(lead)}</p>\n{body}\n</body>\n</html>\n'
    )


def section(heading: str, *parts: str) -> str:
    """Return parts under a heading."""
    return f"<section>\n<h2>{escape(heading)}</h2>\n" + "\n".join(parts) + "\n</section>"


def table(rows: Sequence[Sequence[str]], headings: bool = True) -> str:
    """Return a table, its first row as headings if asked for."""
    lines = []
    for index, row in enumerate(rows):
        tag = "th" if headings and index == 0 else "td"
        lines.append("<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>")
    kind = ' class="numbers"' if headings else ""
    return f"<table{kind}>\n" + "\n".join(lines) + "\n</table>"


def text(line: str) -> str:
    """Return a sentence of its own."""
    return f"<p>{escape(line)}</p>"


def notes(lines: Sequence[str]) -> str:
    """Return remarks that must not be overlooked, or nothing."""
    if not lines:
        return ""
    return '<ul class="notes">' + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def picture(path: Path, caption: str) -> str:
    """Return a PNG or JPEG file as part of the page."""
    kind = "jpeg" if path.suffix == ".jpg" else "png"
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    text = escape(caption)
    image = f'<img alt="{text}" src="data:image/{kind};base64,{data}">'
    return f"<figure>{image}<figcaption>{text}</figcaption></figure>"


def hidden(summary: str, content: str) -> str:
    """Return content that is shown on demand."""
    return f"<details><summary>{escape(summary)}</summary>\n{content}\n</details>"
