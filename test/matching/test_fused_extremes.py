# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The kernel against torch's route, by Triton's interpreter on a CPU and as it is on a GPU."""

from __future__ import annotations

import importlib.util
import sys

import pytest
import torch
from torch.nn.functional import normalize

from drcn_ros.matching.coarse_prior import CoarsePrior
from drcn_ros.matching.nearest import Extremes, extremes

NAME = "drcn_ros.matching.fused_extremes"


@pytest.fixture(scope="module")
def fused(device: str):
    """The kernel, for this run's device."""
    if importlib.util.find_spec("triton") is None:
        pytest.skip("the kernel needs triton, which comes with torch for CUDA")
    with pytest.MonkeyPatch.context() as patch:
        if device == "cpu":
            # Triton reads it when its own functions are defined, and torch may have imported it before.
            patch.setenv("TRITON_INTERPRET", "1")
            for name in [name for name in sys.modules if name.partition(".")[0] == "triton"]:
                if not name.startswith("triton._C"):
                    patch.delitem(sys.modules, name)
        yield importlib.import_module(NAME).fused_extremes
        sys.modules.pop(NAME)


def _by_torch(reference, current, prior: CoarsePrior, cells_a, cells_b) -> Extremes:
    pairs = prior.pairs(cells_a, cells_b)

    def similarity(start: int, stop: int) -> torch.Tensor:
        return torch.addmm(pairs[start:stop], reference[start:stop], current.T)

    return extremes(similarity, len(reference), len(current), reference.device)


@pytest.mark.parametrize(
    ("rows", "columns", "grid_a", "grid_b"),
    [(70, 90, (6, 8), (5, 7)), (1, 1, (1, 1), (1, 1)), (33, 130, (1, 9), (7, 1)), (64, 64, (4, 4), (4, 4))],
)
def test_kernel_gives_what_torch_gives(fused, device, rows, columns, grid_a, grid_b) -> None:
    generator = torch.Generator().manual_seed(rows)
    cells_a = torch.randint(grid_a[0] * grid_a[1], (rows,), generator=generator)
    cells_b = torch.randint(grid_b[0] * grid_b[1], (columns,), generator=generator)
    logits = 3 * torch.randn(*grid_a, *grid_b, generator=generator)
    reference = 15 * normalize(torch.randn(rows, 64, generator=generator), dim=1)
    current = normalize(torch.randn(columns, 64, generator=generator), dim=1)
    shared = min(rows, columns) // 2
    current[:shared] = reference[:shared] / 15
    inputs = [part.to(device) for part in (reference, current, cells_a, cells_b)]
    prior = CoarsePrior.of(logits.to(device))
    wanted = _by_torch(*inputs[:2], prior, *inputs[2:])
    found = fused(*inputs[:2], prior, *inputs[2:])
    for name in ("best", "row_sum", "column_best", "column_sum"):
        assert torch.allclose(getattr(found, name), getattr(wanted, name), atol=1e-4), name
    assert torch.equal(found.index, wanted.index)
    (pairs, mutual), (others, expected) = found.pairs(), wanted.pairs()
    assert torch.equal(mutual, expected)
    assert mutual.any()
    assert torch.allclose(pairs.confidence, others.confidence, atol=1e-4)


def test_of_equal_columns_the_first_counts(fused, device) -> None:
    descriptors = torch.zeros(3, 16, device=device)
    cells = torch.zeros(3, dtype=torch.int64, device=device)
    many = torch.zeros(100, 16, device=device)
    prior = CoarsePrior.of(torch.zeros(1, 1, 1, 1, device=device))
    found = fused(descriptors, many, prior, cells, torch.zeros(100, dtype=torch.int64, device=device))
    assert found.index.tolist() == [0, 0, 0]
    assert found.pairs()[1].tolist() == [True, False, False]
