# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node: life cycle, inputs, processing, outputs, diagnostics."""


def __getattr__(name: str) -> object:
    """Say where the one public name of the module of before lies, which this package is called after."""
    if name == "VoNode":
        msg = f"{__name__}.VoNode has moved: import it from {__name__}.node instead"
        raise ImportError(msg, name=__name__)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
