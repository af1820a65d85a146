# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Folders and patterns of image files, and videos; they bring neither stamps nor a calibration."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.foreign.paths import as_text
from drcn_ros.sequences.bags.bag import natural
from drcn_ros.sequences.base import Image, ImageSequence, Shot
from drcn_ros.sequences.files import IMAGE_SUFFIXES, FileSequence

_SECOND_NS = 1_000_000_000
# A whole number this long is a time in nanoseconds, one with a fraction a time in seconds.
_NANOSECOND_NAME = re.compile(r"\d{16,19}")
_SECOND_NAME = re.compile(r"(\d{6,})\.(\d{3,9})")


def images_of(folder: Path) -> list[Path]:
    """Return the image files of a folder, `image_2` before `image_10`."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]
    return sorted(found, key=natural)


def open_images(paths: list[Path], name: str, rate: float) -> FileSequence:
    """Open image files; names that are times give the stamps, else they come at `rate` per second.

    Raises:
        InputError: there are fewer than two.
    """
    if len(paths) < 2:
        msg = f"{name}: {len(paths)} image, need at least two"
        raise InputError(msg)
    stamps = [_stamp_in(path.stem) for path in paths]
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) < len(paths):
        known = [round(index * _SECOND_NS / rate) for index in range(len(paths))]
    return FileSequence(name, "image folder", known, paths)


def open_pattern(pattern: str, rate: float) -> FileSequence:
    """Open the files that a pattern like `frames/*.png` matches.

    Raises:
        InputError: fewer than two match.
    """
    paths = [Path(path) for path in glob.glob(pattern)]
    images = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
    return open_images(sorted(images, key=natural), pattern, rate)


def _stamp_in(stem: str) -> int | None:
    if _NANOSECOND_NAME.fullmatch(stem):
        return int(stem)
    match = _SECOND_NAME.fullmatch(stem)
    return int(match[1]) * _SECOND_NS + int(match[2].ljust(9, "0")) if match else None


class Video(ImageSequence):
    """A video file; frames come at its nominal rate.

    Raises:
        InputError: no frame can be read.
    """

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(name, "video")
        self._path = path
        with self._open() as capture:
            self._count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
            self._rate = float(capture.get(cv2.CAP_PROP_FPS))
            readable = capture.isOpened() and capture.grab()
        if not readable or not np.isfinite(self._rate) or self._rate <= 0:
            msg = f"{name} is no video that OpenCV can read, nor any other known input"
            raise InputError(msg)

    def __len__(self) -> int:
        return max(0, self._count)

    def shots(self) -> Iterator[Shot]:
        """Yield the frames; those that are not wanted are skipped without decoding where the codec can."""
        index = 0
        with self._open() as capture:
            while capture.grab():
                yield Shot(round(index * _SECOND_NS / self._rate), partial(self._retrieve, capture, index))
                index += 1
        if index < self._count:
            self.notes.add(f"the video ends after {index} of {self._count} frames")

    @contextmanager
    def _open(self) -> Iterator[cv2.VideoCapture]:
        with as_text(self._path) as path:
            capture = cv2.VideoCapture(str(path))
            try:
                yield capture
            finally:
                capture.release()

    def _retrieve(self, capture: cv2.VideoCapture, index: int) -> Image:
        found, pixels = capture.retrieve()
        if not found:
            msg = f"{self.name}: frame {index} cannot be decoded"
            raise InputError(msg)
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
