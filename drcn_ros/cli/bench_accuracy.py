# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench accuracy`: matchers on pairs of images with known geometry, one estimator for all."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from drcn_ros.benchmarks.accuracy.corruptions import CORRUPTIONS
from drcn_ros.benchmarks.accuracy.judging import Job, judged, maker_of
from drcn_ros.benchmarks.accuracy.report import BAD, EASY, KINDS, WIDE, draw, table, write_json
from drcn_ros.benchmarks.accuracy.yardsticks import NAMES, PUBLISHED, YARDSTICKS
from drcn_ros.benchmarks.image_pairs import open_pairs
from drcn_ros.cli.values import known_names, require_at_least, require_known
from drcn_ros.errors import ConfigurationError, MissingDependencyError
from drcn_ros.geometry.config import ESTIMATORS, TwoViewConfig
from drcn_ros.scenes.hard_views import HARD_VIEWS

# Options that sets of each kind are named with.
_OPTIONS = {EASY: "sequences", WIDE: "wide", BAD: "bad"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--matchers",
        default="drcn,d2net,sift,orb",
        help="names, separated by commas; NAME=FILE takes that weight file. "
        f"{', '.join(YARDSTICKS)} are there to be compared with; {', '.join(PUBLISHED)} need their packages",
    )
    parser.add_argument(
        "--sequences",
        nargs="+",
        default=[],
        metavar="DIR@STEP",
        help="pairs (i, i + STEP) of a sequence, or of a scene: scene:NAME@STEP; or views:NAME, pairs of "
        f"{', '.join(HARD_VIEWS)}; or DIR of a planar scene with H_1_k files; or DIR@warps: views of the "
        "photographs in DIR through random homographies",
    )
    parser.add_argument(
        "--wide",
        nargs="+",
        default=[],
        metavar="DIR@STEP",
        help="such pairs too, which share little: their mean is told apart",
    )
    parser.add_argument(
        "--bad",
        nargs="+",
        default=[],
        metavar="DIR@STEP",
        help="such pairs too, taken in bad conditions: their mean is told with that of the copies",
    )
    parser.add_argument("--corrupt", default="", help=f"also on copies: {','.join(CORRUPTIONS)}")
    parser.add_argument("--seeds", type=int, default=3, help="runs of the estimator per pair")
    parser.add_argument("--every", type=int, default=1, help="take each such pair only")
    parser.add_argument("--max-keypoints", type=int, default=2048)
    parser.add_argument("--estimator", choices=ESTIMATORS, default=TwoViewConfig().estimator)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--json", type=Path, help="write the numbers there")
    parser.add_argument("--plots", type=Path, help="draw pictures into this folder")


def run(arguments: argparse.Namespace) -> int:
    """Judge each matcher on each set; print the table."""
    require_at_least(1, arguments, "--seeds", "--every")
    corruptions = [""]
    if arguments.corrupt:
        corruptions += known_names(arguments.corrupt, "--corrupt", CORRUPTIONS)
    if not any(getattr(arguments, option) for option in _OPTIONS.values()):
        msg = "no pairs: name at least one set with --sequences, --wide or --bad"
        raise ConfigurationError(msg)
    matchers = arguments.matchers.split(",")
    for text in matchers:
        require_known(text.partition("=")[0], "--matchers", NAMES)
    names = [(name, kind) for kind in KINDS for name in getattr(arguments, _OPTIONS[kind])]
    sets = [(open_pairs(name, arguments.every), kind) for name, kind in names]
    empty = next((pairs.name for pairs, _ in sets if not pairs.pairs), None)
    if empty is not None:
        msg = f"{empty}: no pair of frames with known poses"
        raise ConfigurationError(msg)
    jobs = [
        Job(pairs, BAD if corruption else kind, corruption)
        for pairs, kind in sets
        for corruption in corruptions
    ]
    two_view = TwoViewConfig(estimator=arguments.estimator)
    report: dict[str, dict[str, Any]] = {}
    missing: dict[str, MissingDependencyError] = {}
    for text in matchers:
        maker = maker_of(text, arguments.device, arguments.max_keypoints)
        try:
            report[text] = dict(judged(text, maker, jobs, two_view, arguments.seeds))
        except MissingDependencyError as error:
            # Others' methods are there to be compared with: the comparison does not end with one of them.
            missing[text] = error
            continue
        if arguments.json is not None:
            write_json(report, arguments.json)
    if not report:
        raise next(iter(missing.values()))
    print(table(report))
    for text, reason in missing.items():
        print(f"{text} is not judged: {reason}")
    if arguments.plots is not None:
        for path in draw(report, arguments.plots):
            print(path)
    return 0
