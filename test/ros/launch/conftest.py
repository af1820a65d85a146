# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files, run against recording classes."""

from __future__ import annotations

import os
import runpy
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


class Recorded:
    """Stands in for an action of the package launch, which no package registry of Python has."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        self.positional = positional
        self.named = named


class RecordedConfiguration(Recorded):
    def perform(self, context: dict[str, str]) -> str:
        return context[self.positional[0]]


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, list[Recorded]]]:
    """Run a launch file with arguments; return its actions by the name of their class."""
    modules = {
        "launch": ("LaunchDescription",),
        "launch.actions": (
            "DeclareLaunchArgument", "EmitEvent", "ExecuteProcess", "OpaqueFunction", "RegisterEventHandler",
            "SetEnvironmentVariable", "TimerAction",
        ),
        "launch.event_handlers": ("OnProcessExit",),
        "launch.events": ("Shutdown",),
        "launch.substitutions": (),
        "launch_ros": (),
        "launch_ros.actions": ("Node",),
    }  # fmt: skip
    for module, names in modules.items():
        recording = types.ModuleType(module)
        for name in names:
            setattr(recording, name, type(name, (Recorded,), {}))
        monkeypatch.setitem(sys.modules, module, recording)
    sys.modules["launch.substitutions"].LaunchConfiguration = RecordedConfiguration  # type: ignore[attr-defined]
    share = tmp_path / "share" / "drcn_ros"
    share.mkdir(parents=True)
    (share / "config").symlink_to(ROOT / "config")
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    (index / "drcn_ros").touch()
    monkeypatch.setenv(
        "AMENT_PREFIX_PATH", f"{tmp_path}{os.pathsep}{os.environ.get('AMENT_PREFIX_PATH', '')}"
    )

    def launch(file: str, **arguments: str) -> dict[str, list[Recorded]]:
        description = runpy.run_path(str(ROOT / "launch" / file))["generate_launch_description"]()
        (actions,) = description.positional
        declared = {
            action.positional[0]: action.named["default_value"]
            for action in actions
            if type(action).__name__ == "DeclareLaunchArgument"
        }
        assert set(arguments) <= set(declared), "an argument is not declared"
        context = {**declared, **arguments}
        assert None not in context.values(), "an argument without default is not given"
        made = list(actions)
        for action in actions:
            if type(action).__name__ == "OpaqueFunction":
                made += action.named["function"](context)
        by_class: dict[str, list[Recorded]] = {}
        for action in made:
            by_class.setdefault(type(action).__name__, []).append(action)
        return by_class

    return launch
