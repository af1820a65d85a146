# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Exported graphs as files, and whether what was written computes what the module computes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from drcn_ros.errors import ConfigurationError, MissingDependencyError
from drcn_ros.matching.exportable import ExportPart

SUFFIXES = (".pt2", ".onnx")
# Numbers of both that differ by less, relative to the largest, agree; likewise points, in pixels.
_TOLERANCE = 1e-3
_POINT_TOLERANCE = 0.05


def write_graph(part: ExportPart, path: Path) -> None:
    """Write a part as `torch.export` program (.pt2) or ONNX model (.onnx).

    Raises:
        ConfigurationError: the suffix is another.
        MissingDependencyError: ONNX is asked for and its packages are not installed.
    """
    if path.suffix not in SUFFIXES:
        msg = f"{path}: the suffix says what is written, one of {', '.join(SUFFIXES)}"
        raise ConfigurationError(msg)
    with _quiet(), torch.no_grad():
        program = torch.export.export(part.module.eval(), part.example)
        if path.suffix == ".pt2":
            torch.export.save(program, path)
            return
        try:
            model = torch.onnx.export(
                program, dynamo=True, input_names=part.inputs, output_names=part.outputs, verbose=False
            )
        except ImportError as error:
            msg = f"ONNX needs a package that is not there ({error}); install onnx and onnxscript"
            raise MissingDependencyError(msg) from None
        assert model is not None
        model.save(str(path), external_data=False)


def run_graph(path: Path, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Run a written graph and return its outputs.

    Raises:
        MissingDependencyError: the graph is ONNX and onnxruntime is not installed.
    """
    if path.suffix == ".pt2":
        with torch.no_grad():
            outputs = torch.export.load(path).module()(*inputs)
        return outputs if isinstance(outputs, tuple) else (outputs,)
    try:
        import onnxruntime
    except ImportError:
        msg = "checking an ONNX model needs onnxruntime, which is not installed"
        raise MissingDependencyError(msg) from None
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]
    feed = {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)}
    return tuple(torch.from_numpy(np.asarray(value)) for value in session.run(None, feed))


def agreement(
    part: ExportPart, expected: tuple[torch.Tensor, ...], found: tuple[torch.Tensor, ...]
) -> dict[str, float]:
    """Return for each output the share of it that agrees, 0 to 1.

    Keypoints of almost equal score may come in another order, so they are compared by their places.
    """
    results = dict(zip(part.outputs, zip(expected, found, strict=True), strict=True))
    if "points" not in results:
        return {name: _share_equal(*pair) for name, pair in results.items()}
    wanted, got = (points[scores > 0] for points, scores in zip(*_both(results), strict=True))
    if len(wanted) == 0 or len(got) == 0:
        return {"points": float(len(wanted) == len(got))}
    distance, row = torch.cdist(wanted.double(), got.double()).min(dim=1)
    shares = {"points": float((distance < _POINT_TOLERANCE).double().mean())}
    for name in ("scores", "descriptors"):
        values, others = results[name]
        shares[name] = _share_equal(values[: len(wanted)], others[row])
    shares["coarse"] = _share_equal(*results["coarse"])
    return shares


def _both(
    results: dict[str, tuple[torch.Tensor, torch.Tensor]],
) -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    return results["points"], results["scores"]


def _share_equal(expected: torch.Tensor, found: torch.Tensor) -> float:
    if not expected.is_floating_point():
        return float((expected == found).double().mean())
    limit = _TOLERANCE * max(float(expected.abs().max()), 1e-6)
    return float(((expected - found).abs() <= limit).double().mean())


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes on packages that this project does not use from the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
