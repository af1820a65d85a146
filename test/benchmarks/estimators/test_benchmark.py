# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Estimators side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drcn_ros.benchmarks.estimators.benchmark import compare_estimators, recorded_pairs, synthetic_pairs
from drcn_ros.benchmarks.estimators.estimators import ESTIMATORS
from drcn_ros.benchmarks.image_pairs import PairSet, open_pairs
from drcn_ros.errors import InputError
from drcn_ros.matching import create_matcher
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.sequences.folders.tum_writer import write_tum


def test_every_estimator_finds_exact_motions():
    pairs = synthetic_pairs(0.01, 0.0, 0.0, motions=1, count=120)
    reports = list(compare_estimators("exact", pairs))
    assert [report.estimator for report in reports] == list(ESTIMATORS)
    for report in reports:
        assert report.rotation_deg < 0.1, report.estimator
        assert report.direction_deg < 1.0, report.estimator


@pytest.mark.parametrize("name", ESTIMATORS)
def test_no_matches_are_no_pose(name):
    pair = synthetic_pairs(0.1, 0.0, 0.0, motions=1, count=20)[0]
    nothing = np.zeros((0, 2))
    assert ESTIMATORS[name](nothing, nothing, pair.camera) is None
    empty = replace(pair, reference_points=nothing, current_points=nothing)
    report = next(report for report in compare_estimators("none", [empty]) if report.estimator == name)
    assert (report.rotation_deg, report.direction_deg) == (180.0, 180.0)


def test_recorded_pairs_bring_their_truth(clip, tmp_path):
    write_tum(clip, tmp_path / "walk")
    pairs = open_pairs(f"{tmp_path / 'walk'}@1", every=3)
    matched = recorded_pairs(create_matcher(MatcherConfig(name="orb", max_keypoints=500)), pairs)
    assert len(matched) == len(pairs.pairs) == 3
    assert pairs.pairs[0].pose is not None
    assert np.array_equal(matched[0].rotation, pairs.pairs[0].pose[:3, :3])
    assert len(matched[0].reference_points) == len(matched[0].current_points) > 50


def test_views_of_a_plane_are_refused():
    matcher = create_matcher(MatcherConfig(name="orb"))
    pair = replace(open_pairs_of_nothing(), camera=None)
    with pytest.raises(InputError, match="wall: estimators"):
        recorded_pairs(matcher, PairSet("wall", (pair,)))


def open_pairs_of_nothing():
    from drcn_ros.benchmarks.image_pairs import ImagePair

    return ImagePair("a", "b", lambda name: np.zeros((8, 8), np.uint8), homography=np.eye(3))
