# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags, their messages turned into those of ROS 2."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from rosbags.rosbag1 import Reader

from drcn_ros.foreign.guard import first_line
from drcn_ros.sequences.bags.bag import Bag, Topic, typestore
from drcn_ros.sequences.bags.cut_rosbag1 import CutRosbag1
from drcn_ros.sequences.bags.unpacking_limits import limit_unpacking
from drcn_ros.sequences.base import LeftOut

MAGIC = b"#ROSBAG V2.0\n"


class Rosbag1(Bag):
    """A ROS 1 bag; one that was not closed is read without its index.

    Raises:
        InputError: the file is no ROS 1 bag.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "ROS 1 bag")
        limit_unpacking()
        self._cut: CutRosbag1 | None = None
        try:
            with Reader(path) as reader:
                self._topics = [
                    Topic(name, info.msgtype or "", info.msgcount) for name, info in reader.topics.items()
                ]
        except Exception:  # what damaged bytes raise in the reader has no bounds
            self._cut = CutRosbag1(path)
            self._topics = self._cut.topics()
            self.notes.add(f"{path.name} is cut off or was not closed; it was read up to the cut")

    def topics(self) -> list[Topic]:
        """Return all topics, by name."""
        return sorted(self._topics, key=lambda topic: topic.name)

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and CDR bytes of each message of `topics`, in order."""
        types = {topic.name: topic.type for topic in self._topics if topic.name in topics}
        left_out = LeftOut(self.notes, "messages")
        for name, time_ns, data in self._raw(types):
            try:
                yield name, time_ns, bytes(typestore().ros1_to_cdr(data, types[name]))
            except Exception as error:
                left_out.add(f"a message of {name} is damaged ({type(error).__name__})")

    def _raw(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        if self._cut is not None:
            yield from self._cut.messages(topics)
            return
        with Reader(self.path) as reader:
            wanted = [connection for connection in reader.connections if connection.topic in topics]
            messages = reader.messages(wanted) if wanted else iter(())
            while True:
                try:
                    connection, time_ns, data = next(messages)
                except StopIteration:
                    return
                except MemoryError:
                    raise
                except Exception as error:
                    self.notes.add(
                        f"{self.path.name} is damaged and was read up to there ({first_line(error)})"
                    )
                    return
                yield connection.topic, time_ns, data
