# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench geometry`, `estimators` and `odometry`, and what `drcn bench accuracy` refuses."""

from __future__ import annotations

import pytest

from drcn_ros.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["geometry", "--motions", "0"], "--motions"),
        (["geometry", "--outliers", "2"], "--outliers"),
        (["geometry", "--estimator", "guess"], "guess"),
        (["estimators", "--matchers", "guess"], "guess"),
        (["estimators", "--count", "3"], "--count"),
        (["odometry", "scene:forward", "--matchers", "guess"], "guess"),
        (["odometry", "scene:forward", "--frames", "1"], "--frames 1"),
        (["odometry", "scene:cave"], "cave"),
        (["accuracy", "--sequences", "x", "--matchers", "sift,surf"], "surf"),
        (["accuracy", "--sequences", "x", "--corrupt", "rain"], "rain"),
        (["accuracy", "--sequences", "x", "--seeds", "0"], "--seeds 0"),
    ],
)
def test_wrong_arguments_are_one_line(capsys, arguments, complaint) -> None:
    assert main(["bench", *arguments]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


def test_geometry_prints_motions_and_stages(capsys) -> None:
    assert main(["bench", "geometry", "--motions", "1", "--matches", "60", "--outliers", "0"]) == 0
    text = capsys.readouterr().out
    assert "| forward | 100 % |" in text
    assert "| tracks |" in text


def test_estimators_prints_a_row_for_each(capsys, recording) -> None:
    options = ["--motions", "0", "--sequences", f"{recording}@1", "--every", "4", "--matchers", "orb"]
    assert main(["bench", "estimators", *options]) == 0
    text = capsys.readouterr().out
    assert "| walk@1, orb | OpenCV RANSAC |" in text
    assert "| walk@1, orb | own |" in text


def test_odometry_prints_a_row_for_each_matcher(capsys) -> None:
    assert main(["bench", "odometry", "scene:standing", "--frames", "3", "--matchers", "orb"]) == 0
    assert "| scene:standing | orb | 1I" in capsys.readouterr().out
