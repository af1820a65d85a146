# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn evaluate-all`: many evaluations, one row each; a run that was cut off goes on where it stopped."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from drcn_ros.cli.interrupts import end_by
from drcn_ros.cli.progress import progress
from drcn_ros.cli.values import require_at_least
from drcn_ros.evaluation.batch import is_done, read_tasks, run_here, run_on_ray
from drcn_ros.evaluation.batch_table import DOCUMENT, FAILURES, TABLE, write_tables
from drcn_ros.results.replacing import claim

_LIST_HELP = "each line an input and options of `drcn evaluate`; $VARIABLES are filled in, # begins a comment"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("list", type=Path, metavar="LIST", help=_LIST_HELP)
    parser.add_argument(
        "--options",
        default="",
        metavar="TEXT",
        help='for all lines, as in --options="--matcher sift"',
    )
    parser.add_argument(
        "--out", type=Path, default=Path("evaluation"), metavar="DIR", help="results (default %(default)s)"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--workers", type=int, default=1, metavar="N", help="processes at a time")
    place.add_argument(
        "--ray", metavar="ADDRESS", help="a Ray cluster (ray://HOST:PORT), or 'local' for one on this machine"
    )
    parser.add_argument("--again", action="store_true", help="run also what an earlier run has finished")


def run(arguments: argparse.Namespace) -> int:
    """Run what is not done yet; return 0, or 1 when something failed."""
    require_at_least(1, arguments, "--workers")
    tasks = read_tasks(arguments.list, arguments.options)
    folder: Path = arguments.out
    claim(folder, (TABLE, DOCUMENT, FAILURES))
    waiting = [task for task in tasks if arguments.again or not is_done(task, folder)]
    if len(waiting) < len(tasks):
        print(f"{len(tasks) - len(waiting)} of {len(tasks)} are done already", file=sys.stderr)
    failures: dict[str, str] = {}
    # Either signal must end the processes that have begun, also in a script that has SIGINT ignored.
    end_by(signal.SIGINT, signal.SIGTERM)
    with progress(len(waiting), "evaluations", "run") as bar:
        outcomes = (
            run_on_ray(waiting, folder, arguments.ray)
            if arguments.ray
            else run_here(waiting, folder, arguments.workers)
        )
        for outcome in outcomes if waiting else ():
            if outcome.failure is not None:
                failures[outcome.task.name] = outcome.failure
            write_tables(tasks, failures, folder)
            bar.update()
    write_tables(tasks, failures, folder)
    print((folder / DOCUMENT).read_text(encoding="utf-8"))
    for name, reason in failures.items():
        print(f"failed: {name}: {reason}")
    print(f"table: {folder / TABLE}" + (f", failures: {folder / FAILURES}" if failures else ""))
    return 1 if failures else 0
