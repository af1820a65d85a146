# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The route of a GPU, on a device that pretends to be one: nothing is left on the CPU, and waits are few."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from drcn_ros.benchmarks.gpu.pretended_device import PRETENDED, pretended_device
from drcn_ros.benchmarks.gpu.waits import host_waits
from drcn_ros.matching import MatcherConfig, create_matcher, d2net, drcn_base
from drcn_ros.matching.common_warp import common_warp
from drcn_ros.matching.device_warp import device_warp
from drcn_ros.matching.search import find_points
from drcn_ros.networks.architectures import create_network
from drcn_ros.networks.weight_file import WeightFile, write_own_file

COMPACT = ("drcn", "d2net", "anchored")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Weight files of the published architectures by method, untrained."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    files = {}
    for name, config in (("drcn", {"backbone": "resnet20fpn_3_64_4"}), ("d2net", {})):
        path = folder / f"{name}.safetensors"
        write_own_file(path, WeightFile(name, config, create_network(name, config).state_dict()))
        files[name] = str(path)
    return {**files, "anchored": files["drcn"]}


def _config(name: str, **settings: object) -> MatcherConfig:
    return MatcherConfig(name=name, precision="float32", compile="off", **settings)


def _on_cpu(config: MatcherConfig, images):
    matcher = create_matcher(config)
    features = [matcher.extract(image) for image in images]
    return [one.keypoints() for one in features], matcher.match(*features)


