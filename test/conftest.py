# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures that several test modules use."""

from __future__ import annotations

import os
import runpy
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

    from drcn_ros.networks.drcn import DRCN

# Two torch threads on two loaded cores run many times slower than one; must be set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# torch.compile's workers have threads of their own, which may still run when the interpreter ends.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
# The message classes check their fields only when asked to.
os.environ.setdefault("ROS_PYTHON_CHECK_FIELDS", "1")
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

# The same cases in every run, so that a failure belongs to the change tested; `make fuzz` looks for new ones.
settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "test" / "golden"

# Left, top, width and height in the picture "astronaut" of inputs.npz.
_CROPS = {
    "nat": (32, 16, 208, 160),
    "A1": (32, 16, 256, 192),
    "B1": (0, 0, 256, 192),
    "A2": (20, 150, 208, 160),
    "T1": (40, 0, 256, 256),
    "T2": (24, 24, 256, 256),
}

Arrays = Mapping[str, NDArray]
Shapes = Mapping[str, tuple[int, ...]]


@pytest.fixture(scope="session", autouse=True)
def forced_precision() -> None:
    """Lets `matcher.precision: auto` mean what DRCN_TEST_PRECISION says, float32 or bfloat16."""
    name = os.environ.get("DRCN_TEST_PRECISION", "")
    if name:
        import torch

        from drcn_ros.matching import device

        device._AUTO["cpu"] = {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]


@pytest.fixture(scope="session")
def auto_precision(forced_precision: None) -> torch.dtype:
    """What `matcher.precision: auto` means on a CPU in this run."""
    import torch

    from drcn_ros.matching.device import choose_precision

    return choose_precision("auto", torch.device("cpu"))


@pytest.fixture(scope="session")
def device() -> str:
    """Where tests of the matchers run their networks: what DRCN_TEST_DEVICE says, cpu or cuda."""
    return os.environ.get("DRCN_TEST_DEVICE", "cpu")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Recorded sequences, which are not part of the repository."""
    folder = Path(os.environ.get("DRCN_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no recorded sequences at {folder}; set DRCN_SHARED to a folder whose data/ holds them")
    return folder


@pytest.fixture(scope="session")
def clip() -> Any:
    """A short clip with exact ground truth, from which tests write every kind of input."""
    return runpy.run_path(str(ROOT / "test" / "clip.py"))["clip"]()


@pytest.fixture(scope="session")
def camera_messages() -> SimpleNamespace:
    """Makes the messages of a camera: `image_message` and `camera_info`."""
    return SimpleNamespace(**runpy.run_path(str(ROOT / "test" / "camera_messages.py")))


@pytest.fixture(scope="session")
def golden() -> Callable[[str], Arrays]:
    """Gives the file of reference numbers of a name as arrays."""

    def load(name: str) -> Arrays:
        with np.load(GOLDEN / f"{name}.npz") as file:
            return {key: file[key] for key in file.files}

    return load


@pytest.fixture(scope="session")
def golden_pixels(golden: Callable[[str], Arrays]) -> Callable[[str], NDArray[np.uint8]]:
    """Gives the image of a name that reference numbers were computed on, (H, W, 3) or (H, W) for `gray`."""
    pictures = golden("inputs")

    def cut(name: str) -> NDArray[np.uint8]:
        if name in pictures:
            return pictures[name]
        x, y, width, height = _CROPS[name]
        return np.ascontiguousarray(pictures["astronaut"][y : y + height, x : x + width])

    return cut


@pytest.fixture(scope="session")
def golden_image(golden_pixels: Callable[[str], NDArray[np.uint8]]) -> Callable[[str], torch.Tensor]:
    """Gives the image of a name that reference numbers were computed on, (1, 3, H, W) in [0, 1]."""
    import torch

    return lambda name: torch.from_numpy(golden_pixels(name)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture(scope="session")
def synthetic_state(golden: Callable[[str], Arrays]) -> Callable[[str, Shapes], dict[str, torch.Tensor]]:
    """Gives the tensors of a published checkpoint by the names in it, a calibration file over a formula."""
    import torch

    def make(calibration: str, shapes: Shapes) -> dict[str, torch.Tensor]:
        measured = golden(calibration)
        return {
            name: torch.from_numpy(
                measured[name].astype(np.float32) if name in measured else _synthetic(name, shape)
            )
            for name, shape in shapes.items()
        }

    return make


@pytest.fixture(scope="session")
def drcn_shapes() -> Callable[[str], dict[str, tuple[int, ...]]]:
    """Gives the shapes in DRCN's checkpoint of a variant, "256" or "1024", by its names."""

    def read(variant: str) -> dict[str, tuple[int, ...]]:
        shapes = {}
        for line in (GOLDEN / f"keys_drc{variant}.txt").read_text().splitlines():
            name, rest = line.split(" (")
            shapes[name] = tuple(int(size) for size in rest.split(")")[0].split(",") if size.strip())
        return shapes

    return read


