# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node's subscriptions, and why nothing arrives on them when nothing does."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from geometry_msgs.msg import TwistWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from drcn_ros.errors import ConfigurationError
from drcn_ros.ros.config import NodeConfig

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # the module's name in ROS 2 Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

_OVERRIDABLE = (
    QoSPolicyKind.HISTORY,
    QoSPolicyKind.DEPTH,
    QoSPolicyKind.RELIABILITY,
    QoSPolicyKind.DURABILITY,
)
# What image_transport appends to the topic of the images.
_SUFFIXES = {"raw": "", "compressed": "/compressed", "ffmpeg": "/ffmpeg"}
# Of a video no packet may be missing, so more than the newest wait to be decoded.
_PACKETS = 30
# Topic and type of what tells the scale, by `scale.source`. Wheel odometry may come faster than it is taken.
_SCALE_INPUTS = {
    "twist_topic": ("twist", TwistWithCovarianceStamped),
    "odometry_topic": ("odometry", Odometry),
}
_SCALE_DEPTH = 20


def image_topics(node: Any, config: NodeConfig) -> tuple[str, ...]:
    """Return the topics that images may come on, after remapping.

    A compressed image's topic is the base topic with a suffix by the convention of image_transport; people
    give one or the other, so both are listened to.
    """
    topic: str = node.resolve_topic_name("image")
    suffix = _SUFFIXES[config.image_transport]
    return (topic,) if topic.endswith(suffix) else (topic, topic + suffix)


def image_type(transport: str) -> Any:
    """Return the type of the messages of an image transport.

    Raises:
        ConfigurationError: the package that has it is not installed.
    """
    if transport != "ffmpeg":
        return CompressedImage if transport == "compressed" else Image
    try:
        return importlib.import_module("ffmpeg_image_transport_msgs.msg").FFMPEGPacket
    except ImportError:
        msg = "image_transport ffmpeg needs the messages of FFmpeg's transport: "
        msg += "sudo apt install ros-$ROS_DISTRO-ffmpeg-image-transport-msgs"
        raise ConfigurationError(msg) from None