def _pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let matchers that are made from now on run on the pretended device."""
    for module in (drcn_base, d2net):
        monkeypatch.setattr(module, "choose_device", lambda name: PRETENDED)


@pytest.mark.parametrize("name", COMPACT)
@pytest.mark.parametrize("refine", [True, False])
def test_host_waits_once_for_matches_and_keypoints(plane, monkeypatch, name, refine) -> None:
    images = plane.reference, plane.current
    config = _config(name, refine=refine)
    wanted, expected = _on_cpu(config, images)
    _pretend(monkeypatch)
    with pretended_device() as waits:
        matcher = create_matcher(config)
        # What stays on the device is brought there with the first pair.
        matcher.match(*(matcher.extract(image) for image in images))
        waits.places.clear()
        features = [matcher.extract(image) for image in images]
        assert all(one.points.device == PRETENDED for one in features)
        assert not waits.places
        # Sizes do not depend on what is in an image.
        assert {len(one.points) for one in features} == {config.max_keypoints}
        matches = matcher.match(*features)
        keypoints = [one.keypoints() for one in features]
        assert sum(waits.places.values()) == 1, waits.places
        waits.places.clear()
        again = matcher.extract(images[0])
        assert len(again) == len(keypoints[0])
        assert sum(waits.places.values()) == 1, waits.places
    for one, other in zip(keypoints, wanted, strict=True):
        assert np.allclose(one.points, other.points, atol=1e-3)
        assert np.allclose(one.scores, other.scores, atol=1e-5)
    assert (np.diff(matches.scores) <= 0).all()
    if refine:
        assert len(matches.with_imprecise()) == pytest.approx(len(expected.with_imprecise()), rel=0.05)
    close = [plane.errors(one.reference_points, one.current_points) for one in (matches, expected)]
    assert np.median(close[0]) < 1.1 * np.median(close[1]) + 0.01
    found = [_indices(one) for one in (matches, expected)]
    assert len(found[0] & found[1]) > 0.98 * len(found[0] | found[1]) > 50


def test_host_waits_once_for_points_that_are_looked_for(plane, monkeypatch) -> None:
    images = plane.reference, plane.current
    rows = np.arange(60)

    def searched(matcher):
        reference, current = (matcher.extract(image) for image in images)
        points = reference.keypoints().points[rows]
        expected = cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0]
        turn = np.tile(plane.homography[:2, :2], (len(rows), 1, 1)).astype(np.float32)
        parts = [(reference, rows[:20]), (reference, rows[20:])]
        return lambda: find_points(parts, current, expected.astype(np.float32), turn)

    wanted = searched(create_matcher(_config("drcn")))()
    _pretend(monkeypatch)
    with pretended_device() as waits:
        search = searched(create_matcher(_config("drcn")))
        waits.places.clear()
        found = search()
    assert sum(waits.places.values()) == 1, waits.places
    sure = wanted.correlation > 0.9
    assert sure.sum() > 20
    assert np.allclose(found.correlation[sure], wanted.correlation[sure], atol=1e-2)
    assert np.median(np.abs(found.points - wanted.points)[sure]) < 1e-2


def _indices(matches) -> set[tuple[int, int]]:
    return set(zip(matches.reference_index.tolist(), matches.current_index.tolist(), strict=True))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
@pytest.mark.parametrize("name", COMPACT)
def test_cuda_itself_counts_the_same_waits(plane, name) -> None:
    matcher = create_matcher(_config(name, device="cuda"))
    images = plane.reference, plane.current
    matcher.match(*(matcher.extract(image) for image in images))
    features = []
    waits = host_waits(lambda: features.extend(matcher.extract(image) for image in images))
    assert not waits
    waits = host_waits(lambda: (matcher.match(*features), [one.keypoints() for one in features]))
    assert sum(waits.values()) == 1, waits


@pytest.mark.parametrize("name", COMPACT)
def test_published_networks_find_the_same_beside_a_cpu(plane, published, monkeypatch, name) -> None:
    images = plane.reference[:96, :128], plane.reference[16:112, 16:144]
    config = _config(name, weights=published[name], refine=False)
    wanted, expected = _on_cpu(config, images)
    _pretend(monkeypatch)
    kept = np.ones(images[0].shape, np.bool_)
    kept[:, :20] = False
    with pretended_device() as waits:
        matcher = create_matcher(config)
        masked = matcher.extract(images[0], kept).keypoints().points
        assert len(masked) > 0
        assert masked[:, 0].min() > 19.4
        waits.places.clear()
        features = [matcher.extract(image) for image in images]
        keypoints = [one.keypoints() for one in features]
        # One for each kind of list whose length only the image tells, and one for the keypoints.
        assert sum(waits.places.values()) <= len(images) * (4 if name == "d2net" else 1), waits.places
        matches = matcher.match(*features)
    for one, other in zip(keypoints, wanted, strict=True):
        assert np.allclose(one.points, other.points, atol=1e-3)
    assert _indices(matches) == _indices(expected)
    assert len(matches) == len(expected) > 0


def test_an_image_without_keypoints_and_points_of_another_frame(plane, monkeypatch) -> None:
    _pretend(monkeypatch)
    flat = np.full_like(plane.reference, 90)
    with pretended_device():
        matcher = create_matcher(_config("anchored"))
        empty, features = matcher.extract(flat), matcher.extract(plane.current)
        assert len(empty) == len(empty.keypoints()) == 0
        assert len(matcher.match(empty, features)) == len(matcher.match(features, empty)) == 0
        reference = matcher.extract(plane.reference)
        points = reference.keypoints().points[:40] + np.float32(0.25)
        queries = matcher.with_queries(reference, points, np.ones(len(points), np.float32))
        assert np.array_equal(queries.keypoints().points, points)
        assert len(matcher.match(queries, features)) > 10


def test_large_images_are_reduced_beside_a_cpu(plane, monkeypatch) -> None:
    _pretend(monkeypatch)
    large = [cv2.resize(image, (640, 480)) for image in (plane.reference, plane.current)]
    with pretended_device() as waits:
        matcher = create_matcher(_config("drcn", max_image_size=320))
        features = [matcher.extract(image) for image in large]
        matches = matcher.match(*features)
        seen = sum(waits.places.values())
        points = features[0].keypoints().points
        assert sum(waits.places.values()) == seen
        assert points.max() > 320
        assert len(matches) > 100
        places = [points[row] for row in matches.reference_index]
        assert np.allclose(places, matches.reference_points, atol=1e-3)


def test_a_tensor_that_was_left_behind_is_refused() -> None:
    with pretended_device() as waits:
        there = torch.ones(3).to(PRETENDED, non_blocking=True)
        assert (2 * there + torch.tensor(1.0)).device == PRETENDED
        with pytest.raises(RuntimeError, match=r"add.*\(3,\)"):
            there + torch.ones(3)
        with pytest.raises(RuntimeError):
            there.numpy()
        assert not waits.places
        assert (there * 2).cpu().tolist() == [2.0, 2.0, 2.0]
        assert there[there > 0].cpu().tolist() == [1.0, 1.0, 1.0]
        assert bool(there.sum() > 2)
    # The copy; the mask, and what it gave; the number.
    assert sum(waits.places.values()) == 4


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.4])
def test_common_warp_of_a_device_is_that_of_the_cpu(factor: float) -> None:
    random = np.random.default_rng(3)
    reference = random.uniform(0, 300, (200, 2)).astype(np.float32)
    turn = factor * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    current = (reference @ turn.T + [20, -5] + random.normal(0, 0.5, reference.shape)).astype(np.float32)
    current[::3] = random.uniform(0, 300, current[::3].shape)
    good = np.arange(200) % 5 != 0
    tensors = [torch.from_numpy(part) for part in (reference, current, np.linspace(1, 0.5, 200), good)]
    found = device_warp(*tensors).numpy()
    assert np.allclose(found, common_warp(reference[good], current[good]), atol=0.01)
    assert np.allclose(found, turn, atol=0.01)


def test_matches_that_share_no_warp_start_as_they_are() -> None:
    random = np.random.default_rng(4)
    points = torch.from_numpy(random.uniform(0, 300, (2, 100, 2)).astype(np.float32))
    good = torch.ones(100, dtype=torch.bool)
    assert torch.equal(device_warp(points[0], points[1], torch.ones(100), good), torch.eye(2))
    few = torch.arange(100) < 5
    assert torch.equal(device_warp(points[0], points[0] + 1, torch.ones(100), few), torch.eye(2))
    assert torch.equal(device_warp(points[0, :1], points[0, :1], torch.ones(1), good[:1]), torch.eye(2))
    none = torch.zeros(100, dtype=torch.bool)
    assert torch.equal(device_warp(points[0], points[0] + 1, torch.ones(100), none), torch.eye(2))
