# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A camera in a process of its own: publishes what it is told to over its standard input.

Orders are pickled tuples, each answered by a pickled value:
    ("advertise", topic, type name, reliability) -> None
    ("withdraw", topic) -> None
    ("publish", topic, serialised message, ...) -> None
    ("stream", topic, list of serialised messages, hertz) -> None, after the last
    ("matched", topic) -> number of subscribers
"""

from __future__ import annotations

import importlib
import pickle
import sys
import time

import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy


def main() -> None:
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    rclpy.init()
    node = rclpy.create_node("test_camera")
    publishers = {}
    while True:
        try:
            order, topic, *arguments = pickle.load(orders)
        except EOFError:
            break
        answer = None
        if order == "advertise":
            package, name = arguments[0].split("/")
            kind = getattr(importlib.import_module(f"{package}.msg"), name)
            quality = QoSProfile(depth=100, reliability=ReliabilityPolicy[arguments[1]])
            publishers[topic] = node.create_publisher(kind, topic, quality)
        elif order == "withdraw":
            node.destroy_publisher(publishers.pop(topic))
        elif order == "publish":
            for message in arguments:
                publishers[topic].publish(message)
        elif order == "stream":
            messages, hertz = arguments
            start = time.monotonic()
            for index, message in enumerate(messages):
                time.sleep(max(0.0, start + index / hertz - time.monotonic()))
                publishers[topic].publish(message)
        elif order == "matched":
            answer = publishers[topic].get_subscription_count()
        pickle.dump(answer, answers)
        answers.flush()
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
