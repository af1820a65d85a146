# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Finds out what an input is, by its content, and opens it."""

from __future__ import annotations

import glob
import math
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from drcn_ros.errors import InputError
from drcn_ros.foreign.guard import guarded
from drcn_ros.foreign.unpacking import ZSTD_MAGIC
from drcn_ros.sequences.bags import cut_mcap, rosbag1, rosbag2
from drcn_ros.sequences.bags.bag import Bag
from drcn_ros.sequences.bags.sequence import BagSequence, BagTopics
from drcn_ros.sequences.base import ImageSequence, Selection
from drcn_ros.sequences.calibrations import Images, assumed_calibration, read_calibration
from drcn_ros.sequences.files import IMAGE_SUFFIXES
from drcn_ros.sequences.folders import euroc, kitti, tum
from drcn_ros.sequences.folders.image_files import Video, images_of, open_images, open_pattern
from drcn_ros.sequences.ground_truth.options import TruthOptions
from drcn_ros.sequences.trajectories.files import read_trajectory
from drcn_ros.sequences.trajectories.trajectory import Trajectory

_SQLITE_MAGIC = b"SQLite format 3\0"
_KINDS = (
    "a rosbag2 (metadata.yaml, *.mcap, *.db3), a ROS 1 bag, a TUM RGB-D folder (rgb.txt), a KITTI odometry "
)
_KINDS += "sequence (image_0, times.txt, calib.txt), an EuRoC folder (mav0/cam0/data.csv), images, or a video"


@dataclass(frozen=True)
class SequenceOptions:
    """What a user may say about an input beyond its path.

    Attributes:
        camera: calibration file, in place of the input's own.
        truth: file of ground truth, and how it is meant.
        topics: of a bag; `topics.image` also names the camera of a KITTI or EuRoC folder.
        rate: frames per second of images whose names are no times.
        view_deg: angle of view of a camera without a calibration, degrees across the longer side, or None.

    Raises:
        InputError: the rate is not positive.
    """

    camera: Path | None = None
    truth: TruthOptions = field(default_factory=TruthOptions)
    topics: BagTopics = field(default_factory=BagTopics)
    rate: float = 10.0
    view_deg: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.rate < math.inf:
            msg = f"rate {self.rate}: images need more than 0 per second"
            raise InputError(msg)


def open_sequence(path: str | Path, options: SequenceOptions | None = None) -> ImageSequence:
    """Open an input of any kind.

    Args:
        path: file, folder, or pattern of image files.
        options: what the input does not say itself.

    Raises:
        InputError: it is missing, damaged, of no known kind, or several topics are possible.
    """
    options = options or SequenceOptions()
    with guarded(f"input {path}"):
        sequence = _open(str(path), options)
    if options.camera is not None:
        rectified = sequence.rectified or options.topics.rectified == "true"
        images = Images(sequence.camera_names, rectified, partial(_image_size, sequence))
        sequence.calibrate(read_calibration(options.camera, images), str(options.camera))
    elif options.view_deg is not None:
        guess = assumed_calibration(*_image_size(sequence), options.view_deg)
        sequence.calibrate(guess, f"an angle of view of {options.view_deg:g} degrees")
    if options.truth.file is not None:
        sequence.ground_truth = _read_truth(options.truth.file, sequence)
        sequence.truth_source = str(options.truth.file)
    if sequence.ground_truth is not None:
        sequence.ground_truth = options.truth.applied(sequence.ground_truth)
        sequence.truth_offset_s = options.truth.offset_s
    return sequence


def _read_truth(file: Path, sequence: ImageSequence) -> Trajectory:
    notes: list[str] = []
    stamps = _stamps(file, sequence)
    first = stamps[0] if stamps else next((shot.stamp_ns for shot in sequence.shots()), None)
    truth = read_trajectory(file, stamps, first, notes)
    for note in notes:
        sequence.notes.add(note)
    return truth


def _image_size(sequence: ImageSequence) -> tuple[int, int]:
    """Return width and height of the first image."""
    for frame in sequence.frames(Selection(limit=1)):
        height, width = frame.image.shape[:2]
        return width, height
    msg = f"{sequence.name}: not one image is readable"
    raise InputError("; ".join([msg, *sequence.notes.lines]))


def _open(name: str, options: SequenceOptions) -> ImageSequence:
    path = Path(name)
    bag = open_bag(name)
    if bag is not None:
        return BagSequence(bag, name, options.topics)
    if path.is_dir():
        return _open_folder(path, name, options)
    if path.is_file():
        return _open_file(path, name, options)
    if glob.has_magic(name):
        return open_pattern(name, options.rate)
    msg = f"input {name} does not exist"
    raise InputError(msg)


def open_bag(name: str) -> Bag | None:
    """Return the bag that an input is, or None where it is something else.

    Raises:
        InputError: it is a damaged or misnamed bag.
    """
    path = Path(name)
    if path.is_dir():
        is_bag = (path / rosbag2.METADATA).is_file() or rosbag2.storage_files(path)
        return rosbag2.Rosbag2(path) if is_bag else None
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(rosbag1.MAGIC):
        return rosbag1.Rosbag1(path)
    if not head.startswith((cut_mcap.MAGIC, _SQLITE_MAGIC, ZSTD_MAGIC)):
        return None
    if not path.name.endswith(rosbag2.STORAGE_SUFFIXES):
        msg = f"bag file {name} must be named {' or '.join('*' + end for end in rosbag2.STORAGE_SUFFIXES)}"
        raise InputError(msg)
    return rosbag2.Rosbag2(path)


def _open_folder(folder: Path, name: str, options: SequenceOptions) -> ImageSequence:
    if (folder / tum.INDEX).is_file():
        return tum.open_tum(folder, name)
    if (folder / "times.txt").is_file() and any((folder / camera).is_dir() for camera in kitti.CAMERAS):
        return kitti.open_kitti(folder, name, options.topics.image)
    if euroc.cameras(folder):
        return euroc.open_euroc(folder, name, options.topics.image)
    if images_of(folder):
        return open_images(images_of(folder), name, options.rate)
    msg = f"folder {name} is no input: need {_KINDS}"
    raise InputError(msg)


def _open_file(path: Path, name: str, options: SequenceOptions) -> ImageSequence:
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return open_images([path], name, options.rate)
    with path.open("rb") as file:
        head = file.read(16)
    if not head or path.name.endswith((*rosbag2.STORAGE_SUFFIXES, ".bag")):
        msg = f"{name} is {'empty' if not head else 'damaged: its first bytes are those of no bag'}"
        raise InputError(msg)
    return Video(path, name)


def _stamps(trajectory: Path, sequence: ImageSequence) -> list[int] | None:
    """Return the stamps of all frames if a trajectory file has none itself."""
    try:
        with trajectory.open(encoding="utf-8") as file:
            first = next((line for line in file if line.strip() and not line.startswith("#")), "")
    except (OSError, UnicodeDecodeError):
        return None
    return [shot.stamp_ns for shot in sequence.shots()] if len(first.split()) == 12 else None
