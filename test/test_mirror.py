# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The tests mirror the package: test/ROOM/test_MODULE.py tests drcn_ros/ROOM/MODULE.py."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "test"

# What is no module, or several at work together, with the reason. A folder stands for all in it.
BESIDE = {
    "test_documents.py": "README.md and docs",
    "test_examples.py": "examples",
    "test_layers.py": "the rooms, by what they import",
    "test_mirror.py": "the tests",
    "test_package.py": "the package as a whole",
    "fuzz": "readers of all kinds of files, given damaged ones",
    "cli/test_endings.py": "how all commands end",
    "cli/test_paths.py": "commands and readers, in a folder whose name is no text",
    "matching/test_waits.py": "all matchers, on a device that only pretends to be a GPU",
    "odometry/test_map_bad_input.py": "odometry and map together, given what neither can use",
    "ros/launch": "launch",
    "ros/running_node": "a whole node, seen from outside over DDS",
    "ros/test_config_files.py": "config",
}
FILES = sorted(path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py"))


def module_of(test: str) -> Path:
    """Return the module that a test is named after."""
    path = Path(test)
    return ROOT / "drcn_ros" / path.with_name(path.name.removeprefix("test_"))


@pytest.mark.parametrize("test", FILES)
def test_a_test_has_the_name_of_its_module(test: str) -> None:
    beside = [name for name in BESIDE if test == name or test.startswith(f"{name}/")]
    assert module_of(test).is_file() != bool(beside), (
        f"test/{test}: there is no {module_of(test).relative_to(ROOT)}; name the test after the module "
        "that it tests, or give the reason in BESIDE, which lists only what has no module"
    )


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_listed_is_there(name: str) -> None:
    assert any(test == name or test.startswith(f"{name}/") for test in FILES)
