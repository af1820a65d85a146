# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench accuracy`: matchers on pairs of images with known geometry, one estimator for all."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from drcn_ros.benchmarks.accuracy.benchmark import run_pairs, summarise
from drcn_ros.benchmarks.accuracy.corruptions import CORRUPTIONS
from drcn_ros.benchmarks.accuracy.report import BAD, EASY, KINDS, WIDE, draw, table, write_json
from drcn_ros.benchmarks.accuracy.yardsticks import NAMES, PUBLISHED, YARDSTICKS, create_judged
from drcn_ros.benchmarks.image_pairs import PairSet, open_pairs
from drcn_ros.cli.values import known_names, require_at_least, require_known
from drcn_ros.errors import ConfigurationError, DrcnError, MissingDependencyError
from drcn_ros.foreign.guard import first_line
from drcn_ros.geometry.config import ESTIMATORS, TwoViewConfig
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.scenes.hard_views import HARD_VIEWS

# Options that sets of each kind are named with.
_OPTIONS = {EASY: "sequences", WIDE: "wide", BAD: "bad"}

HELP = "accuracy of matchers on pairs of images with known geometry"


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
    makers = _makers(arguments)
    names = [(name, kind) for kind in KINDS for name in getattr(arguments, _OPTIONS[kind])]
    sets = [(open_pairs(name, arguments.every), kind) for name, kind in names]
    empty = next((pairs.name for pairs, _ in sets if not pairs.pairs), None)
    if empty is not None:
        msg = f"{empty}: no pair of frames with known poses"
        raise ConfigurationError(msg)
    two_view = TwoViewConfig(estimator=arguments.estimator)
    report: dict[str, dict[str, Any]] = {}
    missing: dict[str, MissingDependencyError] = {}
    for text, maker in makers.items():
        try:
            summaries = _judged(text, maker, sets, corruptions, two_view, arguments.seeds)
        except MissingDependencyError as error:
            # Others' methods are there to be compared with: the comparison does not end with one of them.
            missing[text] = error
            continue
        report[text] = summaries
        if arguments.json is not None:
            write_json(report, arguments.json)
    if not report:
        raise next(iter(missing.values()))
    print(table(report))
    for text, error in missing.items():
        print(f"{text} is not judged: {error}")
    if arguments.plots is not None:
        for path in draw(report, arguments.plots):
            print(path)
    return 0


def _judged(
    text: str,
    maker: Callable[[], Matcher[Any]],
    sets: Sequence[tuple[PairSet, str]],
    corruptions: Sequence[str],
    two_view: TwoViewConfig,
    seeds: int,
) -> dict[str, Any]:
    """Return the summaries of a matcher by set.

    Raises:
        MissingDependencyError: it is somebody else's, and its package is missing or fails.
    """
    summaries = {}
    try:
        matcher = maker()
        for pairs, kind in sets:
            for corruption in corruptions:
                name = f"{pairs.name} {corruption}".strip()
                print(f"{text} on {name}", file=sys.stderr, flush=True)
                results = run_pairs(matcher, pairs, corruption, seeds, two_view)
                summaries[name] = {"kind": BAD if corruption else kind, **summarise(results)}
    except DrcnError:
        raise
    except Exception as error:
        if text not in PUBLISHED:
            raise
        msg = f"its package failed: {first_line(error)}"
        raise MissingDependencyError(msg) from None
    return summaries


def _makers(arguments: argparse.Namespace) -> dict[str, Callable[[], Matcher[Any]]]:
    """Return what makes each matcher; that names are known is looked at first."""
    makers: dict[str, Callable[[], Matcher[Any]]] = {}
    for text in arguments.matchers.split(","):
        name, _, weights = text.partition("=")
        require_known(name, "--matchers", NAMES)
        config = MatcherConfig(
            name="drcn" if name in YARDSTICKS else name,
            weights=weights,
            device=arguments.device,
            max_keypoints=arguments.max_keypoints,
        )
        makers[text] = partial(create_judged, name, config)
    return makers
