# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How scale and rotation wander along the true path, as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from drcn_ros.evaluation.metrics.drift import Drift
from drcn_ros.evaluation.report.figures import ESTIMATE, TRUTH, WORSE, picture_file, say


def plot_drift(drift: Drift, file: Path) -> None:
    """Draw the ratio of lengths along the true path, with its tenths, and the rotation's error below."""
    with picture_file(file, (11.0, 4.0)) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 2], "hspace": 0.2})
        top.set_ylabel("estimated / true length")
        bottom.set_ylabel("rotation error [deg]")
        if not len(drift.ratios):
            say(top, "no ground truth, or hardly any motion")
            say(bottom, "")
            return
        middles = drift.pieces_m.mean(axis=1)
        top.plot(middles, drift.ratios, ".", ms=3.5, color=ESTIMATE, alpha=0.6, label="pieces")
        for part, (ratio, inside) in enumerate(
            zip(drift.tenths, np.array_split(drift.pieces_m, max(1, len(drift.tenths))), strict=False)
        ):
            label = "tenths of the run" if part == 0 else None
            top.plot([inside[0, 0], inside[-1, 1]], [ratio, ratio], color=WORSE, lw=2, label=label)
        top.axhline(1.0, color=TRUTH, lw=1, alpha=0.6)
        # Single wrong pieces must not squeeze the others.
        low, high = np.percentile(drift.ratios, [2, 98])
        lows, highs = (np.append(drift.tenths, [edge, 1.0]) for edge in (low, high))
        top.set_ylim(min(0.95, 0.97 * float(lows.min())), max(1.05, 1.03 * float(highs.max())))
        top.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
        bottom.plot(drift.along_m, drift.rotation_deg, color=ESTIMATE, lw=1.2)
        bottom.set_ylim(bottom=0)
        bottom.set_xlabel("way along the true path [m]")
