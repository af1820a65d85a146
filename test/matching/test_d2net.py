# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from drcn_ros.errors import ConfigurationError, WeightsError
from drcn_ros.matching import Matcher, MatcherConfig, create_matcher
from drcn_ros.networks.d2net import D2Net
from drcn_ros.networks.weight_file import WeightFile, write_own_file


@pytest.fixture(scope="module")
def matcher(device: str) -> Matcher:
    return create_matcher(MatcherConfig(name="d2net", device=device, max_keypoints=600))


def test_matches_lie_on_the_same_points_of_the_plane(matcher: Matcher, plane) -> None:
    matches = matcher.match(matcher.extract(plane.reference), matcher.extract(plane.current))
    errors = plane.errors(matches.reference_points, matches.current_points)
    assert len(matches) > 100
    assert np.median(errors) < 0.6
    assert (errors < 3).mean() > 0.85


def test_refinement_makes_matches_more_precise(matcher: Matcher, plane) -> None:
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    refined = matcher.match(reference, current)
    config = matcher.config
    matcher.config = replace(config, refine=False)
    coarse = matcher.match(reference, current)
    matcher.config = config
    better = plane.errors(refined.reference_points, refined.current_points)
    worse = plane.errors(coarse.reference_points, coarse.current_points)
    assert np.median(better) < 0.7 * np.median(worse)


def test_the_score_filter_raises_the_share_of_right_matches(matcher: Matcher, plane) -> None:
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    config = matcher.config
    shares = []
    for score in (0.0, 0.9):
        matcher.config = replace(config, min_score=score, refine=False)
        matches = matcher.match(reference, current)
        shares.append((plane.errors(matches.reference_points, matches.current_points) < 3).mean())
    matcher.config = config
    assert shares[1] > shares[0]


def test_ratio_and_similarity_are_switches_that_leave_the_better_matches(matcher: Matcher, plane) -> None:
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    config = matcher.config
    found = {}
    for name, change in {
        "all": {},
        "ratio": {"max_ratio": 0.7},
        "similarity": {"min_similarity": 0.8},
    }.items():
        matcher.config = replace(config, refine=False, min_score=0.0, **change)
        matches = matcher.match(reference, current)
        right = (plane.errors(matches.reference_points, matches.current_points) < 3).mean()
        found[name] = (len(matches), right)
    matcher.config = config
    for name in ("ratio", "similarity"):
        assert 20 < found[name][0] < found["all"][0]
        assert found[name][1] > found["all"][1]


def test_an_image_without_texture_gives_no_matches(matcher: Matcher, plane) -> None:
    blank = matcher.extract(np.full((240, 320), 90, np.uint8))
    assert len(blank) == 0
    assert len(matcher.match(blank, matcher.extract(plane.current))) == 0


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (31, 40), (97, 33)])
def test_any_size_is_matched_with_itself(matcher: Matcher, size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, size, np.uint8)
    features = matcher.extract(image)
    assert features.size == (size[1], size[0])
    matches = matcher.match(features, features)
    np.testing.assert_allclose(matches.reference_points, matches.current_points, atol=0.05)


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weight file for the paper's network, of random weights that keep the variance from layer to layer."""
    torch.manual_seed(5)
    network = D2Net()
    for parameter in network.parameters():
        if parameter.ndim == 4:
            torch.nn.init.kaiming_normal_(parameter)
    path = tmp_path_factory.mktemp("weights") / "vgg16.safetensors"
    write_own_file(path, WeightFile("d2net", {}, network.state_dict()))
    return path


def papers_matcher(weights: Path, device: str, **settings: object) -> Matcher:
    """On a CPU always in float32: a processor without bfloat16 takes minutes for an image in it."""
    precision = "float32" if device == "cpu" else "auto"
    config = MatcherConfig(name="d2net", device=device, weights=str(weights), precision=precision, **settings)
    return create_matcher(config)


def test_the_papers_network_finds_a_shift(vgg16: Path, plane, device: str) -> None:
    matcher = papers_matcher(vgg16, device, min_score=0.0, refine=False)
    first = matcher.extract(plane.reference[16:208, 16:272])
    second = matcher.extract(plane.reference[:192, :256])
    matches = matcher.match(first, second)
    errors = np.linalg.norm(matches.current_points - matches.reference_points - 16, axis=1)
    # Untrained descriptors are alike, so that half of the matches err; by chance one in a thousand would not.
    assert len(matches) > 50
    assert (errors < 1).mean() > 0.4
    assert (np.diff(matches.scores) <= 0).all()


def test_multiscale_finds_points_of_three_sizes(vgg16: Path, plane, device: str) -> None:
    features = papers_matcher(vgg16, device, multiscale=True).extract(plane.reference[:96, :112])
    assert set(features.keypoints().scales.tolist()) == {8.0, 4.0, 2.0}


def test_an_image_too_small_for_the_papers_network_has_no_keypoints(vgg16: Path, device: str) -> None:
    matcher = papers_matcher(vgg16, device)
    features = matcher.extract(np.zeros((7, 300, 3), np.uint8))
    assert len(features) == 0
    assert len(matcher.match(features, features)) == 0


def test_an_image_beyond_the_authors_limits_is_shrunk_and_scaled_back(vgg16: Path, device: str) -> None:
    matcher = papers_matcher(vgg16, device, max_keypoints=50)
    image = np.random.default_rng(1).integers(0, 255, (60, 3200), np.uint8)
    points = matcher.extract(image).points
    assert 1600 < points[:, 0].max() < 3200
    assert points[:, 1].max() < 60


def test_a_missing_weight_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.safetensors"
    with pytest.raises(WeightsError, match="does not exist"):
        create_matcher(MatcherConfig(name="d2net", weights=str(path)))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_without_cuda_is_one_clear_line() -> None:
    with pytest.raises(ConfigurationError, match="device cuda: torch finds no CUDA device"):
        create_matcher(MatcherConfig(name="d2net", device="cuda"))
