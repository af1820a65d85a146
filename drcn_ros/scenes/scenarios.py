# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Named motions through the scenes: the demo, a street, and one for each situation of odometry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.scenes import paths
from drcn_ros.scenes.bare import bare_corridor
from drcn_ros.scenes.court import COURT_SIZE, court
from drcn_ros.scenes.renderer import Sky
from drcn_ros.scenes.rooms import corridor, planar_wall, room
from drcn_ros.scenes.sequence import CAMERA, RenderedSequence, Sensor
from drcn_ros.scenes.streets import BLOCK, camera_path, street, traffic
from drcn_ros.scenes.surfaces import Rectangle
from drcn_ros.scenes.twin_rooms import APART, twin_rooms
from drcn_ros.scenes.walks import walk

RATE = 20.0
DEMO_FRAMES = 120

STREET_CAMERA = Camera(416, 128, 241.0, 241.0, 207.5, 60.5)
LARGE_STREET_CAMERA = Camera(1241, 376, 719.0, 719.0, 620.0, 181.0)
_STREET_RATE = 10.0
_DAYLIGHT = Sky((226, 234, 242), (96, 148, 214))

_Scene = Callable[[], tuple[Rectangle, ...]]


@dataclass(frozen=True)
class _Scenario:
    """A scene, a path through it, what moves in it, and the camera's faults."""

    scene: _Scene
    path: paths.Path
    parts: Callable[[float], Array] | None = None
    sensor: Sensor = Sensor()
    sky: Sky | None = None
    rate: float = RATE
    camera: Camera = CAMERA


def scenario(
    name: str,
    frames: int = DEMO_FRAMES,
    *,
    rate: float | None = None,
    camera: Camera | None = None,
    sensor: Sensor | None = None,
) -> RenderedSequence:
    """Return the sequence called `name`, of any length.

    | name | motion |
    |---|---|
    | demo | through the room: forward, a turn, a stop of 0.8 s, a turn back |
    | forward | along the room's axis, 0.25 m/s |
    | orbit | around the middle of the room, looking at it, 8 deg/s |
    | hover | a drift of 2 cm about one place |
    | rotation | about the camera's centre, 12 deg/s, no translation |
    | standing | none; grey levels with a noise of 3 |
    | wall | sideways along a single plane, 0.4 m/s |
    | corridor | along a corridor, 0.5 m/s, behind a crate that moves away and sideways |
    | exposure | as forward, while the brightness goes up and down between 0.45 and 1.55 within 2 s |
    | bare | along a corridor of bare walls and tiles, 0.5 m/s, turning a little; noise of 1.5 |
    | blur | as forward, with a turn of 0.25 rad/s back and forth and an exposure of 30 ms |
    | street | a car in streets, 0.5 to 1.4 m a frame, 820 m to a round; 416x128 at 10 Hz |
    | street_large | the same at 1241x376 |
    | street_loop | as street, around one block: 200 m to a round, up to 10 m/s |
    | room_loop | around the room, 0.6 m/s, 18 m to a round; 10 Hz |
    | twin_rooms | around one room, through a door and around another that is exactly like it; 10 Hz |
    | court_loop | between two rows of houses that are all the same, 1.2 m/s, 80 m to a round; 10 Hz |

    Args:
        name: one of the above.
        frames: number of frames.
        rate: frames per second; None takes the scenario's own, 20 in rooms.
        camera: calibrated camera; None takes the scenario's own, 640x480 in rooms.
        sensor: noise, blur and exposure, instead of the scenario's own.

    Raises:
        InputError: there is no such scenario.
    """
    if name not in _SCENARIOS:
        msg = f"scenario {name!r} is unknown, choose one of {', '.join(_SCENARIOS)}"
        raise InputError(msg)
    made = _SCENARIOS[name]()
    return RenderedSequence(
        made.scene,
        made.path,
        frames,
        rate or made.rate,
        camera or made.camera,
        sensor or made.sensor,
        made.parts,
        made.sky,
    )


def _demo() -> _Scenario:
    legs = [(2.2, 0.9, 0.0), (1.6, 0.6, -0.45), (1.2, 0.0, 0.0), (1.5, 0.7, 0.6)]
    return _Scenario(room, paths.drive((0.8, 3.2, 1.3), -0.05, legs, sway=0.6))


def _forward() -> _Scenario:
    return _Scenario(room, paths.drive((0.5, 2.8, 1.3), 0.02, [(1.0, 0.25, 0.0)], sway=1.0))


def _orbit() -> _Scenario:
    return _Scenario(room, paths.orbit((5.2, 3.0, 0.7), 1.9, 1.4, np.radians(8.0), start=np.pi))


