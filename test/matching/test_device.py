# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Precision, compilation, and what a GPU finds."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import InForce, choose_precision, in_force, prepare, upload
from drcn_ros.matching.factory import create_matcher
from drcn_ros.matching.graph_thread import in_graph_thread
from drcn_ros.networks.architectures import create_network
from drcn_ros.networks.drcn import DRCN, DRCNConfig
from drcn_ros.networks.weights import load_network

NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")


@pytest.fixture(autouse=True)
def one_image_at_a_time():
    yield
    torch._dynamo.reset()


def test_auto_takes_half_precision_on_cuda_and_the_same_on_every_cpu(auto_precision):
    assert choose_precision("auto", torch.device("cuda")) == torch.float16
    # Another only where this run forces one.
    assert choose_precision("auto", torch.device("cpu")) == auto_precision
    assert choose_precision("bfloat16", torch.device("cpu")) == torch.bfloat16


@pytest.mark.parametrize(
    ("name", "precision", "told"),
    [("drcn", "bfloat16", "bfloat16"), ("d2net", "float32", "float32"), ("orb", "bfloat16", "none")],
)
def test_what_is_in_force_is_told(name, precision, told):
    assert in_force(MatcherConfig(name=name, device="cpu", precision=precision)) == InForce("cpu", told)


def test_auto_is_told_as_what_it_comes_to(auto_precision):
    assert in_force(MatcherConfig(device="cpu")).precision == str(auto_precision).removeprefix("torch.")


def _pairs(matches):
    rows = np.hstack([matches.reference_points, matches.current_points])
    return {tuple(row) for row in np.rint(rows).astype(int)}


@pytest.mark.parametrize(("precision", "least"), [("float16", 0.95), ("bfloat16", 0.7)])
def test_less_precision_finds_nearly_the_same_matches(plane, precision, least):
    found = []
    for kind in ("float32", precision):
        matcher = create_matcher(MatcherConfig(device="cpu", precision=kind))
        found.append(_pairs(matcher.match(matcher.extract(plane.reference), matcher.extract(plane.current))))
    assert len(found[0] & found[1]) > least * len(found[0] | found[1])


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@torch.inference_mode()
def test_maps_are_in_32_bits_whatever_the_network_is_in(precision):
    image = torch.randint(0, 256, (1, 3, 48, 64), dtype=torch.uint8)
    kind = choose_precision(precision, torch.device("cpu"))
    compact = prepare(load_network().fuse(), torch.device("cpu"), kind, "off")
    assert compact.lateral4.weight.dtype == kind
    assert compact.detector.sharpness.dtype == torch.float32
    maps = compact(image[:, :1])
    assert {m.values.dtype for m in (maps.detail, maps.fine, maps.coarse)} == {torch.float32}
    published = prepare(DRCN(DRCNConfig("resnet20fpn_3_64_4")).eval(), torch.device("cpu"), kind, "off")
    maps = published(image)
    assert maps.fine.dtype == maps.coarse.dtype == torch.float32
    assert len(published.match(maps, maps)[0].scores) > 0


@torch.inference_mode()
def test_bytes_give_what_fractions_give():
    image = torch.randint(0, 256, (1, 3, 48, 64), dtype=torch.uint8)
    network = load_network()
    grey = image[:, :1]
    assert torch.allclose(network(grey).fine.values, network(grey / 255).fine.values, atol=1e-5)
    drcn = DRCN(DRCNConfig("resnet20fpn_3_64_4")).eval()
    assert torch.allclose(drcn(image).fine, drcn(image / 255).fine, atol=1e-5)
    d2net = create_network("d2net", {}).eval()
    assert torch.equal(d2net(image), d2net(image.float()))


def test_an_upload_keeps_bytes_and_takes_any_layout():
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)[:, ::-1]
    sent = upload(image, torch.device("cpu"))
    assert sent.dtype == torch.uint8
    assert np.array_equal(sent.numpy(), image)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
# Fused layers round less often in bfloat16.
@pytest.mark.parametrize(("precision", "least"), [("float32", 0.97), ("bfloat16", 0.9)])
@pytest.mark.parametrize("compilation", ["on", "graphs"])
def test_a_compiled_network_finds_the_same(plane, compilation, precision, least):
    found = []
    for choice in ("off", compilation):
        matcher = create_matcher(MatcherConfig(device="cpu", precision=precision, compile=choice))
        reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
        found.append(_pairs(matcher.match(reference, current)))
    assert len(found[0] & found[1]) > least * len(found[0] | found[1])


@pytest.mark.cuda
@NO_CUDA
@pytest.mark.parametrize("name", ["drcn", "anchored", "d2net"])
@pytest.mark.parametrize("compilation", ["off", "on", "graphs"])
def test_a_gpu_finds_nearly_what_the_cpu_finds(plane, name, compilation):
    found = []
    for device, choice in (("cpu", "off"), ("cuda", compilation)):
        matcher = create_matcher(MatcherConfig(name=name, device=device, compile=choice))
        found.append(_pairs(matcher.match(matcher.extract(plane.reference), matcher.extract(plane.current))))
    assert len(found[0] & found[1]) > 0.9 * len(found[0] | found[1])


@pytest.mark.cuda
@NO_CUDA
def test_graphs_that_one_thread_recorded_serve_another(plane):
    matcher = create_matcher(MatcherConfig(device="cuda", compile="graphs"))
    # Warmed up, recorded, run.
    wanted = [matcher.extract(plane.reference) for _ in range(3)][-1].keypoints()
    with ThreadPoolExecutor(1) as other:
        found = other.submit(matcher.extract, plane.reference).result().keypoints()
    assert np.allclose(found.points, wanted.points, atol=1e-3)


def test_graphs_have_one_thread_that_passes_on_what_is_raised():
    names = {in_graph_thread(lambda: threading.current_thread().name) for _ in range(3)}
    with ThreadPoolExecutor(1) as other:
        names.add(other.submit(in_graph_thread, lambda: threading.current_thread().name).result())
    assert len(names) == 1
    assert names != {threading.current_thread().name}
    assert not in_graph_thread(torch.is_inference_mode_enabled)
    with torch.inference_mode():
        assert in_graph_thread(torch.is_inference_mode_enabled)
    with pytest.raises(ZeroDivisionError):
        in_graph_thread(lambda: 1 / 0)


def test_the_thread_of_graphs_holds_nothing_of_python_at_its_end():
    assert not in_graph_thread(lambda: torch._C._is_key_in_tls("tree_manager_containers"))
