# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files as the programs write them give the camera that they describe."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.sequences.calibrations import Images, calibration_text, read_calibration

RADTAN = Camera(752, 480, 458.65, 457.3, 367.2, 248.4, Distortion.PLUMB_BOB, (-0.283, 0.074, 2e-4, 1.7e-5))
FIVE = Camera(640, 480, 500.5, 501.0, 320.0, 240.0, Distortion.PLUMB_BOB, (0.1, -0.2, 0.001, 0.002, 0.05))
FISHEYE = Camera(
    848, 800, 286.0, 287.0, 421.0, 401.0, Distortion.EQUIDISTANT, (-0.0075, 0.042, -0.039, 0.0068)
)
SPHERE = Camera(512, 512, 157.2, 157.3, 255.1, 258.3, Distortion.DOUBLE_SPHERE, (-0.18, 0.59))
UNIFIED = Camera(512, 512, 190.9, 190.8, 254.9, 256.8, Distortion.EUCM, (0.62, 1.05))
MIRROR = Camera(752, 480, 650.0, 651.0, 370.0, 240.0, Distortion.OMNI, (0.9, -0.18, 0.04, 1e-3, -8e-4))
VIEW = Camera(640, 480, 400.0, 401.0, 321.0, 238.0, Distortion.FOV, (0.93,))
PINHOLE = Camera(640, 480, 525.0, 525.0, 319.5, 239.5)


def focal(camera: Camera) -> list[float]:
    return [camera.fx, camera.fy, camera.cx, camera.cy]


def kalibr(camera: Camera, model: str, before: int = 0, lens: str = "none", **more: Any) -> dict[str, Any]:
    return {
        "camera_model": model,
        "intrinsics": [*camera.coefficients[:before], *focal(camera)],
        "distortion_model": lens,
        "distortion_coeffs": list(camera.coefficients[before:]),
        "resolution": [camera.width, camera.height],
        **more,
    }


def ros(camera: Camera, **changes: Any) -> str:
    content = {
        "image_width": camera.width,
        "image_height": camera.height,
        "camera_name": "front",
        "camera_matrix": {"rows": 3, "cols": 3, "data": camera.matrix.ravel().tolist()},
        "distortion_model": camera.distortion.value,
        "distortion_coefficients": {
            "rows": 1, "cols": len(camera.coefficients), "data": list(camera.coefficients)
        },
        **changes,
    }  # fmt: skip
    return yaml.safe_dump({name: value for name, value in content.items() if value is not None})


def storage(camera: Camera, suffix: str, **flags: int) -> str:
    """Return what OpenCV itself writes."""
    writer = cv2.FileStorage(suffix, cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_MEMORY)
    writer.write("image_width", camera.width)
    writer.write("image_height", camera.height)
    writer.write("board", "chess board")
    for name, value in flags.items():
        writer.write(name, value)
    writer.write("camera_matrix", camera.matrix)
    writer.write("distortion_coefficients", np.array(camera.coefficients).reshape(-1, 1))
    return writer.releaseAndGetString()


def orb_slam(camera: Camera, family: str, kind: str, names: str = "k1 k2 p1 p2 k3") -> str:
    lines = ["%YAML:1.0", "", "# Camera Parameters.", f'Camera.type: "{kind}"']
    for name, value in zip(("fx", "fy", "cx", "cy", *names.split()), [*focal(camera), *camera.coefficients],
                           strict=False):  # fmt: skip
        lines.append(f"{family}.{name}: {value!r}")
    lines += [f"Camera.width: {camera.width}", f"Camera.height: {camera.height}", "Camera.fps: 20"]
    lines += ["Tbc: !!opencv-matrix", "   rows: 1", "   cols: 1", "   dt: f", "   data: [1.0]"]
    return "\n".join(lines) + "\n"


def basalt(camera: Camera, kind: str, *names: str) -> str:
    values = dict(zip(("fx", "fy", "cx", "cy"), focal(camera), strict=True))
    values.update(zip(names, camera.coefficients, strict=True))
    return json.dumps(
        {
            "value0": {
                "T_imu_cam": [{"px": 0.0}],
                "intrinsics": [{"camera_type": kind, "intrinsics": values}],
                "resolution": [[camera.width, camera.height]],
            }
        }
    )


