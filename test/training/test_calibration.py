# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from drcn_ros.cli.train import configure, run
from drcn_ros.configuration import flatten
from drcn_ros.errors import ConfigurationError
from drcn_ros.matching.calibration import probability
from drcn_ros.networks.weight_file import WeightFile, write_own_file
from drcn_ros.networks.weights import EMBEDDED, read_weights
from drcn_ros.training.calibration import calibrate_file, fit
from drcn_ros.training.config import CalibrationConfig, TrainingConfig
from drcn_ros.training.pairs import WarpedPhotographs
from drcn_ros.training.photographs import read_photographs
from drcn_ros.training.trainer import WEIGHTS

ENTRIES = {f"{name}{end}" for name in ("drcn", "anchored", "d2net") for end in ("", " unrefined")}
Make = Callable[..., TrainingConfig]


@pytest.mark.parametrize(("slope", "bias"), [(1.6, 1.2), (0.5, -1.0), (1.0, 0.0)])
def test_a_known_miscalibration_is_found(slope: float, bias: float) -> None:
    random = np.random.default_rng(0)
    scores = random.uniform(0.02, 0.999, 40000)
    right = random.random(40000) < probability(torch.from_numpy(scores), slope, bias).numpy()
    assert fit(scores, right) == pytest.approx((slope, bias), abs=0.06)


def test_few_or_one_sided_matches_give_a_calibration_all_the_same() -> None:
    assert fit(np.zeros(0), np.zeros(0, np.bool_)) == (1.0, 0.0)
    for right in (True, False):
        slope, bias = fit(np.array([0.0, 0.4, 0.9, 1.0]), np.full(4, right))
        assert slope > 0
        assert np.isfinite(bias)
    slope, _ = fit(np.linspace(0.1, 0.9, 500), np.linspace(0.1, 0.9, 500) < 0.5)
    assert slope > 0


def test_scores_come_closer_to_shares_and_nothing_else_changes(small_config: Make, tmp_path: Path) -> None:
    config = small_config(pairs__size=160)
    source = WarpedPhotographs(
        read_photographs(config.photographs), config.pairs, config.degradations, torch.device("cpu")
    )
    before = read_weights(EMBEDDED)
    files = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for file in files:
        write_own_file(file, WeightFile(before.architecture, before.config, before.tensors, before.notes))
        results = calibrate_file(file, source, CalibrationConfig(pairs=8, size=160), seed=3)
    assert {result.name for result in results} == ENTRIES
    for result in results:
        assert result.matches > 100
        assert result.after < max(result.before, 0.05), result
    assert files[0].read_bytes() == files[1].read_bytes()
    after = read_weights(files[0])
    assert set(after.config["calibration"]) == ENTRIES
    assert after.notes == before.notes
    assert all(torch.equal(tensor, after.tensors[name]) for name, tensor in before.tensors.items())


def test_weights_of_another_network_are_refused(small_config: Make, tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    write_own_file(file, WeightFile("d2net", {}, {"weight": torch.zeros(1)}))
    config = small_config()
    photographs = read_photographs(config.photographs)
    source = WarpedPhotographs(photographs, config.pairs, config.degradations, torch.device("cpu"))
    with pytest.raises(ConfigurationError, match="d2net"):
        calibrate_file(file, source, config.calibration, seed=0)


def test_without_pairs_a_file_keeps_its_calibration(small_config: Make, tmp_path: Path) -> None:
    file = tmp_path / "calibrated.safetensors"
    file.write_bytes(EMBEDDED.read_bytes())
    config = small_config(calibration__pairs=0)
    source = WarpedPhotographs(
        read_photographs(config.photographs), config.pairs, config.degradations, torch.device("cpu")
    )
    with pytest.raises(ConfigurationError, match=r"calibration\.pairs is 0"):
        calibrate_file(file, source, config.calibration, seed=0)
    assert file.read_bytes() == EMBEDDED.read_bytes()


@pytest.fixture
def handlers() -> Iterator[None]:
    """Leaves the signals as they were."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]
    yield
    for number, handler in zip(signals, before, strict=True):
        signal.signal(number, handler)


def words(config: TrainingConfig) -> list[str]:
    return [word for name, value in flatten(config).items() for word in ("--set", f"{name}={value}")]


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_calibration_after_a_run(small_config: Make, monkeypatch, number) -> None:
    monkeypatch.setattr("drcn_ros.cli.train.calibrate_file", lambda *_: signal.raise_signal(number))
    parser = argparse.ArgumentParser()
    configure(parser)
    with pytest.raises(KeyboardInterrupt):
        run(parser.parse_args(words(small_config(steps=1))))


@pytest.mark.usefixtures("handlers")
def test_a_run_ends_with_calibrated_weights_and_so_does_the_command_alone(small_config: Make) -> None:
    config = small_config(steps=1, start="embedded", calibration__pairs=4, calibration__size=96)
    settings = words(config)
    parser = argparse.ArgumentParser()
    configure(parser)
    assert run(parser.parse_args(settings)) == 0
    written = Path(config.output) / WEIGHTS
    content = read_weights(written)
    assert set(content.config["calibration"]) == ENTRIES
    write_own_file(written, WeightFile("compact", {"subcell": True}, content.tensors))
    assert run(parser.parse_args([*settings, "--calibrate", str(written)])) == 0
    assert read_weights(written).config["calibration"] == content.config["calibration"]
