# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Looks through an input and says whether it can be evaluated, and what is to be done where it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from drcn_ros.conversion.stamps import image_stamp_ns
from drcn_ros.errors import ImageError, InputError
from drcn_ros.geometry.camera import Camera
from drcn_ros.sequences import ImageSequence, Selection, SequenceOptions, open_sequence
from drcn_ros.sequences.bags.bag import Topic, deserialize
from drcn_ros.sequences.bags.sequence import BagSequence
from drcn_ros.sequences.ground_truth.check import coverage
from drcn_ros.sequences.inspection.stamps import StampSummary
from drcn_ros.sequences.recognise import open_bag

_DAMAGED = "damaged"


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        kind: of the input, or empty.
        topics: of a bag.
        images: kind and size of the images, with their numbers.
        images_from: topic or kind of the input.
        stamps: of the images, in the order of their arrival.
        camera, truth: what is known of them, a line each.
        notes: what else a person should know.
        problem: why it cannot be evaluated, with the remedy, or empty.
    """

    kind: str = ""
    topics: Sequence[Topic] = ()
    images: Sequence[tuple[str, int]] = ()
    images_from: str = ""
    stamps: StampSummary = field(default_factory=lambda: StampSummary.of([]))
    camera: str = "none"
    truth: str = "none"
    notes: Sequence[str] = ()
    problem: str = ""


def inspect(name: str, options: SequenceOptions) -> Inspection:
    """Look through an input; whatever is wrong with it becomes the problem.

    Args:
        name: file, folder, or pattern.
        options: what the user says of it.
    """
    kind, topics = "", []
    try:
        bag = open_bag(name)
        if bag is not None:
            kind, topics = bag.kind, bag.topics()
        sequence = open_sequence(name, options)
    except InputError as error:
        return Inspection(kind, topics, problem=str(error))
    kinds: Counter[str] = Counter()
    stamps: list[int] = []
    times: list[int] = []
    for stamp_ns, time_ns, what in _images(sequence):
        kinds[what] += 1
        if what != _DAMAGED:
            stamps.append(stamp_ns)
            times.append(time_ns)
    summary = StampSummary.of(stamps)
    problem, size = _problem(sequence, times)
    if not isinstance(sequence, BagSequence):
        # The stamps of files begin at zero where nothing tells them.
        summary = replace(summary, empty=0)
        if size is not None:
            kinds = Counter({f"{size[0]}x{size[1]}": len(stamps)})
    return Inspection(
        sequence.kind,
        topics,
        kinds.most_common(),
        sequence.image_topic if isinstance(sequence, BagSequence) else sequence.kind,
        summary,
        _camera(sequence.camera, sequence.camera_source),
        _truth(sequence, times),
        sequence.notes.lines,
        problem,
    )


def _images(sequence: ImageSequence) -> Iterator[tuple[int, int, str]]:
    """Yield stamp, time that serves as one, and kind of each image as it arrived, without decoding it."""
    if not isinstance(sequence, BagSequence):
        for shot in sequence.shots():
            yield shot.stamp_ns, shot.stamp_ns, "image"
        return
    topic = sequence.topic
    for _, time_ns, data in sequence.bag.messages([topic.name]):
        try:
            message = deserialize(data, topic.type)
            stamp_ns = image_stamp_ns(message)
        except (InputError, ImageError):
            yield 0, time_ns, _DAMAGED
            continue
        what = getattr(message, "encoding", "") or getattr(message, "format", "") or "unnamed encoding"
        size = f" {message.width}x{message.height}" if hasattr(message, "width") else ""
        yield stamp_ns, stamp_ns or time_ns, f"{what}{size}"


def _problem(sequence: ImageSequence, stamps: Sequence[int]) -> tuple[str, tuple[int, int] | None]:
    """Return why a sequence cannot be evaluated, or an empty text, and the size of its first image."""
    try:
        frame = next(sequence.frames(Selection(limit=1)), None)
    except InputError as error:
        return str(error), None
    if frame is None:
        told = "; ".join(sequence.notes.lines)
        return f"not one image can be decoded{': ' + told if told else ''}", None
    size = frame.image.shape[1], frame.image.shape[0]
    camera = sequence.camera
    if len(set(stamps)) < 2:
        return f"{len(set(stamps))} image with a stamp of its own; a motion needs two", size
    if camera is None:
        return "no calibration; give one with --camera FILE, or --fov DEGREES for a first look", size
    if (camera.width, camera.height) != size:
        return (
            f"the calibration is for {camera.width}x{camera.height} pixels, the images are "
            f"{size[0]}x{size[1]}; give another with --camera FILE"
        ), size
    return "", size


def _camera(camera: Camera | None, source: str) -> str:
    if camera is None:
        return "none"
    numbers = f"fx {camera.fx:.2f} fy {camera.fy:.2f} cx {camera.cx:.2f} cy {camera.cy:.2f}"
    lens = f"lens model {camera.distortion.value}"
    return f"{camera.width}x{camera.height}, {numbers}, {lens}, from {source}"


def _truth(sequence: ImageSequence, stamps: Sequence[int]) -> str:
    truth = sequence.ground_truth
    if truth is None:
        return "none, so nothing would be judged; give one with --gt FILE"
    covered = coverage(stamps, truth)
    what = "poses" if truth.oriented else "positions"
    text = f"{len(truth)} {what} from {sequence.truth_source}, for {covered.known} of {covered.frames} images"
    if covered.frames:
        text += f" ({100.0 * covered.known / covered.frames:.0f} %)"
    if covered.in_gaps:
        text += f"; {covered.in_gaps} in gaps longer than {1e-9 * truth.max_gap_ns:g} s"
    if covered.outside:
        text += f"; {covered.outside} before or after it"
    return text
