# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn train`: train the compact network, or fine-tune it."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from drcn_ros.configuration import parameters
from drcn_ros.errors import ConfigurationError
from drcn_ros.training.config import TrainingConfig, make_config, read_config
from drcn_ros.training.pairs import Mixture, WarpedPhotographs
from drcn_ros.training.photographs import read_photographs
from drcn_ros.training.processes import join
from drcn_ros.training.rooms import RenderedRooms
from drcn_ros.training.trainer import WEIGHTS, Progress, Trainer


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="YAML file; config/train.yaml shows the layout")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="one value, over the file's"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train; return 0 when the last step is done, 130 when the run was stopped before."""
    overrides = _overrides(arguments.set)
    config = read_config(arguments.config, overrides) if arguments.config else make_config(overrides)
    photographs = read_photographs(config.photographs)
    with join(config.device) as processes:
        made = photographs, config.pairs, config.degradations, processes.device
        rooms = config.pairs.rooms
        source = Mixture([(WarpedPhotographs(*made), 1 - rooms), (RenderedRooms(*made), rooms)])
        trainer = Trainer(config, source, processes, {"photographs_sha256": photographs.digest})

        def stop(number: int, frame: FrameType | None) -> None:
            trainer.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        if processes.leads:
            print(f"{photographs}; from step {trainer.step} to {config.steps}", file=sys.stderr)
        trainer.run(_show)
        if processes.leads:
            print(f"\nstep {trainer.step}, weights in {Path(config.output) / WEIGHTS}", file=sys.stderr)
        return 0 if trainer.step == config.steps else 130


def _overrides(settings: list[str]) -> dict[str, object]:
    known = {entry.name: entry for entry in parameters(TrainingConfig)}
    values: dict[str, object] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in known:
            msg = f"--set {setting}: need NAME=VALUE with one of {', '.join(known)}"
            raise ConfigurationError(msg)
        values[name] = known[name].parse(text)
    return values


def _show(progress: Progress) -> None:
    left = (progress.steps - progress.step) / progress.steps
    bar = "#" * round(30 * (1 - left)) + "." * round(30 * left)
    line = f"[{bar}] step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  "
    line += f"{progress.pairs_per_second:.1f} pairs/s"
    if progress.skipped:
        line += f"  skipped {progress.skipped}"
    end = "\r" if sys.stderr.isatty() else "\n"
    print(line, file=sys.stderr, end=end, flush=True)
