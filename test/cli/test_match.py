# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn match` tells matches and pose, draws them, and answers mistakes with one line."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from drcn_ros.matching import memory


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


def test_without_a_calibration_it_says_first_what_to_type_and_how_many_agree(drcn, images, tmp_path):
    picture = tmp_path / "out.png"
    answer = drcn("match", images[0], images[5], "--matcher", "sift", "-o", picture)
    assert answer.code == 0
    first, _, told, _ = answer.out.splitlines()
    assert first.startswith("note: no calibration, so no pose; give one with --camera FILE")
    assert first.endswith(f"drcn match {images[0]} {images[5]} --fov 65")
    agree, count = re.match(r"(\d+) of (\d+) matches agree on a fundamental matrix$", told).groups()
    assert 0.5 * int(count) < int(agree) < int(count)
    drawn = cv2.imread(str(picture))
    # Wrong matches are red; there are some.
    assert (np.abs(drawn.astype(int) - (60, 60, 235)).max(axis=2) < 20).any()


def test_a_flat_scene_agrees_on_a_homography_and_noise_on_nothing(drcn, images, tmp_path):
    photo = cv2.imread(str(images[0]))
    cv2.imwrite(str(tmp_path / "moved.png"), np.roll(photo, (7, 11), axis=(0, 1)))
    answer = drcn("match", images[0], tmp_path / "moved.png", "--matcher", "sift")
    assert "matches agree on a homography (a flat scene, a turn, or little motion)" in answer.out
    noise = np.random.default_rng(0).integers(0, 256, photo.shape, dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "noise.png"), noise)
    answer = drcn("match", images[0], tmp_path / "noise.png", "--matcher", "orb")
    assert "matches agree neither on a fundamental matrix nor on a homography" in answer.out


@pytest.mark.parametrize("options", [("--fov", "67.4"), ("--camera", "guess")])
def test_a_guessed_camera_is_called_one(drcn, images, options):
    answer = drcn("match", images[0], images[3], "--matcher", "sift", *options)
    assert answer.code == 0
    assert answer.out.startswith("note: the camera is a guess: 6")
    direction = re.search(r"direction \[(\S+) (\S+) (\S+)\]", answer.out)
    expected = np.array([-0.25, 0, 0.4]) / np.hypot(0.25, 0.4)
    assert np.array([float(part) for part in direction.groups()]) @ expected > np.cos(np.radians(15))


def turned(path: Path, image: np.ndarray) -> Path:
    """Write an image lying on its side, with the word that it is to be turned back."""
    data = cv2.imencode(".jpg", cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE))[1].tobytes()
    exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, 6, 0, 0)
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])
    return path


def test_a_photograph_on_its_side_is_turned_unless_there_is_a_calibration(drcn, recording, images, tmp_path):
    photo = turned(tmp_path / "photo.jpg", cv2.imread(str(images[0])))
    answer = drcn("match", photo, images[5], "--matcher", "sift", "-o", tmp_path / "out.png")
    assert f"note: {photo} is turned upright, as it says (EXIF)" in answer.out
    assert "agree on a fundamental matrix" in answer.out
    assert cv2.imread(str(tmp_path / "out.png")).shape == (180, 240 + 8 + 240, 3)
    answer = drcn("match", photo, photo, "--camera", recording / "calib.yaml", "--matcher", "sift")
    assert f"note: {photo} is taken as stored" in answer.out
    assert answer.code == 2
    assert f"is for 240x180 pixels, image {photo} has 180x240" in answer.error


