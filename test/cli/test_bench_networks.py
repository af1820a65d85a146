# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from drcn_ros.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--networks", "drcn256,vgg"], "vgg"),
        (["--sizes", "640"], "640x480"),
        (["--sizes", "32x32"], "64x64"),
        (["--sizes", "642x480"], "multiples of 16"),
        (["--repetitions", "0"], "--repetitions 0"),
    ],
)
def test_wrong_arguments_are_one_line(capsys, arguments, complaint) -> None:
    assert main(["bench", "networks", *arguments]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


def test_benchmarks_are_listed(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--help"])
    text = capsys.readouterr().out
    assert "networks" in text
    assert "accuracy" in text
