# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The compact network recorded as one graph per image size, which runs without Python between its operators.

On a CPU that saves a tenth of an extraction, and the thread that extracts does not ask for the interpreter
some hundred times per frame while the other stages hold it. The operators, and so all numbers, are the same.
"""

from __future__ import annotations

import sys
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from drcn_ros.networks.compact import CompactMaps, CompactNetwork
from drcn_ros.networks.maps import DenseMap

# Sizes that are remembered: those that a latency limit chooses among, and more.
_KEPT = 8
# Runs after which the graph's executor has settled.
_SETTLING_RUNS = 2


def can_record() -> bool:
    """Return whether torch supports the recording of graphs here: not from Python 3.14 on, nor for ever."""
    return sys.version_info < (3, 14) and hasattr(torch.jit, "trace") and hasattr(torch.jit, "freeze")


def record(network: CompactNetwork) -> None:
    """Let a network run images of bytes by recorded graphs, in place; others it runs as before.

    A graph is recorded at the second image of a size, which takes about half a second: as long as some seven
    images, so that a size which comes but once must not cost it. The network must not be changed afterwards.

    Args:
        network: fused, in its final precision, on the CPU.
    """
    plain = network.forward
    graphs: OrderedDict[torch.Size, _Graph | None] = OrderedDict()

    def forward(images: torch.Tensor) -> CompactMaps:
        if images.dtype != torch.uint8 or torch.is_grad_enabled():
            return plain(images)
        seen = images.shape in graphs
        graph = graphs.pop(images.shape, None)
        if seen and graph is None:
            graph = _Graph.of(_Tensors(network, plain), plain(images), images)
        graphs[images.shape] = graph
        if len(graphs) > _KEPT:
            graphs.popitem(last=False)
        return plain(images) if graph is None else graph.maps(images)

    network.forward = forward  # type: ignore[method-assign]


class _Tensors(nn.Module):
    """The network with tensors for maps, which is all that a graph can return."""

    def __init__(self, network: CompactNetwork, forward: Callable[[torch.Tensor], CompactMaps]) -> None:
        super().__init__()
        self.network = network
        self.plain = forward

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the values of detail, fine and coarse map."""
        maps = self.plain(images)
        return maps.detail.values, maps.fine.values, maps.coarse.values


@dataclass(frozen=True)
class _Graph:
    """A recorded graph, and the stride and the origin of each of its maps."""

    run: Callable[[torch.Tensor], tuple[torch.Tensor, ...]]
    places: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, tensors: _Tensors, maps: CompactMaps, images: torch.Tensor) -> _Graph:
        with warnings.catch_warnings():
            # That sizes become constants is meant; that torch calls this deprecated is why it is asked first.
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(tensors.eval(), images, check_trace=False)  # type: ignore[no-untyped-call, unused-ignore]
            run = torch.jit.freeze(traced)
        for _ in range(_SETTLING_RUNS):
            run(images)
        return cls(run, tuple((kind.stride, kind.origin) for kind in (maps.detail, maps.fine, maps.coarse)))

    def maps(self, images: torch.Tensor) -> CompactMaps:
        results = zip(self.run(images), self.places, strict=True)
        return CompactMaps(*(DenseMap(values, *place) for values, place in results))
