# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What looks wrong with an installation is told with its remedy, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drcn_ros.doctor.complaints import Use, complaints
from drcn_ros.doctor.installation import REQUIRED, Installation, read_installation

PACKAGES = {**dict.fromkeys(REQUIRED, "1.0"), "torch": "2.13.0+cpu", "rclpy": "7.1.6"}
SOUND = Installation(
    python=(3, 12, 3),
    packages=PACKAGES,
    opencv_builds=("opencv-python-headless",),
    ros="jazzy",
    rclpy_error="",
    rmw="rmw_fastrtps_cpp",
    profile="/opt/profile.xml",
    profile_exists=True,
    own_profile="/opt/profile.xml",
    shared_memory=1e9,
    free_memory=8e9,
    cores=4,
    load=0.5,
    openmp_threads="",
    instructions=frozenset({"avx2"}),
    nvidia=False,
    cuda=False,
)
USE = Use("cpu", "float32", 1)


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in PACKAGES.items() if key != name}


def test_nothing_is_wrong_with_a_sound_installation() -> None:
    assert complaints(SOUND, USE) == []
    # Other middlewares know no such profile.
    assert complaints(replace(SOUND, rmw="rmw_cyclonedds_cpp", profile=""), USE) == []
    assert complaints(replace(SOUND, shared_memory=None, free_memory=None), USE) == []
    assert complaints(replace(SOUND, nvidia=True, cuda=True), Use("cuda (a GPU)", "float16", 1)) == []


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        ({"python": (3, 9, 2)}, "Python 3.9.2", "python3.12"),
        ({"python": (3, 15, 0)}, "Python 3.15.0", "python3.12"),
        ({"packages": without("cv2")}, "module cv2 is missing", "opencv-python-headless"),
        ({"packages": without("torch")}, "module torch is missing", "README.md"),
        ({"packages": {**PACKAGES, "torch": "2.1.2+cu118"}}, "torch 2.1.2+cu118 is older", "later"),
        (
            {"opencv_builds": ("opencv-python", "opencv-python-headless")},
            "opencv-python and opencv-python-headless overwrite",
            "pip uninstall opencv-python opencv-python-headless; pip install",
        ),
        ({"packages": without("rclpy")}, "no ROS 2", "setup.bash"),
        (
            {"rclpy_error": "ImportError: no _rclpy"},
            "rclpy does not import: ImportError",
            "that ROS 2 was built",
        ),
        ({"profile_exists": False}, "/opt/profile.xml does not exist", "unset FASTDDS_DEFAULT_PROFILES_FILE"),
        ({"profile": ""}, "images beyond 0.5 MB get lost", "FASTRTPS_DEFAULT_PROFILES_FILE=/opt/profile.xml"),
        ({"shared_memory": 20e6}, "20 MB are free in /dev/shm", "--shm-size"),
        ({"nvidia": True}, "torch 2.13.0+cpu finds no CUDA device", "CUDA"),
        ({"load": 9.0}, "a load of 9.0 on 4 cores", "end other programs"),
    ],
)
def test_each_fault_is_told_alone_and_with_its_remedy(change: dict, what: str, remedy: str) -> None:
    (found,) = complaints(replace(SOUND, **change), USE)
    assert what in found.what
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("use", "what", "remedy"),
    [
        (Use("cpu", "bfloat16", 1), "no instructions for bfloat16", "matcher.precision to auto"),
        (Use("cpu", "float16", 1), "no instructions for float16", "matcher.precision to auto"),
        (Use("cpu", "float32", 8), "threads is 8, there are 4 cores", "set threads to 4"),
    ],
)
def test_a_use_that_the_machine_is_not_made_for_is_told(use: Use, what: str, remedy: str) -> None:
    (found,) = complaints(SOUND, use)
    assert what in found.what
    assert remedy in found.remedy
    able = replace(SOUND, instructions=frozenset({"avx512_bf16", "avx512_fp16"}), cores=8)
    assert complaints(able, use) == []


def test_openmp_counts_where_nothing_else_sets_the_threads() -> None:
    many = replace(SOUND, openmp_threads="16")
    assert complaints(many, USE) == []
    (found,) = complaints(many, Use("cpu", "float32", 0))
    assert "OMP_NUM_THREADS is 16, there are 4 cores" in found.what


def test_this_installation_has_all_that_the_tests_run_on() -> None:
    here = read_installation()
    assert here.missing == []
    assert all(here.packages[name] for name in (*REQUIRED, "rclpy"))
    assert here.rclpy_error == ""
    assert here.rmw.startswith("rmw_")
    assert here.own_profile.endswith("fastdds_shm.xml")
    assert here.cores >= 1
