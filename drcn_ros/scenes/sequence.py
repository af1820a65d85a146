# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A scene filmed along a path: images with the faults of a real sensor, and the exact truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.scenes.paths import Path
from drcn_ros.scenes.photographs import Image
from drcn_ros.scenes.renderer import Renderer, Sky
from drcn_ros.scenes.surfaces import Rectangle

# A fixed date, so that stamps look like a clock's and every run writes the same bytes.
FIRST_STAMP_NS = 1_750_000_000_000_000_000
CAMERA = Camera(640, 480, 460.0, 460.0, 319.5, 239.5)

_BLUR_POSES = 7


def _steady(_time: float) -> float:
    return 1.0


@dataclass(frozen=True)
class Sensor:
    """How the camera falls short of a perfect one.

    Attributes:
        noise: standard deviation of the noise of each value, grey levels.
        shutter_s: exposure time, seconds; what moves meanwhile is blurred.
        gain: brightness at a time in seconds, 1 is neutral; bright parts saturate.
        seed: chooses the noise.
    """

    noise: float = 0.0
    shutter_s: float = 0.0
    gain: Callable[[float], float] = _steady
    seed: int = 0


class RenderedSequence:
    """Frames of a scene along a path, rendered when they are asked for.

    Args:
        scene: makes the rectangles of the scene; called when the first image is asked for.
        path: camera pose at a time.
        frames: number of frames.
        rate: frames per second.
        camera: calibrated camera.
        sensor: its faults.
        parts: poses (K, 4, 4) T_world_part of the scene's moving parts at a time.
        sky: as in `Renderer`.

    Attributes:
        camera, path: as given.
        stamps_ns: (N,) stamps of the frames, the middle of their exposure.
        poses: (N, 4, 4) T_world_camera at the stamps, exact.
    """

    def __init__(
        self,
        scene: Callable[[], Sequence[Rectangle]],
        path: Path,
        frames: int,
        rate: float,
        camera: Camera = CAMERA,
        sensor: Sensor | None = None,
        parts: Callable[[float], Array] | None = None,
        sky: Sky | None = None,
    ) -> None:
        self.camera = camera
        self.times = np.arange(frames) / rate
        self.stamps_ns = FIRST_STAMP_NS + np.rint(self.times * 1e9).astype(np.int64)
        self.poses = np.stack([path(time) for time in self.times]) if frames else np.zeros((0, 4, 4))
        self.path = path
        self._sensor = sensor or Sensor()
        self._parts = parts
        self._sky = sky
        self._scene = scene
        self._renderer: Renderer | None = None

    def __len__(self) -> int:
        return len(self.times)

    def frames(self) -> Iterator[tuple[int, Image]]:
        """Yield each stamp (ns) and its (H, W, 3) RGB image; every pass gives the same bytes."""
        for index, stamp in enumerate(self.stamps_ns):
            yield int(stamp), self.image(index)

    def image(self, index: int) -> Image:
        """Return the (H, W, 3) RGB image of one frame."""
        time = float(self.times[index])
        light = self._exposed(time) * self._sensor.gain(time)
        if self._sensor.noise > 0:
            random = np.random.default_rng((self._sensor.seed, index))
            light += self._sensor.noise * random.standard_normal(light.shape, np.float32)
        image: Image = np.clip(np.rint(light), 0, 255).astype(np.uint8)
        return image

    def depth(self, index: int) -> Array:
        """Return the (H, W) depth of one frame, metres."""
        time = float(self.times[index])
        return self._lens.depth(self.path(time), self._moved(time)).astype(np.float64)

    @property
    def _lens(self) -> Renderer:
        if self._renderer is None:
            self._renderer = Renderer(self._scene(), self.camera, self._sky)
        return self._renderer

    def _moved(self, time: float) -> Array | None:
        return None if self._parts is None else self._parts(time)

    def _exposed(self, time: float) -> NDArray[np.float32]:
        shutter = self._sensor.shutter_s
        offsets = shutter * (np.linspace(-0.5, 0.5, _BLUR_POSES) if shutter > 0 else np.zeros(1))
        total = np.zeros((self.camera.height, self.camera.width, 3), np.float32)
        for offset in offsets:
            moment = time + float(offset)
            total += self._lens.render(self.path(moment), self._moved(moment))
        total /= np.float32(len(offsets))
        return total
