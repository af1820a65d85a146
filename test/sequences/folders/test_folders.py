# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TUM, KITTI and EuRoC folders, images, patterns and videos give the frames that were written into them."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from drcn_ros.errors import InputError
from drcn_ros.sequences import SequenceOptions, open_sequence
from drcn_ros.sequences.bags.sequence import BagTopics
from drcn_ros.sequences.calibrations import calibration_text
from drcn_ros.sequences.folders.tum_writer import write_tum
from drcn_ros.sequences.ground_truth.options import TruthOptions
from drcn_ros.sequences.trajectories.files import kitti_lines, tum_lines
from drcn_ros.sequences.trajectories.trajectory import Trajectory


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def options(**topics: str) -> SequenceOptions:
    return SequenceOptions(topics=BagTopics(**topics))


def test_a_tum_folder_gives_the_same_frames(tmp_path: Path, clip, assert_same):
    write_tum(clip, tmp_path / "tum")
    sequence = open_sequence(tmp_path / "tum")
    assert sequence.kind == "TUM RGB-D folder"
    assert len(sequence) == len(clip)
    assert_same(sequence)


def test_a_tum_folder_of_the_data_set_knows_its_camera_by_name(tmp_path: Path, clip):
    folder = tmp_path / "rgbd_dataset_freiburg2_desk"
    write_tum(clip, folder)
    (folder / "calib.yaml").unlink()
    assert open_sequence(folder).camera.fx == pytest.approx(520.9)


def test_a_missing_image_of_a_list_is_named(tmp_path: Path, clip):
    write_tum(clip, tmp_path / "tum")
    missing = sorted((tmp_path / "tum" / "rgb").iterdir())[3]
    missing.unlink()
    with pytest.raises(InputError, match=rf"{missing.name} is missing \(1 of 8\)"):
        open_sequence(tmp_path / "tum")


def test_a_damaged_image_is_named_when_it_is_read(tmp_path: Path, clip):
    write_tum(clip, tmp_path / "tum")
    damaged = sorted((tmp_path / "tum" / "rgb").iterdir())[3]
    damaged.write_bytes(b"no image")
    with pytest.raises(InputError, match=rf"{damaged.name}: it is damaged or no image"):
        list(open_sequence(tmp_path / "tum").frames())


def kitti(root: Path, clip, cameras: tuple[str, ...] = ("image_0",)) -> Path:
    folder = root / "sequences" / "05"
    for index, image in enumerate(clip.images):
        for camera in cameras:
            save(folder / camera / f"{index:06d}.png", image)
    first = clip.stamps_ns[0]
    times = [f"{(stamp - first) / 1e9:e}\n" for stamp in clip.stamps_ns]
    (folder / "times.txt").write_text("".join(times))
    matrix = clip.camera.matrix
    rows = []
    for number, baseline in enumerate((0.0, -0.5, 0.06, -0.47)):
        projection = np.hstack([matrix, matrix @ [[baseline], [0], [0]]])
        rows.append(f"P{number}: " + " ".join(f"{value:.12e}" for value in projection.ravel()) + "\n")
    (folder / "calib.txt").write_text("".join(rows))
    (root / "poses").mkdir()
    (root / "poses" / "05.txt").write_text("".join(kitti_lines(clip.ground_truth.poses)))
    return folder


def test_a_kitti_sequence_gives_images_times_camera_and_poses(tmp_path: Path, clip):
    sequence = open_sequence(kitti(tmp_path, clip))
    assert sequence.kind == "KITTI odometry sequence"
    frames = list(sequence.frames())
    assert np.array_equal(frames[5].image, clip.images[5])
    assert [frame.stamp_ns for frame in frames] == [stamp - clip.stamps_ns[0] for stamp in clip.stamps_ns]
    assert sequence.camera == clip.camera
    assert np.abs(sequence.ground_truth.poses - clip.ground_truth.poses).max() < 1e-12


def test_another_kitti_camera_sits_beside_the_first(tmp_path: Path, clip):
    folder = kitti(tmp_path, clip, ("image_0", "image_1"))
    sequence = open_sequence(folder, options(image="image_1"))
    offset = np.linalg.inv(clip.ground_truth.poses) @ sequence.ground_truth.poses
    assert offset[:, :3, 3] == pytest.approx(np.tile([0.5, 0, 0], (8, 1)), abs=1e-9)
    with pytest.raises(InputError, match="no camera 'image_3'; choose one of image_0, image_1"):
        open_sequence(folder, options(image="image_3"))


