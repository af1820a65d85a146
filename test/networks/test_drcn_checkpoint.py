# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Published weights of DRCN are read by their names."""

from __future__ import annotations

import argparse

import pytest
import torch

from drcn_ros.errors import WeightsError
from drcn_ros.networks.drcn import DRCN
from drcn_ros.networks.drcn_checkpoint import recognise
from drcn_ros.networks.weights import load_network


@pytest.mark.parametrize(("variant", "channels"), [("256", 256), ("1024", 1024)])
def test_a_checkpoint_as_the_authors_save_it_loads(tmp_path, drcn_shapes, variant, channels):
    state = {name: torch.full(shape, 0.01) for name, shape in drcn_shapes(variant).items()}
    kernel = torch.arange(3.0).view(3, 1, 1, 1, 1, 1).expand(3, 16, 1, 3, 3, 3)
    state["module.NeighConsensus.conv.0.weight"] = kernel
    arguments = argparse.Namespace(multi_gpu=True, backbone="whatever", ncons_channels=[16, 1])
    path = tmp_path / "dualrc-net.pth.tar"
    torch.save({"state_dict": state, "args": arguments, "epoch": 3}, path)
    network = load_network(path)
    assert isinstance(network, DRCN)
    assert network.backbone.config.channels == channels
    # The first stored axis is the tap along A's rows.
    assert torch.equal(network.consensus.weights[0][0, 0, :, 0, 0, 0], torch.arange(3.0))


def test_kernel_and_channel_lists_are_read_from_the_tensors(drcn_shapes):
    state = {
        name.removeprefix("module."): torch.zeros(shape)
        for name, shape in drcn_shapes("256").items()
        if "NeighConsensus" not in name
    }
    for number, (outputs, inputs, size) in enumerate([(10, 1, 5), (10, 10, 5), (1, 10, 3)]):
        state[f"NeighConsensus.conv.{2 * number}.weight"] = torch.zeros(
            size, outputs, inputs, size, size, size
        )
        state[f"NeighConsensus.conv.{2 * number}.bias"] = torch.zeros(outputs)
    content = recognise(state, {})
    assert content.config["consensus_channels"] == [10, 10, 1]
    assert content.config["consensus_kernels"] == [5, 5, 3]


def test_a_missing_tensor_is_named_as_in_the_file(tmp_path, drcn_shapes):
    state = {name: torch.zeros(shape) for name, shape in drcn_shapes("256").items()}
    del state["module.FeatureExtraction.fine_layer_block.bias"]
    path = tmp_path / "cut.pth.tar"
    torch.save({"state_dict": state}, path)
    with pytest.raises(WeightsError, match=r"FeatureExtraction\.fine_layer_block\.bias.*missing"):
        load_network(path)


def test_torchvisions_resnet_fills_the_trunk(tmp_path):
    trunk = {
        name.removeprefix("backbone."): torch.full_like(tensor, 0.5)
        for name, tensor in DRCN().state_dict().items()
        if name.startswith(("backbone.conv1", "backbone.bn1", "backbone.layer"))
    }
    path = tmp_path / "resnet101.pth"
    torch.save(trunk | {"fc.weight": torch.zeros(10, 2), "layer4.0.conv1.weight": torch.zeros(2)}, path)
    network = load_network(path)
    assert (network.backbone.layer3[22].conv3.weight == 0.5).all()
    assert not (network.backbone.fine.weight == 0.5).any()


def test_tensors_of_other_networks_are_left_to_others():
    assert recognise({"dense_feature_extraction.model.0.weight": torch.zeros(1)}, {}) is None
