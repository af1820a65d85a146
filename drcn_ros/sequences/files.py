# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Reading of images and small text files, with errors that name the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from drcn_ros.errors import ImageError, InputError
from drcn_ros.foreign.images import decode_image, is_turned
from drcn_ros.foreign.reading import is_file, read_bytes, read_text
from drcn_ros.foreign.value_range import ValueRange
from drcn_ros.sequences.base import Image, ImageSequence, Shot

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".tif", ".tiff", ".webp")


def read_image(path: Path, values: ValueRange | None = None, upright: bool = False) -> Image:
    """Return an image file as (H, W) grey or (H, W, 3) RGB; sixteen bits become eight.

    Args:
        path: of the file.
        values: range of the values of more than 8 bits; by default that of this image.
        upright: whether to turn the image as its file says (EXIF), or to take it as stored.

    Raises:
        InputError: the file is missing, no image, too large, or of other numbers than 8 or 16 bits.
    """
    with _named(path):
        return decode_image(read_bytes(path), values, upright)


def is_turned_file(path: Path) -> bool:
    """Return whether an image file says (EXIF) that it is to be turned; errors are those of `read_image`."""
    with _named(path):
        return is_turned(read_bytes(path))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"image {path}: {error.strerror}"
        raise InputError(msg) from None
    except ImageError as error:
        msg = f"image {path}: {error}"
        raise InputError(msg) from None


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file that are neither empty nor comments.

    Raises:
        InputError: the file is missing or no text.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text file"
        msg = f"{path}: {reason}"
        raise InputError(msg) from None
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


class FileSequence(ImageSequence):
    """A sequence of image files.

    Raises:
        InputError: there is none, or one is missing.
    """

    def __init__(self, name: str, kind: str, stamps_ns: Sequence[int], paths: Sequence[Path]) -> None:
        super().__init__(name, kind)
        if not paths:
            msg = f"{name}: the {kind} lists no images"
            raise InputError(msg)
        missing = [path for path in paths if not is_file(path)]
        if missing:
            msg = f"{name}: image {missing[0]} is missing ({len(missing)} of {len(paths)})"
            raise InputError(msg)
        order = sorted(range(len(paths)), key=lambda index: stamps_ns[index])
        self.stamps_ns = [stamps_ns[index] for index in order]
        self._paths = [paths[index] for index in order]

    def __len__(self) -> int:
        return len(self._paths)

    def shots(self) -> Iterator[Shot]:
        """Yield the images in order of time."""
        values = ValueRange()
        for stamp, path in zip(self.stamps_ns, self._paths, strict=True):
            yield Shot(stamp, partial(read_image, path, values))
