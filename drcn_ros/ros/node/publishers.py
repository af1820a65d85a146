# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Publishers of a life-cycle node that know whether anybody listens.

Which topics there are, `outputs` and `motion_outputs` say.
"""

from __future__ import annotations

from typing import Any

from rclpy.qos import QoSProfile

# A reader that does not keep up loses the oldest; the node never waits for it.
_QUEUE = 10


class Publishers:
    """Makes the publishers of one part of the node and takes them away together."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._made: list[Any] = []

    def make(self, kind: Any, topic: str, depth: int = _QUEUE) -> Any:
        """Return a publisher, silent while the node is not active; it keeps `depth` messages for readers."""
        publisher = self._node.create_lifecycle_publisher(kind, topic, QoSProfile(depth=depth))
        self._made.append(publisher)
        return publisher

    def close(self) -> None:
        """Take the publishers away."""
        for publisher in self._made:
            self._node.destroy_lifecycle_publisher(publisher)


def has_listeners(publisher: Any) -> bool:
    """Whether anybody listens to a publisher; nothing is built for one that nobody listens to."""
    return bool(publisher.get_subscription_count())
