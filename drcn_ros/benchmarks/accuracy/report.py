# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Results of the accuracy benchmark as a table, a JSON file and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drcn_ros.evaluation.metrics.accuracy import THRESHOLDS
from drcn_ros.results.replacing import claim, whole_file

# matplotlib takes most of a second to load, and only pictures need it.
if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Kinds of sets, whose means are told apart: as recorded, sharing little, copies as taken in bad conditions.
EASY, WIDE, BAD = KINDS = ("easy", "wide", "bad")

# {matcher: {set: summary}}, the summaries as `benchmark.summarise` returns them, with their `kind`.
Report = Mapping[str, Mapping[str, Mapping[str, Any]]]


def table(report: Report) -> str:
    """Return Markdown tables with one row per matcher and set: all sets with the means, then views of planes.

    Errors of views of a plane are those of the image's corners in pixels.
    """
    heads = ["matcher", "pairs of", "AUC@5", "AUC@10 (95 %)", "AUC@20", "rotation", "direction"]
    heads += ["< 1 px", "< 3 px", "matches", "ms"]
    lines = _head(heads)
    planar = []
    for matcher, sets in report.items():
        for name, entry in sets.items():
            auc = entry["auc"]
            low, high = entry["auc_interval"]["10"]
            lines.append(
                f"| {matcher} | {name} | {auc['5']:.1f} | {auc['10']:.1f} ({low:.0f} to {high:.0f}) | "
                f"{auc['20']:.1f} | {_number(entry['rotation_deg'])} | {_number(entry['direction_deg'])} | "
                f"{entry['within_1px']:.3f} | {entry['within_3px']:.3f} | {entry['matches']:.0f} | "
                f"{entry['ms']:.0f} |"
            )
            if "homography" in entry:
                shares = " | ".join(f"{share:.2f}" for share in entry["homography"].values())
                planar.append(f"| {matcher} | {name} | {shares} | {_number(entry['repeatability'])} |")
        for name, auc in means(sets).items():
            lines.append(f"| {matcher} | {name} | {auc[5]:.1f} | {auc[10]:.1f} | {auc[20]:.1f} | | | | | | |")
    if planar:
        heads = ["matcher", "views of", "corners < 1 px", "< 3 px", "< 5 px", "repeatability, 3 px"]
        lines += ["", *_head(heads), *planar]
    return "\n".join(lines)


def _head(names: list[str]) -> list[str]:
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def means(sets: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[int, float]]:
    """Return the mean AUC by threshold over all sets, and over those of each kind where there are several."""
    kinds = {kind: {name: entry for name, entry in sets.items() if entry["kind"] == kind} for kind in KINDS}
    told = {f"mean, {kind}": mean_auc(chosen) for kind, chosen in kinds.items() if chosen}
    return {**(told if len(told) > 1 else {}), "mean": mean_auc(sets)}


def mean_auc(sets: Mapping[str, Mapping[str, Any]]) -> dict[int, float]:
    """Return the mean over the sets by threshold."""
    return {
        threshold: float(np.mean([entry["auc"][str(threshold)] for entry in sets.values()]))
        for threshold in THRESHOLDS
    }


def write_json(report: Report, path: Path) -> None:
    """Write the report.

    Raises:
        InputError: the file cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def draw(report: Report, folder: Path) -> list[Path]:
    """Draw AUC@10 per set, error curves, and how far scores are calibrated; return the pictures' paths.

    Raises:
        InputError: the folder cannot be written to, or holds such a picture that no earlier run has made.
    """
    from matplotlib.figure import Figure

    pictures = {
        "accuracy.png": _bars(
            report, Figure(figsize=(max(6.0, 1.2 * _sets(report)), 4.0), layout="constrained")
        ),
        "error_curves.png": _curves(report, Figure(figsize=(5.5, 4.0), layout="constrained")),
        "reliability.png": _reliability(report, Figure(figsize=(4.5, 4.0), layout="constrained")),
    }
    claim(folder, pictures)
    for name, figure in pictures.items():
        with whole_file(folder / name) as temporary:
            figure.savefig(temporary, dpi=120)
    return [folder / name for name in pictures]


def _sets(report: Report) -> int:
    return len(next(iter(report.values())))


def _bars(report: Report, figure: Figure) -> Figure:
    names = list(next(iter(report.values())))
    axes = figure.subplots()
    width = 0.8 / len(report)
    for number, (matcher, sets) in enumerate(report.items()):
        heights = np.array([sets[name]["auc"]["10"] for name in names])
        limits = np.array([sets[name]["auc_interval"]["10"] for name in names])
        error = np.maximum(np.abs(limits.T - heights), 0)
        places = np.arange(len(names)) + number * width
        axes.bar(places, heights, width, yerr=error, error_kw={"linewidth": 0.7}, label=matcher)
    labels = [name.rstrip("/").rpartition("/")[2] for name in names]
    axes.set_xticks(np.arange(len(names)) + 0.4 - width / 2, labels, rotation=30, ha="right")
    axes.set_ylabel("AUC@10")
    # Beside the bars, which may reach to the top anywhere.
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def _curves(report: Report, figure: Figure) -> Figure:
    axes = figure.subplots()
    limits = np.arange(THRESHOLDS[-1] + 1)
    for matcher, sets in report.items():
        shares = np.mean([entry["curve"] for entry in sets.values()], axis=0)
        axes.plot(limits, [0.0, *shares], label=matcher)
    axes.set_xlabel("larger one of both errors, degrees (views of a plane: corners, pixels)", fontsize=8)
    axes.set_ylabel("share of pairs, mean over the sets")
    axes.set_ylim(0, 1)
    axes.legend(fontsize=8)
    return figure


def _reliability(report: Report, figure: Figure) -> Figure:
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for matcher, sets in report.items():
        told = [entry["calibration"] for entry in sets.values()]
        matches = np.array([entry["matches"] for entry in told], float)
        total = matches.sum(axis=0)
        score, found = (
            (matches * np.array([entry[key] for entry in told])).sum(axis=0) / np.maximum(1, total)
            for key in ("score", "found")
        )
        axes.plot(score[total > 0], found[total > 0], marker="o", label=matcher)
    axes.set_xlabel("score of a match")
    axes.set_ylabel("share within 3 px of the truth")
    axes.legend(fontsize=8)
    return figure
