# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is damaged: small sound inputs of every kind, and what is done with each."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import torch
from mutations import Random, mutated

from drcn_ros.benchmarks.speed.report import read_earlier
from drcn_ros.cli.main import main
from drcn_ros.configuration import build
from drcn_ros.conversion.images import image_from_compressed
from drcn_ros.errors import ImageError, InputError
from drcn_ros.evaluation.batch import read_tasks
from drcn_ros.evaluation.compare import differences, read_run
from drcn_ros.evaluation.evaluate import evaluate
from drcn_ros.evaluation.metrics_file import RunInfo, table_row
from drcn_ros.evaluation.report import page
from drcn_ros.evaluation.runner import run_direct
from drcn_ros.foreign.parameter_file import read_parameter_file
from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.matching import create_matcher
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import in_force
from drcn_ros.networks.compact import CompactConfig, CompactNetwork
from drcn_ros.networks.weight_file import WeightFile, write_own_file
from drcn_ros.networks.weights import load_network
from drcn_ros.odometry import OdometryConfig
from drcn_ros.ros.config import NodeConfig
from drcn_ros.sequences import ImageSequence, Selection, open_sequence
from drcn_ros.sequences.bags.writer import Compression, Storage, write_bag
from drcn_ros.sequences.base import Shot
from drcn_ros.sequences.calibrations import calibration_text, read_calibration
from drcn_ros.sequences.files import is_turned_file, read_image
from drcn_ros.sequences.folders.tum_writer import write_tum
from drcn_ros.sequences.trajectories.files import kitti_lines, read_trajectory
from drcn_ros.sequences.trajectories.trajectory import Trajectory
from drcn_ros.training.config import read_config

ROOT = Path(__file__).resolve().parents[2]
CAMERA = Camera(96, 64, 80.0, 80.0, 47.5, 31.5, Distortion.PLUMB_BOB, (-0.1, 0.01, 0.0, 0.0, 0.0))
_SMALL = {"stem": 4, "quarter": 4, "eighth": 8, "sixteenth": 8, "fine": 4, "coarse": 8, "detail": 4}
_ORB = MatcherConfig(name="orb", max_keypoints=100)
# Of so many reports one has its plots drawn; they take nine tenths of the time of an evaluation this small.
_DRAWN = 20
_DOT = cv2.imencode(".png", np.zeros((1, 1), np.uint8))[1].tobytes()


class Clip(ImageSequence):
    """A few small frames of a texture that moves, with poses."""

    def __init__(self, count: int = 4) -> None:
        super().__init__("clip", "clip in memory")
        self.camera = CAMERA
        self._stamps = [1_700_000_000 * 10**9 + index * 10**8 for index in range(count)]
        poses = np.tile(np.eye(4), (count, 1, 1))
        poses[:, 0, 3] = 0.05 * np.arange(count)
        self.ground_truth = Trajectory.from_poses(self._stamps, poses)

    def __len__(self) -> int:
        return len(self._stamps)

    def shots(self) -> Iterator[Shot]:
        for index, stamp in enumerate(self._stamps):
            yield Shot(stamp, partial(texture, 2 * index))


def texture(shift: int = 0) -> np.ndarray:
    """Return an image full of corners, (64, 96, 3)."""
    coarse = np.random.default_rng(7).integers(0, 256, (14, 30, 3), np.uint8)
    return np.ascontiguousarray(cv2.resize(coarse, None, fx=6, fy=6)[:64, shift : shift + 96])


class Kind:
    """One kind of input.

    Args:
        folder: holds the sound inputs, and later one that is damaged.
        use: what is done with it; it may raise errors of the package and nothing else.
    """

    def __init__(self, folder: Path, use: Callable[[Path], object]) -> None:
        self.folder = folder
        self.use = use
        self.seeds = sorted(folder.iterdir())

    def damaged(self, place: Path, random: Random) -> Path:
        """Return a copy of one of the inputs with a file of it damaged."""
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        seed = self.seeds[int(random.integers(len(self.seeds)))]
        path = place / seed.name
        if seed.is_dir():
            shutil.copytree(seed, path)
        else:
            shutil.copy(seed, path)
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        file = files[int(random.integers(len(files)))]
        file.write_bytes(mutated(file.read_bytes(), random))
        return path


