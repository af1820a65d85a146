# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn inspect`: what is in a bag or data set, on one page, and whether it can be evaluated."""

from __future__ import annotations

import argparse
import shlex

from drcn_ros.cli.inputs import INPUT_HELP, add_sequence_options, sequence_options
from drcn_ros.errors import InputError
from drcn_ros.sequences.inspection.inspect import Inspection, inspect

# Longer lists are cut, so that the page stays one.
_MOST_TOPICS, _MOST_KINDS, _MOST_NOTES = 24, 6, 8
_INDENT = " " * 14


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", metavar="INPUT", help=INPUT_HELP)
    add_sequence_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the page; return 0.

    Raises:
        InputError: the input cannot be evaluated; the text says what is to be done.
    """
    found = inspect(arguments.input, sequence_options(arguments))
    print("\n".join(_page(arguments.input, found)))
    if found.problem:
        raise InputError(found.problem)
    print(f"can be evaluated: drcn evaluate {shlex.quote(arguments.input)}")
    return 0


def _page(name: str, found: Inspection) -> list[str]:
    lines = [f"{name}: {found.kind or 'not recognised'}"]
    topics = [f"{topic.name}  {topic.type}  {topic.count}" for topic in found.topics]
    lines += _entry("topics", _cut(topics, _MOST_TOPICS)) if topics else []
    if not found.stamps.count and not found.images:
        return lines
    kinds = [f"{count} x {kind}" for kind, count in found.images]
    lines += _entry("images", [f"from {found.images_from}", *_cut(kinds, _MOST_KINDS)])
    lines += _entry("stamps", found.stamps.lines())
    lines += _entry("calibration", [found.camera])
    lines += _entry("ground truth", [found.truth])
    return lines + (_entry("notes", _cut(list(found.notes), _MOST_NOTES)) if found.notes else [])


def _entry(name: str, texts: list[str]) -> list[str]:
    return [f"{name + ':':<14}{texts[0]}", *(_INDENT + text for text in texts[1:])]


def _cut(texts: list[str], most: int) -> list[str]:
    return texts if len(texts) <= most else [*texts[:most], f"and {len(texts) - most} more"]
