# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: steps, checkpoints, log.

What happens in a step depends on the weights, the seed, the number of the step and the process alone, so a
run that was cut and goes on from its checkpoint ends like one that was not.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from drcn_ros.configuration import Value, flatten
from drcn_ros.errors import ConfigurationError, DrcnError
from drcn_ros.networks.compact import CompactConfig, CompactNetwork
from drcn_ros.networks.weight_file import WeightFile, write_own_file
from drcn_ros.networks.weights import load_network
from drcn_ros.results.replacing import claim
from drcn_ros.training.checkpoint import read_checkpoint, write_checkpoint
from drcn_ros.training.config import OptimiserConfig, TrainingConfig
from drcn_ros.training.curves import CURVES
from drcn_ros.training.log import LOG, Log
from drcn_ros.training.objective import CompactObjective
from drcn_ros.training.pairs import PairBatch, PairSource
from drcn_ros.training.prefetch import Prefetch
from drcn_ros.training.processes import Processes

CHECKPOINT = "checkpoint.pt"
WEIGHTS = "weights.safetensors"
# All that a run writes into its folder.
_FILES = (CHECKPOINT, WEIGHTS, LOG, CURVES)
# So many steps in a row without a finite loss mean that training has failed.
PATIENCE = 20

# What may differ between a checkpoint and the run that goes on from it.
_FREE = (
    *("output", "steps", "device", "workers", "log_every", "checkpoint_seconds", "optimiser.decay"),
    *("calibration.pairs", "calibration.size", "calibration.keypoints"),
)


class TrainingError(DrcnError):
    """Training cannot go on."""


@dataclass(frozen=True)
class Progress:
    """State of a run after a step.

    Attributes:
        step: steps done.
        steps: steps of the whole run.
        loss: of this step.
        pairs_per_second: of all processes, since the last entry of the log.
        skipped: steps without a finite loss so far.
    """

    step: int
    steps: int
    loss: float
    pairs_per_second: float
    skipped: int


class _Window:
    """Sums over the steps from one entry of the log to the next."""

    def __init__(self, pairs_per_step: int) -> None:
        self._pairs = pairs_per_step
        self._start = time.monotonic()
        self._steps = self._good = 0
        self._sums: dict[str, float] = {}

    def add(self, values: Mapping[str, float]) -> None:
        """Add a step; one that was skipped has no values."""
        self._steps += 1
        self._good += bool(values)
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def means(self) -> dict[str, float]:
        """Return the means over the steps with values, and the speed over all."""
        means = {name: total / self._good for name, total in self._sums.items()}
        means["pairs_per_second"] = self._steps * self._pairs / (time.monotonic() - self._start)
        return means


