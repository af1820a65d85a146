# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from drcn_ros.errors import InputError
from drcn_ros.training import checkpoint
from drcn_ros.training.checkpoint import read_checkpoint, write_checkpoint


def test_content_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, {"step": 3, "weights": torch.arange(4.0)})
    content = read_checkpoint(path)
    assert content["step"] == 3
    assert torch.equal(content["weights"], torch.arange(4.0))
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_leaves_the_former_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, {"step": 1})

    def onto_full_disk(content: object, file: object) -> None:
        with Path("/dev/full").open("wb") as full:
            full.write(b"x" * 100000)

    monkeypatch.setattr(checkpoint.torch, "save", onto_full_disk)
    with pytest.raises(InputError, match="former one is kept"):
        write_checkpoint(path, {"step": 2})
    monkeypatch.undo()
    assert read_checkpoint(path)["step"] == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, {"weights": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:2000] if content is None else content)
    with pytest.raises(InputError, match="remove it"):
        read_checkpoint(path)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save({"weights": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="no checkpoint of a training run"):
        read_checkpoint(path)
