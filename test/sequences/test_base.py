# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A part of a sequence is chosen without decoding the rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.sequences import Selection
from drcn_ros.sequences.base import ImageSequence, Shot


class Counted(ImageSequence):
    """Ten frames, ten a second; remembers which were decoded, and frame 4 is damaged."""

    def __init__(self) -> None:
        super().__init__("counted", "test")
        self.decoded: list[int] = []

    def __len__(self) -> int:
        return 10

    def shots(self) -> Iterator[Shot]:
        for index in range(10):
            yield Shot(5_000_000_000 + index * 100_000_000, lambda index=index: self.load(index))

    def load(self, index: int) -> np.ndarray | None:
        self.decoded.append(index)
        return None if index == 4 else np.full((2, 2), index, np.uint8)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), [0, 1, 2, 3, 5, 6, 7, 8, 9]),
        (Selection(step=3), [0, 3, 6, 9]),
        (Selection(start_s=0.55), [6, 7, 8, 9]),
        (Selection(start_s=0.2, duration_s=0.3), [2, 3, 5]),
        (Selection(step=2, start_s=0.1, limit=2), [1, 3]),
        (Selection(start_s=99.0), []),
    ],
)
def test_only_the_selected_frames_come(selection, expected):
    sequence = Counted()
    assert [int(frame.image[0, 0]) for frame in sequence.frames(selection)] == expected
    assert set(sequence.decoded) <= {*expected, 4}


def test_the_expected_number_counts_the_step():
    assert Counted().expected(Selection(step=3)) == 4
    assert Counted().expected(Selection(limit=2)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": 0}, "step 0"),
        ({"start_s": -1.0}, r"start -1.0"),
        ({"duration_s": float("nan")}, "duration nan"),
    ],
)
def test_a_senseless_selection_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Selection(**arguments)
