# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench networks`: time by stage and memory of the networks, on the CPU."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from drcn_ros.benchmarks.machine import describe_machine
from drcn_ros.benchmarks.networks.benchmark import NETWORKS, Case, Outcome, run_cases
from drcn_ros.benchmarks.networks.report import as_json, as_table, summary
from drcn_ros.cli.values import image_sizes, known_names, require_at_least
from drcn_ros.results.replacing import whole_file

# Padding, which the plain routes do without, must not matter.
_MULTIPLE = 16


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--networks", default=",".join(NETWORKS), help="names, separated by commas")
    parser.add_argument("--sizes", default="320x240,640x480", help="WIDTHxHEIGHT, separated by commas")
    parser.add_argument("--repetitions", type=int, default=3, help="runs of which the fastest counts")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--no-plain", action="store_true", help="leave out the slow plain routes")
    parser.add_argument("--json", type=Path, help="write the numbers there")


def run(arguments: argparse.Namespace) -> int:
    """Measure each network at each size; print the tables."""
    cases = _cases(arguments)
    outcomes: list[Outcome] = []
    for case in cases:
        print(f"{case.network} at {case.width}x{case.height}", file=sys.stderr, flush=True)
        outcomes += run_cases([case])
    machine = describe_machine(arguments.threads)
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    print()
    print(as_table(outcomes))
    print()
    print(summary(outcomes))
    if arguments.json is not None:
        with whole_file(arguments.json) as path:
            path.write_text(json.dumps(as_json(machine, outcomes), indent=1), encoding="utf-8")
    return 0


def _cases(arguments: argparse.Namespace) -> list[Case]:
    networks = known_names(arguments.networks, "--networks", NETWORKS)
    require_at_least(1, arguments, "--repetitions", "--threads")
    sizes = image_sizes(arguments.sizes, "--sizes", _MULTIPLE)
    return [
        Case(name, *size, arguments.repetitions, arguments.threads, not arguments.no_plain)
        for size in sizes
        for name in networks
    ]
