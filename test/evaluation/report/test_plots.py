# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures flatter nobody: frames without a value count, and what leaves an axis is marked."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from drcn_ros.evaluation.report import html
from drcn_ros.evaluation.report.plots import _cumulative, _mark_ends, _same_scale


@pytest.fixture
def figure() -> Figure:
    made = Figure(figsize=(9.0, 3.0))
    FigureCanvasAgg(made)
    return made


def test_frames_without_a_value_count_as_not_reaching_any(figure: Figure):
    axis = figure.subplots()
    _cumulative(axis, np.array([1.0, np.nan, 3.0, np.nan]), "red", "lost half of the time")
    assert axis.lines[0].get_ydata().tolist() == [0.25, 0.5]


def test_a_curve_that_leaves_the_axis_ends_in_a_triangle_there(figure: Figure):
    axis = figure.subplots()
    _cumulative(axis, np.concatenate([np.arange(100.0), [1e6]]), "red", "one far off")
    _cumulative(axis, np.full(50, 7.0), "blue", "none")
    _mark_ends(axis)
    (triangle,) = axis.lines[2:]
    assert triangle.get_marker() == ">"
    assert triangle.get_color() == "red"
    assert triangle.get_xdata()[0] == axis.get_xlim()[1] < 110


def test_a_metre_is_as_long_in_every_panel(figure: Figure):
    panels = figure.subplots(1, 3)
    for axis, (across, down) in zip(panels, [(20.0, 5.0), (20.0, 0.02), (5.0, 0.02)], strict=True):
        axis.plot([1.0, 1.0 + across], [2.0, 2.0 + down])
    _same_scale(panels, figure)
    scales = []
    for axis in panels:
        box = axis.get_position()
        scales += [np.ptp(axis.get_xlim()) / (9.0 * box.width), np.ptp(axis.get_ylim()) / (3.0 * box.height)]
        assert axis.get_xlim()[0] < 1.0 < axis.get_xlim()[1]
    assert scales == pytest.approx([scales[0]] * 6)


def test_panels_without_a_point_are_drawn_too(figure: Figure):
    panels = figure.subplots(1, 3)
    _same_scale(panels, figure)
    assert all(
        0.0 < np.ptp(limits) < np.inf for axis in panels for limits in (axis.get_xlim(), axis.get_ylim())
    )


def test_a_long_path_does_not_widen_the_page():
    page = html.page("Evaluation of /a" + "/very_long_name" * 30, "", [])
    assert "overflow-wrap: anywhere" in page
    # Else headings of many columns are broken into letters.
    assert "table.numbers th { overflow-wrap: normal; }" in page
