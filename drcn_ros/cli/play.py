# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn play`: publish a bag or data set as camera topics, for machines without `ros2 bag`."""

from __future__ import annotations

import argparse
import math
import signal
import sys
from typing import Any

from drcn_ros.cli.inputs import (
    INPUT_HELP,
    add_selection_options,
    add_sequence_options,
    selection,
    sequence_options,
)
from drcn_ros.cli.interrupts import end_by
from drcn_ros.cli.keys import key_presses
from drcn_ros.errors import InputError
from drcn_ros.odometry.types import Frame
from drcn_ros.ros.dependency import require_rclpy
from drcn_ros.sequences import ImageSequence, Selection, open_sequence
from drcn_ros.sequences.prefetch import prefetched


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", metavar="INPUT", help=INPUT_HELP)
    add_sequence_options(parser)
    add_selection_options(parser)
    group = parser.add_argument_group("publishing")
    group.add_argument("--rate", type=float, default=1.0, metavar="R", help="times as fast as recorded")
    group.add_argument("--loop", action="store_true", help="begin anew at the end, until Ctrl-C")
    group.add_argument("--image", default="/camera/image_raw", metavar="TOPIC", help="(default %(default)s)")
    group.add_argument(
        "--camera-info", default="/camera/camera_info", metavar="TOPIC", help="(default %(default)s)"
    )
    group.add_argument("--no-clock", action="store_true", help="do not publish /clock")
    group.add_argument("--no-wait", action="store_true", help="begin without a subscriber")
    group.add_argument("--paused", action="store_true", help="begin paused; space goes on")


def run(arguments: argparse.Namespace) -> int:
    """Play until the end or Ctrl-C; return 0."""
    if not 0 < arguments.rate < math.inf:
        msg = f"rate {arguments.rate}: must be above 0"
        raise InputError(msg)
    chosen = selection(arguments)
    sequence = open_sequence(arguments.input, sequence_options(arguments))
    require_rclpy()
    # A player that a script started with `&` begins with SIGINT ignored; it must end by it all the same.
    end_by(signal.SIGINT, signal.SIGTERM)
    try:
        _play(arguments, sequence, chosen)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    for note in sequence.notes.lines:
        print(f"note: {note}", file=sys.stderr)
    return 0


def _play(arguments: argparse.Namespace, sequence: ImageSequence, chosen: Selection) -> None:
    from drcn_ros.ros.session.player import player

    with player(
        sequence.camera, arguments.image, arguments.camera_info, arguments.rate, not arguments.no_clock
    ) as playing:
        controls = playing.controls
        controls.paused = arguments.paused
        screen = _Screen(sequence, chosen, controls)

        def on_key(key: str) -> None:
            if key == " ":
                controls.paused = not controls.paused
                screen.show()

        with key_presses(on_key):
            if not arguments.no_wait:
                waiting = f"waiting for a subscriber of {arguments.image}; --no-wait begins without one"
                playing.wait_for_subscriber(lambda: screen.say(waiting))
            while True:
                with prefetched(sequence.frames(chosen)) as frames:
                    count = playing.play(frames, screen.on_frame)
                if not arguments.loop or not count:
                    break
        playing.close()
        screen.say(f"played {screen.count} frames of {sequence.name}")


class _Screen:
    """One line on a terminal that tells where the playing stands."""

    def __init__(self, sequence: ImageSequence, chosen: Selection, controls: Any) -> None:
        self.count = 0
        self._expected = sequence.expected(chosen)
        self._controls = controls
        self._first_ns: int | None = None
        self._seconds = 0.0
        self._live = sys.stderr.isatty()

    def on_frame(self, frame: Frame) -> None:
        self.count += 1
        self._first_ns = frame.stamp_ns if self._first_ns is None else self._first_ns
        self._seconds = (frame.stamp_ns - self._first_ns) * 1e-9
        self.show()

    def show(self) -> None:
        if self._live:
            state = "paused " if self._controls.paused else "playing"
            line = f"{state} frame {self.count} of {self._expected} each round, {self._seconds:.2f} s"
            print(f"\r{line}  (space: pause, Ctrl-C: end) ", end="", file=sys.stderr, flush=True)

    def say(self, line: str) -> None:
        end = "\r" if self._live else ""
        print(f"{end}{line}".ljust(72 if self._live else 0), file=sys.stderr, flush=True)
