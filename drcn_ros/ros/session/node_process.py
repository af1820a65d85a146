# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The real node as a child process on a DDS domain of its own, for demonstrations and live evaluation."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from drcn_ros.children import module_command
from drcn_ros.configuration import Value
from drcn_ros.errors import DrcnError
from drcn_ros.ros.config import NODE_NAME

# A node that hangs while it ends is killed after this long.
_PATIENCE_S = 10.0


class NodeProcess:
    """A node of this package in its own process, `vo_node` unless told otherwise; ends with the `with` block.

    Args:
        domain_id: DDS domain in which the node lives.
        parameters: parameters by dotted name, over the defaults.
        log: file that receives the node's output.
        remaps: topic names by the node's own name, as in `{"image": "/camera/image_raw"}`.
        profile: Fast DDS profile file, or None for the middleware's defaults.
        module, name: of the program, and of the node.
    """

    def __init__(
        self,
        domain_id: int,
        parameters: Mapping[str, Value],
        log: Path,
        remaps: Mapping[str, str] | None = None,
        profile: Path | None = None,
        module: str = "drcn_ros.ros.node.vo_node",
        name: str = NODE_NAME,
    ) -> None:
        self._log = log
        command = [*module_command(module), "--ros-args", "-r", f"__node:={name}"]
        for source, topic in (remaps or {}).items():
            command += ["-r", f"{source}:={topic}"]
        for parameter, value in parameters.items():
            command += ["-p", f"{parameter}:={_yaml(value)}"]
        environment = dict(os.environ)
        environment["ROS_DOMAIN_ID"] = str(domain_id)
        environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        if profile is not None:
            environment["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(profile)
            environment["FASTDDS_DEFAULT_PROFILES_FILE"] = str(profile)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def code(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise DrcnError with the node's last words if it has ended."""
        code = self._process.poll()
        if code is not None:
            lines = self._log.read_text(errors="replace").strip().splitlines()
            msg = f"the node ended with code {code}: {lines[-1] if lines else 'no output'} (log: {self._log})"
            raise DrcnError(msg)

    def stop(self) -> int:
        """End the node as a service manager would, and return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _yaml(value: Value) -> str:
    """Return a value as `-p name:=value` reads it; an empty text must stay a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
