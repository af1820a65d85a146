# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Packets of an H.264 or H.265 stream to images, by PyAV where it is installed."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ImageError
from drcn_ros.foreign.guard import first_line
from drcn_ros.foreign.images import LARGEST_PIXELS

Image8 = NDArray[np.uint8]

H264, H265 = "h264", "hevc"
# What drivers call the codecs begins or ends with these.
_NAMES = {"264": H264, "avc": H264, "265": H265, "hevc": H265}
# A stream begins with its parameter sets (ITU-T H.264, table 7-1; H.265, table 7-1), after a start code.
START_CODES = (b"\0\0\0\1", b"\0\0\1")
_H264_PARAMETERS, _H265_PARAMETERS = 7, 32
# More frames than a stream may hold back (H.264, annex A.3).
_KEPT = 32


def codec_of(name: str, data: bytes) -> str:
    """Return H264, H265 or, where neither the name nor the first bytes say so, nothing."""
    lower = name.lower()
    for part, codec in _NAMES.items():
        if part in lower:
            return codec
    start = next((code for code in START_CODES if data.startswith(code)), None)
    if start is None or len(data) <= len(start):
        return ""
    unit = data[len(start)]
    if unit & 0x1F == _H264_PARAMETERS:
        return H264
    return H265 if unit >> 1 & 0x3F == _H265_PARAMETERS else ""


class VideoDecoder:
    """Decodes one stream, packet after packet.

    Args:
        codec: H264 or H265.

    Raises:
        ImageError: PyAV is not installed.
    """

    def __init__(self, codec: str) -> None:
        self.codec = codec
        try:
            self._av: Any = importlib.import_module("av")
            create = self._av.CodecContext.create
        except (ImportError, AttributeError):
            # A folder of this name is a module too.
            msg = f"{codec} images are video, which needs PyAV: pip install av"
            raise ImageError(msg) from None
        self._context = create(codec, "r")
        # Threads would hold frames back.
        self._context.thread_type = "NONE"
        self._context.options = {"max_pixels": str(LARGEST_PIXELS)}
        self._keys: dict[int, Any] = {}
        self._next = 0
        self._begun = False

    def decode(self, data: bytes, key: Any) -> list[tuple[Any, Image8]]:
        """Return the images that a packet completes, each (H, W, 3) RGB with the key of its own packet.

        Streams whose frames refer to later ones give images some packets later, in the order of display.

        Raises:
            ImageError: the packet is damaged, refers to one that never came, or no key frame comes.
        """
        packet = self._av.Packet(data)
        packet.pts = self._next
        self._keys[self._next] = key
        self._next += 1
        images = self._images(packet)
        self._begun = self._begun or bool(images)
        if not self._begun and self._next > _KEPT:
            msg = f"{self.codec} stream has no key frame in {self._next} packets; shorten its interval (GOP)"
            raise ImageError(msg)
        return images

    def rest(self) -> list[tuple[Any, Image8]]:
        """Return the images that still wait at the end of a stream."""
        return self._images(None)

    def _images(self, packet: Any) -> list[tuple[Any, Image8]]:
        try:
            frames = [frame for frame in self._context.decode(packet) if not frame.is_corrupt]
            images = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]
        except (self._av.error.FFmpegError, ValueError, MemoryError) as error:
            msg = f"{self.codec} packet cannot be decoded (is it damaged, or the first key frame to come?): "
            raise ImageError(msg + first_line(error)) from None
        keys = [self._keys.get(frame.pts) for frame in frames]
        if frames:
            # Packets long before the last image shown have no image any more.
            self._keys = {pts: key for pts, key in self._keys.items() if pts > self._next - _KEPT}
        return list(zip(keys, images, strict=True))