def test_an_image_without_texture_has_no_pose_and_no_error(drcn, recording, images, tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((180, 240), 90, np.uint8))
    answer = drcn(
        "match", images[0], tmp_path / "grey.png", "--camera", recording / "calib.yaml", "--matcher", "sift",
        "-o", tmp_path / "out.png",
    )  # fmt: skip
    assert answer.code == 0
    assert "no pose: 0 matches; too few matches" in answer.out
    assert (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": "nowhere.png"}, "image nowhere.png: No such file"),
        ({"camera": "nowhere.yaml"}, "nowhere.yaml: No such file"),
        ({"out": "picture.txt"}, r"name it \*.png or \*.jpg"),
        ({"set": "matcher.max_keypoints=few"}, "matcher.max_keypoints: 'few' is no int"),
        ({"set": "matcher.speed=1"}, "parameter matcher.speed is unknown; known are"),
        ({"fov": "70"}, "--camera .*calib.yaml and --fov 70: give one of them"),
        ({"set": "nothing"}, "write NAME=VALUE"),
        ({"params": "nowhere.yaml"}, "parameter file nowhere.yaml: No such file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(drcn, recording, images, tmp_path, change, message):
    arguments = {"a": images[0], "camera": recording / "calib.yaml", "out": tmp_path / "out.png"}
    arguments.update(change)
    options = [word for name in ("camera", "fov", "out", "set", "params") if name in arguments
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
    assert re.search(
        r"is for 640x180 pixels, image \S+ has 240x180; without --camera and --fov", answer.error
    )


def test_an_image_matched_with_itself_has_not_moved(drcn, recording, images):
    answer = drcn("match", images[0], images[0], "--camera", recording / "calib.yaml", "--matcher", "sift")
    assert answer.code == 0
    assert re.search(r"no motion of B against A beyond the noise, (\d+) of \1 matches agree", answer.out)


def test_matches_that_tell_no_pose_say_why(drcn, recording, images, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (180, 240), np.uint8)
    cv2.imwrite(str(tmp_path / "noise.png"), noise)
    answer = drcn(
        "match", images[0], tmp_path / "noise.png", "--camera", recording / "calib.yaml", "--matcher", "orb"
    )
    assert answer.code == 0
    assert re.search(r"no pose: [1-9]\d* matches; (too few matches|no more agree on a motion)", answer.out)


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


def test_an_image_without_keypoints_says_why(drcn, images, tmp_path):
    cv2.imwrite(str(tmp_path / "dark.png"), np.full((180, 240), 3, np.uint8))
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((180, 240), 120, np.uint8))
    answer = drcn("match", tmp_path / "dark.png", tmp_path / "grey.png", "--matcher", "sift")
    assert answer.code == 0
    assert "dark.png has 0 keypoints: dark, mean grey level 3" in answer.out
    assert "grey.png has 0 keypoints: it has too little texture or is blurred" in answer.out


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
@pytest.mark.parametrize("matcher", ["orb", "sift"])
def test_an_image_of_one_row_or_column_has_no_keypoints(drcn, images, tmp_path, size, matcher):
    cv2.imwrite(str(tmp_path / "line.png"), np.random.default_rng(0).integers(0, 255, size, np.uint8))
    answer = drcn("match", tmp_path / "line.png", images[0], "--matcher", matcher)
    assert answer.code == 0
    assert "line.png has 0 keypoints" in answer.out


def test_a_portrait_and_a_smaller_image_are_matched_in_their_own_pixels(drcn, recording, images, tmp_path):
    picture = cv2.imread(str(images[0]))
    cv2.imwrite(str(tmp_path / "portrait.png"), picture[:, :120])
    cv2.imwrite(str(tmp_path / "double.png"), cv2.resize(picture, None, fx=2, fy=2))
    arguments = ["match", tmp_path / "portrait.png", tmp_path / "double.png", "--matcher", "sift"]
    answer = drcn(*arguments, "-o", tmp_path / "out.png")
    assert answer.code == 0
    assert int(re.search(r"(\d+) matches", answer.out)[1]) > 20
    assert cv2.imread(str(tmp_path / "out.png")).shape == (360, 120 + 8 + 480, 3)
    answer = drcn(*arguments, "--camera", recording / "calib.yaml")
    assert answer.code == 2
    assert re.search(r"is for 240x180 pixels, image \S+portrait.png has 120x180", answer.error)
    assert len(answer.error.strip().splitlines()) == 1


def test_images_that_memory_does_not_suffice_for_are_refused_in_one_line(drcn, images, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 10e6)
    answer = drcn("match", images[0], images[1], "--matcher", "drcn", "--set", "matcher.device=cpu")
    assert answer.code == 2
    assert re.fullmatch(
        r"drcn match: images of 240x180 pixels take about 17 MB with drcn, 10 MB are free; "
        r"set matcher\.max_image_size to \d+ or free memory\n",
        answer.error,
    )


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("fx: 180.0", "fx: 1.0", "fx is 1; expected 12 to 24000"),
        ("fx: 180.0", "fx: .nan", "fx is nan"),
        ("cx: 119.5", "cx: -1.0e+6", "cx is -1e+06; expected -240 to 480"),
        ("cy: 89.5", "cy: true", "cy is True; expected a finite number"),
        ("width: 240", "width: 240.7", "width is 240.7; expected a whole number"),
        ("height: 180", "", "'height' is missing"),
        ("distortion: []", "distortion: [0.1, 0.2, 0.3]", "3 distortion coefficients"),
        ("distortion: []", "distortion: [[0.1]]", "distortion[0] is [0.1]"),
        ("distortion_model: none", "distortion_model: 3", "distortion_model is 3; expected a name"),
        ("fy: 180.0", "fy: {a: 1}", "fy is {'a': 1}; expected a finite number"),
    ],
)
def test_a_value_that_no_camera_has_is_named(drcn, recording, images, tmp_path, old, new, word):
    text = (recording / "calib.yaml").read_text()
    assert old in text
    text = text.replace(old, new)
    (tmp_path / "calib.yaml").write_text(
        text.replace("model: none", "model: plumb_bob") if "[" in new else text
    )
    answer = drcn("match", images[0], images[1], "--camera", tmp_path / "calib.yaml", "--matcher", "orb")
    assert answer.code == 2
    assert word in answer.error
    assert answer.error.startswith(f"drcn match: calibration {tmp_path / 'calib.yaml'}: ")
    assert len(answer.error.splitlines()) == 1
