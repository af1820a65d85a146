# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Modules of fixed shapes against the matcher, and written graphs against the modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from drcn_ros.cli.main import main
from drcn_ros.errors import ConfigurationError
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.exportable import CompactExtract, CompactMatch, exportable
from drcn_ros.matching.factory import create_matcher
from drcn_ros.matching.graph_files import agreement, run_graph, write_graph
from drcn_ros.networks.architectures import create_network
from drcn_ros.networks.weights import load_network

SMALL = {"backbone": "resnet20fpn_3_64_4"}


@torch.inference_mode()
def test_modules_of_fixed_shapes_match_as_the_matcher_does(plane):
    matcher = create_matcher(MatcherConfig(device="cpu", precision="float32", refine=False, min_score=0.0))
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    network = load_network().fuse()
    extract, match = CompactExtract(network, 1024), CompactMatch(network)
    fixed = [
        extract(torch.from_numpy(image)[None, None].float() / 255)
        for image in (plane.reference, plane.current)
    ]
    for (points, scores, descriptors, _), features in zip(fixed, (reference, current), strict=True):
        count = len(features)
        assert (scores[:count] > 0).all()
        assert (scores[count:] == 0).all()
        assert torch.allclose(points[:count], features.points, atol=1e-3)
        assert torch.allclose(descriptors[:count], features.descriptors, atol=1e-4)
    partner, confidence = match(*fixed[0], *fixed[1])
    matches = matcher.match(reference, current)
    rows = torch.nonzero(partner >= 0)[:, 0].numpy()
    assert set(zip(rows, partner[rows].tolist(), strict=True)) == set(
        zip(matches.reference_index, matches.current_index, strict=True)
    )
    assert np.allclose(confidence[matches.reference_index].numpy(), matches.scores, atol=1e-3)


@pytest.mark.parametrize(
    ("architecture", "config", "part"),
    [
        ("compact", {}, "extract"),
        ("compact", {}, "match"),
        ("drcn", SMALL, "match"),
        ("d2net", {}, "extract"),
    ],
)
def test_a_program_computes_what_its_module_computes(tmp_path, architecture, config, part):
    torch.manual_seed(0)
    network = load_network() if architecture == "compact" else create_network(architecture, config).eval()
    made = exportable(network, part, 96, 80, 64)
    path = tmp_path / "graph.pt2"
    write_graph(made, path)
    with torch.no_grad():
        expected = made.module(*made.example)
    expected = expected if isinstance(expected, tuple) else (expected,)
    assert min(agreement(made, expected, run_graph(path, made.example)).values()) > 0.999


@pytest.mark.slow
def test_onnx_models_are_written_and_checked(tmp_path, capsys):
    for package in ("onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=f"ONNX models are written and checked with {package}")
    out = tmp_path / "extract.onnx"
    assert main(["export", "extract", str(out), "--size", "96x80", "--keypoints", "64"]) == 0
    text = capsys.readouterr().out
    assert "image -> points, scores, descriptors, coarse" in text
    assert "points 100" in text
    assert out.stat().st_size > 1_000_000


def test_another_order_of_keypoints_agrees_but_other_places_do_not():
    part = exportable(load_network(), "extract", 96, 80, 64)
    with torch.no_grad():
        points, scores, descriptors, coarse = part.module(*part.example)
    order = torch.arange(len(points))
    order[:2] = torch.tensor([1, 0])
    swapped = (points[order], scores[order], descriptors[order], coarse)
    assert agreement(part, (points, scores, descriptors, coarse), swapped)["points"] == 1
    moved = (points + 1, scores, descriptors, coarse)
    assert agreement(part, (points, scores, descriptors, coarse), moved)["points"] < 0.5


def test_what_cannot_be_exported_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match="nearest neighbours"):
        exportable(create_network("d2net", {}), "match", 96, 80, 64)
    with pytest.raises(ConfigurationError, match=r"\.onnx"):
        write_graph(exportable(load_network(), "extract", 96, 80, 64), tmp_path / "graph.bin")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--size", "9x9"], "64x64"), (["--keypoints", "0"], "--keypoints 0"), ([], ".pt2")],
)
def test_wrong_arguments_leave_nothing_behind(tmp_path, capsys, arguments, complaint):
    assert main(["export", "extract", str(tmp_path / "graph.bin"), *arguments]) == 2
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
