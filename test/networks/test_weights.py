# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from drcn_ros.errors import WeightsError
from drcn_ros.networks.compact import CompactConfig, CompactNetwork
from drcn_ros.networks.d2net import D2Net
from drcn_ros.networks.weight_file import WeightFile, write_own_file
from drcn_ros.networks.weights import load_network, read_weights

_SMALL = {"stem": 4, "quarter": 4, "eighth": 8, "sixteenth": 8, "fine": 4, "coarse": 8, "detail": 4}


@pytest.fixture(scope="module")
def d2net_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return dict(D2Net().state_dict())


def authors_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.replace("trunk.", "dense_feature_extraction.model."): value for name, value in state.items()}


def assert_holds(network: torch.nn.Module, state: dict[str, torch.Tensor]) -> None:
    found = network.state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_own_files_say_which_network_they_are_for(tmp_path: Path) -> None:
    network = CompactNetwork(CompactConfig(**_SMALL))
    path = tmp_path / "small.safetensors"
    write_own_file(path, WeightFile("compact", _SMALL, network.state_dict(), {"licence": "CC0"}))
    loaded = load_network(path)
    assert isinstance(loaded, CompactNetwork)
    assert loaded.config == network.config
    assert not loaded.training
    assert_holds(loaded, dict(network.state_dict()))
    assert read_weights(path).notes["licence"] == "CC0"


def test_own_files_of_any_length_of_header_are_told_from_pickles(tmp_path: Path) -> None:
    state = CompactNetwork(CompactConfig(**_SMALL)).state_dict()
    path = tmp_path / "small.safetensors"
    starts = set()
    for length in range(0, 256, 8):
        write_own_file(path, WeightFile("compact", _SMALL, state, {"source": "x" * length}))
        starts.add(path.read_bytes()[0])
        assert read_weights(path).architecture == "compact"
    assert 0x80 in starts


def test_equal_content_makes_equal_files(tmp_path: Path) -> None:
    state = CompactNetwork(CompactConfig(**_SMALL)).state_dict()
    notes = {f"note {number}": str(number) for number in range(8)}
    files = []
    for order in (list(notes), list(reversed(notes))):
        path = tmp_path / "small.safetensors"
        write_own_file(path, WeightFile("compact", _SMALL, state, {name: notes[name] for name in order}))
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "small.safetensors"
    write_own_file(path, WeightFile("compact", _SMALL, CompactNetwork(CompactConfig(**_SMALL)).state_dict()))
    assert read_weights(Path("~/small.safetensors")).architecture == "compact"


def test_half_files_keep_what_would_overflow(tmp_path: Path) -> None:
    tensors = {"a": torch.tensor([1.0, 1e6]), "b": torch.tensor([0.1, 2.0]), "c": torch.tensor(0.1)}
    path = tmp_path / "half.safetensors"
    write_own_file(path, WeightFile("compact", {}, tensors), half=True)
    found = read_weights(path).tensors
    assert {name: tensor.dtype for name, tensor in found.items()} == {
        "a": torch.float32,
        "b": torch.float16,
        "c": torch.float32,
    }


def test_the_authors_checkpoint_loads_with_the_arguments_in_it(tmp_path: Path, d2net_state) -> None:
    path = tmp_path / "d2_tf.pth"
    content = {
        "model": authors_names(d2net_state),
        "args": argparse.Namespace(lr=1e-3, preprocessing="caffe"),
        "epoch_idx": 3,
        "optimizer": {"state": {}, "param_groups": [{"lr": 0.001, "params": [0, 1]}]},
        "train_loss_history": [0.5, 0.4],
    }
    torch.save(content, path)
    network = load_network(path)
    assert isinstance(network, D2Net)
    assert network.config.preprocessing == "caffe"
    assert_holds(network, d2net_state)


def test_a_prefix_of_several_gpus_is_dropped(tmp_path: Path, d2net_state) -> None:
    path = tmp_path / "d2.pth"
    torch.save({"model": {"module." + name: v for name, v in authors_names(d2net_state).items()}}, path)
    assert_holds(load_network(path), d2net_state)


def test_vgg16_of_torchvision_loads_with_its_own_preprocessing(tmp_path: Path, d2net_state) -> None:
    state = {name.replace("trunk.", "features."): value for name, value in d2net_state.items()}
    state |= {"features.24.weight": torch.zeros(8), "features.28.weight": torch.zeros(8)}
    state |= {"classifier.0.weight": torch.zeros(4, 4)}
    path = tmp_path / "vgg16.pth"
    torch.save(state, path)
    network = load_network(path)
    assert isinstance(network, D2Net)
    assert network.config.preprocessing == "torch"
    assert_holds(network, d2net_state)


def test_missing_extra_and_wrong_tensors_are_named_with_both_shapes(tmp_path: Path, d2net_state) -> None:
    state = authors_names(d2net_state)
    prefix = "dense_feature_extraction.model."
    del state[prefix + "21.bias"]
    state[prefix + "2.weight"] = torch.zeros(64, 32, 3, 3)
    state[prefix + "23.weight"] = torch.zeros(2, 2)
    path = tmp_path / "wrong.pth"
    torch.save({"model": state}, path)
    with pytest.raises(WeightsError) as caught:
        load_network(path)
    text = str(caught.value)
    assert f"{prefix}21.bias 512 is missing" in text
    assert f"{prefix}2.weight is 64x32x3x3 instead of 64x64x3x3" in text
    assert f"{prefix}23.weight 2x2 is left over" in text


