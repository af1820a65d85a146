# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The process of one part: `python -m` this module with its rows, its settings and the file for them."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict

from drcn_ros.allocation import keep_freed_memory
from drcn_ros.benchmarks.gpu.parts import Settings


def main(name: str, rows: str, settings: str, file: str) -> None:
    """Append the part's rows to the file, each as soon as it is there."""
    keep_freed_memory()
    module, _, function = rows.partition(":")
    with open(file, "a", encoding="utf-8") as lines:
        for row in getattr(importlib.import_module(module), function)(Settings.of_text(settings)):
            print(json.dumps({"part": name, **asdict(row)}), file=lines, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
