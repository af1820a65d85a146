# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Results of the accuracy benchmark as tables of sets by matchers, one for each kind of sets, to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drcn_ros.benchmarks.accuracy.report import KINDS, Report, mean_auc

_PLANES = "planes"
_TITLES = {
    "easy": "As recorded",
    "wide": "Little overlap",
    "bad": "Bad conditions",
    _PLANES: "Views of photographs through homographies (AUC of the corners' distance, pixels)",
}


def matrix(report: Report, reasons: Mapping[str, str]) -> str:
    """Return Markdown: by kind AUC@10 of each set and matcher with its 95 % interval, and what matches are.

    Args:
        report: as `report.table` takes it; a matcher may lack sets.
        reasons: why a matcher or a set is not told of, by its name.
    """
    parts = []
    for kind in (*KINDS, _PLANES):
        names = [name for name, entry in _all_sets(report).items() if _kind(entry) == kind]
        if names:
            parts += [f"## {_TITLES[kind]}", "", _auc(report, names), "", _worth(report, names), ""]
    parts += [f"- Not judged: `{name}`: {reason}" for name, reason in reasons.items()]
    return "\n".join(parts).rstrip() + "\n"


def _kind(entry: Mapping[str, Any]) -> str:
    """Return under which title a set is told: errors of views of a plane are no angles."""
    return _PLANES if "homography" in entry else str(entry["kind"])


def _all_sets(report: Report) -> dict[str, Mapping[str, Any]]:
    return {name: entry for sets in report.values() for name, entry in sets.items()}


def _auc(report: Report, names: Sequence[str]) -> str:
    known = _all_sets(report)
    lines = [_row(["AUC@10 of pairs of", "pairs", *report]), _row(["---"] * (2 + len(report)))]
    for name in names:
        cells = [_interval(sets.get(name)) for sets in report.values()]
        lines.append(_row([name, str(known[name]["pairs"]), *cells]))
    # A mean over other sets than those of its neighbours would mislead.
    whole = [all(name in sets for name in names) for sets in report.values()]
    for threshold in (10, 5):
        means = [
            f"{mean_auc({name: sets[name] for name in names})[threshold]:.1f}" if complete else ""
            for sets, complete in zip(report.values(), whole, strict=True)
        ]
        lines.append(_row([f"**mean AUC@{threshold}**", "", *means]))
    return "\n".join(lines)


def _worth(report: Report, names: Sequence[str]) -> str:
    heads = ["matches (share within 1 and 3 px, ms a pair) on", *report]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for name in names:
        cells = []
        for sets in report.values():
            entry = sets.get(name)
            cells.append("" if entry is None else _matches(entry))
        lines.append(_row([name, *cells]))
    return "\n".join(lines)


def _interval(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return ""
    low, high = entry["auc_interval"]["10"]
    return f"{entry['auc']['10']:.1f} ({low:.0f} to {high:.0f})"


def _matches(entry: Mapping[str, Any]) -> str:
    shares = f"{entry['within_1px']:.2f}, {entry['within_3px']:.2f}"
    return f"{entry['matches']:.0f} ({shares}, {entry['ms']:.0f})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
