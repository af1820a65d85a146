# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from drcn_ros.cli.main import main
from drcn_ros.configuration import flatten
from drcn_ros.errors import ConfigurationError, InputError
from drcn_ros.networks.compact import CompactNetwork
from drcn_ros.networks.weights import load_network
from drcn_ros.training.checkpoint import read_checkpoint
from drcn_ros.training.config import OptimiserConfig, TrainingConfig
from drcn_ros.training.log import read_log
from drcn_ros.training.pairs import PairBatch, WarpedPhotographs
from drcn_ros.training.photographs import read_photographs
from drcn_ros.training.processes import Processes
from drcn_ros.training.trainer import CHECKPOINT, PATIENCE, WEIGHTS, Trainer, TrainingError, learning_rate

ALONE = Processes(0, 1, torch.device("cpu"))
Make = Callable[..., TrainingConfig]


def trainer(config: TrainingConfig) -> Trainer:
    photographs = read_photographs(config.photographs)
    source = WarpedPhotographs(photographs, config.pairs, config.degradations, ALONE.device)
    return Trainer(config, source, ALONE, {"data": "made up"})


def test_the_loss_falls(small_config: Make) -> None:
    run = trainer(small_config(steps=24, pairs__hard=0.0, optimiser__learning_rate=3e-3))
    run.run()
    losses = [entry["loss"] for entry in read_log(Path(run.config.output))]
    assert len(losses) == 24
    assert np.mean(losses[-6:]) < 0.85 * np.mean(losses[:6])


def test_the_loss_falls_in_bfloat16_and_the_weights_stay_float32(small_config: Make) -> None:
    values = {"steps": 16, "pairs__hard": 0.0, "optimiser__learning_rate": 3e-3}
    plain, reduced = (trainer(small_config(bfloat16=bfloat16, **values)) for bfloat16 in (False, True))
    pairs, generator = plain._make(0)
    exact, rounded = (
        run._objective(pairs, generator.manual_seed(0), 0)[0].item() for run in (plain, reduced)
    )
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.02)
    reduced.run()
    losses = [entry["loss"] for entry in read_log(Path(reduced.config.output))]
    assert np.mean(losses[-4:]) < 0.92 * np.mean(losses[:4])
    assert {parameter.dtype for parameter in reduced.network.parameters()} == {torch.float32}


def test_a_resumed_run_equals_the_unbroken_one(small_config: Make, tmp_path: Path) -> None:
    whole = trainer(small_config(output=str(tmp_path / "whole"), steps=6))
    whole.run()
    cut = trainer(small_config(output=str(tmp_path / "cut"), steps=6))
    cut.run(lambda progress: cut.stop() if progress.step == 3 else None)
    assert cut.step == 3
    resumed = trainer(small_config(output=str(tmp_path / "cut"), steps=6))
    assert resumed.step == 3
    resumed.run()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, resumed.network.state_dict()[name]), name
    assert [entry["loss"] for entry in read_log(tmp_path / "whole")] == [
        entry["loss"] for entry in read_log(tmp_path / "cut")
    ]


def test_pairs_made_ahead_change_nothing(small_config: Make, tmp_path: Path) -> None:
    losses = []
    for workers in (0, 2):
        run = trainer(small_config(output=str(tmp_path / str(workers)), steps=4, workers=workers))
        run.run()
        losses.append([entry["loss"] for entry in read_log(tmp_path / str(workers))])
    assert losses[0] == losses[1]


def test_a_checkpoint_of_another_configuration_is_refused(small_config: Make) -> None:
    trainer(small_config(steps=1)).run()
    with pytest.raises(ConfigurationError, match="batch 2 -> 3"):
        trainer(small_config(steps=1, batch=3))


def test_the_weights_serve_a_matcher_and_carry_their_notes(small_config: Make) -> None:
    run = trainer(small_config(steps=1, start="embedded"))
    run.run()
    network = load_network(Path(run.config.output) / WEIGHTS)
    assert isinstance(network, CompactNetwork)
    assert network.config.subcell
    assert torch.equal(network.consensus.gain, run.network.consensus.gain)


