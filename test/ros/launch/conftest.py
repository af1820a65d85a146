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
            "DeclareLaunchArgument", "EmitEvent", "ExecuteProcess", "IncludeLaunchDescription",
            "OpaqueFunction", "RegisterEventHandler", "SetEnvironmentVariable", "TimerAction",
        ),
        "launch.event_handlers": ("OnProcessExit",),
        "launch.events": ("Shutdown",),
        "launch.launch_description_sources": ("PythonLaunchDescriptionSource",),
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

    def actions_of(file: str, context: dict[str, str], declared: set[str]) -> list[Recorded]:
        """Return the actions of a launch file and of those that it includes, in their order."""
        (actions,) = runpy.run_path(str(ROOT / "launch" / file))["generate_launch_description"]().positional
        made: list[Recorded] = []
        for action in actions:
            kind = type(action).__name__
            if kind == "IncludeLaunchDescription":
                # What is included sees what has been set before, and leaves what it sets.
                made += actions_of(Path(action.positional[0].positional[0]).name, context, declared)
                continue
            made.append(action)
            if kind == "DeclareLaunchArgument":
                declared.add(action.positional[0])
                context.setdefault(action.positional[0], action.named["default_value"])
            elif kind == "OpaqueFunction":
                assert None not in context.values(), "an argument without default is not given"
                made += action.named["function"](context)
        return made

    def launch(file: str, **arguments: str) -> dict[str, list[Recorded]]:
        declared: set[str] = set()
        by_class: dict[str, list[Recorded]] = {}
        for action in actions_of(file, dict(arguments), declared):
            by_class.setdefault(type(action).__name__, []).append(action)
        assert set(arguments) <= declared, "an argument is not declared"
        return by_class

    return launch
