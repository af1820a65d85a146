# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A film shows the frames in order, evenly spaced, and a path that grows towards its end."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drcn_ros.evaluation.estimates import Correspondences, FrameEstimate
from drcn_ros.evaluation.report.film import Film
from drcn_ros.odometry.states import State
from drcn_ros.odometry.types import Frame
from drcn_ros.sequences.trajectories.trajectory import Trajectory

BLUE, GREEN, RED = (80, 170, 255), (90, 220, 120), (235, 60, 60)


def estimate(index: int, state: State = State.TRACKING) -> FrameEstimate:
    pose = np.eye(4)
    pose[:3, 3] = [index, 0.0, 0.1 * index**2]
    return FrameEstimate(index, state, "OK", "", 9, 4, 3, 1.0, None, None, None, pose, 0, {})


def filmed(folder: Path, count: int, most: int, truth: Trajectory | None = None) -> list[np.ndarray]:
    film = Film(most)
    points = np.array([[10.0, 20.0], [60.0, 30.0]], np.float32)
    matches = Correspondences(points, points + 8, np.array([True, False]))
    for index in range(count):
        # One image of another size on the way, and colour as well as grey.
        shape = (60, 80) if index % 2 else (90, 120, 3)
        film.add(
            Frame(index, np.full(shape, 4 * index, np.uint8)), estimate(index), matches if index else None
        )
    film.write(folder / "film.gif", truth)
    pictures = []
    with Image.open(folder / "film.gif") as gif:
        for number in range(gif.n_frames):
            gif.seek(number)
            pictures.append(np.asarray(gif.convert("RGB")).astype(int))
    return pictures


def near(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(picture - colour).max(axis=2) < 30


def test_the_path_grows_from_picture_to_picture(tmp_path: Path):
    pictures = filmed(tmp_path, 6, 8)
    assert len(pictures) == 6
    drawn = [int(near(picture, BLUE).sum()) for picture in pictures]
    # The first row of the legend alone has that colour before there is a path.
    assert all(before < after for before, after in pairwise(drawn[1:]))


def test_matches_that_agree_and_those_that_do_not_differ_in_colour(tmp_path: Path):
    first, second = filmed(tmp_path, 2, 8)
    assert not near(first, RED).any()
    assert near(second, GREEN).any()
    assert near(second, RED).any()


def test_a_long_run_keeps_few_pictures_evenly_spaced(tmp_path: Path):
    pictures = filmed(tmp_path, 21, 5)
    # Of 21 frames every eighth.
    assert len(pictures) == 3
    grey = [picture[5, 300, 0] for picture in pictures]
    assert np.diff(grey) == pytest.approx([24, 24], abs=6)


def test_a_true_path_is_drawn_beside_the_estimated_one(tmp_path: Path):
    poses = np.array([estimate(index).pose for index in range(4)])
    poses[:, :3, 3] *= 2.5
    with_truth = filmed(tmp_path, 4, 8, Trajectory(np.arange(4), poses))
    without = filmed(tmp_path, 4, 8)
    grey = np.array([120, 120, 120])
    assert (np.abs(with_truth[0] - grey).max(axis=2) < 8).sum() > (
        np.abs(without[0] - grey).max(axis=2) < 8
    ).sum()


def test_a_single_frame_without_a_pose_is_a_film_too(tmp_path: Path):
    film = Film()
    film.add(Frame(0, np.zeros((40, 50), np.uint8)), estimate(0, State.WAITING_FOR_CALIBRATION), None)
    film.write(tmp_path / "film.gif", None)
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.n_frames == 1
