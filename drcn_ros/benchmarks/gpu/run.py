# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the parts one after the other, each within its time, and writes the report after each of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from drcn_ros.benchmarks.gpu.parts import Part, Settings
from drcn_ros.benchmarks.gpu.report import Ended, write_report
from drcn_ros.children import module_command
from drcn_ros.errors import InputError

ROWS, LOG = "rows.jsonl", "log.txt"
_PROCESS = "drcn_ros.benchmarks.gpu.part_process"
# A part that is to end gets this long to do so by itself, seconds.
_GRACE = 3.0
# A rehearsal may take this many times as long, on a CPU that others use too.
_SLOWER = 5
# Less is not worth starting a part for, seconds.
_LEAST = 5.0
_TRACEBACK = "Traceback (most recent call last)"
_LONGEST_TRACEBACK = 4000


def run_parts(parts: Sequence[Part], settings: Settings, seconds: float) -> list[Ended]:
    """Run parts in a folder, in order, until all are done or the time is over; return what came of them.

    Args:
        parts: the most important ones first.
        settings: for all of them; files of an earlier run in `settings.out` are replaced.
        seconds: for all of them together.

    Raises:
        InputError: the folder cannot be written to.
    """
    end = time.monotonic() + seconds
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
        for name in (ROWS, LOG):
            (settings.out / name).write_text("", encoding="utf-8")
    except OSError as error:
        msg = f"{settings.out} cannot be written to: {error.strerror}; choose another folder with --out"
        raise InputError(msg) from None
    ended: list[Ended] = []
    for part in parts:
        left = min(part.seconds * (_SLOWER if settings.small else 1), end - time.monotonic())
        if left < _LEAST:
            ended.append(Ended(part, "not run", 0.0, "the time was over"))
            continue
        print(f"{part.title} (at most {left:.0f} s)", file=sys.stderr, flush=True)
        ended.append(_run(part, settings, left))
        print(f"  {ended[-1].state} after {ended[-1].seconds:.0f} s", file=sys.stderr, flush=True)
        write_report(ended, settings.out, settings.out / ROWS)
    write_report(ended, settings.out, settings.out / ROWS)
    return ended


def _run(part: Part, settings: Settings, seconds: float) -> Ended:
    file = settings.out / LOG
    command = [*module_command(_PROCESS), part.name, part.rows, settings.to_text()]
    start = time.monotonic()
    with file.open("a", encoding="utf-8") as log:
        print(f"==== {part.name}: {part.title}", file=log, flush=True)
        begin = file.stat().st_size
        process = subprocess.Popen(
            [*command, str(settings.out / ROWS)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
    took = time.monotonic() - start
    if code is None:
        return Ended(part, "out of time", took, f"ended after {seconds:.0f} s; what it had written is kept")
    if code != 0:
        return Ended(part, "failed", took, f"code {code}\n{_last_traceback(file, begin)}".strip())
    return Ended(part, "done", took, "")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a part together with the processes that it has started; they are a group of their own."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _last_traceback(file: Path, begin: int) -> str:
    text = file.read_bytes()[begin:].decode(errors="replace")
    place = text.rfind(_TRACEBACK)
    return (text[place:] if place >= 0 else text)[-_LONGEST_TRACEBACK:].strip()