@pytest.fixture(scope="session")
def golden_drcn(
    drcn_shapes: Callable[[str], dict[str, tuple[int, ...]]],
    synthetic_state: Callable[[str, Shapes], dict[str, torch.Tensor]],
) -> Callable[[str], DRCN]:
    """Gives the network that DRCN's reference numbers were computed with, "256" or "1024"."""
    from drcn_ros.networks.architectures import create_network
    from drcn_ros.networks.drcn_checkpoint import recognise
    from drcn_ros.networks.weights import fill

    def make(variant: str) -> DRCN:
        shapes = {name.removeprefix("module."): shape for name, shape in drcn_shapes(variant).items()}
        content = recognise(synthetic_state(f"calib_drc{variant}", shapes), {})
        network = create_network(content.architecture, content.config)
        fill(network, content, "synthetic weights")
        return network.eval()

    return make


def _synthetic(name: str, shape: tuple[int, ...]) -> NDArray:
    uniform = np.random.RandomState(zlib.crc32(name.encode())).random_sample(shape)
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith("running_mean"):
        values = 0.1 * (2 * uniform - 1)
    elif name.endswith("running_var"):
        values = 0.5 + uniform
    elif len(shape) == 6:
        values = (uniform - 0.3) * (6.0 / (shape[2] * shape[0] ** 4))
    elif len(shape) == 4:
        values = (2 * uniform - 1) * np.sqrt(6.0 / (shape[1] * shape[2] * shape[3]))
    elif name.endswith(".weight"):
        values = (0.3 if name.endswith("bn3.weight") else 1.0) * (0.5 + uniform)
    else:
        values = 0.05 * (2 * uniform - 1)
    return np.asarray(values, np.float32)


@pytest.fixture(scope="session")
def encoded_video() -> Callable[..., list[tuple[int, bytes]]]:
    """Encodes RGB images of one even size as H.264 ("h264") or H.265 ("hevc").

    Returns for each packet the index of the image in it and the bytes, in the order in which an encoder sends
    them; with `reordered` frames refer to later ones, so that this is not the order of display.
    """
    av = pytest.importorskip("av", reason="PyAV is not installed")

    def encode(codec: str, images: list[np.ndarray], reordered: bool = False) -> list[tuple[int, bytes]]:
        context = av.CodecContext.create({"h264": "libx264", "hevc": "libx265"}[codec], "w")
        context.height, context.width = images[0].shape[:2]
        context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 25), Fraction(25, 1)
        speed = {"bf": "2"} if reordered else {"tune": "zerolatency", "preset": "ultrafast"}
        quiet = {"x265-params": "log-level=none"} if codec == "hevc" else {}
        context.options = {"crf": "10", **speed, **quiet}
        packets: list[tuple[int, bytes]] = []
        for index, image in enumerate([*images, None]):
            frame = None
            if image is not None:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts = index
            packets += [(int(packet.pts), bytes(packet)) for packet in context.encode(frame)]
        assert len(packets) == len(images)
        return packets

    return encode
