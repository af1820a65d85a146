# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The renderer puts every point where the camera model says, at the right depth."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.scenes.atlas import Atlas
from drcn_ros.scenes.paths import looking
from drcn_ros.scenes.renderer import Renderer, Sky
from drcn_ros.scenes.surfaces import Rectangle, box, rectangle

CAMERA = Camera(160, 120, 130.0, 135.0, 78.3, 60.9)
LENS = Camera(160, 120, 130.0, 135.0, 78.3, 60.9, Distortion.PLUMB_BOB, (-0.25, 0.08, 0.002, -0.001, 0.0))


def wall(texture: np.ndarray, distance: float = 2.0, part: int = 0, cutout=None) -> Rectangle:
    """A wall of 3 x 3 m across the x axis, facing the origin."""
    corner, across, down = ((distance, 1.5, 1.5), (0, -3.0, 0), (0, 0, -3.0))
    return Rectangle(*(np.array(v, float) for v in (corner, across, down)), texture, part, cutout)


def dot_texture(u: float, v: float, size: int = 600) -> np.ndarray:
    """A bright blob centred at the texture coordinates (u, v) on black."""
    y, x = np.mgrid[0:size, 0:size] + 0.5
    blob = np.exp(-((x - u * size) ** 2 + (y - v * size) ** 2) / (2 * 4.0**2))
    return np.repeat(np.rint(255 * blob).astype(np.uint8)[..., None], 3, axis=2)


def flat(value: int):
    return lambda width, height: np.full((height, width, 3), value, np.uint8)


def centroid(image: np.ndarray) -> np.ndarray:
    weight = image[..., 0].astype(float)
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("camera", [CAMERA, LENS], ids=["pinhole", "distorted"])
@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0.0, 0.0, 0.0), (0.15, -0.1, 0.2), (-0.2, 0.12, -0.4)])
def test_a_point_lands_where_the_camera_model_projects_it(camera, yaw, pitch, roll):
    u, v = 0.47, 0.55
    point = np.array([2.0, 1.5 - 3 * u, 1.5 - 3 * v])
    pose = looking((0.1, 0.05, -0.08), yaw, pitch, roll)
    image = Renderer([wall(dot_texture(u, v))], camera).render(pose)
    inside = pose[:3, :3].T @ (point - pose[:3, 3])
    coefficients = np.array(camera.coefficients) if camera.coefficients else None
    expected, _ = cv2.projectPoints(inside[None], np.zeros(3), np.zeros(3), camera.matrix, coefficients)
    assert centroid(image) == pytest.approx(expected.ravel(), abs=0.03)


def test_depth_is_the_distance_along_the_optical_axis():
    pose = looking((0.2, 0.1, 0.0), 0.3, 0.1)
    depth = Renderer([wall(flat(200)(40, 40))], CAMERA).depth(pose)
    rays = np.ones((2, 3))
    rays[:, :2] = CAMERA.normalise(np.array([[40.0, 90.0], [100.0, 20.0]]))
    travelled = (2.0 - 0.2) / (rays @ pose[:3, :3].T)[:, 0]
    assert depth[[90, 20], [40, 100]] == pytest.approx(travelled, rel=1e-5)


def test_the_nearer_surface_hides_the_farther_one():
    near = rectangle((1.0, 0.5, 0.5), (0, -0.5, 0), (0, 0, -1.0), flat(250), 40)
    image = Renderer([near, wall(flat(60)(40, 40))], CAMERA).render(looking((0, 0, 0), 0))
    assert image[60, 50, 0] == 250
    assert image[60, 110, 0] == 60


def test_a_rectangle_shows_nothing_from_behind():
    image = Renderer([wall(flat(200)(40, 40))], CAMERA).render(looking((4.0, 0, 0), np.pi))
    assert not image.any()


def test_a_surface_that_passes_the_camera_is_cut_at_the_image_plane():
    ground = rectangle((-5, 5, -1), (10, 0, 0), (0, -10, 0), flat(90), 4)
    depth = Renderer([ground], CAMERA).depth(looking((0, 0, 0), 0))
    assert np.isinf(depth[:60]).all()
    assert depth[119, 80] == pytest.approx(135.0 / (119 - 60.9), rel=1e-5)


