# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TUM folders give the frames that were written into them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from drcn_ros.errors import InputError
from drcn_ros.sequences import open_sequence
from drcn_ros.sequences.folders.tum_writer import write_tum


def test_a_tum_folder_gives_the_same_frames(tmp_path: Path, clip, assert_same):
    write_tum(clip, tmp_path / "tum")
    sequence = open_sequence(tmp_path / "tum")
    assert sequence.kind == "TUM RGB-D folder"
    assert len(sequence) == len(clip)
    assert_same(sequence)


def test_a_tum_folder_of_the_data_set_knows_its_camera_by_name(tmp_path: Path, clip):
    folder = tmp_path / "rgbd_dataset_freiburg2_desk"
    write_tum(clip, folder)
    (folder / "calib.yaml").unlink()
    assert open_sequence(folder).camera.fx == pytest.approx(520.9)


def test_a_missing_image_of_a_list_is_named(tmp_path: Path, clip):
    write_tum(clip, tmp_path / "tum")
    missing = sorted((tmp_path / "tum" / "rgb").iterdir())[3]
    missing.unlink()
    with pytest.raises(InputError, match=rf"{missing.name} is missing \(1 of 8\)"):
        open_sequence(tmp_path / "tum")


def test_a_damaged_image_is_named_when_it_is_read(tmp_path: Path, clip):
    write_tum(clip, tmp_path / "tum")
    damaged = sorted((tmp_path / "tum" / "rgb").iterdir())[3]
    damaged.write_bytes(b"no image")
    with pytest.raises(InputError, match=rf"{damaged.name}: it is damaged or no image"):
        list(open_sequence(tmp_path / "tum").frames())


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, clip):
    write_tum(clip, tmp_path / "tum")
    shutil.rmtree(tmp_path / "tum" / "rgb")
    with pytest.raises(InputError, match=r"is missing \(8 of 8\)"):
        open_sequence(tmp_path / "tum")
