# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A run that ends after a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drcn_ros.cli.main import main
from drcn_ros.configuration import flatten
from drcn_ros.training.checkpoint import read_checkpoint
from drcn_ros.training.config import TrainingConfig
from drcn_ros.training.trainer import CHECKPOINT, WEIGHTS


def test_a_run_ends_after_its_minutes_and_the_next_goes_on(
    small_config: Callable[..., TrainingConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    config = small_config(steps=100000)
    settings = [word for name, value in flatten(config).items() for word in ("--set", f"{name}={value}")]
    reached = []
    for _ in range(2):
        assert main(["train", *settings, "--device", "cpu", "--minutes", "0.03"]) == 0
        assert (Path(config.output) / WEIGHTS).is_file()
        reached.append(read_checkpoint(Path(config.output) / CHECKPOINT)["step"])
    assert 0 < reached[0] < reached[1] < 100000
    assert f"from step {reached[0]} to 100000" in capsys.readouterr().err


@pytest.mark.parametrize("minutes", ["0", "-1", "nan"])
def test_minutes_must_be_above_zero(minutes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--minutes", minutes]) == 2
    assert "--minutes" in capsys.readouterr().err
