# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Command-line options that say which frames of which input."""

from __future__ import annotations

import argparse
from pathlib import Path

from drcn_ros.cli.camera_options import add_camera_options, angle_of_view, calibration_file
from drcn_ros.ros.config import NodeConfig
from drcn_ros.sequences import Selection, SequenceOptions
from drcn_ros.sequences.bags.sequence import BagTopics
from drcn_ros.sequences.ground_truth.options import ORDERS, TruthOptions

INPUT_HELP = "bag (rosbag2, ROS 1), TUM, KITTI or EuRoC folder, folder or pattern of images, or video"


def add_sequence_options(parser: argparse.ArgumentParser) -> None:
    """Add what the input may not say itself."""
    group = parser.add_argument_group("input")
    add_camera_options(group)
    group.add_argument(
        "--gt", type=Path, metavar="FILE", help="ground truth: TUM, KITTI, CSV with names, or positions alone"
    )
    group.add_argument(
        "--gt-offset",
        type=float,
        default=0.0,
        metavar="S",
        help="seconds to add to the ground truth's stamps",
    )
    group.add_argument(
        "--gt-max-gap",
        type=float,
        default=TruthOptions.max_gap_s,
        metavar="S",
        help="longest time between two true poses that is interpolated, seconds (default %(default)g)",
    )
    group.add_argument(
        "--gt-order",
        choices=ORDERS,
        default=ORDERS[0],
        help="of quaternions in --gt (default %(default)s)",
    )
    group.add_argument(
        "--image-topic", default="", metavar="NAME", help="images of a bag; camera of a KITTI or EuRoC folder"
    )
    group.add_argument("--camera-info-topic", default="", metavar="NAME", help="calibration in a bag")
    group.add_argument(
        "--gt-topic", default="", metavar="NAME", help="pose, odometry or TF topic of a bag, or 'none'"
    )
    group.add_argument(
        "--fps", type=float, default=10.0, metavar="N", help="of images whose names are no times (default 10)"
    )


def add_selection_options(parser: argparse.ArgumentParser) -> None:
    """Add which part of the input is wanted."""
    group = parser.add_argument_group("part of the input")
    group.add_argument("--step", type=int, default=1, metavar="N", help="take every N-th frame")
    group.add_argument(
        "--start", type=float, default=0.0, metavar="S", help="begin S seconds after the first"
    )
    group.add_argument("--duration", type=float, default=None, metavar="S", help="end S seconds later")


def sequence_options(arguments: argparse.Namespace, config: NodeConfig | None = None) -> SequenceOptions:
    """Return what was said about the input; `config` tells how the camera's messages are meant."""
    config = config or NodeConfig()
    topics = BagTopics(
        arguments.image_topic,
        arguments.camera_info_topic,
        arguments.gt_topic,
        config.rectified,
        config.camera.binning,
    )
    truth = TruthOptions(arguments.gt, arguments.gt_offset, arguments.gt_max_gap, arguments.gt_order)
    return SequenceOptions(
        calibration_file(arguments), truth, topics, arguments.fps, angle_of_view(arguments)
    )


def selection(arguments: argparse.Namespace) -> Selection:
    """Return which frames were asked for."""
    return Selection(arguments.step, arguments.start, arguments.duration)
