# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from drcn_ros.benchmarks.profile.frame import FrameProfile, Span, _with_geometry
from drcn_ros.cli.main import main


def test_geometry_is_what_lies_after_a_stage() -> None:
    marks = [Span("extract", 1.0, 4.0), Span("match", 4.5, 6.0)]
    assert _with_geometry(marks, 9.0) == (
        marks[0],
        Span("geometry", 4.0, 4.5),
        marks[1],
        Span("geometry", 6.0, 9.0),
    )


def test_the_heaviest_are_summed_by_name() -> None:
    spans = (Span("a", 0, 1), Span("b", 1, 4), Span("a", 4, 7))
    assert FrameProfile(7.0, (), spans, ()).heaviest(1) == [("a", 4.0)]


def test_a_frame_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "frame.png"
    assert main(["bench", "profile", str(picture), "--size", "160x128", "--device", "cpu"]) == 0
    assert cv2.imread(str(picture)).shape[1] == 1210
    text = capsys.readouterr().out
    assert "a frame takes" in text
    assert "conv" in text
