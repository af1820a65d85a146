# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The examples do what they say, on some of the real frames in the repository."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
OFFICE = ROOT / "data" / "office"
EXAMPLES = ROOT / "examples"
FIRST = 60


def main_of(name: str) -> Callable[..., None]:
    specification = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    main: Callable[..., None] = module.main
    return main


def office(folder: Path, count: int) -> Path:
    """Make a TUM folder of some of the frames."""
    (folder / "rgb").mkdir()
    for name in ("rgb.txt", "groundtruth.txt"):
        rows = [line for line in (OFFICE / name).read_text().splitlines() if not line.startswith("#")]
        (folder / name).write_text("\n".join(rows[FIRST : FIRST + count]) + "\n")
    for line in (folder / "rgb.txt").read_text().splitlines():
        shutil.copy(OFFICE / line.split()[1], folder / "rgb")
    return folder


@pytest.mark.parametrize("name", ["odometry_over_images", "own_matcher"])
def test_each_image_gives_a_line_with_its_state(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main_of(name)(str(office(tmp_path, 5) / "rgb"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["INITIALIZING"] + ["TRACKING"] * 4
    assert len({line.split(maxsplit=2)[2] for line in lines}) == len(lines)


def test_two_pictures_give_the_direction_in_which_the_camera_went(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = 30, 33
    main_of("match_two_pictures")(*(str(OFFICE / "rgb" / f"{name:05d}.jpg") for name in (first, second)))
    text = capsys.readouterr().out
    agree, matches = map(int, re.findall(r"(\d+) of (\d+) matches agree", text)[0])
    assert matches >= agree > 100
    direction = np.array(re.findall(r"direction \[(.*)\]", text)[0].split(), float)
    truth = np.loadtxt(OFFICE / "groundtruth.txt")
    # The first image is number 3.
    here, there = truth[first - 3], truth[second - 3]
    x, y, z, w = here[4:]
    axes = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)],
            [2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)],
            [2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    true = axes @ (there[1:4] - here[1:4])
    cosine = direction @ true / np.linalg.norm(direction) / np.linalg.norm(true)
    assert np.degrees(np.arccos(min(1.0, cosine))) < 10


def test_places_known_from_elsewhere_bring_the_path_nearer_to_the_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("gtsam", reason="gtsam is not installed")
    main_of("pose_graph")(str(office(tmp_path, 15)))
    odometry, graph = (int(off) for off in re.findall(r"(\d+) mm off", capsys.readouterr().out))
    assert 0 < graph < odometry


def test_examples_are_all_listed_and_short() -> None:
    listed = (EXAMPLES / "README.md").read_text()
    for file in EXAMPLES.glob("*.py"):
        assert f"[{file.name}]({file.name})" in listed
        # That with an IMU simulates one besides.
        assert len(file.read_text().splitlines()) < (150 if file.name == "imu_scale.py" else 100)


def test_an_imu_gives_the_scale_and_gravity(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gtsam", reason="the example needs GTSAM")
    main_of("imu_scale")(40)
    text = capsys.readouterr().out
    gravity, _, way, true = (float(number) for number in re.findall(r"\d+\.\d+", text)[:4])
    assert gravity == pytest.approx(9.81, rel=0.01)
    assert way == pytest.approx(true, rel=0.1)
