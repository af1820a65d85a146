# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from drcn_ros.cli import weights as command
from drcn_ros.cli.main import main
from drcn_ros.networks.d2net import D2Net
from drcn_ros.networks.published import PUBLISHED, find_published
from drcn_ros.networks.weights import load_network


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("published") / "d2_tf.pth"
    state = D2Net().state_dict()
    names = {name: name.replace("trunk.", "dense_feature_extraction.model.") for name in state}
    torch.save({"model": {names[name]: tensor for name, tensor in state.items()}}, path)
    return path


def test_list_names_every_published_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d2_ots.pth").write_bytes(b"")
    assert main(["weights", "list", "--folder", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert all(weights.name in printed for weights in PUBLISHED)
    assert printed.count("not downloaded") == len(PUBLISHED) - 1


def test_download_checks_states_the_licence_and_remembers_the_checksum(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    local = replace(find_published("d2_tf"), url=checkpoint.as_uri())
    monkeypatch.setattr(command, "find_published", lambda _name: local)
    arguments = ["weights", "download", "d2_tf", "--folder", str(tmp_path)]
    assert main(arguments) == 0
    assert "licence: the authors' repository is under Clear BSD" in capsys.readouterr().out
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["checksums.json", "d2_tf.pth"]
    assert main(["weights", "check", str(tmp_path / "d2_tf.pth")]) == 0
    assert "as at the first use" in capsys.readouterr().out
    with (tmp_path / "d2_tf.pth").open("ab") as file:
        file.write(b"x")
    assert main(arguments) == 2
    assert "at its first use it had" in capsys.readouterr().err


def test_a_file_with_another_checksum_than_its_authors_say_is_refused(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    local = replace(find_published("vgg16"), url=checkpoint.as_uri())
    monkeypatch.setattr(command, "find_published", lambda _name: local)
    assert main(["weights", "download", "vgg16", "--folder", str(tmp_path)]) == 2
    assert "its authors' begins with 397923af" in capsys.readouterr().err


def test_what_only_a_browser_can_fetch_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "download", "dualrc-net", "--folder", str(tmp_path)]) == 2
    assert "can only be fetched with a browser" in capsys.readouterr().err


def test_unknown_weights_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "download", "superpoint", "--folder", str(tmp_path)]) == 2
    assert "'superpoint' are unknown; known are d2_tf" in capsys.readouterr().err


@pytest.mark.parametrize("half", [False, True])
def test_convert_writes_a_file_that_loads_and_tells_its_source(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str], half: bool
) -> None:
    out = tmp_path / "d2.safetensors"
    assert main(["weights", "convert", str(checkpoint), str(out), *(["--half"] if half else [])]) == 0
    first, second = load_network(checkpoint), load_network(out)
    tolerance = 1e-3 if half else 0
    for ours, theirs in zip(second.parameters(), first.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-7 if half else 0, rtol=tolerance)
    assert main(["weights", "info", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "architecture: d2net" in printed
    assert "source: d2_tf.pth" in printed
    assert ("7635264 float16" if half else "7635264 float32") in printed


def test_weights_that_are_not_finite_do_not_pass_the_check(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = torch.load(checkpoint, weights_only=True)
    content["model"]["dense_feature_extraction.model.5.bias"][3] = torch.nan
    path = tmp_path / "nan.pth"
    torch.save(content, path)
    assert main(["weights", "check", str(path)]) == 2
    assert "trunk.5.bias holds numbers that are not finite" in capsys.readouterr().err


def test_info_without_a_file_describes_the_embedded_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "info"]) == 0
    assert "architecture: compact" in capsys.readouterr().out
