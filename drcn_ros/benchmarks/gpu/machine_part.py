# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the machine is, and what it reaches at best."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from drcn_ros.benchmarks.gpu.parts import Row, Settings, attempt
from drcn_ros.benchmarks.machine import describe_machine
from drcn_ros.benchmarks.roofline import measure_ceilings
from drcn_ros.matching.device import choose_device

_TYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def rows(settings: Settings) -> Iterator[Row]:
    """Describe the machine; measure a large matrix product in each precision, and a large copy."""
    device = choose_device(settings.device)
    # The CPU's share of a frame runs with one thread, as in the node.
    torch.set_num_threads(1)
    for name, value in describe_machine(1).items():
        yield Row("machine", {"what": name, "is": str(value)})
    if device.type == "cuda":
        yield from _gpu(device)
    for name, kind in _TYPES.items():
        if settings.small and kind != torch.float32:
            # Most processors have no unit for it: the product would take minutes.
            continue
        yield from attempt({"ceiling": name}, lambda: [_ceiling(device, name, kind)])  # noqa: B023
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        yield _ceiling(device, "float32 as TF32", torch.float32)


def _gpu(device: torch.device) -> Iterator[Row]:
    properties = torch.cuda.get_device_properties(device)
    free, total = torch.cuda.mem_get_info(device)
    found = {
        "GPU": properties.name,
        "compute capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "device memory, MB": f"{total / 2**20:.0f}, {free / 2**20:.0f} free",
        "CUDA of torch": torch.version.cuda,
        "cuDNN": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call, unused-ignore]
        "bfloat16": torch.cuda.is_bf16_supported(including_emulation=False),
    }
    for name, value in found.items():
        yield Row("machine", {"what": name, "is": str(value)})


def _ceiling(device: torch.device, name: str, kind: torch.dtype) -> Row:
    ceilings = measure_ceilings(device, kind)
    speeds = {"matrix product, GFLOP/s": ceilings.gflop_per_s, "copy, GB/s": ceilings.gbyte_per_s}
    return Row("ceilings", {"precision": name, **speeds})
