# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench estimators`: ways from matches to a relative pose, on the same matches."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from drcn_ros.cli.values import known_names, require_at_least
from drcn_ros.matching.config import MATCHERS

if TYPE_CHECKING:
    from drcn_ros.benchmarks.estimators.benchmark import MatchedPair


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--motions", type=int, default=6, help="motions of each of five kinds; 0 for none (6)"
    )
    parser.add_argument("--count", type=int, default=500, help="matches of each synthetic pair (default 500)")
    parser.add_argument("--sequences", nargs="*", default=[], metavar="DIR@STEP", help="recorded pairs")
    parser.add_argument("--every", type=int, default=1, help="take each such recorded pair only")
    parser.add_argument("--matchers", default="drcn,sift", help="of the recorded pairs (default drcn,sift)")
    parser.add_argument("--max-keypoints", type=int, default=2048)


def run(arguments: argparse.Namespace) -> int:
    """Print a table with a row for each set of pairs and estimator."""
    from drcn_ros.benchmarks.estimators.benchmark import compare_estimators

    matchers = known_names(arguments.matchers, "--matchers", MATCHERS)
    require_at_least(0, arguments, "--motions")
    require_at_least(8, arguments, "--count")
    require_at_least(1, arguments, "--every")
    print("| pairs | estimator | rotation, deg | direction, deg | AUC@5 / 10 / 20 | ms |")
    print("|---|---|---|---|---|---|")
    for name, pairs in _sets(arguments, matchers):
        for row in compare_estimators(name, pairs):
            auc = " / ".join(f"{value:.1f}" for value in row.auc)
            print(
                f"| {row.pairs} | {row.estimator} | {row.rotation_deg:.3f} | {row.direction_deg:.2f} "
                f"| {auc} | {row.milliseconds:.1f} |",
                flush=True,
            )
    return 0


def _sets(arguments: argparse.Namespace, matchers: list[str]) -> Iterator[tuple[str, list[MatchedPair]]]:
    from drcn_ros.benchmarks.estimators.benchmark import SYNTHETIC, recorded_pairs, synthetic_pairs
    from drcn_ros.benchmarks.image_pairs import open_pairs
    from drcn_ros.matching import create_matcher
    from drcn_ros.matching.config import MatcherConfig

    for noise, shared, outliers in SYNTHETIC if arguments.motions else ():
        name = f"{noise:g} + {shared:g} px, {100 * outliers:.0f} % wrong"
        yield name, synthetic_pairs(noise, shared, outliers, arguments.motions, arguments.count)
    sets = [open_pairs(name, arguments.every) for name in arguments.sequences]
    for name in matchers if sets else ():
        matcher = create_matcher(MatcherConfig(name=name, max_keypoints=arguments.max_keypoints))
        for pairs in sets:
            yield f"{pairs.name.rsplit('/', 1)[-1]}, {name}", recorded_pairs(matcher, pairs)