def _hover() -> _Scenario:
    return _Scenario(room, paths.hover((3.0, 3.0, 1.3), 0.1, 0.02))


def _rotation() -> _Scenario:
    return _Scenario(room, paths.turn((3.4, 3.0, 1.3), -1.0, np.radians(12.0)))


def _standing() -> _Scenario:
    return _Scenario(room, paths.still((2.5, 3.0, 1.3), 0.1), sensor=Sensor(noise=3.0))


def _wall() -> _Scenario:
    return _Scenario(planar_wall, paths.slide((-2.5, 3.5, 0.2), 0.0, (0.0, -0.4, 0.05)))


def _corridor() -> _Scenario:
    def crate(time: float) -> Array:
        pose = np.eye(4)
        pose[:2, 3] = 2.5 + 0.52 * time, 0.3 * np.sin(1.3 * time)
        return pose[None]

    return _Scenario(corridor, paths.drive((0.6, 0.0, 1.25), 0.0, [(1.0, 0.5, 0.0)], sway=0.6), crate)


def _bare() -> _Scenario:
    legs = [(2.0, 0.5, 0.0), (2.0, 0.4, 0.3), (4.0, 0.4, -0.3), (2.0, 0.4, 0.3), (1.0, 0.5, 0.0)]
    path = paths.drive((1.0, 0.2, 1.3), 0.03, legs, sway=0.7)
    return _Scenario(bare_corridor, path, sensor=Sensor(noise=1.5))


def _exposure() -> _Scenario:
    def gain(time: float) -> float:
        return 1.0 + 0.55 * float(np.sin(np.pi * time))

    return _Scenario(room, _forward().path, sensor=Sensor(noise=1.0, gain=gain))


def _blur() -> _Scenario:
    legs = [(0.8, 0.25, 0.25 * (-1.0) ** turn) for turn in range(40)]
    path = paths.drive((0.5, 2.8, 1.3), -0.08, legs, sway=1.0)
    return _Scenario(room, path, sensor=Sensor(noise=1.0, shutter_s=0.03))


def _street(camera: Camera = STREET_CAMERA) -> _Scenario:
    sensor = Sensor(noise=2.0)
    return _Scenario(street, camera_path(), traffic(), sensor, _DAYLIGHT, _STREET_RATE, camera)


def _street_loop() -> _Scenario:
    scene, cars = partial(street, BLOCK, 3), traffic(BLOCK, 10.0, 3)
    sensor = Sensor(noise=2.0)
    return _Scenario(scene, camera_path(BLOCK, 10.0), cars, sensor, _DAYLIGHT, _STREET_RATE, STREET_CAMERA)


_ROUND = ((1.0, 1.1), (7.0, 1.1), (6.5, 5.0), (1.1, 5.0))


def _room_loop() -> _Scenario:
    path = walk(_ROUND * 4, 0.6, 1.3, inward=0.4)
    return _Scenario(room, path, sensor=Sensor(noise=1.0), rate=_STREET_RATE)


def _twin_rooms() -> _Scenario:
    there = tuple((x + APART, y) for x, y in _TWIN_ROUND)
    path = walk((*_TWIN_ROUND, *there, *_TWIN_ROUND, *there), 0.6, 1.3, inward=0.0)
    return _Scenario(twin_rooms, path, sensor=Sensor(noise=1.0), rate=_STREET_RATE)


def _court_loop() -> _Scenario:
    length, width, _ = COURT_SIZE
    near, far, side = 3.0, length - 3.0, 0.3 * width
    path = walk(((near, -side), (far, -side), (far, side), (near, side)) * 3, 1.2, 1.5, inward=0.5)
    return _Scenario(court, path, sensor=Sensor(noise=1.0), sky=_DAYLIGHT, rate=_STREET_RATE)


# From the middle of one door around the room to the other door.
_TWIN_ROUND = ((0.6, 3.0), (1.6, 1.4), (5.6, 1.5), (6.0, 4.6), (2.0, 4.6), (2.4, 3.0), (7.6, 3.0))


_SCENARIOS: dict[str, Callable[[], _Scenario]] = {
    "demo": _demo,
    "forward": _forward,
    "orbit": _orbit,
    "hover": _hover,
    "rotation": _rotation,
    "standing": _standing,
    "wall": _wall,
    "corridor": _corridor,
    "bare": _bare,
    "exposure": _exposure,
    "blur": _blur,
    "street": _street,
    "street_large": partial(_street, LARGE_STREET_CAMERA),
    "street_loop": _street_loop,
    "room_loop": _room_loop,
    "twin_rooms": _twin_rooms,
    "court_loop": _court_loop,
}
