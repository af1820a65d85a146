# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of a run as people read them."""

from __future__ import annotations

import pytest

from drcn_ros.evaluation.metrics_file import rim_text


@pytest.mark.parametrize(
    ("percent", "told"),
    [(-0.004, "changed by +0.00 % (deviation 0.01, 30 frames)"), (-1.004, "changed by -1.00 %")],
)
def test_a_change_that_rounds_to_nothing_has_no_minus(percent: float, told: str) -> None:
    rim = {"rings_px": [0.02, 0.03], "percent": percent, "deviation_percent": 0.01, "frames": 30}
    assert told in rim_text(rim)


def test_what_few_frames_cannot_tell_is_said() -> None:
    rim = {"rings_px": [0.02, None], "percent": None, "deviation_percent": None, "frames": 2}
    assert rim_text(rim).startswith("0.02, - px from the centre to the rim; too few frames turn")
