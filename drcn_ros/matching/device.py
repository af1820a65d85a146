# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where a network runs, in which precision, and how it is prepared for that."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from drcn_ros.errors import ConfigurationError
from drcn_ros.matching.config import CLASSICAL, MatcherConfig
from drcn_ros.matching.graph_thread import in_graph_thread
from drcn_ros.matching.recorded import can_record, record
from drcn_ros.networks.compact import CompactNetwork
from drcn_ros.networks.d2net import D2Net

_PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
# What `auto` means. float32 also on processors that compute in bfloat16: paths end with more error
# (docs/geometry.md), and what is found would depend on the machine.
_AUTO = {"cuda": torch.float16, "cpu": torch.float32}
# Parts of a network that stay in 32 bits: detection and consensus, whose ties and sums suffer, cost little.
_IN_32_BITS = ("detector", "consensus")

Network = TypeVar("Network", bound=nn.Module)


def choose_device(name: str) -> torch.device:
    """Return the device that `MatcherConfig.device` means: auto, cpu or cuda.

    Raises:
        ConfigurationError: CUDA is asked for and torch finds none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        msg = "device cuda: torch finds no CUDA device; set matcher.device to cpu or auto"
        raise ConfigurationError(msg)
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the type that `MatcherConfig.precision` means: auto, float32, float16 or bfloat16."""
    return _AUTO[device.type] if name == "auto" else _PRECISIONS[name]


@dataclass(frozen=True)
class InForce:
    """What `device` and `precision` of a configuration come to on this machine.

    Attributes:
        device: "cpu", or "cuda" with the name of the GPU.
        precision: of the network's backbone as torch calls it; "none" for OpenCV's matchers, which have none.
    """

    device: str
    precision: str


def in_force(config: MatcherConfig) -> InForce:
    """Return where a matcher of this configuration runs, and in which precision.

    Raises:
        ConfigurationError: CUDA is asked for and torch finds none.
    """
    if config.name in CLASSICAL:
        return InForce("cpu", "none")
    device = choose_device(config.device)
    precision = str(choose_precision(config.precision, device)).removeprefix("torch.")
    name = f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else "cpu"
    return InForce(name, precision)


def prepare(network: Network, device: torch.device, precision: torch.dtype, compilation: str) -> Network:
    """Bring a network to its device and into its precision, and compile it if wanted; in place.

    Args:
        network: for inference.
        device: where it will run.
        precision: of its backbone.
        compilation: off; on, or graphs for CUDA graphs as well; auto records the compact network on a CPU.
            Compiled at the first image of each size, recorded at the second.
    """
    network.to(device)
    for name, part in network.named_children():
        if name not in _IN_32_BITS:
            part.to(precision)
    if compilation == "auto":
        if device.type == "cpu" and isinstance(network, CompactNetwork) and can_record():
            record(network)
    elif compilation != "off":
        _compile(network, graphs=compilation == "graphs")
    return network


def upload(image: NDArray[Any], device: torch.device) -> torch.Tensor:
    """Return an array as a tensor on the device, which the host need not wait for."""
    pixels = torch.from_numpy(np.ascontiguousarray(image))
    if device.type == "cuda":
        pixels = pixels.pin_memory()
    return pixels.to(device, non_blocking=True)


def _compile(network: nn.Module, graphs: bool) -> None:
    # D2-Net's other parts are loops over what the features hold.
    name = "features" if isinstance(network, D2Net) else "forward"
    mode = "reduce-overhead" if graphs else "default"
    compiled: Any = torch.compile(getattr(network, name), mode=mode, dynamic=False)

    def replay(images: torch.Tensor) -> Any:
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call, unused-ignore]
        # A graph's next run writes into the same memory.
        return _copied(compiled(images))

    def run(images: torch.Tensor) -> Any:
        return in_graph_thread(lambda: replay(images)) if graphs else compiled(images)

    setattr(network, name, run)


def _copied(maps: Any) -> Any:
    if isinstance(maps, torch.Tensor):
        return maps.clone()
    if dataclasses.is_dataclass(maps) and not isinstance(maps, type):
        values = {field.name: _copied(getattr(maps, field.name)) for field in dataclasses.fields(maps)}
        return dataclasses.replace(maps, **values)
    return maps
