# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a run says of parts of the image that stood still."""

from __future__ import annotations

from types import SimpleNamespace

from drcn_ros.evaluation.still_note import StillNote


def test_what_stood_still_is_told_once_with_its_first_frame_and_the_remedy():
    note = StillNote()
    for part in (0.0, 0.0, 0.1, 0.31, 0.3):
        note.add(SimpleNamespace(still_part=part))
    (line,) = note.lines()
    assert "up to 31 % of the image" in line
    assert "from frame 2 on" in line
    assert "--set mask=FILE.png" in line


def test_a_run_in_which_all_moved_says_nothing():
    note = StillNote()
    note.add(SimpleNamespace(still_part=0.0))
    assert note.lines() == []
