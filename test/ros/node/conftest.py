# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A package of ROS that the environment of the tests lacks."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest


class RecordingTf2(types.ModuleType):
    """Stands in for tf2_ros, which is in no package registry of Python; keeps what it is asked and told."""

    class TransformException(Exception):
        pass

    def __init__(self) -> None:
        super().__init__("tf2_ros")
        self.transforms: dict[tuple[str, str], Any] = {}
        self.sent: list[Any] = []
        self.asked: list[tuple[str, str]] = []
        module = self

        class Buffer:
            def lookup_transform(self, target: str, source: str, _time: Any) -> Any:
                module.asked.append((target, source))
                try:
                    return module.transforms[target, source]
                except KeyError:
                    text = f'"{target}" passed to lookupTransform does not exist'
                    raise module.TransformException(text) from None

        class TransformListener:
            def __init__(self, _buffer: Any, _node: Any, spin_thread: bool) -> None:
                assert not spin_thread

            def unregister(self) -> None:
                pass

        class TransformBroadcaster:
            def __init__(self, _node: Any) -> None:
                pass

            def sendTransform(self, transform: Any) -> None:
                module.sent.append(transform)

        self.Buffer, self.TransformListener = Buffer, TransformListener
        self.TransformBroadcaster = TransformBroadcaster


@pytest.fixture
def tf2(monkeypatch: pytest.MonkeyPatch) -> RecordingTf2:
    module = RecordingTf2()
    monkeypatch.setitem(sys.modules, "tf2_ros", module)
    return module
