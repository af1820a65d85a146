# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn train`: train the compact network, or fine-tune it."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import torch

from drcn_ros.cli.interrupts import end_by
from drcn_ros.cli.parameters import settings
from drcn_ros.errors import ConfigurationError
from drcn_ros.sequences import SequenceOptions, open_sequence
from drcn_ros.sequences.bags.sequence import BagTopics
from drcn_ros.training.batched_pairs import BatchedPhotographs
from drcn_ros.training.batched_rooms import BatchedRooms
from drcn_ros.training.calibration import calibrate_file
from drcn_ros.training.config import RecordingConfig, TrainingConfig, make_config, read_config
from drcn_ros.training.curves import CURVES, draw_curves
from drcn_ros.training.pairs import Mixture, PairSource, WarpedPhotographs
from drcn_ros.training.photographs import Grey, Photographs, read_photographs
from drcn_ros.training.processes import join
from drcn_ros.training.recording import RecordedPairs, match_frames, read_frames
from drcn_ros.training.rooms import RenderedRooms
from drcn_ros.training.trainer import WEIGHTS, Progress, Trainer


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--config", type=Path, help="YAML file; config/train.yaml shows the layout")
    parser.add_argument(
        "--from-bag",
        metavar="BAG",
        help="fine-tune on a recording: its frames are photographs, consecutive ones real pairs",
    )
    parser.add_argument(
        "--calibrate",
        type=Path,
        metavar="WEIGHTS",
        help="train nothing: fit the scores of this weight file, as is done after a run, and write it",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="where it runs, over the file's")
    parser.add_argument(
        "--minutes", type=float, help="end after as many, with a checkpoint from which a later run goes on"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="one value, over the file's"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train; return 0 when the last step or the last minute is over, 130 when the run was stopped before."""
    overrides = settings(arguments.set, TrainingConfig)
    if arguments.from_bag:
        overrides = {"start": "embedded", "recording.source": arguments.from_bag, **overrides}
    if arguments.device:
        overrides = {**overrides, "device": arguments.device}
    if arguments.minutes is not None and not arguments.minutes > 0:
        msg = f"--minutes {arguments.minutes}: must be above 0"
        raise ConfigurationError(msg)
    config = read_config(arguments.config, overrides) if arguments.config else make_config(overrides)
    frames = _frames(config.recording)
    photographs = read_photographs(config.photographs, [first for first, _ in frames])
    if arguments.calibrate:
        _calibrate(arguments.calibrate, config, photographs)
        return 0
    with join(config.device) as processes:
        source = _source(config, photographs, frames, processes.device)
        trainer = Trainer(config, source, processes, {"photographs_sha256": photographs.digest})

        signals: list[int] = []

        def stop(number: int, frame: FrameType | None) -> None:
            signals.append(number)
            trainer.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        if processes.leads:
            print(f"{photographs}; from step {trainer.step} to {config.steps}", file=sys.stderr)
        with _ending(trainer, arguments.minutes):
            trainer.run(_show)
        # What follows has nothing to write before it ends.
        end_by(signal.SIGINT, signal.SIGTERM)
        if processes.leads:
            draw_curves([Path(config.output)], Path(config.output) / CURVES)
            print(f"\nstep {trainer.step}, weights in {Path(config.output) / WEIGHTS}", file=sys.stderr)
    if trainer.step < config.steps:
        return 130 if signals or arguments.minutes is None else 0
    if processes.leads and config.calibration.pairs:
        _calibrate(Path(config.output) / WEIGHTS, config, photographs)
    return 0


@contextmanager
def _ending(trainer: Trainer, minutes: float | None) -> Iterator[None]:
    """Stop a run after some minutes, if any are given."""
    if minutes is None:
        yield
        return
    clock = threading.Timer(60 * minutes, trainer.stop)
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def _calibrate(weights: Path, config: TrainingConfig, photographs: Photographs) -> None:
    size = dataclasses.replace(config.pairs, size=config.calibration.size, rooms=0.5)
    pairs = dataclasses.replace(config, pairs=size)
    source = _source(pairs, photographs, [], torch.device("cpu"))
    for result in calibrate_file(weights, source, config.calibration, config.seed):
        print(result, file=sys.stderr)


def _frames(config: RecordingConfig) -> list[tuple[Grey, Grey | None]]:
    if not config.source:
        return []
    options = SequenceOptions(topics=BagTopics(image=config.topic))
    return list(read_frames(open_sequence(config.source, options), config))


def _source(
    config: TrainingConfig,
    photographs: Photographs,
    frames: list[tuple[Grey, Grey | None]],
    device: torch.device,
) -> PairSource:
    made = photographs, config.pairs, config.degradations, device
    recorded = config.recording.share if frames else 0.0
    rooms = (1 - recorded) * config.pairs.rooms
    # On a GPU an image at a time would leave it waiting.
    on_cpu = device.type == "cpu"
    sources: list[tuple[PairSource, float]] = [
        ((WarpedPhotographs if on_cpu else BatchedPhotographs)(*made), 1 - recorded - rooms),
        ((RenderedRooms if on_cpu else BatchedRooms)(*made), rooms),
    ]
    if recorded > 0:
        matched = match_frames(frames, config.recording)
        sources.append((RecordedPairs(matched, config.pairs.size, device), recorded))
        print(f"{len(matched)} pairs of consecutive frames", file=sys.stderr)
    return Mixture(sources)


def _show(progress: Progress) -> None:
    left = (progress.steps - progress.step) / progress.steps
    bar = "#" * round(30 * (1 - left)) + "." * round(30 * left)
    line = f"[{bar}] step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  "
    line += f"{progress.pairs_per_second:.1f} pairs/s"
    if progress.skipped:
        line += f"  skipped {progress.skipped}"
    end = "\r" if sys.stderr.isatty() else "\n"
    print(line, file=sys.stderr, end=end, flush=True)
