# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a run has found, as JSON and as tables in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drcn_ros.benchmarks.gpu.parts import FAILURES, Cell, Part
from drcn_ros.results.replacing import whole_file

MARKDOWN, JSON = "report.md", "report.json"


@dataclass(frozen=True)
class Ended:
    """What came of a part.

    Attributes:
        part: which one.
        state: done, failed, out of time or not run.
        seconds: that it took.
        reason: why it is not done, with the traceback where there is one.
    """

    part: Part
    state: str
    seconds: float
    reason: str


def write_report(ended: Sequence[Ended], folder: Path, rows: Path) -> None:
    """Write both files anew.

    Args:
        ended: parts so far, in order.
        folder: receives the files.
        rows: what the parts have given, a JSON object in each line.
    """
    found = read_rows(rows)
    content = [
        {
            "name": one.part.name,
            "title": one.part.title,
            "state": one.state,
            "seconds": round(one.seconds, 1),
            "reason": one.reason,
            "tables": found.get(one.part.name, {}),
        }
        for one in ended
    ]
    with whole_file(folder / JSON) as path:
        path.write_text(json.dumps({"parts": content}, indent=1), encoding="utf-8")
    with whole_file(folder / MARKDOWN) as path:
        path.write_text("\n".join(_lines(content)), encoding="utf-8")


def read_rows(file: Path) -> dict[str, dict[str, list[dict[str, Cell]]]]:
    """Return the rows by part and table; a line that a process could not finish is left out."""
    found: dict[str, dict[str, list[dict[str, Cell]]]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        found.setdefault(row["part"], {}).setdefault(row["table"], []).append(row["values"])
    return found


def table(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    """Return a table in Markdown with a column for each name, in the order in which they come up."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    lines += [f"| {' | '.join(_text(row.get(name)) for name in names)} |" for row in rows]
    return lines


def _lines(content: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    yield "# A run of `drcn bench gpu`"
    yield ""
    yield from table([{key: part[key] for key in ("name", "title", "state", "seconds")} for part in content])
    for part in content:
        yield from ("", f"## {part['title']}")
        if part["reason"]:
            yield from ("", f"{part['state']}:", "", "```", part["reason"], "```")
        for name, rows in part["tables"].items():
            heading = "Cases that failed; their tracebacks are in the log" if name == FAILURES else name
            yield from ("", f"{heading}:", "", *table(rows))
    yield ""


def _text(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value).replace("|", "/").replace("\n", " ")
    size = abs(value)
    return f"{value:.0f}" if size >= 1000 else f"{value:.1f}" if size >= 10 else f"{value:.3g}"
