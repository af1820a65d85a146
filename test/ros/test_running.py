# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A node whose packages are not there says which in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("program", ["drcn_ros.ros.node.vo_node", "drcn_ros.ros.mapping.map_node"])
@pytest.mark.parametrize(
    ("package", "reason"),
    [
        ("rclpy", "librcl.so: cannot open shared object file\\nsee the help page"),
        ("numpy", "No module named numpy"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_one_line(
    tmp_path: Path, program: str, package: str, reason: str
) -> None:
    (tmp_path / f"{package}.py").write_text(f'raise ImportError("{reason}")')
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path[1:]])}
    command = [sys.executable, "-m", program]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 1
    told = f"{program.split('.')[-1]}: a package is missing or cannot be loaded: "
    assert ended.stderr == told + reason.replace("\\n", " ") + "\n"


def test_without_ros_it_says_how_to_get_it() -> None:
    code = "import sys; sys.modules['rclpy'] = None\n"
    code += "from drcn_ros.ros.node.vo_node import main; sys.exit(main())"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("vo_node: this needs ROS 2's Python client library: source /opt/ros/")
