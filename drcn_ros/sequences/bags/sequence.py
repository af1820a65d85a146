# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A bag as a sequence of images: finds the topics by their type, reads calibration and ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from drcn_ros.conversion.camera_info import calibration_from_message, shows_rectified
from drcn_ros.conversion.images import image_from_compressed, image_from_message
from drcn_ros.conversion.stamps import image_stamp_ns
from drcn_ros.conversion.video import VideoTopic
from drcn_ros.errors import ConfigurationError, ImageError, InputError
from drcn_ros.foreign.value_range import ValueRange
from drcn_ros.sequences.bags.bag import FFMPEG_PACKET, Bag, Topic, deserialize
from drcn_ros.sequences.bags.poses import POSE_TYPES, TF_TYPE, PoseReader
from drcn_ros.sequences.base import Image, ImageSequence, LeftOut, Shot
from drcn_ros.sequences.in_order import in_order
from drcn_ros.sequences.trajectories.trajectory import Trajectory

_RAW, _COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
_CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
NO_GROUND_TRUTH = "none"


@dataclass(frozen=True)
class BagTopics:
    """Which topics of a bag to read; empty ones are found by their type.

    Attributes:
        image: `Image` or `CompressedImage`.
        camera_info: `CameraInfo`.
        ground_truth: a pose, odometry or TF topic, or "none".
        rectified: whether the images are rectified: "true" takes the calibration's P, "false" K and D, "auto"
            goes by the name of the image topic.
        binning: how region of interest and binning of a `CameraInfo` are meant: "as_given" or "ignore".
    """

    image: str = ""
    camera_info: str = ""
    ground_truth: str = ""
    rectified: str = "auto"
    binning: str = "as_given"


class BagSequence(ImageSequence):
    """The images of a bag.

    Raises:
        InputError: the bag has no images, or several topics and none was chosen.
    """

    def __init__(self, bag: Bag, name: str, topics: BagTopics) -> None:
        super().__init__(name, bag.kind)
        self.notes = bag.notes
        self._bag = bag
        self._all = bag.topics()
        self._image = self._image_topic(topics.image)
        by_name = shows_rectified(self._image.name)
        self.rectified = by_name if topics.rectified == "auto" else topics.rectified == "true"
        self.camera_names = (self._image.name,)
        self._binning = topics.binning
        self._frame_id = self._first_frame_id()
        self._read_camera(topics.camera_info)
        self.ground_truth = self._read_ground_truth(topics.ground_truth)

    @property
    def image_topic(self) -> str:
        """Name of the topic that the images come from."""
        return self._image.name

    @property
    def bag(self) -> Bag:
        """The recording."""
        return self._bag

    @property
    def topic(self) -> Topic:
        """The topic that the images come from."""
        return self._image

    def __len__(self) -> int:
        return self._image.count

    def shots(self) -> Iterator[Shot]:
        """Yield the images by the stamps of their headers; they may have been recorded as they arrived."""
        return in_order(self._recorded(), self.notes)

    def _recorded(self) -> Iterator[Shot]:
        convert = image_from_message if self._image.type == _RAW else image_from_compressed
        values, video, left_out = ValueRange(), VideoTopic(), LeftOut(self.notes, "images")
        count = 0
        for _, time_ns, data in self._bag.messages([self._image.name]):
            count += 1
            try:
                message = deserialize(data, self._image.type)
                # The time of recording stands for a stamp that was left empty.
                stamp_ns = image_stamp_ns(message) or time_ns
            except (InputError, ImageError) as error:
                left_out.add(error)
                continue
            try:
                pictures = video.decode(message, stamp_ns)
            except ImageError as error:
                left_out.add(error)
                continue
            if pictures is None:
                yield Shot(stamp_ns, partial(_decode, partial(convert, message, values), left_out))
            else:
                yield from _shown(pictures)
        yield from _shown(video.rest())
        if count < self._image.count:
            self.notes.add(
                f"the bag announces {self._image.count} images, {count} came; it is damaged or cut off"
            )

    def _image_topic(self, wanted: str) -> Topic:
        found = self._of_type((_RAW, _COMPRESSED, FFMPEG_PACKET))
        if not wanted:
            # The compressed twins of a raw topic hold the same images.
            raw = {topic.name for topic in found if topic.type == _RAW}
            found = [topic for topic in found if topic.name.rpartition("/")[0] not in raw]
        return self._choose(found, wanted, "images", "--image-topic")

    def _of_type(self, types: Sequence[str]) -> list[Topic]:
        return [topic for topic in self._all if topic.type in types and topic.count > 0]

    def _choose(self, found: list[Topic], wanted: str, what: str, option: str) -> Topic:
        chosen = [topic for topic in found if topic.name == wanted] if wanted else found
        if len(chosen) == 1:
            return chosen[0]
        choices = ", ".join(f"{topic.name} ({topic.count} messages)" for topic in found)
        if not found:
            recorded = ", ".join(f"{topic.name} ({topic.type})" for topic in self._all) or "no topic at all"
            msg = f"bag {self.name} holds no {what}; it has {recorded}"
        elif wanted:
            msg = f"bag {self.name} has no {what} on {wanted}; choose one of {choices}"
        else:
            msg = f"bag {self.name} has {what} on several topics; choose one with {option}: {choices}"
        raise InputError(msg)

    def _first_frame_id(self) -> str:
        for _, _, data in self._bag.messages([self._image.name]):
            try:
                return str(deserialize(data, self._image.type).header.frame_id)
            except InputError:
                continue
        msg = f"bag {self.name}: not one image of {self._image.name} is readable"
        raise InputError(msg)

    def _read_camera(self, wanted: str) -> None:
        found = self._of_type((_CAMERA_INFO,))
        if not wanted:
            beside = [topic for topic in found if _namespace(topic.name) == _namespace(self._image.name)]
            if not found:
                return
            found = beside or found
        topic = self._choose(found, wanted, "calibrations", "--camera-info-topic")
        for _, _, data in self._bag.messages([topic.name]):
            try:
                message = deserialize(data, topic.type)
                self.calibrate(calibration_from_message(message, self.rectified, self._binning), topic.name)
            except (InputError, ConfigurationError) as error:
                self.notes.add(f"{topic.name}: {error}")
            return

    def _read_ground_truth(self, wanted: str) -> Trajectory | None:
        if wanted == NO_GROUND_TRUTH:
            return None
        reader = PoseReader(self._bag, self._frame_id, self.notes)
        found = self._of_type(tuple(POSE_TYPES))
        transforms = [topic for topic in self._of_type((TF_TYPE,)) if topic.name.endswith("tf")]
        if wanted:
            topic = self._choose(found + transforms, wanted, "poses", "--gt-topic")
        elif found:
            topic = self._choose(found, "", "poses", f"--gt-topic (or --gt-topic {NO_GROUND_TRUTH})")
        elif transforms:
            self.truth_source = "the transforms in /tf"
            return reader.from_transforms(required=False)
        else:
            return None
        self.truth_source = topic.name
        return reader.from_transforms(required=True) if topic.type == TF_TYPE else reader.from_topic(topic)


def _decode(convert: Callable[[], Image], left_out: LeftOut) -> Image | None:
    try:
        return convert()
    except ImageError as error:
        left_out.add(error)
        return None


def _shown(pictures: list[tuple[Any, Image]]) -> Iterator[Shot]:
    """Yield images of a video, which are decoded already: each needs those before it."""
    for stamp_ns, image in pictures:
        yield Shot(stamp_ns, lambda image=image: image)  # type: ignore[misc]


def _namespace(topic: str) -> str:
    return topic.rpartition("/")[0]
