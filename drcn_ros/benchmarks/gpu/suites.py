# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The project's own tests on the device."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from drcn_ros.benchmarks.gpu.parts import Row, Settings

_ROOT = Path(__file__).resolve().parents[3]
_RESULT = re.compile(r"\b(PASSED|FAILED|ERROR|SKIPPED)\b")
# The second part of the output says each failure again, in a line with its reason.
_REASON = re.compile(r"^(FAILED|ERROR) (\S+) - (.*)")
_FOLDERS = ("test/matching", "test/networks", "test/odometry")
# Where pytest can share the tests out, into as many processes: more would crowd the device.
_PROCESSES = 4


def cuda_tests(settings: Settings) -> Iterator[Row]:
    """Run the tests that need CUDA, and those of the matchers' device alone."""
    yield from _run(settings, ["-m", "cuda", *_existing(("test/matching", "test/networks", "test/training"))])


def all_tests(settings: Settings) -> Iterator[Row]:
    """Run the tests of networks, matching and odometry with the networks on the device."""
    # In a rehearsal the marked tests skip, and few are enough to see that all else works.
    chosen = ["-k", "drcn or device"] if settings.small else []
    yield from _run(settings, [*chosen, *_existing(_FOLDERS)])


def _existing(folders: Sequence[str]) -> list[str]:
    return [folder for folder in folders if (_ROOT / folder).is_dir()]


def _run(settings: Settings, words: list[str]) -> Iterator[Row]:
    if not (_ROOT / "test").is_dir():
        yield Row("tests", {"note": f"no tests in {_ROOT}: run it in a checkout"})
        return
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
    ]
    if importlib.util.find_spec("xdist") is not None:
        command += ["-n", str(_PROCESSES)]
    environment = {**os.environ, "DRCN_TEST_DEVICE": settings.device}
    counts: Counter[str] = Counter()
    with subprocess.Popen(
        [*command, *words],
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            reason = _REASON.match(line)
            if reason is not None:
                yield Row("tests that failed", {"test": reason[2], "reason": reason[3].strip()})
            elif "::" in line and (found := _RESULT.search(line)) is not None:
                counts[found[1]] += 1
    names = ("PASSED", "FAILED", "ERROR", "SKIPPED")
    row = {"command": " ".join(["pytest", *words]), "code": process.returncode}
    yield Row("tests", {**row, **{name.lower(): counts[name] for name in names}})
