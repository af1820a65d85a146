# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from drcn_ros.cli.main import main
from drcn_ros.errors import InputError
from drcn_ros.sequences.bags.writer import write_bag
from drcn_ros.sequences.base import ImageSequence, Shot
from drcn_ros.training.config import RecordingConfig
from drcn_ros.training.log import read_log
from drcn_ros.training.recording import RecordedPairs, match_frames, read_frames

SHIFT = 4


class Panning(ImageSequence):
    """A camera that pans over a photograph, and one damaged frame."""

    def __init__(self, photograph: NDArray[np.uint8], frames: int = 8, damaged: int = -1) -> None:
        super().__init__("panning", "test")
        self._photograph = photograph
        self._frames = frames
        self._damaged = damaged

    def __len__(self) -> int:
        return self._frames

    def shots(self) -> Iterator[Shot]:
        for index in range(self._frames):
            yield Shot(1_000_000_000 + index * 50_000_000, partial(self._image, index))

    def _image(self, index: int) -> NDArray[np.uint8] | None:
        if index == self._damaged:
            return None
        left = SHIFT * index
        return np.ascontiguousarray(self._photograph[:, left : left + 280])


@pytest.fixture
def photograph(photographs_folder: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(photographs_folder / "0.png"), cv2.IMREAD_GRAYSCALE), np.uint8)


def test_frames_come_with_their_successor(photograph: NDArray[np.uint8]) -> None:
    sequence = Panning(photograph)
    frames = list(read_frames(sequence, RecordingConfig(frames=3)))
    assert len(frames) == 3
    for first, second in frames:
        assert second is not None
        assert np.array_equal(first[:, SHIFT:], second[:, :-SHIFT])


def test_a_damaged_frame_is_no_partner(photograph: NDArray[np.uint8]) -> None:
    frames = list(read_frames(Panning(photograph, damaged=3), RecordingConfig(frames=100)))
    assert [second is None for _, second in frames] == [False, False, True, False, False, False, True]


def test_crops_say_where_each_match_came_from(photograph: NDArray[np.uint8]) -> None:
    frames = list(read_frames(Panning(photograph), RecordingConfig()))
    matched = match_frames(frames, RecordingConfig())
    assert len(matched) == 7
    pairs = RecordedPairs(matched, 96, torch.device("cpu"))
    batch = pairs.batch(3, np.random.default_rng(0))
    for index in range(3):
        y, x = torch.nonzero(batch.valid[index], as_tuple=True)
        assert len(y) > 50
        place = batch.positions[index, y, x].round().long()
        first = batch.first[index, 0, place[:, 1], place[:, 0]]
        assert float((first - batch.second[index, 0, y, x]).abs().median()) < 0.02


def test_frames_without_matches_are_an_error_that_says_what_to_do() -> None:
    flat = np.full((100, 100), 128, np.uint8)
    with pytest.raises(InputError, match=r"recording\.share"):
        RecordedPairs(match_frames([(flat, flat)], RecordingConfig()), 64, torch.device("cpu"))


def test_a_bag_fine_tunes_the_network(
    photograph: NDArray[np.uint8], tmp_path: Path, small_config: Callable[..., object]
) -> None:
    write_bag(Panning(photograph), tmp_path / "bag")
    settings = {
        "output": tmp_path / "out", "steps": 3, "batch": 2, "pairs.size": 64, "loss.points": 64,
        "device": "cpu", "log_every": 1, "recording.share": 0.7,
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    assert main(["train", "--from-bag", str(tmp_path / "bag"), *options]) == 0
    assert len(read_log(tmp_path / "out")) == 3
    assert (tmp_path / "out" / "weights.safetensors").is_file()
    assert (tmp_path / "out" / "curves.png").is_file()


def test_the_command_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--set", "stepz=3"]) == 2
    assert "stepz" in capsys.readouterr().err
    assert main(["train", "--set", f"output={tmp_path}"]) == 2
    assert "photographs.folders" in capsys.readouterr().err
    assert main(["train", "--config", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err


def test_the_log_is_lines_of_json(tmp_path: Path) -> None:
    from drcn_ros.training.log import Log

    log = Log(tmp_path, 0)
    for step in (1, 2, 3):
        log.add(step, {"loss": 1.0 / step})
    log.close()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    assert [entry["step"] for entry in read_log(tmp_path)] == [1, 2, 3]
    Log(tmp_path, 2).close()
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2]
