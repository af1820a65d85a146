# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Imports by the names of before say the new one, and every new one is there."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys

import pytest

from drcn_ros.moved import MOVED, RENAMED

PAIRS = [(f"{room}.{name}", new) for room, names in MOVED.items() for name, new in names.items()]


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=[old for old, _ in PAIRS])
def test_a_module_that_has_moved_says_where_it_is(old: str, new: str) -> None:
    with pytest.raises(
        ModuleNotFoundError, match=rf"drcn_ros\.{old} has moved: import drcn_ros\.{new} instead"
    ):
        importlib.import_module(f"drcn_ros.{old}")
    assert importlib.util.find_spec(f"drcn_ros.{new}") is not None


def test_a_function_with_another_name_is_told_too() -> None:
    assert {old for old, _ in PAIRS} >= set(RENAMED)
    with pytest.raises(
        ImportError, match=r"import drcn_ros\.sequences instead; in it open_source is open_sequence"
    ):
        from drcn_ros.evaluation.sources import open_source  # noqa: F401


def test_what_lay_in_a_package_that_has_moved_says_where_the_package_is() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"sources has moved: import drcn_ros\.sequences instead"):
        importlib.import_module("drcn_ros.evaluation.sources.rosbag2")


def test_the_node_says_where_its_class_is() -> None:
    with pytest.raises(ImportError, match=r"VoNode has moved: import it from drcn_ros\.ros\.node\.node"):
        from drcn_ros.ros.node import VoNode  # noqa: F401
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from drcn_ros.ros.node import nothing  # noqa: F401


def test_a_program_started_by_its_old_name_says_the_new_one() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "drcn_ros.ros.shell_benchmark"], capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 1
    assert "import drcn_ros.benchmarks.node instead" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_name_that_never_was_is_not_found_as_ever() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'drcn_ros\.evaluation\.nowhere'"):
        importlib.import_module("drcn_ros.evaluation.nowhere")
