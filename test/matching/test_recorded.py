# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
import torch

from drcn_ros.errors import ImageError
from drcn_ros.matching import recorded
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.factory import create_matcher
from drcn_ros.networks.compact import CompactMaps, CompactNetwork
from drcn_ros.networks.weights import load_network

RECORDING = pytest.mark.skipif(
    not recorded.can_record(), reason="torch does not support the recording of graphs from Python 3.14 on"
)


@pytest.fixture(scope="module")
def plain() -> CompactNetwork:
    network = load_network()
    assert isinstance(network, CompactNetwork)
    return network.fuse()


@pytest.fixture
def network(plain) -> CompactNetwork:
    network = copy.deepcopy(plain)
    recorded.record(network)
    return network


def image(height: int, width: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, 1, height, width), dtype=torch.uint8, generator=generator)


def assert_equal(first: CompactMaps, second: CompactMaps) -> None:
    for name in ("detail", "fine", "coarse"):
        one, other = getattr(first, name), getattr(second, name)
        assert (one.stride, one.origin) == (other.stride, other.origin)
        assert torch.equal(one.values, other.values)


@pytest.fixture
def recordings(monkeypatch) -> list[tuple[int, int]]:
    """The sizes whose graphs are recorded, as they come."""
    sizes: list[tuple[int, int]] = []
    trace = torch.jit.trace

    def noted(module, images, **options):
        sizes.append(tuple(images.shape[2:]))
        return trace(module, images, **options)

    monkeypatch.setattr(torch.jit, "trace", noted)
    return sizes


@RECORDING
@torch.inference_mode()
def test_a_graph_gives_the_numbers_of_the_network(plain, network, recordings):
    for seed, size in enumerate(3 * [(48, 64), (50, 70)]):
        assert_equal(network(image(*size, seed)), plain(image(*size, seed)))
    assert recordings == [(48, 64), (50, 70)]


@RECORDING
@torch.inference_mode()
def test_a_size_that_comes_once_is_not_worth_a_graph(network, recordings):
    for width in (32, 48, 64):
        network(image(32, width))
    assert recordings == []


@RECORDING
@torch.inference_mode()
def test_more_sizes_than_are_kept_are_recorded_anew(plain, network, monkeypatch, recordings):
    monkeypatch.setattr(recorded, "_KEPT", 1)
    for size in [(32, 32), (32, 32), (32, 48), (32, 32), (32, 32)]:
        assert_equal(network(image(*size)), plain(image(*size)))
    assert recordings == [(32, 32), (32, 32)]


@RECORDING
@torch.inference_mode()
def test_images_that_are_none_are_still_refused(network):
    for _ in range(2):
        network(image(32, 32))
    with pytest.raises(ImageError, match="shape"):
        network(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    with pytest.raises(ImageError, match="not finite"):
        network(torch.full((1, 1, 32, 32), torch.nan))


def test_gradients_still_reach_the_weights(network):
    network(image(32, 32)).fine.values.sum().backward()
    assert network.lateral4.weight.grad is not None


def test_a_recorded_matcher_finds_exactly_the_same(plane):
    found = []
    for choice in ("off", "auto"):
        matcher = create_matcher(MatcherConfig(device="cpu", compile=choice))
        matcher.extract(plane.reference)
        found.append(matcher.match(matcher.extract(plane.reference), matcher.extract(plane.current)))
    assert len(found[0]) > 0
    assert (found[0].current_points == found[1].current_points).all()
    assert (found[0].scores == found[1].scores).all()


@pytest.mark.parametrize("missing", ["trace", "freeze"])
def test_where_torch_records_nothing_the_network_runs_as_it_is(plane, monkeypatch, missing):
    monkeypatch.delattr(torch.jit, missing)
    assert not recorded.can_record()
    matcher = create_matcher(MatcherConfig(device="cpu", compile="auto"))
    for _ in range(3):
        assert len(matcher.extract(plane.reference)) > 0
