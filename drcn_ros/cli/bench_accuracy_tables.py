# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench accuracy_tables`: all matchers on all sets, written as the tables beside docs/accuracy.md."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from drcn_ros.benchmarks.accuracy.corruptions import CORRUPTIONS
from drcn_ros.benchmarks.accuracy.judging import Job, judged, maker_of
from drcn_ros.benchmarks.accuracy.matrix import matrix
from drcn_ros.benchmarks.accuracy.report import BAD, EASY, write_json
from drcn_ros.benchmarks.accuracy.suite import suite
from drcn_ros.benchmarks.accuracy.yardsticks import NAMES
from drcn_ros.benchmarks.image_pairs import PairSet
from drcn_ros.benchmarks.machine import describe_machine
from drcn_ros.cli.values import known_names, require_at_least
from drcn_ros.errors import ConfigurationError, InputError, MissingDependencyError
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.results.replacing import whole_file

# Beside these nobody looks at copies, which cost three times as much as all other sets.
_COPIED = ("drcn", "sift", "orb", "xfeat")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "data", type=Path, help="folder with the recorded sequences; those it lacks are left out"
    )
    parser.add_argument("--json", type=Path, required=True, help="the numbers, written after each set")
    parser.add_argument("--markdown", type=Path, required=True, help="the tables")
    parser.add_argument(
        "--matchers", default=",".join(NAMES), help="names, separated by commas (default: all)"
    )
    parser.add_argument(
        "--sets", default="", help="only sets whose names hold one of these, separated by commas"
    )
    parser.add_argument("--go-on", action="store_true", help="keep what --json already holds")
    parser.add_argument("--seeds", type=int, default=2, help="runs of the estimator per pair")
    parser.add_argument("--max-keypoints", type=int, default=2048)


def run(arguments: argparse.Namespace) -> int:
    """Judge, set after set, and write the tables."""
    require_at_least(1, arguments, "--seeds")
    matchers = known_names(arguments.matchers, "--matchers", NAMES)
    jobs, reasons = _jobs(arguments.data, [part for part in arguments.sets.split(",") if part])
    if not jobs:
        msg = f"--sets {arguments.sets}: no set has such a name"
        raise ConfigurationError(msg)
    report = _known(arguments.json) if arguments.go_on else {}
    for text in matchers:
        done = report.setdefault(text, {})
        wanted = [job for job in jobs if job.name not in done and (not job.corruption or text in _COPIED)]
        maker = maker_of(text, "auto", arguments.max_keypoints)
        try:
            for name, summary in (
                judged(text, maker, wanted, TwoViewConfig(), arguments.seeds) if wanted else ()
            ):
                done[name] = summary
                write_json(report, arguments.json)
        except MissingDependencyError as error:
            reasons[text] = str(error)
    told = {text: sets for text, sets in report.items() if sets}
    made = describe_machine(threads=1)
    head = (
        "# Tables of accuracy\n\n"
        "Made by `make accuracy`; what they say is told in [accuracy.md](accuracy.md). "
        f"{made['date']}, {made['processor']}, commit {made['commit']}; at most {arguments.max_keypoints} "
        f"keypoints, {arguments.seeds} seeds. A pair without a translation counts with 180 degrees.\n\n"
    )
    with whole_file(arguments.markdown) as temporary:
        temporary.write_text(head + matrix(told, reasons), encoding="utf-8")
    print(arguments.markdown)
    return 0


def _jobs(data: Path, wanted: list[str]) -> tuple[list[Job], dict[str, str]]:
    """Return what is judged, and the sets that cannot be had with the reason."""
    jobs, reasons = [], {}
    for pairs, kind in suite(data):
        if not isinstance(pairs, PairSet):
            name, _, reason = pairs.partition(": ")
            reasons[name] = reason
            continue
        kinds = ("", *CORRUPTIONS) if kind == EASY else ("",)
        jobs += [Job(pairs, BAD if corruption else kind, corruption) for corruption in kinds]
    return [job for job in jobs if not wanted or any(part in job.name for part in wanted)], reasons


def _known(path: Path) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {matcher: dict(sets) for matcher, sets in content.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        msg = f"--go-on: {path} holds no results of this command; remove it to begin anew"
        raise InputError(msg) from None