class Trainer:
    """One run; goes on from the checkpoint in its folder if there is one.

    Args:
        config: of the run.
        source: makes the pairs.
        processes: this process among those of the run.
        notes: written into the weight file.

    Raises:
        ConfigurationError: the checkpoint belongs to a run with another configuration.
        InputError: the checkpoint is damaged, the folder cannot be made.
        WeightsError: the weights to start from are unusable.
    """

    def __init__(
        self,
        config: TrainingConfig,
        source: PairSource,
        processes: Processes,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        self.config = config
        self.step = 0
        self.skipped = 0
        self._source = source
        self._processes = processes
        self._notes = dict(notes or {})
        self._folder = Path(config.output)
        self._stop = False
        torch.manual_seed(config.seed)
        network = _start(config).to(processes.device)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        reduced = reduced_precision(config, processes.device)
        self.network = network
        self._objective: nn.Module = CompactObjective(network, config.loss, reduced)
        trained = [parameter for parameter in self._objective.parameters() if parameter.requires_grad]
        self._optimiser = torch.optim.AdamW(
            trained, lr=config.optimiser.learning_rate, weight_decay=config.optimiser.weight_decay
        )
        # Gradients leave the range of float16, not that of bfloat16.
        self._scaler = torch.amp.GradScaler(processes.device.type, enabled=reduced is torch.float16)
        self._resume()
        if processes.count > 1:
            self._objective = DistributedDataParallel(self._objective)

    def run(self, report: Callable[[Progress], None] | None = None) -> None:
        """Train to the last step, or until `stop` is called.

        Args:
            report: told the progress at each entry of the log.

        Raises:
            TrainingError: the loss stays without a finite value.
            InputError: a checkpoint cannot be written, or the folder holds such files that no run has made.
        """
        leads = self._processes.leads
        if leads and not (self._folder / CHECKPOINT).is_file():
            claim(self._folder, _FILES)
        log = Log(self._folder, self.step) if leads else None
        prefetch = Prefetch(self._make, self.config.workers, self.step, self.config.steps)
        self._objective.train()
        window = _Window(self.config.batch * self._processes.count)
        saved = time.monotonic()
        bad_in_a_row = 0
        try:
            while self.step < self.config.steps and not self._processes.any(self._stop):
                values = self._one_step(*prefetch.take(self.step))
                self.step += 1
                window.add(values)
                bad_in_a_row = 0 if values else bad_in_a_row + 1
                if bad_in_a_row >= PATIENCE:
                    msg = f"the loss had no finite value in {PATIENCE} steps up to step {self.step}; "
                    msg += f"lower optimiser.learning_rate; {self._folder / CHECKPOINT} is from before"
                    raise TrainingError(msg)
                if log is not None and self._at_entry():
                    means = window.means()
                    window = _Window(self.config.batch * self._processes.count)
                    log.add(self.step, {**means, "skipped": float(self.skipped)})
                    if report is not None and "loss" in means:
                        speed = means["pairs_per_second"]
                        report(Progress(self.step, self.config.steps, means["loss"], speed, self.skipped))
                if leads and not bad_in_a_row and time.monotonic() - saved >= self.config.checkpoint_seconds:
                    self.save()
                    saved = time.monotonic()
            if leads:
                self.save()
        finally:
            prefetch.close()
            if log is not None:
                log.close()

    def stop(self) -> None:
        """End the run after the step that is under way; its state is saved."""
        self._stop = True

    def save(self) -> None:
        """Write the checkpoint and the weights.

        Raises:
            InputError: the checkpoint cannot be written.
            WeightsError: the weights cannot be written.
        """
        write_checkpoint(
            self._folder / CHECKPOINT,
            {
                "step": self.step,
                "skipped": self.skipped,
                "config": flatten(self.config),
                "network": self.network.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "scaler": self._scaler.state_dict(),
            },
        )
        write_own_file(self._folder / WEIGHTS, self._weights())

    def _weights(self) -> WeightFile:
        tensors = {
            name: tensor.cpu()
            for name, tensor in self.network.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }
        notes = {"step": str(self.step), "seed": str(self.config.seed), **self._notes}
        return WeightFile("compact", dataclasses.asdict(self.network.config), tensors, notes)

    def _at_entry(self) -> bool:
        return self.step % self.config.log_every == 0 or self.step == self.config.steps

    def _make(self, step: int) -> tuple[PairBatch, torch.Generator]:
        """Return the pairs of a step, and what the loss draws its points from."""
        random = np.random.default_rng([self.config.seed, step, self._processes.rank])
        pairs = self._source.batch(self.config.batch, random)
        generator = torch.Generator(self._processes.device)
        generator.manual_seed(int(random.integers(2**62)))
        return pairs, generator

    def _one_step(self, pairs: PairBatch, generator: torch.Generator) -> dict[str, float]:
        """Do one step; return its terms, nothing if it was skipped."""
        rate = learning_rate(self.step, self.config.steps, self.config.optimiser)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        statistics = [buffer.clone() for buffer in self.network.buffers()]
        loss, parts = self._objective(pairs, generator, self.step)
        self._optimiser.zero_grad()
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimiser)
        trained = self._optimiser.param_groups[0]["params"]
        norm = nn.utils.clip_grad_norm_(trained, self.config.optimiser.clip)
        finite = bool(torch.isfinite(loss))
        # The scaler of mixed precision skips overflowing gradients by itself and then lowers its scale.
        if not self._scaler.is_enabled():
            finite = finite and bool(torch.isfinite(norm))
        if self._processes.any(not finite):
            self.skipped += 1
            # The running statistics of the batch norms have seen what made the loss fail.
            for buffer, before in zip(self.network.buffers(), statistics, strict=True):
                buffer.copy_(before)
            self._optimiser.zero_grad()
            if self._scaler.is_enabled():
                self._scaler.update()
            return {}
        self._scaler.step(self._optimiser)
        self._scaler.update()
        values = {"loss": loss, "gradient": norm, **parts.terms, **parts.measures}
        return {"learning_rate": rate, **{name: float(value.detach()) for name, value in values.items()}}

    def _resume(self) -> None:
        path = self._folder / CHECKPOINT
        if not path.exists():
            return
        content = read_checkpoint(path)
        _check_same(content["config"], flatten(self.config), path)
        self.step, self.skipped = content["step"], content["skipped"]
        self.network.load_state_dict(content["network"])
        self._optimiser.load_state_dict(content["optimiser"])
        self._scaler.load_state_dict(content["scaler"])


def reduced_precision(config: TrainingConfig, device: torch.device) -> torch.dtype | None:
    """Return the type that the network runs in on a device, None for float32."""
    if device.type == "cuda":
        return torch.float16 if config.mixed_precision else None
    return torch.bfloat16 if config.bfloat16 else None


def learning_rate(step: int, steps: int, config: OptimiserConfig) -> float:
    """Return the learning rate of a step: a rise, a constant stretch, a linear end."""
    rise = min(1.0, (step + 1) / max(1, config.warm_up))
    fall = min(1.0, (steps - step) / max(1.0, config.decay * steps))
    return config.learning_rate * min(rise, fall)


def _start(config: TrainingConfig) -> CompactNetwork:
    network = CompactNetwork(CompactConfig(subcell=config.subcell))
    if not config.start:
        return network
    start = load_network(None if config.start == "embedded" else Path(config.start))
    if not isinstance(start, CompactNetwork):
        msg = f"parameter start: {config.start} is for {type(start).__name__}, not the compact network"
        raise ConfigurationError(msg)
    network = CompactNetwork(
        dataclasses.replace(start.config, subcell=config.subcell or start.config.subcell, calibration={})
    )
    # What the start does not have keeps its first values, which change nothing.
    network.load_state_dict(start.state_dict(), strict=False)
    return network


def _check_same(before: Mapping[str, Any], now: Mapping[str, Value], path: Path) -> None:
    changed = [
        f"{name} {before.get(name)!r} -> {now.get(name)!r}"
        for name in sorted({*before, *now} - {*_FREE})
        if before.get(name) != now.get(name)
    ]
    if changed:
        msg = f"{path} is of a run with another configuration ({', '.join(changed[:3])}); "
        msg += "choose another output folder"
        raise ConfigurationError(msg)
