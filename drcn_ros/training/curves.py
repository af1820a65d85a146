# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The log of one or more runs as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.training.log import read_log

_PANELS = (
    ("loss", "loss"),
    ("descriptors", "descriptor loss"),
    ("coarse", "coarse loss"),
    ("repeatability", "repeatability loss"),
    ("position_px", "distance of keypoints, pixels"),
    ("descriptor_accuracy", "best cell within one of the truth"),
)
# Entries of the log that are averaged into one point of the drawn line.
_SMOOTH = 9
CURVES = "curves.png"


def draw_curves(folders: Sequence[Path], picture: Path) -> None:
    """Draw the logs of runs that follow one another.

    Raises:
        InputError: there is nothing to draw, or the picture cannot be written.
    """
    # matplotlib takes most of a second to load, and only pictures need it.
    from matplotlib.figure import Figure

    runs = [log for log in (read_log(folder) for folder in folders) if log]
    if not runs:
        msg = f"no log with entries in {', '.join(str(folder) for folder in folders)}"
        raise InputError(msg)
    figure = Figure(figsize=(11, 6), layout="constrained")
    for axes, (name, title) in zip(figure.subplots(2, 3).flat, _PANELS, strict=True):
        first = 0.0
        for log in runs:
            entries = [entry for entry in log if name in entry]
            steps = first + np.array([entry["step"] for entry in entries])
            values = np.array([entry[name] for entry in entries])
            axes.plot(steps, values, color="lightgrey", linewidth=0.8)
            axes.plot(steps, _smoothed(values))
            first += log[-1]["step"]
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("step", fontsize=8)
    try:
        figure.savefig(picture, dpi=110)
    except OSError as error:
        msg = f"picture {picture} cannot be written: {error.strerror}"
        raise InputError(msg) from None


def _smoothed(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    """Return the running median, over fewer values at both ends."""
    reach = _SMOOTH // 2
    return [float(np.median(values[max(0, at - reach) : at + reach + 1])) for at in range(len(values))]
