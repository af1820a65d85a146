# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from drcn_ros.errors import WeightsError
from drcn_ros.matching import create_matcher
from drcn_ros.matching.calibration import entry_name, probability
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.networks.weight_file import write_own_file
from drcn_ros.networks.weights import EMBEDDED, load_network, read_weights

METHODS = ("drcn", "anchored", "d2net")


def write_with(path: Path, calibration: dict[str, list[float]] | None) -> Path:
    """The weights of the package with another calibration, or written as before there was one."""
    content = read_weights(EMBEDDED)
    config = {key: value for key, value in content.config.items() if key != "calibration"}
    if calibration is not None:
        config["calibration"] = calibration
    write_own_file(path, dataclasses.replace(content, config=config))
    return path


@pytest.mark.parametrize(("slope", "bias"), [(1.0, 0.0), (1.6, 1.1), (0.3, -2.0)])
def test_probabilities_stay_in_their_range_and_in_their_order(slope: float, bias: float) -> None:
    scores = torch.cat([torch.tensor([0.0]), torch.linspace(1e-4, 1, 5000)])
    mapped = probability(scores, slope, bias)
    assert mapped.dtype == scores.dtype
    assert 0 <= mapped.min() < mapped.max() <= 1
    assert (mapped.diff() >= 0).all()
    if slope == 1:
        assert torch.allclose(mapped, scores, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("refine", [True, False])
def test_calibrated_weights_change_the_scores_of_matches_alone(
    method, refine, plane, tmp_path, device
) -> None:
    plain = write_with(tmp_path / "plain.safetensors", None)
    other = entry_name(method, not refine)
    entries = {entry_name(method, refine): [1.5, 0.7], other: [9.0, -9.0]}
    calibrated = write_with(tmp_path / "calibrated.safetensors", entries)
    found = []
    for file in (plain, calibrated):
        matcher = create_matcher(MatcherConfig(name=method, weights=str(file), device=device, refine=refine))
        found.append(matcher.match(matcher.extract(plane.reference), matcher.extract(plane.current)))
    assert len(found[0]) > 50
    # Which are set apart as imprecise follows the order of the scores, and that stays.
    before, after = (matches.with_imprecise() for matches in found)
    for field in dataclasses.fields(before):
        if field.name not in ("scores", "imprecise"):
            assert np.array_equal(getattr(before, field.name), getattr(after, field.name)), field.name
    assert np.allclose(after.scores, probability(torch.from_numpy(before.scores), 1.5, 0.7).numpy())
    assert (np.diff(found[1].scores) <= 0).all()


def test_weights_from_before_calibration_keep_their_scores(tmp_path: Path) -> None:
    network = load_network(write_with(tmp_path / "plain.safetensors", None))
    assert network.config.calibration == {}


@pytest.mark.parametrize("entry", [[1.0], [0.0, 1.0], [-1.0, 0.0], [1.0, float("nan")]])
def test_a_calibration_that_is_none_is_refused(entry: list[float], tmp_path: Path) -> None:
    file = write_with(tmp_path / "broken.safetensors", {"drcn": entry})
    with pytest.raises(WeightsError, match="calibration of drcn"):
        load_network(file)
