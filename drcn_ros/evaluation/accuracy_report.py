# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Results of the accuracy benchmark as a table, a JSON file and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.evaluation.accuracy import THRESHOLDS
from drcn_ros.evaluation.accuracy_benchmark import BINS

# {matcher: {set: summary}}, the summaries as `accuracy_benchmark.summarise` returns them.
Report = Mapping[str, Mapping[str, Mapping[str, Any]]]


def table(report: Report) -> str:
    """Return a Markdown table with one row per matcher and set, and the means."""
    heads = ["matcher", "pairs of", "AUC@5", "AUC@10 (95 %)", "AUC@20", "rotation", "direction"]
    heads += ["< 1 px", "< 3 px", "matches", "ms"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for matcher, sets in report.items():
        for name, entry in sets.items():
            auc = entry["auc"]
            low, high = entry["auc_interval"]["10"]
            lines.append(
                f"| {matcher} | {name} | {auc['5']:.1f} | {auc['10']:.1f} ({low:.0f} to {high:.0f}) | "
                f"{auc['20']:.1f} | {entry['rotation_deg']:.2f} | {entry['direction_deg']:.2f} | "
                f"{entry['within_1px']:.3f} | {entry['within_3px']:.3f} | {entry['matches']:.0f} | "
                f"{entry['ms']:.0f} |"
            )
        auc = mean_auc(sets)
        lines.append(f"| {matcher} | mean | {auc[5]:.1f} | {auc[10]:.1f} | {auc[20]:.1f} | | | | | | |")
    return "\n".join(lines)


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
    try:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        msg = f"report {path} cannot be written: {error.strerror}"
        raise InputError(msg) from None


def draw(report: Report, folder: Path) -> list[Path]:
    """Draw AUC@10 per set and how far scores are calibrated; return the pictures' paths.

    Raises:
        InputError: the folder cannot be written.
    """
    # matplotlib takes most of a second to load, and only pictures need it.
    from matplotlib.figure import Figure

    names = list(next(iter(report.values())))
    bars = Figure(figsize=(max(6.0, 1.2 * len(names)), 4.0), layout="constrained")
    axes = bars.subplots()
    width = 0.8 / len(report)
    for number, (matcher, sets) in enumerate(report.items()):
        heights = np.array([sets[name]["auc"]["10"] for name in names])
        limits = np.array([sets[name]["auc_interval"]["10"] for name in names])
        error = np.maximum(np.abs(limits.T - heights), 0)
        axes.bar(np.arange(len(names)) + number * width, heights, width, yerr=error, label=matcher)
    labels = [name.rstrip("/").rpartition("/")[2] for name in names]
    axes.set_xticks(np.arange(len(names)) + 0.4 - width / 2, labels, rotation=30, ha="right")
    axes.set_ylabel("AUC@10")
    axes.legend()
    reliability = Figure(figsize=(4.5, 4.0), layout="constrained")
    axes = reliability.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for matcher, sets in report.items():
        matches = np.array([entry["calibration"]["matches"] for entry in sets.values()], float)
        found = (matches * np.array([entry["calibration"]["found"] for entry in sets.values()])).sum(axis=0)
        total = matches.sum(axis=0)
        middle = (np.arange(BINS) + 0.5) / BINS
        axes.plot(middle[total > 0], found[total > 0] / total[total > 0], marker="o", label=matcher)
    axes.set_xlabel("score of a match")
    axes.set_ylabel("share within 3 px of the truth")
    axes.legend()
    written = []
    for figure, name in ((bars, "accuracy.png"), (reliability, "reliability.png")):
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=120)
        except OSError as error:
            msg = f"picture {path} cannot be written: {error.strerror}"
            raise InputError(msg) from None
        written.append(path)
    return written
