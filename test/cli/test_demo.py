# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The demo ends with a rendered room and with real frames, each through the real node."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drcn_ros.cli import demo
from drcn_ros.scenes.scenarios import CAMERA, scenario

pytestmark = pytest.mark.dds


def test_without_an_input_both_sequences_are_played_and_judged(
    drcn: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "scenario", lambda name: scenario(name, 8, camera=CAMERA.scaled(320, 240)))
    answer = drcn("demo", "--out", tmp_path, "--matcher", "orb", "--duration", "0.3")
    assert answer.code == 0, answer.error
    assert re.match(r"median / 90th percentile +rendered room +recorded office", answer.out)
    for part, rendered in (("room", True), ("office", False)):
        run = tmp_path / part / "run"
        assert f"report:     {run / 'report.html'}" in answer.out
        content = json.loads((run / "metrics.json").read_text())
        assert content["frames"]["total"] > 3
        assert ("rosbag2" in content["kind"]) == rendered
    assert (tmp_path / "office" / "matches.png").stat().st_size > 10_000


def test_frames_that_are_not_installed_are_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse

    monkeypatch.setattr(demo, "scenario", lambda name: scenario(name, 2, camera=CAMERA.scaled(64, 48)))
    monkeypatch.setattr("drcn_ros.ros.share.office_frames", lambda: None)
    parser = argparse.ArgumentParser()
    demo.configure(parser)
    sequences = list(demo._sequences(parser.parse_args(["--out", str(tmp_path)])))
    assert [title for title, *_ in sequences] == ["rendered room"]
    assert "data/office were not installed" in capsys.readouterr().err
