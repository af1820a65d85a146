# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import pytest

from drcn_ros.configuration import flatten
from drcn_ros.errors import ConfigurationError
from drcn_ros.training.config import read_config

ROOT = Path(__file__).resolve().parents[2]


def test_the_shipped_configuration_is_accepted() -> None:
    config = read_config(ROOT / "config" / "train.yaml")
    assert config.loss.position == 1.0
    assert config.start == ""


def test_the_second_part_differs_only_in_what_the_model_card_tells() -> None:
    first, second = (
        flatten(read_config(ROOT / "config" / f"{name}.yaml")) for name in ("train", "train_second")
    )
    assert {name for name in first if first[name] != second[name]} == {
        "output",
        "start",
        "seed",
        "steps",
        "degradations.exposure",
        "degradations.strongest_gain",
        "loss.peakiness",
        "loss.position_from",
        "optimiser.learning_rate",
        "optimiser.decay",
    }


def test_sections_and_overrides_are_read(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("seed: 7\npairs:\n  size: 96\n")
    config = read_config(path, {"batch": 3})
    assert (config.seed, config.pairs.size, config.batch) == (7, 96, 3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("learning_rate: 0.1\n", "learning_rate"),
        ("pairs:\n  sizes: 64\n", "pairs.sizes"),
        ("steps: -1\n", "steps"),
        ("pairs:\n  size: 100\n", "multiple of 32"),
        ("- 1\n", "no names and values"),
        ("a: [\n", "no YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=named):
        read_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        read_config(tmp_path / "nowhere.yaml")
