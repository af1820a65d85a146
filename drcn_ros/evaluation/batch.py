# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Many evaluations, each in a process of its own, on this machine or on a Ray cluster."""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import shlex
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drcn_ros.children import module_command
from drcn_ros.errors import InputError, MissingDependencyError
from drcn_ros.evaluation.metrics_file import FILE
from drcn_ros.results.replacing import replaced_folder

# An instance for this run alone, with room for a few results on their way.
_LOCAL_RAY: dict[str, Any] = {"include_dashboard": False, "object_store_memory": 200 * 2**20}


@dataclass(frozen=True)
class Task:
    """One evaluation.

    Attributes:
        name: of its folder; the same words give the same name, so that a later run knows what is done.
        words: input and options of `drcn evaluate`.
    """

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes:
        task: which one.
        failure: why it failed, in one line; None when it did not.
    """

    task: Task
    failure: str | None


def read_tasks(path: Path, options: str = "") -> list[Task]:
    """Read a list: each line an input and options of `drcn evaluate`, as in a shell.

    Variables like `$HOME` are filled in, relative inputs are looked for beside the list, and lines that
    begin with `#` are left out.

    Args:
        path: text file.
        options: for all lines, as in a shell.

    Raises:
        InputError: the file is missing, empty, a variable is not set, or two lines are the same.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text file"
        msg = f"list {path}: {reason}"
        raise InputError(msg) from None
    common = _words(path, 0, options)
    tasks: dict[str, Task] = {}
    for number, line in enumerate(lines, start=1):
        words = _words(path, number, line)
        if not words:
            continue
        source = words[0] if Path(words[0]).is_absolute() else str(path.parent / words[0])
        task = _task((source, *words[1:], *common))
        if task.name in tasks:
            msg = f"list {path}, line {number}: {line.strip()!r} is there twice"
            raise InputError(msg)
        tasks[task.name] = task
    if not tasks:
        msg = f"list {path} names no input; write one on each line"
        raise InputError(msg)
    return list(tasks.values())


def _words(path: Path, number: int, line: str) -> list[str]:
    expanded = os.path.expandvars(line)
    try:
        words = shlex.split(expanded, comments=True)
    except ValueError as error:
        msg = f"list {path}, line {number}: {error}"
        raise InputError(msg) from None
    unset = next((word for word in words if "$" in word), None)
    if unset is not None:
        msg = f"list {path}, line {number}: a variable in {unset!r} is not set"
        raise InputError(msg)
    return [os.path.expanduser(word) for word in words]


def _task(words: tuple[str, ...]) -> Task:
    stem = Path(words[0]).name.rstrip("*") or "input"
    key = hashlib.sha256(os.fsencode("\0".join(words))).hexdigest()[:10]
    return Task(f"{stem}-{key}", words)


def is_done(task: Task, folder: Path) -> bool:
    """Return whether an earlier run finished a task."""
    return (folder / task.name / FILE).is_file()


def run_here(tasks: Sequence[Task], folder: Path, workers: int) -> Iterator[Outcome]:
    """Yield the outcomes as they come, from `workers` processes at a time.

    Args:
        tasks: to be run.
        folder: receives one folder for each task.
        workers: at least 1.
    """
    threads = max(1, (os.cpu_count() or 1) // workers)
    children: set[subprocess.Popen[str]] = set()
    pool = ThreadPoolExecutor(workers)
    try:
        yield from _as_completed(
            pool, tasks, lambda task: run_task(task, folder / task.name, threads, children)
        )
    finally:
        # On Ctrl-C the tasks that have begun must end before the pool can.
        pool.shutdown(wait=False, cancel_futures=True)
        for child in list(children):
            with suppress(ProcessLookupError):
                child.terminate()
        pool.shutdown(wait=True)


def _as_completed(
    pool: ThreadPoolExecutor, tasks: Sequence[Task], run: Callable[[Task], str | None]
) -> Iterator[Outcome]:
    waiting: dict[Future[str | None], Task] = {pool.submit(run, task): task for task in tasks}
    while waiting:
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield Outcome(waiting.pop(future), future.result())


def run_task(
    task: Task, folder: Path, threads: int = 1, children: set[subprocess.Popen[str]] | None = None
) -> str | None:
    """Run one task in a process of its own; return why it failed, or None.

    Args:
        task: what to run.
        folder: of its results.
        threads: for numpy and torch.
        children: holds the process while it runs.
    """
    command = [*module_command("drcn_ros"), "evaluate", *task.words, "--out", str(folder)]
    environment = {"OMP_NUM_THREADS": str(threads), **os.environ}
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if children is not None:
        children.add(process)
    try:
        _, errors = process.communicate()
    finally:
        if children is not None:
            children.discard(process)
    if process.returncode == 0:
        return None
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    reason = lines[-1] if lines else "no output"
    return reason if process.returncode == 2 else f"ended with code {process.returncode}: {reason}"


def run_on_ray(tasks: Sequence[Task], folder: Path, address: str) -> Iterator[Outcome]:
    """Yield the outcomes as they come from a Ray cluster; results travel back to `folder`.

    The inputs must be found under the same paths on every node, and the package installed there.

    Args:
        tasks: to be run.
        folder: receives one folder for each task.
        address: of the cluster, as in "ray://host:10001"; "local" starts an instance on this machine.

    Raises:
        MissingDependencyError: ray is not installed.
        InputError: there is no cluster at the address.
    """
    try:
        ray = importlib.import_module("ray")
    except ImportError:
        msg = "--ray needs the package ray: pip install ray"
        raise MissingDependencyError(msg) from None
    try:
        options = _LOCAL_RAY if address == "local" else {}
        ray.init(address=address, log_to_driver=False, logging_level="error", **options)
    except Exception as error:  # Ray raises bare ones too, as when a loaded machine starts it too slowly
        msg = f"--ray {address}: {str(error).splitlines()[0]}"
        raise InputError(msg) from None
    try:
        remote = ray.remote(num_cpus=1)(_run_far_away)
        waiting = {remote.remote(task): task for task in tasks}
        while waiting:
            done, _ = ray.wait(list(waiting), num_returns=1)
            task = waiting.pop(done[0])
            try:
                failure, archive = ray.get(done[0])
            except ray.exceptions.RayError as error:
                failure, archive = str(error).strip().splitlines()[-1], b""
            if failure is None:
                _unpack(archive, folder / task.name)
            yield Outcome(task, failure)
    finally:
        ray.shutdown()


def _run_far_away(task: Task) -> tuple[str | None, bytes]:
    """Run a task on a node of the cluster; return why it failed, and its folder as an archive."""
    with tempfile.TemporaryDirectory(prefix="drcn_") as place:
        folder = Path(place) / "run"
        failure = run_task(task, folder)
        if failure is not None:
            return failure, b""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.write(file, file.relative_to(folder))
        return None, content.getvalue()


def _unpack(archive: bytes, folder: Path) -> None:
    with replaced_folder(folder, FILE) as temporary, zipfile.ZipFile(io.BytesIO(archive)) as content:
        content.extractall(temporary)
