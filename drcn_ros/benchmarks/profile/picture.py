# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A profiled frame as a picture: stages and operators over time, and what takes longest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from drcn_ros.benchmarks.profile.frame import FrameProfile, Span
from drcn_ros.results.replacing import whole_file

_STAGE_COLOURS = {"extract": "#5aa9e6", "match": "#4caf7a", "geometry": "#f2c14e"}
_COLOURS = ("#1f77b4", "#e4572e", "#4caf7a", "#8e7cc3", "#f2a03d", "#00838f", "#ad1457", "#6d4c41")
_OTHER = "#c8c8c8"
_DPI = 110


def draw_profile(profile: FrameProfile, title: str, file: Path) -> None:
    """Write a picture of a profiled frame.

    Args:
        profile: what to draw.
        title: of the picture.
        file: PNG to write.
    """
    figure = Figure(figsize=(11.0, 4.2), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    timeline, bars = figure.subplots(1, 2, width_ratios=(3.2, 1.0))
    heaviest = profile.heaviest(len(_COLOURS))
    colours = {name: colour for (name, _), colour in zip(heaviest, _COLOURS, strict=False)}
    rows: list[tuple[str, Sequence[Span], dict[str, str]]] = [
        ("stages", profile.stages, _STAGE_COLOURS),
        ("operators", profile.operators, colours),
    ]
    if profile.kernels:
        rows.append(("GPU", profile.kernels, {}))
    for number, (_, spans, row_colours) in enumerate(rows):
        _draw_row(timeline, number, spans, row_colours)
    timeline.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    timeline.set_ylim(len(rows) - 0.4, -0.6)
    timeline.set_xlabel("ms, with the profiler on")
    timeline.set_title(f"{title}; {profile.duration:.1f} ms without the profiler", fontsize=10, loc="left")
    handles = [Patch(color=colour, label=name) for name, colour in _STAGE_COLOURS.items()]
    timeline.legend(handles=handles, loc="lower right", fontsize=8, frameon=False, ncols=3)
    names = [name.removeprefix("aten::") for name, _ in heaviest]
    bars.barh(names, [duration for _, duration in heaviest], color=[colours[name] for name, _ in heaviest])
    bars.invert_yaxis()
    bars.set_xlabel("ms in all")
    bars.tick_params(axis="y", labelsize=8)
    for axis in (timeline, bars):
        axis.spines[["top", "right"]].set_visible(False)
    with whole_file(file) as path:
        figure.savefig(path, format="png", metadata={"Software": None})


def _draw_row(axis: Any, row: int, spans: Sequence[Span], colours: dict[str, str]) -> None:
    axis.broken_barh(
        [(span.start, span.duration) for span in spans],
        (row - 0.32, 0.64),
        facecolors=[colours.get(span.name, _OTHER) for span in spans],
    )
