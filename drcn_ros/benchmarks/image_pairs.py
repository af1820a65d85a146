# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of images with known geometry: frames some steps apart, hard views of a scene, or views of a plane.

The frames are those of a sequence or a rendered scene; the views of a plane are photographs in the layout of
HPatches, or made from any photographs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drcn_ros.benchmarks.warped_views import VIEWS, homography, photographs_in, warped_view
from drcn_ros.errors import ImageError, InputError
from drcn_ros.foreign.images import decode_grey
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.scenes.hard_views import HardViews
from drcn_ros.sequences import ImageSequence, open_sequence
from drcn_ros.sequences.rendered import SCENE, open_scene

Image = NDArray[np.uint8]

# What follows `@` where views of photographs are to be made.
WARPS = "warps"
# Before the name of hard views, where a folder could stand.
VIEWS_OF = "views:"


@dataclass(frozen=True)
class ImagePair:
    """Two images and what is known of them.

    Attributes:
        reference, current: names of the images, unique in their set.
        load: returns an image by its name.
        camera: of both, or None for views of a plane.
        pose: (4, 4) T_ref_cur, or None for views of a plane.
        homography: (3, 3) from pixels of the reference to pixels of the current image, or None.
    """

    reference: str
    current: str
    load: Callable[[str], Image]
    camera: Camera | None = None
    pose: Array | None = None
    homography: Array | None = None


@dataclass(frozen=True)
class PairSet:
    """Pairs of one source, named as the user named them: see `open_pairs`."""

    name: str
    pairs: tuple[ImagePair, ...]


def open_pairs(name: str, every: int = 1) -> PairSet:
    """Return pairs of images.

    `DIR@STEP` are frames (i, i + STEP) of a sequence, `scene:NAME@STEP` those of a rendered scene, whose
    truth is exact, `views:NAME` what `HardViews` makes, `DIR` the views of a plane with their `H_1_k` files,
    and `DIR@warps` photographs with views of them through random homographies.

    Args:
        name: as above.
        every: take only each such pair.

    Raises:
        InputError: the source is missing or has no ground truth, the step is no number.
    """
    if name.startswith(SCENE) and "@" not in name:
        msg = f"pairs {name}: how many frames apart is missing, as in {name}@1"
        raise InputError(msg)
    if name.startswith(VIEWS_OF):
        return PairSet(name, tuple(_hard_pairs(HardViews(name.removeprefix(VIEWS_OF))))[::every])
    path, at, step = name.rpartition("@")
    if at and step == WARPS:
        return PairSet(name, tuple(_warped_pairs(Path(path)))[::every])
    if not at:
        return PairSet(name, tuple(_planar_pairs(Path(name)))[::every])
    if not step.isdigit() or int(step) < 1:
        msg = f"pairs {name}: what follows @ must be a number of frames, at least 1, or '{WARPS}'"
        raise InputError(msg)
    sequence = open_scene(path) if path.startswith(SCENE) else open_sequence(path)
    return PairSet(name, tuple(_sequence_pairs(sequence, int(step)))[::every])


def sequence_pairs(sequence: ImageSequence, step: int) -> PairSet:
    """Return the pairs (i, i + step) of an opened sequence.

    Raises:
        InputError: it has no calibration or no ground truth.
    """
    return PairSet(f"{sequence.name}@{step}", tuple(_sequence_pairs(sequence, step)))


def _sequence_pairs(sequence: ImageSequence, step: int) -> Iterator[ImagePair]:
    if sequence.camera is None or sequence.ground_truth is None:
        lacking = "calibration" if sequence.camera is None else "ground truth"
        msg = f"{sequence.name} has no {lacking}: accuracy cannot be judged on it"
        raise InputError(msg)
    shots = list(sequence.shots())
    poses, known = sequence.ground_truth.at([shot.stamp_ns for shot in shots])
    loaders = {str(index): shot.load for index, shot in enumerate(shots)}

    def load(name: str) -> Image:
        image = loaders[name]()
        if image is None:
            msg = f"{sequence.name}: frame {name} is damaged"
            raise InputError(msg)
        return image

    for index in range(len(shots) - step):
        if known[index] and known[index + step]:
            pose = np.linalg.inv(poses[index]) @ poses[index + step]
            yield ImagePair(str(index), str(index + step), load, sequence.camera, pose)


def _hard_pairs(views: HardViews) -> Iterator[ImagePair]:
    def load(name: str) -> Image:
        pair, side = name.split(" view ")
        return views.image(int(pair), int(side))

    for pair, (first, second) in enumerate(views.poses):
        motion = np.asarray(np.linalg.inv(first) @ second, np.float64)
        yield ImagePair(f"{pair} view 0", f"{pair} view 1", load, views.camera, motion)


def _planar_pairs(folder: Path) -> Iterator[ImagePair]:
    files = sorted(folder.glob("H_1_*"), key=lambda path: (len(path.name), path.name))
    if not files:
        msg = f"{folder}: neither frames (write DIR@STEP) nor H_1_k files of a planar scene"
        raise InputError(msg)
    for file in files:
        try:
            matrix = np.loadtxt(file).reshape(3, 3)
        except (ValueError, OSError):
            msg = f"{file} holds no 3x3 matrix"
            raise InputError(msg) from None
        names = [_image_named(folder, number) for number in ("1", file.name.removeprefix("H_1_"))]
        yield ImagePair(names[0], names[1], _read_grey, homography=matrix)


def _warped_pairs(folder: Path) -> Iterator[ImagePair]:
    files = photographs_in(folder) if folder.is_dir() else []
    if not files:
        msg = f"{folder} holds no photographs large enough to make views of"
        raise InputError(msg)

    def load(name: str) -> Image:
        file, _, view = name.rpartition(" view ")
        return warped_view(folder / file, int(view))

    for file in files:
        for view in range(1, 1 + VIEWS):
            reference, current = (f"{file.name} view {number}" for number in (0, view))
            yield ImagePair(reference, current, load, homography=homography(file, view))


def _image_named(folder: Path, number: str) -> str:
    for path in sorted(folder.glob(f"{number}.*")):
        return str(path)
    msg = f"{folder} has no image {number}"
    raise InputError(msg)


def _read_grey(name: str) -> Image:
    try:
        return decode_grey(Path(name).read_bytes())
    except (OSError, ImageError) as error:
        msg = f"image {name}: {error}"
        raise InputError(msg) from None
