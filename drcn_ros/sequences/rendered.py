# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A rendered scene as an input like any other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from drcn_ros.scenes.scenarios import DEMO_FRAMES, scenario
from drcn_ros.scenes.sequence import RenderedSequence
from drcn_ros.sequences.base import ImageSequence, Shot
from drcn_ros.sequences.trajectories.trajectory import Trajectory

# Before the name of a scene, where a folder could stand.
SCENE = "scene:"


class Rendered(ImageSequence):
    """The frames of a scene along a path, rendered as they are read."""

    def __init__(self, scene: RenderedSequence, name: str) -> None:
        super().__init__(name, "rendered scene")
        self._scene = scene
        self.camera = scene.camera
        self.ground_truth = Trajectory.from_poses(scene.stamps_ns, scene.poses)

    def __len__(self) -> int:
        return len(self._scene)

    def shots(self) -> Iterator[Shot]:
        """Yield the images in order of time."""
        for index, stamp in enumerate(self._scene.stamps_ns):
            yield Shot(int(stamp), partial(self._scene.image, index))


def open_scene(name: str, frames: int = DEMO_FRAMES) -> Rendered:
    """Return the scene that `scene:NAME` means, so many frames of it.

    Raises:
        InputError: there is no such scene.
    """
    title = name.removeprefix(SCENE)
    return Rendered(scenario(title, frames), title)