def bags(folder: Path) -> Kind:
    """Bags of rosbag2: both containers, plain and packed, with and without metadata."""
    for storage in Storage:
        for compression in Compression:
            if (storage, compression) != (Storage.SQLITE3, Compression.STORAGE):
                name = f"{storage.name}_{compression.name}".lower()
                write_bag(Clip(), folder / name, storage=storage, compression=compression)
    for file in list(folder.glob("*_none/*.*")):
        if file.suffix in (".mcap", ".db3"):
            shutil.copy(file, folder / f"alone{file.suffix}")
    return Kind(folder, _read_sequence)


def rosbag1(folder: Path) -> Kind:
    """ROS 1 bags, plain and packed."""
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC)
    make = store.types
    for compression in (None, "BZ2", "LZ4"):
        writer = Writer(folder / f"{compression}.bag".lower())
        if compression:
            writer.set_compression(Writer.CompressionFormat[compression])
        with writer:
            topic = writer.add_connection("/image", "sensor_msgs/msg/Image", typestore=store)
            for index, frame in enumerate(Clip().frames()):
                stamp = make["builtin_interfaces/msg/Time"](sec=1_700_000_000, nanosec=index * 10**8)
                header = make["std_msgs/msg/Header"](seq=index, stamp=stamp, frame_id="camera")
                image = make["sensor_msgs/msg/Image"](header, 64, 96, "rgb8", 0, 288, frame.image.reshape(-1))
                data = store.serialize_ros1(image, "sensor_msgs/msg/Image")
                writer.write(topic, frame.stamp_ns, data)
    return Kind(folder, _read_sequence)


def folders(folder: Path) -> Kind:
    """Folders of images with their tables, in the layouts of TUM, KITTI and EuRoC."""
    write_tum(Clip(), folder / "tum")
    kitti = folder / "kitti"
    (kitti / "image_0").mkdir(parents=True)
    euroc = folder / "euroc" / "mav0" / "cam0"
    (euroc / "data").mkdir(parents=True)
    frames = list(Clip().frames())
    table = ["#timestamp [ns],filename\n"]
    for index, frame in enumerate(frames):
        data = cv2.imencode(".png", frame.image)[1].tobytes()
        (kitti / "image_0" / f"{index:06d}.png").write_bytes(data)
        (euroc / "data" / f"{frame.stamp_ns}.png").write_bytes(data)
        table.append(f"{frame.stamp_ns},{frame.stamp_ns}.png\n")
    (euroc / "data.csv").write_text("".join(table))
    (euroc / "sensor.yaml").write_text(
        "T_BS: {cols: 4, rows: 4, data: [1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1]}\nresolution: [96, 64]\n"
        "intrinsics: [80, 80, 47.5, 31.5]\ndistortion_model: radial-tangential\n"
        "distortion_coefficients: [-0.1, 0.01, 0, 0]\n"
    )
    (kitti / "times.txt").write_text("".join(f"{0.1 * index:e}\n" for index in range(len(frames))))
    (kitti / "calib.txt").write_text("P0: 80 0 47.5 0 0 80 31.5 0 0 0 1 0\n")
    (kitti / "poses.txt").write_text("".join(kitti_lines(Clip().ground_truth.poses)))
    return Kind(folder, _read_sequence)


