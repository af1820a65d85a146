# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn doctor`: what a bug report needs, and what looks wrong with its remedy."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING

from drcn_ros import __version__
from drcn_ros.doctor.complaints import Complaint, Use, complaints
from drcn_ros.doctor.installation import Installation, read_installation
from drcn_ros.errors import DrcnError

if TYPE_CHECKING:
    from drcn_ros.doctor.demo_frames import DemoFrame


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--no-frames", action="store_true", help="time no frames of the demo")
    if not read_installation().missing:
        from drcn_ros.cli.parameters import add_parameter_options

        add_parameter_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print; return 0, or 1 where something looks wrong."""
    installation = read_installation()
    for name, value in _versions(installation):
        _line(name, value)
    use, troubles = (None, []) if installation.missing else _try(arguments)
    wrong = [*complaints(installation, use), *troubles]
    print()
    if not wrong:
        print("nothing looks wrong")
        return 0
    print("looks wrong:")
    for complaint in wrong:
        print(f"- {complaint.what}")
        print(f"  remedy: {complaint.remedy}")
    return 1


def _versions(installation: Installation) -> Iterator[tuple[str, str]]:
    packages = installation.packages

    def version(module: str) -> str:
        return (packages[module] or "of unknown version") if module in packages else "missing"

    yield "drcn_ros", __version__
    yield "Python", ".".join(map(str, installation.python))
    yield "torch", version("torch") + (", with CUDA" if installation.cuda else "")
    yield "OpenCV", version("cv2")
    yield "PoseLib", version("poselib")
    yield "numpy", version("numpy")
    yield "ROS 2", f"{installation.ros or 'none'}, rclpy {version('rclpy')}"
    yield "middleware", installation.rmw or "none"
    yield "its profile", installation.profile or "none"
    memory, shared = installation.free_memory, installation.shared_memory
    yield "free memory", "unknown" if memory is None else f"{memory / 1e6:.0f} MB"
    yield "/dev/shm", "none" if shared is None else f"{shared / 1e6:.0f} MB free"
    yield "cores", f"{installation.cores}, load {installation.load:.1f}"


def _try(arguments: argparse.Namespace) -> tuple[Use | None, list[Complaint]]:
    """Print what the configuration comes to and what its frames take; return the use, and what failed."""
    from drcn_ros.benchmarks.machine import describe_machine
    from drcn_ros.cli.parameters import configuration
    from drcn_ros.doctor.demo_frames import demo_frames
    from drcn_ros.matching.device import in_force

    config = configuration(arguments)
    machine = describe_machine(config.threads)
    _line("processor", machine["processor"])
    _line("commit", f"{machine['commit'] or 'of no checkout'}, {machine['date']}")
    try:
        used = in_force(config.matcher)
        _line("matcher", f"{config.matcher.name} on {used.device}, precision {used.precision}")
        _line("threads", f"{config.threads} of each operator")
        if not arguments.no_frames:
            _print_frames(demo_frames(config))
    except DrcnError as error:
        what, _, remedy = str(error).partition("; ")
        return None, [Complaint(what, remedy or "choose another matcher or device with --set")]
    return Use(used.device, used.precision, config.threads), []


def _print_frames(frames: Iterable[DemoFrame]) -> None:
    print()
    print("frame of the demo: extraction, matching, geometry and the sum in ms; digests of image and result")
    for frame in frames:
        times = " ".join(f"{value:7.1f}" for value in astuple(frame.latency))
        size = f"{frame.width}x{frame.height}"
        counts = f"{frame.keypoints} keypoints, {frame.matches} matches, {frame.inliers} agree"
        print(f"{size:9} {times}  {frame.image} {frame.result}  {frame.state}: {counts}", flush=True)


def _line(name: str, value: object) -> None:
    print(f"{name:14} {value}")
