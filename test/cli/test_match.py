# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn match` tells matches and pose, draws them, and answers mistakes with one line."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def images(recording: Path) -> list[Path]:
    return sorted((recording / "rgb").iterdir())


def test_two_images_give_matches_a_pose_and_a_picture(drcn, recording, images, tmp_path):
    picture = tmp_path / "out.png"
    answer = drcn(
        "match",
        images[0],
        images[3],
        "--camera",
        recording / "calib.yaml",
        "-o",
        picture,
        "--matcher",
        "sift",
    )
    assert answer.code == 0
    assert re.search(r"sift: \d+ and \d+ keypoints, \d+ matches", answer.out)
    direction = re.search(r"direction \[(\S+) (\S+) (\S+)\]", answer.out)
    # The camera slid 0.4 forward and 0.25 to the left; left is negative x of the optical frame.
    expected = np.array([-0.25, 0, 0.4]) / np.hypot(0.25, 0.4)
    assert np.array([float(part) for part in direction.groups()]) @ expected > np.cos(np.radians(10))
    assert cv2.imread(str(picture)).shape == (180, 240 + 8 + 240, 3)


def test_without_a_calibration_there_are_matches_only(drcn, images):
    answer = drcn("match", images[0], images[1], "--matcher", "orb")
    assert answer.code == 0
    assert "pose" not in answer.out


def test_an_image_without_texture_has_no_pose_and_no_error(drcn, recording, images, tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((180, 240), 90, np.uint8))
    answer = drcn(
        "match", images[0], tmp_path / "grey.png", "--camera", recording / "calib.yaml", "--matcher", "sift",
        "-o", tmp_path / "out.png",
    )  # fmt: skip
    assert answer.code == 0
    assert "no pose: 0 matches" in answer.out
    assert (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": "nowhere.png"}, "image nowhere.png: No such file"),
        ({"camera": "nowhere.yaml"}, "nowhere.yaml: No such file"),
        ({"out": "picture.txt"}, r"name it \*.png or \*.jpg"),
        ({"set": "matcher.max_keypoints=few"}, "matcher.max_keypoints: 'few' is no int"),
        ({"set": "matcher.speed=1"}, "parameter matcher.speed is unknown; known are"),
        ({"set": "nothing"}, "write NAME=VALUE"),
        ({"params": "nowhere.yaml"}, "parameter file nowhere.yaml: No such file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(drcn, recording, images, tmp_path, change, message):
    arguments = {"a": images[0], "camera": recording / "calib.yaml", "out": tmp_path / "out.png"}
    arguments.update(change)
    options = [word for name in ("camera", "out", "set", "params") if name in arguments
               for word in (f"--{name}", arguments[name])]  # fmt: skip
    answer = drcn("match", arguments["a"], images[1], "--matcher", "orb", *options)
    assert answer.code == 2
    assert re.search(message, answer.error)
    assert len(answer.error.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_calibration_for_another_size_is_refused(drcn, recording, images, tmp_path):
    text = (recording / "calib.yaml").read_text().replace("width: 240", "width: 640")
    (tmp_path / "calib.yaml").write_text(text)
    answer = drcn("match", images[0], images[1], "--camera", tmp_path / "calib.yaml", "--matcher", "orb")
    assert answer.code == 2
    assert re.search(r"is for 640x180 pixels, image \S+ has 240x180", answer.error)


def test_an_image_matched_with_itself_has_not_moved(drcn, recording, images):
    answer = drcn("match", images[0], images[0], "--camera", recording / "calib.yaml", "--matcher", "sift")
    assert answer.code == 0
    assert re.search(r"no motion of B against A beyond the noise, (\d+) of \1 matches agree", answer.out)


def test_an_image_turned_by_half_a_turn_is_told_with_its_angle(drcn, recording, images, tmp_path):
    turned = cv2.rotate(cv2.imread(str(images[0])), cv2.ROTATE_180)
    cv2.imwrite(str(tmp_path / "turned.png"), turned)
    answer = drcn(
        "match", images[0], tmp_path / "turned.png", "--camera", recording / "calib.yaml", "--matcher", "sift"
    )
    assert answer.code == 0
    assert re.search(r"rotation of B against A: 1(79\.9|80\.0)\d+ deg", answer.out)
    assert "no parallax that tells a translation" in answer.out


def test_large_images_are_drawn_smaller_and_their_matches_in_place(drcn, tmp_path):
    noise = np.random.default_rng(3).integers(0, 256, (70, 340), dtype=np.uint8)
    wide = cv2.resize(noise, (2720, 560), interpolation=cv2.INTER_CUBIC)
    for name, left in (("a", 0), ("b", 160)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), wide[:, left : left + 2560])
    answer = drcn(
        "match", tmp_path / "a.png", tmp_path / "b.png", "-o", tmp_path / "out.png", "--matcher", "orb"
    )
    assert answer.code == 0
    drawn = cv2.imread(str(tmp_path / "out.png"))
    assert drawn.shape == (448, 2048 + 8 + 2048, 3)
    # Images are grey, matches are not: none lies in what only one of both images shows.
    coloured = np.ptp(drawn.astype(int), axis=2) > 60
    assert coloured[:, 130:2048].any()
    assert not coloured[:, :124].any()