class Input:
    """One subscription.

    Args:
        node: makes the subscription.
        kind: message type.
        topic: as it is after remapping.
        callback: called with each message.
        qos: what is asked for; the node's `qos_overrides` parameters come first.
        tell: called with a line when a publisher appears that does not fit.

    Raises:
        ConfigurationError: an override of the quality of service is no such value.
    """

    def __init__(
        self,
        node: Any,
        kind: Any,
        topic: str,
        callback: Callable[[Any], None],
        qos: QoSProfile,
        tell: Callable[[str], None],
    ) -> None:
        self._node = node
        self.topic = topic
        self._type_name = f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}"
        self._qos = qos
        self._tell = tell
        events = SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible)
        try:
            self._subscription = node.create_subscription(
                kind,
                topic,
                callback,
                qos,
                event_callbacks=events,
                qos_overriding_options=QoSOverridingOptions(_OVERRIDABLE),
            )
        except (RuntimeError, InvalidQosOverridesError, InvalidParameterTypeException) as error:
            msg = f"quality of service of {topic}: {error}"
            raise ConfigurationError(msg) from None

    def close(self) -> None:
        """End the subscription."""
        self._node.destroy_subscription(self._subscription)

    def publishers(self) -> list[str]:
        """Return the names of the nodes that publish what is listened to here."""
        found = self._node.get_publishers_info_by_topic(self.topic)
        return [f"{entry.node_namespace.rstrip('/')}/{entry.node_name}" for entry in found]

    def silence(self) -> str:
        """Return why nothing comes, as far as can be seen from here."""
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        if not publishers:
            return (
                f"no publisher on {self.topic} ({self._type_name}); check the remapping and the camera driver"
            )
        complaints = [self._complaint(publisher) for publisher in publishers]
        if all(complaints):
            return "; ".join(dict.fromkeys(text for text in complaints if text))
        text = f"{self.topic} has a publisher, but nothing arrives; is the camera streaming?"
        if "Image" in self._type_name:
            text += " Large images get lost without the shared-memory profile config/fastdds_shm.xml."
        if self._qos.reliability == ReliabilityPolicy.RELIABLE:
            # Fast DDS does not count a message of no bytes as received, and waits for it for ever.
            text += " A message of no bytes ends what a reliable subscription gets; start its publisher again"
        return text

    def _complaint(self, publisher: Any) -> str | None:
        who = f"the publisher of {self.topic}"
        # The name of a node that has just been found is not known yet.
        if "UNKNOWN" not in publisher.node_name:
            who += f" ({publisher.node_namespace.rstrip('/')}/{publisher.node_name})"
        if publisher.topic_type != self._type_name:
            hint = ""
            if "FFMPEGPacket" in publisher.topic_type:
                hint = "; set image_transport to ffmpeg"
            elif "Image" in publisher.topic_type:
                transport = "compressed" if "Compressed" in publisher.topic_type else "raw"
                hint = f"; set image_transport to {transport}"
            return f"{who} sends {publisher.topic_type}, expected is {self._type_name}{hint}"
        compatibility, _ = qos_check_compatible(publisher.qos_profile, self._qos)
        if compatibility != QoSCompatibility.ERROR:
            return None
        remedies = []
        offered, wanted = publisher.qos_profile, self._qos
        for policy, weak in (
            ("reliability", ReliabilityPolicy.BEST_EFFORT),
            ("durability", DurabilityPolicy.VOLATILE),
        ):
            if getattr(offered, policy) == weak != getattr(wanted, policy):
                name = f"qos_overrides.{self.topic}.subscription.{policy}"
                remedies.append(f"it offers {weak.name.lower()} {policy}, set {name} to {weak.name.lower()}")
        return f"{who} has an incompatible quality of service: {'; '.join(remedies) or 'other policies'}"

    def _on_incompatible(self, _event: Any) -> None:
        for publisher in self._node.get_publishers_info_by_topic(self.topic):
            complaint = self._complaint(publisher)
            if complaint is not None:
                self._tell(complaint)


@dataclass(frozen=True)
class Callbacks:
    """Called with each message of a kind; `tell` with a line when a publisher appears that does not fit."""

    on_image: Callable[[Any], None]
    on_camera_info: Callable[[Any], None]
    on_scale: Callable[[Any], None]
    on_mask: Callable[[Any], None]
    tell: Callable[[str], None]


class Inputs:
    """The subscriptions to images, calibration, masks and, where one is chosen, the source of the scale."""

    def __init__(self, node: Any, config: NodeConfig, callbacks: Callbacks) -> None:
        tell = callbacks.tell
        # Calibration first: of two messages that are both there, its is then handled before the image.
        calibration_topic = node.resolve_topic_name("camera_info")
        self.camera_info = Input(
            node, CameraInfo, calibration_topic, callbacks.on_camera_info, _newest(), tell
        )
        self.mask = Input(node, Image, node.resolve_topic_name("~/mask"), callbacks.on_mask, _newest(), tell)
        self.images: list[Input] = []
        self.scale: Input | None = None
        depth = 1 if config.image_transport == "raw" else _PACKETS
        try:
            kind = image_type(config.image_transport)
            for topic in image_topics(node, config):
                qos = _newest(depth) if config.processing == "live" else _every(config.queue_size)
                self.images.append(Input(node, kind, topic, callbacks.on_image, qos, tell))
            if config.scale.source in _SCALE_INPUTS:
                name, scale_kind = _SCALE_INPUTS[config.scale.source]
                topic = node.resolve_topic_name(name)
                self.scale = Input(node, scale_kind, topic, callbacks.on_scale, _newest(_SCALE_DEPTH), tell)
        except ConfigurationError:
            self.close()
            raise

    def close(self) -> None:
        """End the subscriptions."""
        scale = () if self.scale is None else (self.scale,)
        for entry in (self.camera_info, self.mask, *self.images, *scale):
            entry.close()


def _newest(depth: int = 1) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.VOLATILE,
    )


def _every(depth: int) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE,
    )
