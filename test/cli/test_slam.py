# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("gtsam", reason="the map needs GTSAM")

from drcn_ros.cli.main import main
from drcn_ros.mapping import Mapper


def test_a_map_is_made_of_a_sequence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "result"
    arguments = [
        "slam",
        "scene:orbit",
        "--frames",
        "24",
        "--step",
        "3",
        "--out",
        str(folder),
        "--matcher",
        "sift",
    ]
    assert main([*arguments, "--set", "matcher.max_image_size=240", "--map", "spacing.angle=0.1"]) == 0
    told = capsys.readouterr().out
    assert "8 frames" in told
    numbers = json.loads((folder / "slam.json").read_text())
    assert numbers["before"]["percent"] < 3.0
    assert numbers["false_loops"] == 0
    assert (folder / "path.png").stat().st_size > 1000
    loaded = Mapper.load(folder / "map")
    assert len(loaded) == numbers["keyframes"] > 2
    assert len(loaded.points()) > 50


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["scene:spiral"], "'spiral' is unknown"),
        (["scene:orbit", "--map", "loops.ratio=7"], "loops.ratio: 7.0 lies outside"),
        (["scene:orbit", "--frames", "1"], "--frames"),
        (["nowhere"], "nowhere"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(
    more: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["slam", *more]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_without_gtsam_the_command_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gtsam", None)
    assert main(["slam", "scene:orbit"]) == 2
    assert "pip install gtsam==" in capsys.readouterr().err
