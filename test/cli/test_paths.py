# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Paths that are no text: bytes that are no UTF-8 are names of files all the same."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from drcn_ros.networks.weights import EMBEDDED
from drcn_ros.sequences import open_sequence
from drcn_ros.sequences.bags.writer import Compression, Storage, write_bag


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder whose name is Latin-1."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    return folder


def test_matches_are_drawn_there(drcn, recording: Path, odd: Path):
    first, second = sorted((recording / "rgb").iterdir())[:2]
    shutil.copy(first, odd / "a.png")
    answer = drcn("match", odd / "a.png", second, "--matcher", "orb", "-o", odd / "out.png")
    assert answer.code == 0
    assert (odd / "out.png").stat().st_size > 1000
    assert r"caf\udce9/out.png" in answer.out


def test_a_folder_is_evaluated_there(drcn, recording: Path, odd: Path):
    shutil.copytree(recording, odd / "walk")
    files = ("--camera", odd / "walk" / "calib.yaml", "--gt", odd / "walk" / "groundtruth.txt")
    options = ("--matcher", "orb", "--baseline", "sift", "--matches", "2", *files)
    answer = drcn("evaluate", odd / "walk", "--out", odd / "run", *options)
    assert answer.code == 0, answer.error
    assert json.loads((odd / "run" / "metrics.json").read_text())["frames"]["total"] == 6
    assert (odd / "run" / "matches" / "000002.jpg").is_file()
    assert (odd / "run" / "baseline_sift" / "report.html").is_file()


@pytest.mark.parametrize("storage", Storage)
@pytest.mark.parametrize("compression", [Compression.NONE, Compression.FILE])
def test_a_bag_is_read_there(recording: Path, odd: Path, storage: Storage, compression: Compression):
    write_bag(open_sequence(recording), odd / "bag", storage=storage, compression=compression)
    assert len(list(open_sequence(odd / "bag").frames())) == 6
    (odd / "bag" / "metadata.yaml").unlink()
    file = next((odd / "bag").iterdir())
    if compression is Compression.NONE:
        # One that is cut off takes another way.
        file.write_bytes(file.read_bytes()[:-4000])
    assert len(list(open_sequence(file).frames())) >= 3


def test_a_video_is_read_there(tmp_path: Path, odd: Path):
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (320, 240))
    for level in (0, 100, 200):
        writer.write(np.full((240, 320, 3), level, np.uint8))
    writer.release()
    shutil.copy(tmp_path / "a.avi", odd / "a.avi")
    assert [frame.image.mean() > 90 for frame in open_sequence(odd / "a.avi").frames()] == [False, True, True]


def test_weights_are_read_and_written_there(drcn, odd: Path):
    shutil.copy(EMBEDDED, odd / "own.safetensors")
    assert drcn("weights", "check", odd / "own.safetensors").code == 0
    assert drcn("weights", "convert", odd / "own.safetensors", odd / "again.safetensors").code == 0
    answer = drcn("weights", "info", odd / "again.safetensors")
    assert answer.code == 0
    assert r"caf\udce9/again.safetensors" in answer.out
