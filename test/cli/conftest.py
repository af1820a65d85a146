# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the command line in this process, and writes a short recording for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from drcn_ros.cli.main import main
from drcn_ros.geometry.camera import Camera
from drcn_ros.scenes import paths
from drcn_ros.scenes.photographs import photograph
from drcn_ros.scenes.renderer import Renderer
from drcn_ros.scenes.surfaces import box, rectangle
from drcn_ros.sequences.calibrations import calibration_text
from drcn_ros.sequences.trajectories.files import format_stamp, tum_lines
from drcn_ros.sequences.trajectories.trajectory import Trajectory

CAMERA = Camera(240, 180, 180.0, 180.0, 119.5, 89.5)
FRAMES = 6


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    error: str


@pytest.fixture
def drcn(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    def run(*arguments: object) -> Answer:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return run


def _photo(name: str):
    return lambda width, height: cv2.resize(photograph(name), (width, height), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TUM folder of a few frames with ground truth."""
    folder = tmp_path_factory.mktemp("recording") / "walk"
    (folder / "rgb").mkdir(parents=True)
    scene = [
        rectangle((4, 2.5, 2.5), (0, -5, 0), (0, 0, -2.5), _photo("motorcycle_left.png"), 110),
        rectangle((0, 2.5, 0), (4, 0, 0), (0, -5, 0), _photo("grass.png"), 110),
        *box((2.4, -0.9, 0.0), (3.0, -0.2, 1.1), lambda face: _photo("coffee.png"), 150),
        *box((2.0, 0.5, 0.0), (2.6, 1.2, 1.3), lambda face: _photo("astronaut.png"), 150),
    ]
    renderer, path = Renderer(scene, CAMERA), paths.slide((0, 0, 1.0), 0.0, (0.4, 0.25, 0.0))
    stamps = [1_700_000_000_000_000_000 + index * 100_000_000 for index in range(FRAMES)]
    poses = np.stack([path(0.1 * index) for index in range(FRAMES)])
    lines = []
    for stamp, pose in zip(stamps, poses, strict=True):
        name = f"rgb/{format_stamp(stamp)}.png"
        cv2.imwrite(str(folder / name), cv2.cvtColor(renderer.render(pose), cv2.COLOR_RGB2BGR))
        lines.append(f"{format_stamp(stamp)} {name}\n")
    (folder / "rgb.txt").write_text("".join(lines))
    (folder / "calib.yaml").write_text(calibration_text(CAMERA))
    (folder / "groundtruth.txt").write_text("".join(tum_lines(Trajectory.from_poses(stamps, poses))))
    return folder
