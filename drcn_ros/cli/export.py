# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn export`: extraction or matching as a torch.export program or an ONNX model, checked after writing."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from drcn_ros.cli.values import image_size, require_at_least
from drcn_ros.errors import DrcnError
from drcn_ros.matching.exportable import PARTS, ExportPart, exportable
from drcn_ros.matching.graph_files import SUFFIXES, agreement, run_graph, write_graph
from drcn_ros.networks.weights import load_network
from drcn_ros.results.replacing import whole_file

# Share of an output that must agree; the rest is near ties that fall otherwise.
_LEAST_AGREEMENT = 0.99


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("part", choices=PARTS, help="what one image gives, or what two of these give")
    parser.add_argument("out", type=Path, help=f"file to write, ending in {' or '.join(SUFFIXES)}")
    parser.add_argument(
        "--weights", type=Path, help="weight file; the compact weights inside the package else"
    )
    parser.add_argument("--size", default="640x480", help="WIDTHxHEIGHT of the images")
    parser.add_argument("--keypoints", type=int, default=1024, help="their number, with the compact network")


def run(arguments: argparse.Namespace) -> int:
    """Write the graph, run it, compare with the module, and say what stays outside."""
    width, height = image_size(arguments.size, "--size")
    require_at_least(1, arguments, "--keypoints")
    part = exportable(load_network(arguments.weights), arguments.part, width, height, arguments.keypoints)
    with whole_file(arguments.out) as path:
        write_graph(part, path)
        shares = _compare(part, path)
        worst = min(shares.values())
        if worst < _LEAST_AGREEMENT:
            msg = f"{arguments.out} is not written: only {worst:.1%} of an output agrees with the network"
            raise DrcnError(msg)
    print(f"{arguments.out}: {', '.join(part.inputs)} -> {', '.join(part.outputs)}")
    print("agrees with the network: " + ", ".join(f"{name} {share:.2%}" for name, share in shares.items()))
    print("outside the graph: " + part.outside)
    return 0


def _compare(part: ExportPart, path: Path) -> dict[str, float]:
    """Compare on another input than the example, so that nothing of the example can be baked in."""
    inputs = part.example
    half = len(inputs) // 2
    inputs = (inputs[0].flip(2),) if half == 0 else (*inputs[half:], *inputs[:half])
    with torch.no_grad():
        expected = part.module(*inputs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    return agreement(part, expected, run_graph(path, inputs))
