# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The networks that a weight file can be for, by the name that the file carries."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from drcn_ros.errors import WeightsError


@dataclass(frozen=True)
class Architecture:
    """Where a network and the dataclass of its sizes are found; imported when they are needed."""

    module: str
    network: str
    config: str


ARCHITECTURES = {
    "compact": Architecture("drcn_ros.networks.compact", "CompactNetwork", "CompactConfig"),
    "d2net": Architecture("drcn_ros.networks.d2net", "D2Net", "D2NetConfig"),
    "drcn": Architecture("drcn_ros.networks.drcn", "DRCN", "DRCNConfig"),
}


def create_network(name: str, config: Mapping[str, Any]) -> nn.Module:
    """Return a network without weights, `config` over its default sizes.

    Raises:
        WeightsError: the architecture or an entry of `config` is unknown, or a value makes no network.
    """
    if name not in ARCHITECTURES:
        msg = f"architecture {name!r} is unknown; known are {', '.join(ARCHITECTURES)}"
        raise WeightsError(msg)
    architecture = ARCHITECTURES[name]
    module = importlib.import_module(architecture.module)
    config_class = getattr(module, architecture.config)
    known = {field.name for field in dataclasses.fields(config_class)}
    unknown = sorted(set(config) - known)
    if unknown:
        msg = f"{name}: configuration has unknown entries {', '.join(unknown)}; "
        msg += f"known are {', '.join(sorted(known))}"
        raise WeightsError(msg)
    # JSON knows lists only, the frozen configurations hold tuples.
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
    try:
        network: nn.Module = getattr(module, architecture.network)(config_class(**values))
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        # The values come from files; what else may be wrong with one shows only in what is built of it.
        msg = f"{name}: no network can be made of the configuration {dict(config)}: {error}"
        raise WeightsError(msg) from None
    return network
