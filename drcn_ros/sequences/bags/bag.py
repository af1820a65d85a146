# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded messages, whatever the container: topics, and serialised messages in the order of recording."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from drcn_ros.errors import InputError
from drcn_ros.sequences.base import LeftOut, Notes

FFMPEG_PACKET = "ffmpeg_image_transport_msgs/msg/FFMPEGPacket"
_FFMPEG_PACKET_FIELDS = """
std_msgs/Header header
int32 width
int32 height
string encoding
uint64 pts
uint8 flags
bool is_bigendian
uint8[] data
"""


@dataclass(frozen=True)
class Topic:
    """One topic of a bag.

    Attributes:
        name: as recorded.
        type: in the form `sensor_msgs/msg/Image`.
        count: number of messages.
    """

    name: str
    type: str
    count: int


class Bag(ABC):
    """A bag, open for reading again and again.

    Attributes:
        path: of the bag.
        kind: what it is, as in "rosbag2 (mcap)".
        notes: filled while the bag is read, as when it is cut off.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path = path
        self.kind = kind
        self.notes = Notes()

    @abstractmethod
    def topics(self) -> list[Topic]:
        """Return all topics, by name."""

    @abstractmethod
    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and CDR bytes of each message of `topics`, in order."""

    def decoded(self, topic: Topic) -> Iterator[Any]:
        """Yield the messages of a topic; those that are damaged are left out and counted in the notes."""
        left_out = LeftOut(self.notes, f"messages of {topic.name}")
        for _, _, data in self.messages([topic.name]):
            try:
                message = deserialize(data, topic.type)
            except InputError as error:
                left_out.add(error)
                continue
            yield message


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a key that sorts `bag_2` before `bag_10`."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Return the definitions of the standard messages, and of FFmpeg's transport of images.

    Those read here are the same in every ROS 2.
    """
    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg(_FFMPEG_PACKET_FIELDS, FFMPEG_PACKET))
    return store


def deserialize(data: bytes, kind: str) -> Any:
    """Return the message that CDR bytes hold.

    Raises:
        InputError: the bytes are no such message.
    """
    try:
        return typestore().deserialize_cdr(data, kind)
    except Exception as error:  # generated code raises what the bytes make of it
        msg = f"a {kind} of {len(data)} bytes is damaged ({type(error).__name__})"
        raise InputError(msg) from None