def test_a_kitti_sequence_with_too_few_times_is_refused(tmp_path: Path, clip):
    folder = kitti(tmp_path, clip)
    (folder / "times.txt").write_text("0.0\n0.1\n")
    with pytest.raises(InputError, match=r"times.txt has 2 stamps, image_0 has 8 images"):
        open_sequence(folder)


MOUNTING = np.array([[0.0, -1, 0, 0.1], [1, 0, 0, 0.2], [0, 0, 1, 0.3], [0, 0, 0, 1]])


def euroc(root: Path, clip) -> Path:
    camera = root / "mav0" / "cam0"
    lines = ["#timestamp [ns],filename\r\n"]
    for stamp, image in zip(clip.stamps_ns, clip.images, strict=True):
        save(camera / "data" / f"{stamp}.png", image)
        lines.append(f"{stamp},{stamp}.png\r\n")
    (camera / "data.csv").write_text("".join(lines))
    intrinsics = [clip.camera.fx, clip.camera.fy, clip.camera.cx, clip.camera.cy]
    sensor = {
        "sensor_type": "camera",
        "T_BS": {"cols": 4, "rows": 4, "data": MOUNTING.ravel().tolist()},
        "resolution": [clip.camera.width, clip.camera.height],
        "intrinsics": intrinsics,
        "distortion_model": "radial-tangential",
        "distortion_coefficients": [0.0, 0.0, 0.0, 0.0],
    }
    (camera / "sensor.yaml").write_text(yaml.safe_dump(sensor))
    truth = root / "mav0" / "state_groundtruth_estimate0"
    truth.mkdir()
    body = Trajectory.from_poses(clip.stamps_ns, clip.ground_truth.poses @ np.linalg.inv(MOUNTING))
    rows = ["#timestamp, p_RS_R_x [m], ...\n"]
    for stamp, p, q in zip(body.stamps_ns, body.positions, body.quaternions, strict=True):
        values = [*p, q[3], q[0], q[1], q[2], *np.zeros(9)]
        rows.append(f"{stamp}," + ",".join(f"{value:.15f}" for value in values) + "\n")
    (truth / "data.csv").write_text("".join(rows))
    return root


@pytest.mark.parametrize("part", ["", "mav0", "mav0/cam0"])
def test_an_euroc_folder_gives_the_camera_in_the_world_from_any_level(
    tmp_path: Path, clip, assert_same, part
):
    sequence = open_sequence(euroc(tmp_path, clip) / part)
    assert sequence.kind == "EuRoC folder"
    assert_same(sequence)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("12 34.png", "line '12 34.png' is no stamp and file name"),
        ("\u00b2,34.png", "data.csv: '\u00b2' is no time in nanoseconds"),
        ("9" * 400 + ",34.png", r"data.csv: '9{37}...' is no time in nanoseconds"),
        ("9" * 5000 + ",34.png", "is no time in nanoseconds"),
    ],
)
def test_a_damaged_euroc_list_is_named(tmp_path: Path, clip, line, message):
    euroc(tmp_path, clip)
    (tmp_path / "mav0" / "cam0" / "data.csv").write_text(f"{line}\n")
    with pytest.raises(InputError, match=message):
        open_sequence(tmp_path)


def calibrated(tmp_path: Path, clip) -> Path:
    file = tmp_path / "calib.yaml"
    file.write_text(calibration_text(clip.camera))
    return file


def test_a_folder_of_images_takes_stamps_from_names_that_are_times(tmp_path: Path, clip, assert_same):
    for stamp, image in zip(clip.stamps_ns, clip.images, strict=True):
        save(tmp_path / "images" / f"{stamp}.png", image)
    sequence = open_sequence(tmp_path / "images", SequenceOptions(camera=calibrated(tmp_path, clip)))
    assert_same(sequence, truth=False)