class _Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("executed",))


def test_code_in_a_checkpoint_is_not_executed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "harmful.pth"
    torch.save({"model": {"dense_feature_extraction.model.0.weight": _Harmful()}}, path)
    with pytest.raises(WeightsError, match=r"holds more than tensors .*: (builtins\.)?print$") as caught:
        load_network(path)
    assert "executed" not in capsys.readouterr().out
    # Torch's own message says how to switch the check off.
    assert "weights_only" not in str(caught.value)
    assert "trust" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 3, 100, 5000])
def test_a_cut_off_file_is_one_clear_error(tmp_path: Path, size: int) -> None:
    whole = tmp_path / "whole.pth"
    torch.save({"model": {"dense_feature_extraction.model.0.weight": torch.zeros(64, 3, 3, 3)}}, whole)
    path = tmp_path / "cut.pth"
    path.write_bytes(whole.read_bytes()[:size])
    with pytest.raises(WeightsError, match=r"cut\.pth"):
        load_network(path)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"state_dict": {"encoder.weight": torch.zeros(2)}}, path)
    with pytest.raises(WeightsError, match=r"for no known network; its first tensor is 'encoder\.weight'"):
        load_network(path)
    torch.save([1, 2, 3], path)
    with pytest.raises(WeightsError, match="holds no tensors"):
        load_network(path)
    path.write_bytes(pickle.dumps({"a": 1}, protocol=2))
    with pytest.raises(WeightsError, match=r"other\.pth"):
        load_network(path)


def test_safetensors_of_another_origin_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="does not say which network it is for"):
        load_network(path)


@pytest.mark.parametrize(
    ("architecture", "config", "text"),
    [
        ("resnet", {}, "architecture 'resnet' is unknown"),
        ("compact", {"depth": 3}, "unknown entries depth"),
    ],
)
def test_an_unknown_architecture_or_size_is_named(
    tmp_path: Path, architecture: str, config: dict[str, int], text: str
) -> None:
    path = tmp_path / "file.safetensors"
    write_own_file(path, WeightFile(architecture, config, {"a": torch.zeros(1)}))
    with pytest.raises(WeightsError, match=text):
        load_network(path)


@pytest.mark.parametrize(
    "config",
    [
        {"fine": "wide"},
        {"fine": -4},
        {"stem": None},
        {"calibration": None},
        {"calibration": {"drcn": 5}},
        {"calibration": {"drcn": ["1", "0"]}},
    ],
)
def test_a_configuration_that_makes_no_network_is_one_clear_error(tmp_path: Path, config) -> None:
    path = tmp_path / "odd.safetensors"
    write_own_file(path, WeightFile("compact", config, {"weight": torch.zeros(1)}))
    with pytest.raises(WeightsError, match=next(iter(config))):
        load_network(path)


@pytest.mark.parametrize("text", ["{", "[1, 2]", "5"])
def test_a_configuration_that_is_no_json_object_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.safetensors"
    metadata = {"format": "drcn_ros weights 1", "architecture": "compact", "config": text}
    save_file({"weight": torch.zeros(1)}, path, metadata)
    with pytest.raises(WeightsError, match="no JSON object"):
        load_network(path)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file.safetensors"
    with pytest.raises(WeightsError, match="cannot be written"):
        write_own_file(path, WeightFile("compact", {}, {"a": torch.zeros(1)}))
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_weights_load() -> None:
    assert isinstance(load_network(), CompactNetwork)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensor: tensor * float("nan"), "holds numbers that are not finite"),
        (torch.zeros_like, "all weights are zero"),
    ],
)
def test_numbers_that_find_nothing_in_any_image_are_refused(tmp_path: Path, change, message: str) -> None:
    state = CompactNetwork(CompactConfig(**_SMALL)).state_dict()
    changed = {
        name: change(tensor) if tensor.is_floating_point() else tensor for name, tensor in state.items()
    }
    path = tmp_path / "useless.safetensors"
    write_own_file(path, WeightFile("compact", _SMALL, changed))
    with pytest.raises(WeightsError, match=message):
        load_network(path)


@pytest.mark.parametrize("version", ["2.2.0", "2.5.1+cu121"])
def test_a_checkpoint_of_others_is_not_read_by_a_torch_that_runs_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    path = tmp_path / "theirs.safetensors"
    torch.save({"weight": torch.ones(2)}, path)
    monkeypatch.setattr(torch, "__version__", version)
    with pytest.raises(WeightsError, match="is not read with torch"):
        read_weights(path)
    own = tmp_path / "own.safetensors"
    write_own_file(own, WeightFile("compact", _SMALL, CompactNetwork(CompactConfig(**_SMALL)).state_dict()))
    assert load_network(own) is not None
