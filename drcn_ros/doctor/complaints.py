# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What looks wrong with an installation, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drcn_ros.doctor.installation import PROFILE_VARIABLES, REQUIRED, Installation

_PYTHONS = ((3, 10), (3, 14))
_OLDEST_TORCH = (2, 2)
# A camera's images wait here for their readers; containers often have 64 MB in all.
_LEAST_SHARED_MEMORY = 48e6
# A loaded machine delays frames by as many turns.
_BUSY = 1.5
_LAYERS = ("rmw_fastrtps_cpp", "rmw_fastrtps_dynamic_cpp")
# Instructions without which a precision is computed piece by piece, a hundred times slower.
_INSTRUCTIONS = {
    "bfloat16": ("avx512_bf16", "amx_bf16", "bf16"),
    "float16": ("avx512_fp16", "fphp", "amx_fp16"),
}


@dataclass(frozen=True)
class Use:
    """What the installation shall serve.

    Attributes:
        device, precision: in force, as `matching.device.InForce` names them.
        threads: of each operator.
    """

    device: str
    precision: str
    threads: int


@dataclass(frozen=True)
class Complaint:
    """Something wrong, and what to do about it."""

    what: str
    remedy: str


def complaints(installation: Installation, use: Use | None) -> list[Complaint]:
    """Return what looks wrong, the gravest first.

    Args:
        installation: as found.
        use: None where something that is missing keeps it from being known.
    """
    found = [*_of_packages(installation), *_of_ros(installation)]
    if use is not None:
        found += _of_machine(installation, use)
    return found


def _of_packages(installation: Installation) -> Iterator[Complaint]:
    version = ".".join(map(str, installation.python))
    if not _PYTHONS[0] <= installation.python[:2] <= _PYTHONS[1]:
        yield Complaint(f"Python {version} is not among 3.10 to 3.14", "make PYTHON=python3.12 venv")
    for name in installation.missing:
        where = "as README.md names it for the machine" if name == "torch" else "into the same environment"
        yield Complaint(f"module {name} is missing", f"pip install {REQUIRED[name]}, {where}")
    torch = installation.packages.get("torch", "")
    if torch and _numbers(torch) < _OLDEST_TORCH:
        yield Complaint(f"torch {torch} is older than 2.2", "install a later one; README.md names them")
    if len(installation.opencv_builds) > 1:
        names = " and ".join(installation.opencv_builds)
        yield Complaint(
            f"{names} overwrite each other's files",
            f"pip uninstall {' '.join(installation.opencv_builds)}; pip install opencv-python-headless",
        )


def _of_ros(installation: Installation) -> Iterator[Complaint]:
    if "rclpy" not in installation.packages:
        yield Complaint(
            "no ROS 2: rclpy is missing, so the node, `drcn play`, `demo` and `soak` do not run",
            "source /opt/ros/$ROS_DISTRO/setup.bash, or make venv",
        )
        return
    if installation.rclpy_error:
        yield Complaint(
            f"rclpy does not import: {installation.rclpy_error}",
            "run the Python that ROS 2 was built for, with its setup.bash sourced",
        )
        return
    if installation.profile and not installation.profile_exists:
        yield Complaint(
            f"the Fast DDS profile {installation.profile} does not exist",
            f"unset {PROFILE_VARIABLES[0]} {PROFILE_VARIABLES[1]}, or name the file that is there",
        )
    if installation.rmw in _LAYERS and not installation.profile:
        yield Complaint(
            "no Fast DDS profile is set: images beyond 0.5 MB get lost between camera and node",
            f"export {PROFILE_VARIABLES[1]}={installation.own_profile or 'config/fastdds_shm.xml'} "
            "where the camera driver starts; the launch files set it for the node",
        )
    if installation.shared_memory is not None and installation.shared_memory < _LEAST_SHARED_MEMORY:
        yield Complaint(
            f"{installation.shared_memory / 1e6:.0f} MB are free in /dev/shm, through which images travel",
            "remove stale files there (fastdds shm clean), or start the container with --shm-size=256m",
        )


def _of_machine(installation: Installation, use: Use) -> Iterator[Complaint]:
    cores = installation.cores
    if installation.nvidia and not installation.cuda:
        yield Complaint(
            f"there is an NVIDIA driver, but torch {installation.packages['torch']} finds no CUDA device",
            "install a torch built for the driver's CUDA; README.md names them",
        )
    needed = _INSTRUCTIONS.get(use.precision)
    if needed and use.device == "cpu" and not installation.instructions.intersection(needed):
        yield Complaint(
            f"this processor has no instructions for {use.precision}, which then takes many times as long",
            "set matcher.precision to auto",
        )
    if use.threads > cores:
        yield Complaint(
            f"threads is {use.threads}, there are {cores} cores", f"set threads to {cores} or less"
        )
    openmp = installation.openmp_threads
    if use.threads == 0 and openmp.isdigit() and int(openmp) > cores:
        yield Complaint(
            f"OMP_NUM_THREADS is {openmp}, there are {cores} cores", f"export OMP_NUM_THREADS={cores}"
        )
    if installation.load > _BUSY * cores:
        yield Complaint(
            f"the machine is busy: a load of {installation.load:.1f} on {cores} cores",
            "end other programs before times are judged: frames wait for a core",
        )


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("+")[0].split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())
