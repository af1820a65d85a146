# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN and anchored matching on image pairs with exact correspondences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from drcn_ros.errors import ImageError, WeightsError
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.factory import create_matcher
from drcn_ros.networks.architectures import create_network
from drcn_ros.networks.weight_file import WeightFile, write_own_file

BOTH = pytest.mark.parametrize("name", ["drcn", "anchored"])


@pytest.fixture(scope="module")
def matchers(device: str) -> dict[str, Matcher]:
    return {name: create_matcher(MatcherConfig(name=name, device=device)) for name in ("drcn", "anchored")}


@pytest.fixture(scope="module")
def published_file(tmp_path_factory) -> Path:
    """A weight file of the published architecture in small, weights untrained."""
    torch.manual_seed(0)
    config = {"backbone": "resnet20fpn_3_64_4"}
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_own_file(path, WeightFile("drcn", config, create_network("drcn", config).state_dict()))
    return path


@BOTH
def test_matches_are_right_to_a_fraction_of_a_pixel(matchers, plane, name):
    matcher = matchers[name]
    assert matcher.name == name
    matches = matcher.match(matcher.extract(plane.reference), matcher.extract(plane.current))
    errors = plane.errors(matches.reference_points, matches.current_points)
    assert len(matches) > 100
    assert (errors < 3).mean() > 0.9
    assert np.median(errors) < 0.2


@BOTH
def test_scores_are_probabilities_best_first_and_points_those_of_their_keypoints(matchers, plane, name):
    matcher = matchers[name]
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    matches = matcher.match(reference, current)
    assert (np.diff(matches.scores) <= 0).all()
    assert 0 < matches.scores.min() <= matches.scores.max() <= 1
    keypoints = reference.keypoints(with_descriptors=True)
    assert np.array_equal(matches.reference_points, keypoints.points[matches.reference_index])
    assert np.allclose(np.linalg.norm(keypoints.descriptors, axis=1), 1, atol=1e-5)
    known = matches.current_index >= 0
    assert len(np.unique(matches.current_index[known])) == known.sum() > 50
    distance = matches.current_points[known] - current.keypoints().points[matches.current_index[known]]
    assert np.linalg.norm(distance, axis=1).max() < 3.01


def test_refinement_is_a_switch(matchers, plane, device):
    matcher = create_matcher(MatcherConfig(refine=False, device=device))
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    plain = matcher.match(reference, current)
    assert np.array_equal(plain.current_points, current.keypoints().points[plain.current_index])
    refined = matchers["drcn"].match(reference, current)
    assert len(refined) < len(plain)
    assert np.median(plane.errors(refined.reference_points, refined.current_points)) < np.median(
        plane.errors(plain.reference_points, plain.current_points)
    )


@BOTH
@pytest.mark.parametrize("shape", [(240, 320), (37, 53), (17, 200, 3), (3, 5), (1, 1)])
def test_images_without_texture_have_no_matches(matchers, name, shape):
    matcher = matchers[name]
    features = matcher.extract(np.full(shape, 130, np.uint8))
    assert len(features) == 0
    assert len(matcher.match(features, features)) == 0


@BOTH
def test_keypoints_in_one_image_only_have_no_matches(matchers, plane, name):
    matcher = matchers[name]
    some, none = matcher.extract(plane.reference), matcher.extract(np.full((240, 320), 130, np.uint8))
    assert len(matcher.match(some, none)) == 0
    assert len(matcher.match(none, some)) == 0


@BOTH
def test_images_of_different_and_odd_sizes_match(matchers, plane, name):
    matcher = matchers[name]
    cut = plane.current[:201, :283]
    matches = matcher.match(matcher.extract(plane.reference), matcher.extract(cut))
    assert len(matches) > 50
    assert np.median(plane.errors(matches.reference_points, matches.current_points)) < 0.3
    assert (matches.current_points < (283, 201)).all()


@BOTH
def test_an_image_that_is_none_is_refused(matchers, name):
    with pytest.raises(ImageError, match="float64"):
        matchers[name].extract(np.zeros((20, 20)))


def test_live_parameters_hold_from_the_next_call_on(matchers, plane, device):
    matcher = create_matcher(MatcherConfig(device=device))
    matcher.config = replace(matcher.config, max_keypoints=50, min_score=0.9)
    features = matcher.extract(plane.reference)
    assert len(features) == 50
    assert len(matcher.match(features, matcher.extract(plane.current))) <= 50


def test_points_can_be_followed_without_being_detected_again(matchers, plane):
    matcher = matchers["anchored"]
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    first = matcher.match(reference, current)
    asked = first.current_points[:60]
    queries = matcher.with_queries(current, asked, np.ones(60, np.float32))
    assert np.array_equal(queries.keypoints().points, asked)
    # Back to where they came from, although nothing of the first image is given but its maps.
    nothing = np.zeros((0, 2), np.float32)
    blank = matcher.with_queries(reference, nothing, np.zeros(0, np.float32))
    back = matcher.match(queries, blank)
    assert len(back) > 40
    assert (back.current_index == -1).all()
    start = first.reference_points[back.reference_index]
    assert np.median(np.linalg.norm(back.current_points - start, axis=1)) < 0.3


@BOTH
def test_the_published_network_matches_cells(published_file, plane, name, device):
    matcher = create_matcher(
        MatcherConfig(name=name, weights=str(published_file), device=device, refine=False)
    )
    features = matcher.extract(plane.reference)
    assert len(features) > 20
    matches = matcher.match(features, features)
    assert len(matches) > 4
    keypoints = features.keypoints().points
    known = matches.current_index >= 0
    assert known.any()
    assert np.array_equal(keypoints[matches.current_index[known]], matches.current_points[known])
    # Untrained features still tell a cell from another; a cell must find itself.
    same = np.linalg.norm(matches.reference_points - matches.current_points, axis=1) == 0
    assert same.mean() > 0.9
    empty = matcher.extract(np.full((9, 7), 40, np.uint8))
    assert len(matcher.match(empty, features)) == 0


def test_the_published_matches_are_no_more_than_asked_for(published_file, plane, device):
    config = MatcherConfig(weights=str(published_file), device=device, refine=False, max_keypoints=8)
    matcher = create_matcher(config)
    features = matcher.extract(plane.reference)
    assert len(matcher.match(features, features)) == 8


def test_points_are_given_to_the_published_network_too(published_file, plane, device):
    matcher = create_matcher(MatcherConfig(name="anchored", weights=str(published_file), device=device))
    features = matcher.extract(plane.reference)
    points = np.array([[101.3, 80.9], [160.0, 120.0]], np.float32)
    queries = matcher.with_queries(features, points, np.ones(2, np.float32))
    matches = matcher.match(queries, features)
    assert np.array_equal(matches.reference_points, points[matches.reference_index])
    assert np.allclose(matches.reference_points, matches.current_points, atol=0.05)


@BOTH
def test_weights_of_another_method_are_refused(tmp_path, name, device):
    path = tmp_path / "d2net.safetensors"
    write_own_file(path, WeightFile("d2net", {}, create_network("d2net", {}).state_dict()))
    with pytest.raises(WeightsError, match="no DRCN"):
        create_matcher(MatcherConfig(name=name, weights=str(path), device=device))
