# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Copies of sequences that lose images or light, and the table that tells what comes of it."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.benchmarks.disturbed import DISTURBANCES, DisturbedSequence
from drcn_ros.cli.main import main
from drcn_ros.sequences import ImageSequence, Selection
from drcn_ros.sequences.base import Shot

LENGTH = 130


class _Ramp(ImageSequence):
    """Images that are alike but for an edge, stamped by their number; the third is damaged."""

    def __len__(self):
        return LENGTH

    def shots(self):
        image = np.repeat(np.repeat([[40, 200]], 8, axis=0), 8, axis=1).astype(np.uint8)
        for index in range(LENGTH):
            yield Shot(index, lambda index=index: None if index == 2 else image)


def _stamps(kind, selection):
    return [frame.stamp_ns for frame in DisturbedSequence(_Ramp("ramp", "test"), kind).frames(selection)]


def test_half_of_the_images_or_ten_in_a_row_are_lost():
    every = [index for index in range(LENGTH) if index != 2]
    assert _stamps("halved", Selection()) == [index for index in every if index % 2 == 0]
    gaps = {*range(20, 30), *range(70, 80), *range(120, 130)}
    assert _stamps("gaps", Selection()) == [index for index in every if index not in gaps]
    assert _stamps("gaps", Selection(start_s=19e-9, limit=2)) == [19, 30]
    assert len(DisturbedSequence(_Ramp("ramp", "test"), "gaps")) == LENGTH - 30


@pytest.mark.parametrize("kind", ["dark", "blur", "overexposed"])
def test_images_are_changed_and_all_come(kind):
    original = next(_Ramp("ramp", "test").frames()).image
    frames = list(DisturbedSequence(_Ramp("ramp", "test"), kind).frames())
    assert len(frames) == LENGTH - 1
    middle = frames[0].image[4].astype(float)
    if kind == "blur":
        assert 0 < np.diff(middle).max() < 0.5 * np.diff(original[4].astype(float)).max()
    else:
        assert middle.mean() == pytest.approx(
            {"dark": 0.25 * 120, "overexposed": 0.5 * (100 + 255)}[kind], abs=3
        )


def test_the_table_has_a_row_for_each_disturbance(capsys):
    arguments = ["bench", "odometry", "scene:street", "--frames", "6", "--matchers", "orb"]
    assert main([*arguments, "--disturb", "halved"]) == 0
    rows = [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()]
    assert rows[2:] == ["scene:street", "scene:street halved"]


def test_an_unknown_disturbance_is_named_with_those_that_are(capsys):
    assert main(["bench", "odometry", "scene:street", "--disturb", "rain"]) == 2
    told = capsys.readouterr().err
    assert "rain" in told
    assert all(kind in told for kind in DISTURBANCES)