def images(folder: Path) -> Kind:
    """Images in the formats that are read, of 8 and 16 bits and floats."""
    colour = texture()
    grey = np.ascontiguousarray(colour[:, :, 0])
    for suffix in (".png", ".jpg", ".bmp", ".ppm", ".tif", ".webp"):
        (folder / f"colour{suffix}").write_bytes(cv2.imencode(suffix, colour)[1].tobytes())
    for suffix in (".png", ".pgm", ".tif"):
        (folder / f"deep{suffix}").write_bytes(
            cv2.imencode(suffix, grey.astype(np.uint16) * 200)[1].tobytes()
        )
    (folder / "float.tiff").write_bytes(cv2.imencode(".tiff", grey.astype(np.float32) / 255)[1].tobytes())
    matcher = create_matcher(_ORB)

    def use(path: Path) -> None:
        try:
            message = SimpleNamespace(data=path.read_bytes(), format=path.suffix)
            matcher.extract(image_from_compressed(message))
        except ImageError:
            pass
        is_turned_file(path)
        matcher.extract(read_image(path))

    return Kind(folder, use)


def calibrations(folder: Path) -> Kind:
    """Calibrations in several forms."""
    (folder / "short.yaml").write_text(calibration_text(CAMERA))
    (folder / "ros.yaml").write_text(
        "image_width: 96\nimage_height: 64\ncamera_name: a\ncamera_matrix: {rows: 3, cols: 3, data: "
        "[80, 0, 47.5, 0, 80, 31.5, 0, 0, 1]}\ndistortion_model: plumb_bob\n"
        "distortion_coefficients: {rows: 1, cols: 5, data: [-0.1, 0.01, 0, 0, 0]}\n"
    )
    (folder / "kalibr.yaml").write_text(
        "cam0:\n  camera_model: pinhole\n  intrinsics: [80, 80, 47.5, 31.5]\n  "
        "distortion_model: equidistant\n"
        "  distortion_coeffs: [0.01, 0.0, 0.0, 0.0]\n  resolution: [96, 64]\n"
    )
    writer = cv2.FileStorage(".xml", cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_MEMORY)
    writer.write("image_width", 96)
    writer.write("image_height", 64)
    writer.write("camera_matrix", CAMERA.matrix)
    writer.write("distortion_coefficients", np.array(CAMERA.coefficients).reshape(-1, 1))
    (folder / "opencv.xml").write_text(writer.releaseAndGetString())
    (folder / "cameras.txt").write_text("# Camera list\n1 OPENCV 96 64 80 80 48 32 -0.1 0.01 0 0\n")
    points = np.array([[0.0, 0.0], [50.0, 30.0], [95.0, 63.0]])
    return Kind(folder, lambda path: read_calibration(path).camera.rays(points))


def parameters(folder: Path) -> Kind:
    """Parameter files of the node and of the training."""
    shutil.copy(ROOT / "config" / "vo.yaml", folder / "vo.yaml")
    shutil.copy(ROOT / "config" / "train.yaml", folder / "train.yaml")

    def use(path: Path) -> None:
        if path.name == "train.yaml":
            read_config(path)
        else:
            build(NodeConfig, read_parameter_file(path, "vo_node").values)

    return Kind(folder, use)


def weights(folder: Path) -> Kind:
    """Weight files, own and foreign."""
    state = CompactNetwork(CompactConfig(**_SMALL)).state_dict()
    write_own_file(folder / "own.safetensors", WeightFile("compact", _SMALL, state))
    torch.save(
        {"model": {"layer.weight": torch.ones(3, 4), "layer.bias": torch.zeros(3)}}, folder / "foreign.pth"
    )
    torch.save([1, 2], folder / "old.pth", _use_new_zipfile_serialization=False)
    return Kind(folder, load_network)


