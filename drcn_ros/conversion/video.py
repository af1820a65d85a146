# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images of a topic that carries video: `CompressedImage` with H.264 or H.265, or `FFMPEGPacket`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drcn_ros.conversion.images import Image8
from drcn_ros.errors import ImageError
from drcn_ros.foreign.image_header import JPEG_START, PNG_START
from drcn_ros.foreign.video import START_CODES, VideoDecoder, codec_of


@dataclass(frozen=True)
class DecodedImage:
    """What came of one packet of a video; stands for the message where frames are processed.

    Attributes:
        header: of the message.
        image: (H, W, 3) RGB, or None where `error` tells why there is none.
        error: of the decoding.
    """

    header: Any
    image: Image8 | None
    error: ImageError | None = None


class VideoTopic:
    """Decodes the packets of a topic, none of which may be left out."""

    def __init__(self) -> None:
        self._decoder: VideoDecoder | None = None

    def decode(self, message: Any, key: Any) -> list[tuple[Any, Image8]] | None:
        """Return the images that a packet completes, each with the key of its own packet.

        None of a message that is no packet of a video.

        Raises:
            ImageError: PyAV is not installed, or the packet cannot be decoded.
        """
        codec = self._codec(message)
        if not codec:
            return None
        if self._decoder is None or self._decoder.codec != codec:
            self._decoder = VideoDecoder(codec)
        return self._decoder.decode(bytes(message.data), key)

    def unpack(self, message: Any) -> list[Any]:
        """Return the message itself, or the images that it completes where it is a packet of a video."""
        try:
            found = self.decode(message, message.header)
            return [message] if found is None else [DecodedImage(*entry) for entry in found]
        except ImageError as error:
            return [DecodedImage(message.header, None, error)]

    def rest(self) -> list[tuple[Any, Image8]]:
        """Return the images that still wait at the end."""
        return [] if self._decoder is None else self._decoder.rest()

    def _codec(self, message: Any) -> str:
        if hasattr(message, "pts"):
            codec = codec_of(message.encoding, b"")
            if not codec:
                msg = f"video of encoding {message.encoding!r} is not supported; supported are h264 and hevc"
                raise ImageError(msg)
            return codec
        if not hasattr(message, "format"):
            return ""
        head = bytes(message.data[:8])
        if head.startswith((JPEG_START, PNG_START)):
            return ""
        # Only the first packet of a stream without a name says what it is.
        running = self._decoder.codec if self._decoder is not None and head.startswith(START_CODES) else ""
        return codec_of(message.format, head) or running
