# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What all pictures of a run share: their style, their file, and words where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

TRUTH, ESTIMATE, WORSE = "#2b2b2b", "#1f77b4", "#e4572e"
_STYLE: dict[str, Any] = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "drcn",
}
_DPI = 110


def say(axis: Any, text: str) -> None:
    """Write a text instead of a plot."""
    axis.text(0.5, 0.5, text, ha="center", va="center", transform=axis.transAxes, color="#888888")
    axis.set_xticks([])
    axis.set_yticks([])


@contextmanager
def picture_file(file: Path, size: tuple[float, float]) -> Iterator[Figure]:
    """Give a figure that is written to `file`; no window system and no global state are touched."""
    width, height = size
    with matplotlib.rc_context(cast(Any, _STYLE)):
        figure = Figure(figsize=size, dpi=_DPI)
        # Margins in inches: matplotlib's own layout engines take longer than the drawing.
        figure.subplots_adjust(
            left=0.7 / width, right=1 - 0.3 / width, bottom=0.48 / height, top=1 - 0.3 / height
        )
        FigureCanvasAgg(figure)
        yield figure
        figure.savefig(file, metadata={"Software": None}, pil_kwargs={"compress_level": 4})
