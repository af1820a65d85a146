# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from drcn_ros.configuration import flatten
from drcn_ros.errors import ConfigurationError
from drcn_ros.training.config import TrainingConfig
from drcn_ros.training.log import read_log
from drcn_ros.training.processes import Processes, join

# What each of the processes that torchrun starts does: train, then keep its own weights for comparison.
SCRIPT = """
import ast, os, sys, torch
from drcn_ros.training.config import make_config
from drcn_ros.training.pairs import WarpedPhotographs
from drcn_ros.training.photographs import read_photographs
from drcn_ros.training.processes import join
from drcn_ros.training.trainer import Trainer

config = make_config(ast.literal_eval(sys.argv[1]))
with join(config.device) as processes:
    photographs = read_photographs(config.photographs)
    source = WarpedPhotographs(photographs, config.pairs, config.degradations, processes.device)
    trainer = Trainer(config, source, processes)
    trainer.run()
    assert processes.any(processes.rank == 1) and not processes.any(False)
    parameters = dict(trainer.network.named_parameters())
    torch.save({name: p.detach() for name, p in parameters.items()}, sys.argv[2] + str(processes.rank))
"""


def test_two_processes_train_the_same_weights_together(
    small_config: Callable[..., TrainingConfig], tmp_path: Path
) -> None:
    config = small_config(steps=3)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [*launcher, str(script), repr(flatten(config)), str(tmp_path / "weights")],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = (torch.load(tmp_path / f"weights{rank}", weights_only=True) for rank in (0, 1))
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
    assert len(read_log(Path(config.output))) == 3


def test_a_gpu_that_is_not_there_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigurationError, match="no GPU"), join("cuda"):
        pass


def test_a_process_alone_answers_for_all() -> None:
    alone = Processes(0, 1, torch.device("cpu"))
    assert alone.leads
    assert alone.any(True)
    assert not alone.any(False)
