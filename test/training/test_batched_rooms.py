# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Rooms that are rendered a batch at a time, beside the renderer and on a device that pretends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample, unfold

from drcn_ros.benchmarks.gpu.pretended_device import PRETENDED, pretended_device
from drcn_ros.geometry.camera import Camera
from drcn_ros.scenes.renderer import Renderer
from drcn_ros.scenes.surfaces import rectangle
from drcn_ros.training.batched_casting import Cover, Pyramids, Scene
from drcn_ros.training.batched_rooms import BatchedRooms
from drcn_ros.training.batched_views import Atlas, pixel_grid
from drcn_ros.training.config import DegradationConfig, PairConfig, TrainingConfig
from drcn_ros.training.pairs import LEAST_OVERLAP
from drcn_ros.training.photographs import read_photographs
from drcn_ros.training.rooms import random_poses, random_room, reach_of

CPU = torch.device("cpu")
UNTOUCHED = DegradationConfig(lighting=0, exposure=0, blur=0, noise=0, jpeg=0)


@pytest.fixture
def rooms(small_config: Callable[..., TrainingConfig]) -> BatchedRooms:
    photographs = read_photographs(small_config().photographs)
    return BatchedRooms(photographs, PairConfig(size=64, hard=1.0), UNTOUCHED, CPU)


def test_both_views_show_the_same_where_they_say_so(rooms: BatchedRooms) -> None:
    batch = rooms.batch(4, np.random.default_rng(0))
    for shift, least, most in ((0.0, 0.0, 0.03), (6.0, 0.03, 1.0)):
        places = (2 * (batch.positions + shift) + 1) / 64 - 1
        warped = grid_sample(batch.first, places, align_corners=False)
        for row, seen in enumerate(batch.valid):
            assert float(seen.float().mean()) >= LEAST_OVERLAP
            difference = (warped[row, 0] - batch.second[row, 0])[seen].abs()
            assert least <= float(difference.median()) < most


def test_depth_and_colours_are_those_of_the_renderer(small_config: Callable[..., TrainingConfig]) -> None:
    photographs = read_photographs(small_config().photographs)
    random = np.random.default_rng(2)
    extent = np.array([5.0, 6.0, 3.0])
    tiles: list[int] = []

    def texture():
        tiles.append(int(random.integers(len(photographs.tiles))))
        tile = photographs.tiles[tiles[-1]]
        whole = np.pad(tile, [(0, 700), (0, 700)], mode="reflect")
        return lambda columns, rows: np.repeat(whole[:rows, :columns, None], 3, axis=2)

    room = random_room(extent, texture, random)
    size, focal = 64, 60.0
    camera = Camera(size, size, focal, focal, (size - 1) / 2, (size - 1) / 2)
    renderer = Renderer(room, camera)
    atlas = Atlas.of(photographs.tiles, CPU)
    ones = np.ones(len(tiles))
    scene = Scene(room, Cover(np.array(tiles), ones, 0 * ones), 100.0, Pyramids.of(atlas), atlas)
    for _ in range(3):
        poses = None
        while poses is None:
            poses = random_poses(extent, reach_of(True, False), random)
        pose = torch.from_numpy(poses[0]).float()[None]
        plane = (pixel_grid(size, CPU) - (size - 1) / 2) / focal
        rays = torch.cat([plane, torch.ones(size, size, 1)], dim=-1)
        hits = scene.cast(pose[:, :3, 3], torch.einsum("ij,yxj->yxi", pose[0, :3, :3], rays)[None])
        depth = renderer.depth(poses[0])
        assert np.median(np.abs(hits.distance[0].numpy() - depth) / depth) < 1e-4
        assert (np.abs(hits.distance[0].numpy() - depth) < 0.01 * depth).mean() > 0.99
        grey = renderer.render(poses[0])[..., 0].astype(np.float32)
        assert np.abs(255 * scene.colours(hits, focal)[0].numpy() - grey).mean() < 12


def test_a_rectangle_is_seen_from_its_front_alone() -> None:
    atlas = Atlas.of([np.full((128, 128), 200, np.uint8)], CPU)
    one = rectangle((-1, -1, 2), (2, 0, 0), (0, 2, 0), lambda c, r: np.zeros((1, 1, 3), np.uint8), 1.0)
    cover = Cover(np.array([0]), np.array([0.5]), np.array([10.0]))
    scene = Scene([one], cover, 100.0, Pyramids.of(atlas), atlas)
    rays = torch.tensor([[[[0.0, 0, 1], [0.6, 0, 1], [0, 0, -1]]]])
    hits = scene.cast(torch.zeros(1, 3), rays)
    assert hits.distance.flatten().tolist() == [2.0, np.inf, np.inf]
    assert scene.colours(hits, 100.0).flatten().tolist() == pytest.approx([110 / 255, 0.0, 0.0])
    behind = scene.cast(torch.tensor([[0.0, 0.0, 4.0]]), -rays)
    assert not torch.isfinite(behind.distance[..., 0]).any()


def test_rooms_follow_from_the_generator_and_plain_ones_have_hardly_any_texture(rooms: BatchedRooms) -> None:
    first, again = (rooms.batch(2, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(first.second, again.second)
    contrasts = []
    for plain in (0.0, 1.0):
        made = dataclasses.replace(rooms, pairs=dataclasses.replace(rooms.pairs, plain=plain))
        windows = unfold(255 * made.batch(4, np.random.default_rng(4)).first, 8, stride=8)
        contrasts.append(float(windows.std(dim=1).mean()))
    assert contrasts[1] < 0.4 * contrasts[0]


def test_another_device_renders_the_same_rooms_and_no_host_waits(rooms: BatchedRooms) -> None:
    wanted = rooms.batch(2, np.random.default_rng(5))
    with pretended_device() as waits:
        made = dataclasses.replace(rooms, device=PRETENDED)
        made.batch(1, np.random.default_rng(1))
        waits.places.clear()
        found = made.batch(2, np.random.default_rng(5))
        assert not waits.places
        assert found.second.device == PRETENDED
        assert float((found.second.cpu() - wanted.second).abs().mean()) < 1e-3
        assert torch.allclose(found.positions.cpu(), wanted.positions, atol=1e-2)