def test_the_moving_parts_of_a_scene_follow_their_poses():
    walls = [wall(dot_texture(0.5, 0.5), part=2), wall(flat(0)(9, 9), distance=4.0, part=1)]
    renderer = Renderer(walls, CAMERA)
    pose, parts = looking((0, 0, 0), 0), np.tile(np.eye(4), (2, 1, 1))
    start = centroid(renderer.render(pose, parts))
    assert start == pytest.approx(centroid(renderer.render(pose)), abs=1e-6)
    parts[1, 1, 3] = -0.2
    assert centroid(renderer.render(pose, parts)) - start == pytest.approx([130.0 * 0.2 / 2.0, 0], abs=0.03)
    # Turned about the camera, a part is seen where a turned camera would see it.
    turn = 0.15
    cosine, sine = np.cos(turn), np.sin(turn)
    parts[1, :2, :2], parts[1, 1, 3] = [[cosine, -sine], [sine, cosine]], 0.0
    seen = centroid(renderer.render(pose, parts))
    assert seen - start == pytest.approx([-130.0 * np.tan(turn), 0.0], abs=0.05)


def test_through_the_holes_of_a_surface_one_sees_what_is_behind():
    holes = np.ones((60, 60), bool)
    holes[20:40, 20:40] = False
    scene = [wall(flat(200)(60, 60), 2.0, cutout=holes), wall(flat(50)(60, 60), 2.5)]
    renderer, pose = Renderer(scene, CAMERA), looking((0, 0, 0), 0)
    image, depth = renderer.render(pose)[..., 0], renderer.depth(pose)
    assert (image[61, 78], depth[61, 78]) == (50, pytest.approx(2.5))
    assert (image[61, 78 + 60], depth[61, 78 + 60]) == (200, pytest.approx(2.0))
    # The hole is a metre wide and two metres away.
    assert (depth[61] > 2.2).sum() == pytest.approx(130.0 * 1.0 / 2.0, abs=1.5)
    # From afar it is as large as it should be.
    far = renderer.depth(looking((-20.0, 0, 0), 0))
    assert ((far[61] > 22.2) & (far[61] < 23)).sum() == pytest.approx(130.0 * 1.0 / 22.0, abs=1.5)


def test_what_nothing_covers_is_sky():
    sky = Sky((200, 210, 220), (90, 140, 210))
    pose = looking((0, 0, 0), 0, 0.3)
    image = Renderer([wall(flat(10)(9, 9), 4.0)], CAMERA, sky).render(pose)
    assert (image[119, 80] == 10).all()
    sky_column = image[:60, 0].astype(int)
    assert (np.diff(sky_column, axis=0) >= 0).all()
    assert sky_column[0, 0] < sky_column[-1, 0] - 20
    assert 90 < sky_column[0, 0] <= sky_column[:, 0].max() < 200


def test_textures_that_rectangles_share_are_stored_once():
    texture = flat(70)(300, 200)
    one, many = (Atlas([texture] * count) for count in (1, 40))
    apart = Atlas([texture.copy() for _ in range(40)])
    assert len(many.origins) == 40
    assert (many.origins == one.origins).all()
    assert len(np.unique(apart.origins, axis=0)) == 40


def test_detail_finer_than_a_pixel_averages_instead_of_aliasing():
    board = np.kron(np.indices((300, 300)).sum(axis=0) % 2, np.ones((2, 2), int)) * 255
    image = Renderer([wall(np.repeat(board[..., None], 3, axis=2).astype(np.uint8), 1.5)], CAMERA).render(
        looking((-20.0, 0, 0), 0.0)
    )
    seen = image[55:66, 74:84, 0].astype(float)
    assert abs(seen.mean() - 127.5) < 4
    assert seen.std() < 6


def test_the_faces_of_a_box_look_outwards():
    cube = box(
        (1.0, -0.5, -0.5),
        (2.0, 0.5, 0.5),
        lambda face: flat(50 * (face + 1)),
        40,
    )
    renderer = Renderer(cube, CAMERA)
    seen = [
        renderer.render(looking(position, yaw, pitch))[60, 78, 0]
        for position, yaw, pitch in [
            ((1.5, -3, 0), np.pi / 2, 0.0),
            ((4, 0, 0), np.pi, 0.0),
            ((1.5, 3, 0), -np.pi / 2, 0.0),
            ((-1, 0, 0), 0.0, 0.0),
            ((1.5, 0, 3), 0.0, -np.pi / 2),
        ]
    ]
    assert seen == [50, 100, 150, 200, 250]