def test_training_starts_from_weights_without_changing_what_they_say(small_config: Make) -> None:
    run = trainer(small_config(start="embedded"))
    embedded = load_network()
    assert isinstance(embedded, CompactNetwork)
    images = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        run.network.eval()
        before, now = embedded(images), run.network(images)
    torch.testing.assert_close(now.fine.values, before.fine.values, rtol=1e-4, atol=1e-4)


def test_the_term_on_positions_counts_from_its_step_on(small_config: Make) -> None:
    run = trainer(small_config(steps=4, loss__position_from=2))
    run.run()
    weights = dataclasses.asdict(run.config.loss)
    for entry in read_log(Path(run.config.output)):
        terms = {name: weights[name] * entry[name] for name in weights if name in entry}
        if entry["step"] <= 2:
            assert terms.pop("position") > 0
        assert entry["loss"] == pytest.approx(sum(terms.values()), rel=1e-5)


def test_a_run_killed_while_it_writes_goes_on_from_a_whole_checkpoint(
    small_config: Make,
) -> None:
    config = small_config(steps=400, checkpoint_seconds=0.0)
    settings = [word for name, value in flatten(config).items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "drcn_ros", "train", *settings]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        written = Path(config.output) / WEIGHTS
        while not written.exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.3)
        process.kill()
        _, said = process.communicate()
    assert written.exists(), said.decode()
    assert 0 < trainer(config).step < 400
    assert load_network(written)


class Poisoned:
    """Passes pairs on, some of them so bright that the network overflows."""

    def __init__(self, config: TrainingConfig, bad: Callable[[int], bool]) -> None:
        photographs = read_photographs(config.photographs)
        self._source = WarpedPhotographs(photographs, config.pairs, config.degradations, ALONE.device)
        self._bad = bad
        self._calls = 0

    def batch(self, count: int, random: np.random.Generator) -> PairBatch:
        batch = self._source.batch(count, random)
        self._calls += 1
        if self._bad(self._calls):
            batch.first[:] = 3e38
        return batch


def test_a_step_without_finite_loss_is_skipped_and_counted(small_config: Make) -> None:
    config = small_config(steps=3)
    run = Trainer(config, Poisoned(config, lambda call: call == 2), ALONE)
    run.run()
    assert run.skipped == 1
    assert all(bool(torch.isfinite(tensor).all()) for tensor in run.network.state_dict().values())
    assert read_log(Path(config.output))[-1]["skipped"] == 1


def test_training_stops_when_the_loss_stays_without_value(small_config: Make) -> None:
    config = small_config(steps=PATIENCE + 5, checkpoint_seconds=0)
    run = Trainer(config, Poisoned(config, lambda call: call > 1), ALONE)
    with pytest.raises(TrainingError, match="learning_rate"):
        run.run()
    kept = trainer(config)
    assert kept.step == 1
    assert (Path(config.output) / CHECKPOINT).is_file()


def test_the_learning_rate_rises_stays_and_falls() -> None:
    config = OptimiserConfig(learning_rate=1.0, warm_up=10, decay=0.5)
    rates = [learning_rate(step, 100, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[20] == rates[49] == 1.0
    assert rates[75] == pytest.approx(0.5)
    assert 0 < rates[99] < 0.05


def test_files_of_somebody_else_are_not_replaced(small_config: Make) -> None:
    run = trainer(small_config(steps=2))
    folder = Path(run.config.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_text("mine")
    with pytest.raises(InputError, match=f"holds {WEIGHTS}, which is no file of an earlier result"):
        run.run()
    assert [path.name for path in folder.iterdir()] == [WEIGHTS]


def test_a_run_ends_after_its_minutes_and_the_next_goes_on(
    small_config: Make, capsys: pytest.CaptureFixture[str]
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
