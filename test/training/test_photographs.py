# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.training.config import PhotographConfig
from drcn_ros.training.photographs import read_photographs


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)


def test_broken_small_and_smooth_files_are_skipped_and_counted(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "good.png"), noise(200, 300))
    cv2.imwrite(str(tmp_path / "small.png"), noise(100, 300))
    cv2.imwrite(str(tmp_path / "smooth.png"), np.full((200, 300), 90, np.uint8))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no image")
    found = read_photographs(PhotographConfig(folders=str(tmp_path)))
    assert (len(found.tiles), found.broken, found.small, found.smooth) == (1, 2, 1, 1)


def test_a_large_photograph_gives_tiles_at_several_scales(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "large.png"), noise(600, 800))
    found = read_photographs(PhotographConfig(folders=str(tmp_path), tile=200, contrast=0.0))
    assert len(found.tiles) == 3 * 4 + 2 * 2
    assert {tile.shape for tile in found.tiles} == {(200, 200), (150, 200)}


def test_the_digest_names_the_content(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), noise(200, 300))
    config = PhotographConfig(folders=str(tmp_path))
    before = read_photographs(config).digest
    assert read_photographs(config).digest == before
    cv2.imwrite(str(tmp_path / "a.png"), noise(200, 301))
    assert read_photographs(config).digest != before


def test_nothing_usable_is_an_error_that_says_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="1 broken"):
        read_photographs(PhotographConfig(folders=str(tmp_path)))
    with pytest.raises(InputError, match="no folder"):
        read_photographs(PhotographConfig(folders=str(tmp_path / "missing")))