def test_numbered_images_come_in_the_order_of_their_numbers_at_the_given_rate(tmp_path: Path, clip):
    for number, image in zip((1, 2, 9, 10, 11, 100, 101, 1000), clip.images, strict=True):
        save(tmp_path / "images" / f"f{number}.png", image)
    for source in (tmp_path / "images", tmp_path / "images" / "f*.png"):
        frames = list(open_sequence(source, SequenceOptions(rate=4.0)).frames())
        assert [frame.stamp_ns for frame in frames] == [index * 250_000_000 for index in range(8)]
        for frame, image in zip(frames, clip.images, strict=True):
            assert np.array_equal(frame.image, image)


def test_a_folder_of_thermal_images_keeps_its_brightness(tmp_path: Path, clip):
    for number, image in enumerate(clip.images):
        values = 29000 + 2 * image[:, :, 0].astype(np.uint16)
        values[:20, :20] += 50 * number
        (tmp_path / f"{number}.png").write_bytes(cv2.imencode(".png", values)[1].tobytes())
    frames = [frame.image for frame in open_sequence(tmp_path).frames()]
    scale = np.ptp(frames[0][20:].astype(float)) / np.ptp(clip.images[0][20:, :, 0].astype(float))
    assert scale > 0.5
    for frame, image in zip(frames, clip.images, strict=True):
        moved = frame[20:].astype(float) - scale * image[20:, :, 0]
        assert np.ptp(moved) < 3
        assert abs(np.median(moved) - np.median(frames[0][20:] - scale * clip.images[0][20:, :, 0])) < 1.5


def test_one_image_is_no_sequence(tmp_path: Path, clip):
    save(tmp_path / "only.png", clip.images[0])
    for source in (tmp_path / "only.png", tmp_path / "*.png", tmp_path):
        with pytest.raises(InputError, match="1 image, need at least two"):
            open_sequence(source)


def test_a_video_gives_its_frames_at_its_rate(tmp_path: Path, clip):
    file = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (320, 240))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no videos")
    for image in clip.images:
        writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    writer.release()
    sequence = open_sequence(file, SequenceOptions(camera=calibrated(tmp_path, clip)))
    frames = list(sequence.frames())
    assert len(sequence) == len(frames) == 8
    assert frames[3].stamp_ns == 120_000_000
    difference = frames[3].image.astype(int) - clip.images[3]
    assert np.abs(difference).mean() < 8
    assert sequence.camera == clip.camera


def test_ground_truth_of_the_user_takes_the_place_of_the_input(tmp_path: Path, clip):
    write_tum(clip, tmp_path / "tum")
    moved = clip.ground_truth.poses.copy()
    moved[:, 0, 3] += 9
    tum, kitti_file = tmp_path / "gt.tum", tmp_path / "gt.kitti"
    tum.write_text("".join(tum_lines(Trajectory(clip.ground_truth.stamps_ns, moved))))
    kitti_file.write_text("".join(kitti_lines(moved)))
    for file in (tum, kitti_file):
        sequence = open_sequence(tmp_path / "tum", SequenceOptions(truth=TruthOptions(file)))
        assert np.abs(sequence.ground_truth.poses - moved).max() < 1e-12


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), r"is no input: need a rosbag2 .* or a video"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("hello"), "no video that OpenCV can read, nor any other known input"),
    ],
    ids=["missing", "empty folder", "empty file", "text"],
)
def test_what_is_no_input_is_one_clear_line(tmp_path: Path, make, message, capfd):
    path = tmp_path / "thing"
    make(path)
    with pytest.raises(InputError, match=message) as error:
        open_sequence(path)
    assert "\n" not in str(error.value)


def test_a_bag_file_under_a_wrong_name_says_which_names_are_known(tmp_path: Path):
    (tmp_path / "bag.dat").write_bytes(b"\x89MCAP0\r\n" + bytes(100))
    with pytest.raises(InputError, match=r"must be named \*.mcap or \*.db3"):
        open_sequence(tmp_path / "bag.dat")
    (tmp_path / "bag.mcap").write_bytes(b"not at all an mcap file")
    with pytest.raises(InputError, match="its first bytes are those of no bag"):
        open_sequence(tmp_path / "bag.mcap")


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, clip):
    write_tum(clip, tmp_path / "tum")
    shutil.rmtree(tmp_path / "tum" / "rgb")
    with pytest.raises(InputError, match=r"is missing \(8 of 8\)"):
        open_sequence(tmp_path / "tum")
