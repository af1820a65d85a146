# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The processes of a run: one, or several that `torchrun` started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed

from drcn_ros.errors import ConfigurationError


@dataclass(frozen=True)
class Processes:
    """This process among all of a run.

    Attributes:
        rank: of this process, 0 leads: it writes logs and checkpoints.
        count: of all processes.
        device: where this process computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process; all must call it together."""
        if self.count == 1:
            return flag
        gathered = torch.tensor(float(flag), device=self.device)
        distributed.all_reduce(gathered, distributed.ReduceOp.MAX)
        return bool(gathered > 0)


@contextmanager
def join(device: str) -> Iterator[Processes]:
    """Join the processes of this run for the time of a `with` block.

    Args:
        device: 'auto', 'cpu' or 'cuda'; several processes get one GPU each.

    Raises:
        ConfigurationError: 'cuda' is asked for and torch finds no GPU.
    """
    if device == "cuda" and not torch.cuda.is_available():
        msg = "parameter device: cuda is asked for, but torch finds no GPU; use auto or cpu"
        raise ConfigurationError(msg)
    on_gpu = device != "cpu" and torch.cuda.is_available()
    count = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if count == 1:
        yield Processes(0, 1, chosen)
        return
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Processes(distributed.get_rank(), count, chosen)
    finally:
        distributed.destroy_process_group()
