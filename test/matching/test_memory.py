# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a pair of images takes is known before it is taken, and refused where memory is short."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from drcn_ros.errors import OutOfMemoryError
from drcn_ros.matching import create_matcher, memory
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.memory import Demand, MemoryGuard, free_memory

CPU = torch.device("cpu")
MB = 10**6


@pytest.fixture
def free(monkeypatch):
    """Sets how much memory is free, bytes."""
    return lambda amount: monkeypatch.setattr(memory, "free_memory", lambda: amount)


def test_pixels_count_once_and_pairs_of_cells_by_the_square():
    assert Demand(100.0, 0.0).bytes(640, 480) == 100 * 640 * 480
    assert Demand(0.0, 10.0).bytes(640, 480) == 10 * (40 * 30) ** 2
    assert Demand(1.0, 10.0, 1200**2).bytes(640, 480) == 640 * 480 + 10 * 1200**2
    assert Demand(1.0, 10.0, 1200**2 - 1, 70.0).bytes(640, 480) == 640 * 480 + 70
    # A last cell that is not whole counts as one.
    assert Demand(0.0, 1.0).bytes(17, 1) == 4


def test_the_largest_side_is_the_largest_that_fits():
    demand = Demand(400.0, 10.0)
    side = demand.largest_side(3840, 2160, 500 * MB)
    assert side % 32 == 0
    assert demand.bytes(side, side * 2160 // 3840) <= 500 * MB
    assert demand.bytes(side + 32, (side + 32) * 2160 // 3840) > 500 * MB
    assert demand.largest_side(3840, 2160, 1000) == 0


def test_an_image_that_does_not_fit_is_refused_with_what_to_do(free):
    guard = MemoryGuard("drcn", Demand(400.0, 10.0), CPU)
    free(1000 * MB)
    guard.check(640, 480)
    with pytest.raises(OutOfMemoryError) as error:
        guard.check(3840, 2160)
    expected = "images of 3840x2160 pixels take about 13.8 GB with drcn, 1.1 GB are free; "
    assert str(error.value).startswith(expected + "set matcher.max_image_size to ")
    free(100)
    with pytest.raises(OutOfMemoryError, match=r"free; set matcher.max_image_size to 640 or free memory$"):
        guard.check(1280, 960)


def test_what_was_taken_once_is_not_asked_for_again(free):
    guard = MemoryGuard("drcn", Demand(400.0), CPU)
    free(600 * MB)
    guard.check(1280, 960)
    free(90 * MB)
    guard.check(1280, 960)
    guard.check(640, 480)
    # 491 of 590 megabytes are the program's already.
    with pytest.raises(OutOfMemoryError):
        guard.check(1280, 1152)
    free(110 * MB)
    guard.check(1280, 1152)


def test_a_gpu_and_a_system_that_tells_nothing_refuse_nothing(free):
    free(0.0)
    with pytest.raises(OutOfMemoryError):
        MemoryGuard("drcn", Demand(400.0), CPU).check(10000, 10000)
    MemoryGuard("drcn", Demand(400.0), torch.device("cuda")).check(10000, 10000)
    free(None)
    MemoryGuard("drcn", Demand(400.0), CPU).check(10000, 10000)


@pytest.mark.parametrize("name", ["drcn", "anchored", "d2net", "sift"])
def test_every_matcher_asks_before_it_takes(free, name):
    matcher = create_matcher(MatcherConfig(name=name, device="cpu", max_image_size=0))
    free(10 * MB)
    with pytest.raises(OutOfMemoryError, match=f"images of 1600x1200 pixels .* with {name}"):
        matcher.extract(np.zeros((1200, 1600), np.uint8))
    assert len(matcher.extract(np.zeros((64, 64), np.uint8))) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_limit_of_the_process_counts():
    code = """if True:
        import resource
        from drcn_ros.matching.memory import free_memory
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000, -1))
        print(free_memory())
        block = bytearray(200_000_000)
        print(free_memory())
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    before, after = map(float, done.stdout.split())
    assert 250 * MB < before < 301 * MB
    assert before - after == pytest.approx(200 * MB, rel=0.05)


@pytest.mark.parametrize("version", [1, 2])
def test_the_tightest_control_group_counts_and_caches_give_way(tmp_path: Path, monkeypatch, version):
    names = ("memory.max", "memory.current", "inactive_file")
    root = tmp_path
    if version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        root = tmp_path / "memory"
    for folder, limit, used in ((root, 2**62, 10**9), (root / "a", 900 * MB, 500 * MB)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / names[0]).write_text(f"{limit}\n")
        (folder / names[1]).write_text(f"{used}\n")
        (folder / "memory.stat").write_text(f"anon 7\n{names[2]} {50 * MB}\n")
    (root / "a" / "b").mkdir()
    memberships = tmp_path / "cgroup"
    memberships.write_text("4:memory:/a/b\n3:cpuset:/x\n" if version == 1 else "0::/a/b\n")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path)
    monkeypatch.setattr(memory, "_MEMBERSHIPS", memberships)
    monkeypatch.setattr(memory, "_of_machine", lambda: 1e15)
    assert free_memory() == 450 * MB
    (root / "a" / names[0]).write_text("max\n" if version == 2 else f"{2**62}\n")
    assert free_memory() > 10**12


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures by /proc")
def test_the_estimate_is_near_what_a_pair_takes():
    code = """if True:
        import sys
        import numpy as np
        from drcn_ros.allocation import keep_freed_memory
        from drcn_ros.benchmarks.machine import peak_memory_mb
        from drcn_ros.matching import create_matcher
        from drcn_ros.matching.config import MatcherConfig
        from drcn_ros.matching.drcn_features import demand_of

        keep_freed_memory()
        matcher = create_matcher(MatcherConfig(device="cpu", max_image_size=0))
        image = np.random.default_rng(0).integers(0, 256, (800, 1000), np.uint8)

        def pair(image):
            matcher.match(matcher.extract(image), matcher.extract(image))

        pair(image[:64, :64])
        open("/proc/self/clear_refs", "w").write("5")
        before = peak_memory_mb()
        pair(image)
        print(peak_memory_mb() - before, demand_of(matcher._network).bytes(1000, 800) / 2**20)
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    taken, estimated = map(float, done.stdout.split())
    assert 0.5 * estimated < taken < 1.2 * estimated