def message(camera: Camera, **changes: Any) -> str:
    content = {
        "header": {"frame_id": "camera"}, "height": camera.height, "width": camera.width,
        "distortion_model": camera.distortion.value, "d": list(camera.coefficients),
        "k": camera.matrix.ravel().tolist(), "r": np.eye(3).ravel().tolist(),
        "p": [410.0, 0.0, 300.0, 0.0, 0.0, 420.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "binning_x": 0, "binning_y": 0,
        "roi": {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False},
        **changes,
    }  # fmt: skip
    return yaml.safe_dump(content, sort_keys=False) + "---\n"


def vins(camera: Camera, model: str, **groups: dict[str, float]) -> str:
    size = {"image_width": camera.width, "image_height": camera.height}
    return "%YAML:1.0\n---\n" + yaml.safe_dump({"model_type": model, "camera_name": "a", **size, **groups})


HALF = {name: replace(camera, cx=camera.cx - 0.5, cy=camera.cy - 0.5) for name, camera in
        {"radtan": RADTAN, "fisheye": FISHEYE, "fov": VIEW, "pinhole": PINHOLE}.items()}  # fmt: skip
# Text of the file, its ending, the camera in it.
FILES: dict[str, tuple[str, str, Camera]] = {
    "short form": (calibration_text(FIVE), "yaml", FIVE),
    "short form with skew": (calibration_text(replace(FIVE, skew=4.3)), "yaml", replace(FIVE, skew=4.3)),
    "short form of a double sphere": (calibration_text(SPHERE), "yaml", SPHERE),
    "ROS's calibrator": (ros(FIVE), "yaml", FIVE),
    "ROS's calibrator with skew": (ros(replace(FIVE, skew=4.3)), "yaml", replace(FIVE, skew=4.3)),
    "ROS's calibrator, fisheye": (
        ros(FISHEYE, distortion_model=None, camera_model="fisheye"), "yaml", FISHEYE
    ),
    "ROS's calibrator, equidistant": (ros(FISHEYE, camera_model="fisheye"), "yaml", FISHEYE),
    "ROS's calibrator, five without a name": (ros(FIVE, distortion_model=None), "yaml", FIVE),
    "CameraInfo as printed": (message(FIVE), "yaml", FIVE),
    "OpenCV YAML": (storage(FIVE, ".yml"), "yml", FIVE),
    "OpenCV XML": (storage(FIVE, ".xml"), "xml", FIVE),
    "OpenCV XML, fisheye": (storage(FISHEYE, ".xml", fisheye_model=1), "xml", FISHEYE),
    "OpenCV JSON": (storage(FIVE, ".json"), "json", FIVE),
    "Kalibr": (yaml.safe_dump({"cam0": kalibr(RADTAN, "pinhole", lens="radtan")}), "yaml", RADTAN),
    "Kalibr, fisheye": (
        yaml.safe_dump({"cam0": kalibr(FISHEYE, "pinhole", lens="equidistant")}), "yaml", FISHEYE
    ),
    "Kalibr, double sphere": (yaml.safe_dump({"cam0": kalibr(SPHERE, "ds", 2)}), "yaml", SPHERE),
    "Kalibr, EUCM": (yaml.safe_dump({"cam0": kalibr(UNIFIED, "eucm", 2)}), "yaml", UNIFIED),
    "Kalibr, omni": (yaml.safe_dump({"cam0": kalibr(MIRROR, "omni", 1, "radtan")}), "yaml", MIRROR),
    "Kalibr, field of view": (yaml.safe_dump({"cam0": kalibr(VIEW, "pinhole", lens="fov")}), "yaml", VIEW),
    "OpenVINS": (
        "%YAML:1.0\n\n" + yaml.safe_dump({"cam0": kalibr(RADTAN, "pinhole", lens="radtan", T_imu_cam=[[1]])}),
        "yaml", RADTAN,
    ),
    "EuRoC": (
        yaml.safe_dump({
            "sensor_type": "camera", "resolution": [752, 480], "camera_model": "pinhole",
            "intrinsics": focal(RADTAN), "distortion_model": "radial-tangential",
            "distortion_coefficients": list(RADTAN.coefficients),
        }), "yaml", RADTAN,
    ),
    "ORB-SLAM": (orb_slam(FIVE, "Camera", "PinHole"), "yaml", FIVE),
    "ORB-SLAM 1.0": (orb_slam(FIVE, "Camera1", "PinHole"), "yaml", FIVE),
    "ORB-SLAM, fisheye": (orb_slam(FISHEYE, "Camera1", "KannalaBrandt8", "k1 k2 k3 k4"), "yaml", FISHEYE),
    "COLMAP": (
        "# Camera list\n1 OPENCV 752 480 458.65 457.3 367.2 248.4 -0.283 0.074 2e-4 1.7e-5\n", "txt",
        HALF["radtan"],
    ),
    "COLMAP, fisheye": (
        "3 OPENCV_FISHEYE 848 800 286 287 421 401 -0.0075 0.042 -0.039 0.0068\n", "txt", HALF["fisheye"]
    ),
    "COLMAP, field of view": ("1 FOV 640 480 400 401 321 238 0.93\n", "txt", HALF["fov"]),
    "COLMAP, simple": ("1 SIMPLE_PINHOLE 640 480 525 319.5 239.5\n", "txt", HALF["pinhole"]),
    "Basalt": (basalt(SPHERE, "ds", "xi", "alpha"), "json", SPHERE),
    "Basalt, fisheye": (basalt(FISHEYE, "kb4", "k1", "k2", "k3", "k4"), "json", FISHEYE),
    "Basalt, pinhole": (basalt(PINHOLE, "pinhole"), "json", PINHOLE),
    "VINS": (
        vins(RADTAN, "PINHOLE",
             distortion_parameters=dict(zip(("k1", "k2", "p1", "p2"), RADTAN.coefficients, strict=True)),
             projection_parameters=dict(zip(("fx", "fy", "cx", "cy"), focal(RADTAN), strict=True))),
        "yaml", RADTAN,
    ),
    "VINS, mirror": (
        vins(MIRROR, "MEI", mirror_parameters={"xi": 0.9},
             distortion_parameters=dict(zip(("k1", "k2", "p1", "p2"), MIRROR.coefficients[1:], strict=True)),
             projection_parameters=dict(zip(("gamma1", "gamma2", "u0", "v0"), focal(MIRROR), strict=True))),
        "yaml", MIRROR,
    ),
    "VINS, fisheye": (
        vins(FISHEYE, "KANNALA_BRANDT", projection_parameters=dict(
            zip(("k2", "k3", "k4", "k5", "mu", "mv", "u0", "v0"), [*FISHEYE.coefficients, *focal(FISHEYE)],
                strict=True))),
        "yaml", FISHEYE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_file_gives_its_camera(tmp_path: Path, name: str) -> None:
    text, ending, camera = FILES[name]
    file = tmp_path / f"calibration.{ending}"
    file.write_text(text)
    found = read_calibration(file).camera
    assert found.distortion is camera.distortion
    expected = (camera.width, camera.height, *focal(camera), camera.skew, *camera.coefficients)
    assert (found.width, found.height, *focal(found), found.skew, *found.coefficients) == pytest.approx(
        expected
    )


def test_a_pixel_of_colmap_is_counted_from_its_corner(tmp_path: Path) -> None:
    (tmp_path / "cameras.txt").write_text("1 PINHOLE 640 480 500 500 320 240\n")
    middle = np.array([[319.5, 239.5]])
    assert read_calibration(tmp_path / "cameras.txt").camera.normalise(middle) == pytest.approx(
        np.zeros((1, 2))
    )


@pytest.fixture
def camchain(tmp_path: Path) -> Path:
    cameras = {
        "cam0": kalibr(RADTAN, "pinhole", lens="radtan", rostopic="/left/image_raw"),
        "cam1": kalibr(FISHEYE, "pinhole", lens="equidistant", rostopic="/right/image_raw"),
    }
    file = tmp_path / "camchain.yaml"
    file.write_text(yaml.safe_dump(cameras))
    return file


@pytest.mark.parametrize(
    ("suffix", "wanted"),
    [(":cam1", ()), ("", ("cam1",)), ("", ("right/image_raw",)), (":cam1", ("cam0",))],
)
def test_one_of_several_cameras_is_chosen_by_name_or_topic(camchain: Path, suffix: str, wanted) -> None:
    assert read_calibration(f"{camchain}{suffix}", Images(wanted)).camera == FISHEYE


def test_several_cameras_without_a_choice_are_named_with_what_to_type(camchain: Path) -> None:
    for wanted in ((), ("/front/image_raw",)):
        with pytest.raises(
            InputError, match=r"cam0 \(/left/image_raw\), cam1 .*--camera .*camchain.yaml:cam0"
        ):
            read_calibration(camchain, Images(wanted))
    with pytest.raises(InputError, match="no camera 'cam7'; it has cam0"):
        read_calibration(f"{camchain}:cam7")


def test_rectified_images_take_the_projection_matrix_of_a_file_that_has_one(tmp_path: Path) -> None:
    p = [410.0, 0.0, 300.0, -40.0, 0.0, 420.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    for number, text in enumerate(
        (ros(FIVE, projection_matrix={"rows": 3, "cols": 4, "data": p}), message(FIVE))
    ):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        rectified = read_calibration(file, Images(rectified=True)).camera
        assert focal(rectified) == [410.0, 420.0, 300.0, 200.0]
        assert rectified.distortion is Distortion.NONE
        assert read_calibration(file).camera == FIVE


@pytest.mark.parametrize(
    ("text", "width", "height"),
    [
        (orb_slam(FIVE, "Camera", "PinHole"), "Camera.width", "Camera.height"),
        (ros(FIVE), "image_width", "image_height"),
        (calibration_text(FIVE), "width", "height"),
    ],
    ids=["ORB-SLAM", "matrices", "short form"],
)
def test_a_file_without_a_size_takes_that_of_the_images_and_says_so(
    tmp_path: Path, text: str, width: str, height: str
) -> None:
    lines = [line for line in text.splitlines() if not line.startswith((width, height))]
    (tmp_path / "c.yaml").write_text("\n".join(lines))
    found = read_calibration(tmp_path / "c.yaml", Images(size=lambda: (640, 480)))
    assert found.camera == FIVE
    assert found.remarks == ("c.yaml names no image size; 640x480 is that of the images",)
    with pytest.raises(InputError, match=f"'{width}' is missing: add {width} and {height} of the images"):
        read_calibration(tmp_path / "c.yaml")


def test_rectified_images_without_a_projection_matrix_are_told(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(calibration_text(FIVE))
    (remark,) = read_calibration(tmp_path / "c.yaml", Images(rectified=True)).remarks
    assert "has a lens distortion and no projection matrix" in remark


def test_a_lens_that_turns_back_is_told(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        calibration_text(replace(FISHEYE, coefficients=(-1.15, 2.91, -2.48, 0.18)))
    )
    (remark,) = read_calibration(tmp_path / "c.yaml").remarks
    assert "turns back" in remark
    assert "degrees from the axis" in remark


SIZE = "width: 640\nheight: 480\n"
PLAIN = f"{SIZE}fx: 500\nfy: 500\ncx: 320\ncy: 240\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{SIZE}fx: 500\n", r"'fy' is missing"),
        ("fx: [", "is no YAML"),
        ("just words", "names with values were expected"),
        ("[" * 5000, "is no YAML"),
        ("board: 3\n", r"holds no camera that is known \(.*COLMAP's cameras.txt\); write width"),
        (PLAIN.replace("fx: 500", "fx: -1"), "fx is -1; expected 32 to 64000"),
        (PLAIN.replace("fx: 500", "fx: 1"), "fx is 1; expected 32 to 64000"),
        (PLAIN.replace("cx: 320", "cx: -1000000"), r"cx is -1e\+06; expected -640 to 1280"),
        (PLAIN.replace("cy: 240", "cy: true"), "cy is True; expected a finite number"),
        (PLAIN.replace("cy: 240", "cy: .nan"), "cy is nan; expected a finite number"),
        (PLAIN.replace("width: 640", "width: 640.7"), "width is 640.7; expected a whole number of pixels"),
        (PLAIN.replace("width: 640", "width: 1" + 400 * "0"), "width is 1000.*; expected a finite number"),
        (PLAIN + "distortion_model: odd\n", "lens model 'odd' is unknown; known are none, "),
        (
            PLAIN + "distortion: [0.1, 0.2, 0.3, 0.4]\n",
            "4 distortion coefficients and no lens model; name it",
        ),
        (
            PLAIN + "distortion: [0.1]\ndistortion_model: plumb_bob\n",
            "1 distortion .* it takes 4, 5, 8, 12, 14",
        ),
        (PLAIN + "distortion: 0.1\ndistortion_model: plumb_bob\n", "distortion is 0.1; expected a list"),
        (PLAIN + "distortion: [0.1, x, 0, 0]\ndistortion_model: equidistant\n", r"distortion\[1\] is 'x'"),
        (PLAIN + "distortion_model: [a]\n", r"distortion_model is \['a'\]; expected a name"),
        (ros(FIVE).replace("1.0", "0.0"), r"cameramatrix\[8\] is 0; expected 1"),
        (ros(FIVE, camera_model="fisheye"), "the lens model is called plumb_bob and fisheye; leave one"),
        (ros(FISHEYE, distortion_model=None), "4 distortion coefficients and no lens model"),
        (
            ros(FIVE, camera_matrix={"rows": 3, "cols": 3, "data": [1.0] * 8}),
            "has 8 numbers; its rows and cols",
        ),
        (ros(FIVE, image_width=None), "'image_width' is missing: add image_width and image_height"),
        (storage(FISHEYE, ".xml"), "4 distortion coefficients and no lens model"),
        ("<opencv_storage><a></opencv_storage>", "is no XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><opencv_storage/>', "XML with a document type is not read"),
        (
            yaml.safe_dump({"cam0": kalibr(RADTAN, "pinhole", lens="radtan", resolution=[752])}),
            "resolution is",
        ),
        (
            yaml.safe_dump({"cam0": kalibr(RADTAN, "sphere")}),
            "camera_model 'sphere' is unknown; known are pinhole",
        ),
        (yaml.safe_dump({"cam0": kalibr(SPHERE, "ds", 2, "radtan")}), "radtan behind camera_model ds is not"),
        (orb_slam(FIVE, "Camera", "PinHole").replace("Camera.width", "x"), "'Camera.width' is missing: add"),
        (orb_slam(FIVE, "Camera", "Equirectangular"), "Camera.type equirectangular is not supported"),
        ("1 THIN_PRISM_FISHEYE 640 480 1 1 1 1 0 0 0 0 0 0 0 0\n", "'THIN_PRISM_FISHEYE' is not supported"),
        ("1 PINHOLE 640 480 500 500\n", "PINHOLE takes 4 parameters; there are 2"),
        (basalt(PINHOLE, "cylinder"), "camera_type 'cylinder' is unknown; known are pinhole"),
        ("relative_config_imucam: kalibr.yaml\n", "OpenVINS's settings; give the file"),
        ("accelerometer_noise_density: 1\n", "a calibration of an IMU"),
        ("# oST version 5.0 parameters\n\n\n[image]\n", "an INI file is not read; convert it"),
        (
            vins(FIVE, "SCARAMUZZA", projection_parameters={"fx": 1.0}),
            "model_type SCARAMUZZA is not supported",
        ),
        (message(FIVE, k=[0.0] * 9), "uncalibrated"),
        (message(FIVE, binning_x=-1), "binning_x is -1; expected a whole number"),
    ],
)
def test_what_is_no_calibration_is_one_clear_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "c.yaml").write_text(content)
    with pytest.raises(InputError, match=message) as error:
        read_calibration(tmp_path / "c.yaml")
    assert "\n" not in str(error.value)


def test_files_that_are_no_text_or_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"c.yaml is no text file"):
        read_calibration(tmp_path / "c.yaml")
    with pytest.raises(InputError, match=r"nowhere.yaml: No such file"):
        read_calibration(tmp_path / "nowhere.yaml")