def results(folder: Path) -> Kind:
    """Results of an evaluation, a list of tasks, and an earlier benchmark."""
    config = OdometryConfig(matcher=_ORB)
    clip = Clip()
    steps = run_direct(clip, Selection(), config)
    evaluate(steps, clip, lambda: RunInfo("clip", "clip", "orb", in_force(_ORB)), folder / "run")
    for file in list((folder / "run").iterdir()):
        if file.suffix in (".png", ".jpg", ".html"):
            file.unlink()
    (folder / "list.txt").write_text("walk --matcher orb\n'other walk' --step 2 # comment\n$HOME/third\n")
    outcome = {"matcher": "orb", "width": 96, "height": 64, "device": "cpu", "precision": "none"}
    outcome["stages"] = {"frame": {"median_ms": 1.0}}
    (folder / "speed.json").write_text(json.dumps({"machine": {}, "outcomes": [outcome]}))

    sound = read_run(folder / "run")

    def use(path: Path) -> None:
        if path.is_dir():
            run = read_run(path)
            table_row("run", run.metrics)
            differences({"sound": sound, "damaged": run})
        else:
            (read_tasks if path.suffix == ".txt" else read_earlier)(path)

    return Kind(folder, use)


def truths(folder: Path) -> Kind:
    """Ground truth in several layouts."""
    rows = [f"{100 + 0.1 * index:.9f} {index} 0 0 0 0 0 1" for index in range(6)]
    euroc = "#timestamp, p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_RS_w [], q_RS_x [], q_RS_y [], q_RS_z []"
    (folder / "tum.txt").write_text("# a comment\n" + "\n".join(rows) + "\n")
    (folder / "euroc.csv").write_text(
        f"{euroc}\n" + "".join(f"{10**11 + index * 10**8},{index},0,0,1,0,0,0\n" for index in range(6))
    )
    (folder / "gnss.csv").write_text("\ufefftime;x;y;z\r\n" + "".join(f"{i},5;1;2;3\r\n" for i in range(6)))
    (folder / "kitti.txt").write_text("".join(kitti_lines(Clip().ground_truth.poses)))

    def use(path: Path) -> None:
        found = read_trajectory(path, stamps_ns=[0, 10, 20, 30], first_frame_ns=100 * 10**9)
        assert np.isfinite(found.poses).all()
        assert (np.diff(found.stamps_ns) > 0).all()
        found.at([0, 100 * 10**9 + 5])

    return Kind(folder, use)


def commands(folder: Path) -> Kind:
    """Bags and folders of images, through the whole of `drcn evaluate`."""
    write_bag(Clip(), folder / "mcap")
    write_bag(Clip(), folder / "sqlite", storage=Storage.SQLITE3)
    write_tum(Clip(), folder / "tum")

    plots = [name for name in vars(page) if name.startswith("plot_")]
    dots = {name: lambda *arguments: arguments[-1].write_bytes(_DOT) for name in plots}
    numbers = itertools.count()

    def use(path: Path) -> None:
        out = path.with_name("out")
        words = [
            "evaluate",
            str(path),
            "--out",
            str(out),
            "--matcher",
            # ORB finds nothing within 31 pixels of the edge.
            "sift",
            "--set",
            "matcher.max_keypoints=100",
        ]
        told = io.StringIO()
        with contextlib.ExitStack() as stack:
            if next(numbers) % _DRAWN:
                stack.enter_context(mock.patch.multiple(page, **dots))
            stack.enter_context(contextlib.redirect_stderr(told))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            code = main(words)
        if code == 2:
            raise InputError(told.getvalue().removeprefix("drcn evaluate: ").strip())
        assert code == 0, code
        assert (out / "report.html").is_file()

    return Kind(folder, use)


def _read_sequence(path: Path) -> None:
    sequence = open_sequence(path)
    for frame in sequence.frames(Selection(limit=50)):
        assert frame.image.dtype == np.uint8
        assert frame.image.ndim in (2, 3)


KINDS: dict[str, Callable[[Path], Kind]] = {
    "bags": bags,
    "rosbag1": rosbag1,
    "folders": folders,
    "images": images,
    "calibrations": calibrations,
    "parameters": parameters,
    "weights": weights,
    "results": results,
    "commands": commands,
    "truths": truths,
}
