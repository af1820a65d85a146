# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json
from operator import methodcaller
from pathlib import Path

import cv2
import numpy as np
import pytest

from drcn_ros.benchmarks.machine import in_fresh_process, peak_memory_mb
from drcn_ros.benchmarks.roofline import Ceilings, Work
from drcn_ros.benchmarks.speed.benchmark import (
    STAGES,
    SpeedCase,
    SpeedOutcome,
    StageSpeed,
    matcher_config,
    run_speed,
)
from drcn_ros.benchmarks.speed.frames import load_frames, save_frames
from drcn_ros.benchmarks.speed.report import as_json, growth, read_earlier, table
from drcn_ros.cli.main import main
from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera
from drcn_ros.sequences import SequenceOptions
from drcn_ros.sequences.calibrations import calibration_text


@pytest.fixture
def outcome() -> SpeedOutcome:
    stages = {name: StageSpeed(2.0, 3.0) for name in STAGES}
    stages["extract"] = StageSpeed(20.0, 30.0, Work(1.0, 50.0), 10.0)
    stages["frame"] = StageSpeed(40.0, 50.0)
    return SpeedOutcome(
        "drcn",
        320,
        240,
        "cpu",
        "float32",
        1,
        9,
        stages,
        20.0,
        35.0,
        300.0,
        0.0,
        500,
        300,
        1.0,
        Ceilings(100, 10),
    )


def _times(outcome: SpeedOutcome, width: int, height: int, factor: float) -> SpeedOutcome:
    frame = StageSpeed(factor * 40.0, factor * 50.0)
    return dataclasses.replace(
        outcome, width=width, height=height, stages={**outcome.stages, "frame": frame}, cpu_ms=factor * 35.0
    )


def test_growth_is_the_power_of_the_pixel_count(outcome: SpeedOutcome) -> None:
    powers = growth([outcome, _times(outcome, 640, 480, 4.0)])
    assert powers == {"drcn": (pytest.approx(1.0), pytest.approx(1.0))}
    assert growth([outcome]) == {}


def test_the_tables_show_times_limits_and_ratios(outcome: SpeedOutcome) -> None:
    text = table([outcome], {("drcn", "320x240", "cpu", "float32"): 80.0})
    assert (
        "| drcn | 320x240 | 20.0 | 2.0 | 2.0 | 40.0 | 50.0 | 35.0 | 25.0 | 50.0 | 300 | 500, 300 | 2.00 |"
        in text
    )
    assert "| drcn | 320x240 | extract | 1.00 | 50 | 10.0 | 20.0 | 50% |" in text
    assert "times faster" not in table([outcome])


def test_an_earlier_run_is_read_back(tmp_path: Path, outcome: SpeedOutcome) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(as_json({"cores": 2}, [outcome])))
    assert read_earlier(path) == {("drcn", "320x240", "cpu", "float32"): 40.0}
    path.write_text("[]")
    with pytest.raises(InputError, match="was not written by"):
        read_earlier(path)
    with pytest.raises(InputError, match="No such file"):
        read_earlier(tmp_path / "missing.json")


@pytest.mark.parametrize("name", ["drcn", "sift"])
def test_a_case_is_timed_from_image_to_pose(tmp_path: Path, name: str) -> None:
    path = tmp_path / "frames.npz"
    save_frames(path, 160, 128, 5)
    warm_up = 2 if name == "drcn" else 0
    found = run_speed(SpeedCase(matcher_config(name, device="cpu"), path, warm_up, 1))
    assert (found.matcher, found.width, found.height, found.frames) == (name, 160, 128, 5 - warm_up)
    assert found.keypoints > 20
    parts = sum(found.stages[stage].median_ms for stage in STAGES[:3])
    assert 0 < parts < 2 * found.stages["frame"].median_ms
    assert found.overlapped_ms > 0
    assert (found.stages["extract"].work is not None) == (name == "drcn")


def _write_images(folder: Path) -> None:
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((96, 128, 3), 40 * number, np.uint8))


def test_frames_without_a_calibration_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "rgb"
    folder.mkdir()
    _write_images(folder)
    path = tmp_path / "frames.npz"
    with pytest.raises(InputError, match="no calibration"):
        save_frames(path, 64, 48, 3, str(folder))


def test_recorded_frames_are_resized_with_their_camera(tmp_path: Path) -> None:
    folder = tmp_path / "room"
    folder.mkdir()
    _write_images(folder)
    calibration = tmp_path / "camera.yaml"
    calibration.write_text(calibration_text(Camera(128, 96, 100.0, 100.0, 63.5, 47.5)), encoding="utf-8")
    path = tmp_path / "frames.npz"
    save_frames(path, 64, 48, 3, str(folder), SequenceOptions(camera=calibration))
    frames, camera = load_frames(path)
    assert (camera.width, camera.height) == (64, 48)
    assert camera.fx == pytest.approx(50.0)
    assert [int(frame.image[20, 20]) for frame in frames] == [0, 40, 80]


def test_rendered_frames_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "frames.npz"
    save_frames(path, 64, 64, 2)
    frames, camera = load_frames(path)
    assert (camera.width, camera.height, camera.cx) == (64, 64, 31.5)
    assert [frame.image.shape for frame in frames] == [(64, 64)] * 2
    assert frames[0].stamp_ns < frames[1].stamp_ns


@pytest.mark.slow
def test_memory_of_a_new_process_is_its_own() -> None:
    held = np.ones(100 << 20)
    assert (
        in_fresh_process(methodcaller("__call__"), peak_memory_mb)
        < peak_memory_mb() - 0.9 * held.nbytes / 2**20
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--matchers", "orbit"], "orbit"), (["--sizes", "9x9"], "64x64"), (["--frames", "0"], "--frames 0")],
)
def test_wrong_arguments_are_one_line(capsys, arguments, complaint) -> None:
    assert main(["bench", "speed", *arguments]) == 2
    assert complaint in capsys.readouterr().err
