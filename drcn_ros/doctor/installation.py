# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is installed here, and what the machine has. Imports nothing that may be missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

# Modules that nothing runs without, with the names that pip knows them by.
REQUIRED = {
    "torch": "torch",
    "numpy": "numpy",
    "cv2": "opencv-python-headless",
    "poselib": "poselib",
    "safetensors": "safetensors",
    "yaml": "pyyaml",
}
OPENCV_BUILDS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
# Fast DDS reads the first, older releases the second.
PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
_GPU_TRACES = ("/proc/driver/nvidia/version", "/dev/nvhost-ctrl", "/dev/nvidiactl")


@dataclass(frozen=True)
class Installation:
    """Versions, settings and means.

    Attributes:
        python: version of the interpreter.
        packages: versions by module; "" where a module has none, no entry where it is missing.
        opencv_builds: packages of OpenCV that pip knows here; two of them overwrite each other.
        ros: name of the ROS distribution, or "".
        rclpy_error: why rclpy does not import, or "".
        rmw: implementation of the middleware, or "".
        profile: Fast DDS profile that a variable names, or "".
        profile_exists: whether there is such a file.
        own_profile: the package's profile for large images, or "".
        shared_memory: free bytes for the middleware, None where there is no /dev/shm.
        free_memory: bytes, None where the system does not tell.
        cores: that this process may use.
        load: programs that wanted to run, mean of the last minute.
        openmp_threads: what OMP_NUM_THREADS says, or "".
        instructions: of the processor, as /proc/cpuinfo calls them.
        nvidia: whether there is a driver of an NVIDIA GPU.
        cuda: whether torch finds it.
    """

    python: tuple[int, int, int]
    packages: Mapping[str, str]
    opencv_builds: tuple[str, ...]
    ros: str
    rclpy_error: str
    rmw: str
    profile: str
    profile_exists: bool
    own_profile: str
    shared_memory: float | None
    free_memory: float | None
    cores: int
    load: float
    openmp_threads: str
    instructions: frozenset[str]
    nvidia: bool
    cuda: bool

    @property
    def missing(self) -> list[str]:
        """Modules that nothing runs without and that are not there."""
        return [name for name in REQUIRED if name not in self.packages]


def read_installation() -> Installation:
    """Look at this machine."""
    packages = {name: _version(name) for name in (*REQUIRED, "rclpy") if _is_there(name)}
    rmw, rclpy_error = _middleware() if "rclpy" in packages else ("", "")
    profile = next((os.environ[name] for name in PROFILE_VARIABLES if os.environ.get(name)), "")
    shared = Path("/dev/shm")
    return Installation(
        python=sys.version_info[:3],
        packages=packages,
        opencv_builds=tuple(name for name in OPENCV_BUILDS if _distribution(name)),
        ros=_ros(),
        rclpy_error=rclpy_error,
        rmw=rmw,
        profile=profile,
        profile_exists=bool(profile) and Path(profile).is_file(),
        own_profile=_own_profile(),
        shared_memory=float(shutil.disk_usage(shared).free) if shared.is_dir() else None,
        free_memory=_free_memory() if "torch" in packages else None,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        load=os.getloadavg()[0],
        openmp_threads=os.environ.get("OMP_NUM_THREADS", ""),
        instructions=_instructions(),
        nvidia=any(Path(trace).exists() for trace in _GPU_TRACES),
        cuda="torch" in packages and _cuda(),
    )


def _is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _version(module: str) -> str:
    if module == "torch":
        # Its build stands in its version alone, not always in what pip notes.
        import torch

        return str(torch.__version__)
    known = metadata.packages_distributions().get(module, [])
    candidates = [*known, REQUIRED.get(module, module), *(OPENCV_BUILDS if module == "cv2" else ())]
    return next((version for version in map(_distribution, candidates) if version), "")


def _distribution(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _ros() -> str:
    if os.environ.get("ROS_DISTRO"):
        return os.environ["ROS_DISTRO"]
    for distribution in metadata.distributions():
        parts = str(distribution.metadata["Name"]).replace("_", "-").split("-")
        if len(parts) == 3 and (parts[0], parts[2]) == ("ros", "rclpy"):
            return parts[1]
    return ""


def _middleware() -> tuple[str, str]:
    """Return the name of the middleware, and why it cannot be told."""
    try:
        from rclpy.utilities import get_rmw_implementation_identifier

        return str(get_rmw_implementation_identifier()), ""
    except Exception as error:
        return "", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def _own_profile() -> str:
    if not _is_there("ament_index_python"):
        return ""
    from drcn_ros.ros.share import fast_dds_profile

    return str(fast_dds_profile() or "")


def _free_memory() -> float | None:
    from drcn_ros.matching.memory import free_memory

    return free_memory()


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def _instructions() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return frozenset(flags.partition(":")[2].split())
