# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The log of a run: JSON lines, and TensorBoard where it is installed."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOG = "log.jsonl"


def read_log(folder: Path) -> list[dict[str, float]]:
    """Return the entries of a run's log; a line that a cut left unfinished is dropped."""
    entries = []
    path = folder / LOG
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                entries.append(json.loads(line))
    return entries


class Log:
    """Appends entries to the log of a run.

    Args:
        folder: of the run.
        step: where the run goes on; entries of later steps are dropped, they will come again.
    """

    def __init__(self, folder: Path, step: int) -> None:
        kept = [entry for entry in read_log(folder) if entry["step"] <= step]
        self._file = (folder / LOG).open("w", encoding="utf-8")
        for entry in kept:
            self._write(entry)
        self._board: Any = None
        if importlib.util.find_spec("tensorboard") is not None:
            board = importlib.import_module("torch.utils.tensorboard")
            self._board = board.SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Write one entry."""
        self._write({"step": step, **{name: round(value, 6) for name, value in values.items()}})
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """End the log."""
        self._file.close()
        if self._board is not None:
            self._board.close()

    def _write(self, entry: Mapping[str, float]) -> None:
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
