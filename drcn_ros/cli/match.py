# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn match A B`: matches of two images, their relative pose when calibrated, and a picture."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.cli.camera_options import add_camera_options, angle_of_view, calibration_file
from drcn_ros.cli.parameters import add_parameter_options, configuration
from drcn_ros.conversion.calibration import Calibration
from drcn_ros.errors import InputError
from drcn_ros.evaluation.estimates import Correspondences
from drcn_ros.evaluation.report.match_picture import draw_matches
from drcn_ros.foreign.images import Image8, write_image
from drcn_ros.foreign.value_range import ValueRange
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_vector
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import TwoView, estimate_two_view
from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncalibrated import HOMOGRAPHY, Agreement, agreement
from drcn_ros.matching import create_matcher
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.types import Features
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.image_quality import ImageQuality
from drcn_ros.results.replacing import whole_file
from drcn_ros.sequences.calibrations import GUESSED_DEG, Images, assumed_calibration, read_calibration
from drcn_ros.sequences.files import is_turned_file, read_image

# With fewer an image cannot be tracked either.
_FEW_KEYPOINTS = OdometryConfig().min_keypoints
_SUFFIXES = (".png", ".jpg", ".jpeg")
# Longer side of an image in the picture, pixels; larger ones are reduced.
_SHOWN_SIZE = 2048


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("a", type=Path, metavar="A", help="reference image")
    parser.add_argument("b", type=Path, metavar="B", help="current image")
    add_camera_options(parser)
    parser.add_argument("-o", "--out", type=Path, metavar="PNG", help="draw the matches")
    add_parameter_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Match, print, draw; return 0."""
    config = configuration(arguments)
    if arguments.out is not None and arguments.out.suffix.lower() not in _SUFFIXES:
        msg = f"picture {arguments.out}: name it *.png or *.jpg"
        raise InputError(msg)
    file, view_deg = calibration_file(arguments), angle_of_view(arguments)
    if file is None and view_deg is None:
        print(f"note: {_no_calibration(arguments)}")
    matcher = create_matcher(config.matcher)
    camera, views = _look(arguments, file, view_deg, matcher)
    reference, current = (view.features for view in views)
    matches = matcher.match(reference, current)
    print(f"{matcher.name}: {len(reference)} and {len(current)} keypoints, {len(matches)} matches")
    points = (matches.reference_points.astype(np.float64), matches.current_points.astype(np.float64))
    if camera is None:
        agreed = agreement(*points, config.two_view)
        inliers = agreed.inliers
        print(_agreement_text(agreed))
    else:
        two_view = estimate_two_view(*points, camera, config.two_view)
        inliers = two_view.inliers
        print(_pose_text(two_view, len(matches)))
    if arguments.out is not None:
        drawn = Correspondences(
            views[0].place(matches.reference_points), views[1].place(matches.current_points), inliers
        )
        with whole_file(arguments.out) as temporary:
            write_image(temporary, draw_matches(views[0].shown, views[1].shown, drawn))
        print(f"picture: {arguments.out}")
    return 0


@dataclass(frozen=True)
class _View:
    """What is kept of an image: a large one is not.

    Attributes:
        features: of the image.
        shown: the image in the size in which the picture shows it.
        factors: (2,) by which that is smaller, across and down.
    """

    features: Features
    shown: Image8
    factors: Array

    def place(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return where points (N, 2) of the image lie in the picture."""
        return ((points + 0.5) * self.factors - 0.5).astype(np.float32)


def _no_calibration(arguments: argparse.Namespace) -> str:
    paths = f"{shlex.quote(str(arguments.a))} {shlex.quote(str(arguments.b))}"
    return (
        "no calibration, so no pose; give one with --camera FILE, or for a first look type: "
        f"drcn match {paths} --fov {GUESSED_DEG:g}"
    )


def _look(
    arguments: argparse.Namespace, file: Path | None, view_deg: float | None, matcher: Matcher[Any]
) -> tuple[Camera | None, list[_View]]:
    """Return the camera, if any, and what is kept of both images, one of which is in memory at a time."""
    camera = None
    if file is not None:
        camera = _told(read_calibration(file, Images(size=lambda: read_image(arguments.a).shape[1::-1])))
    what = "the guessed camera" if file is None else f"calibration {file}"
    values, views = ValueRange(), []
    for path in (arguments.a, arguments.b):
        image = _image(path, values, upright=file is None)
        if camera is None and view_deg is not None:
            camera = _told(assumed_calibration(image.shape[1], image.shape[0], view_deg))
        if camera is not None:
            _require_size(image, path, camera, what)
        views.append(_view(image, matcher))
        count = len(views[-1].features)
        if count < _FEW_KEYPOINTS:
            problem = ImageQuality.of(image).problem(None) or "it has too little texture or is blurred"
            print(f"note: {path} has {count} keypoints: {problem}")
    return camera, views


def _told(calibration: Calibration) -> Camera:
    for remark in calibration.remarks:
        print(f"note: {remark}")
    return calibration.camera


def _image(path: Path, values: ValueRange, upright: bool) -> Image8:
    """Read an image; a calibration holds for it as it is stored, not as it is to be turned."""
    if is_turned_file(path):
        how = "turned upright, as it says (EXIF)"
        if not upright:
            how = "taken as stored, as a calibration needs it, though it says to turn it (EXIF)"
        print(f"note: {path} is {how}")
    return read_image(path, values, upright)


def _require_size(image: Image8, path: Path, camera: Camera, what: str) -> None:
    height, width = image.shape[:2]
    if (width, height) != (camera.width, camera.height):
        msg = (
            f"{what} is for {camera.width}x{camera.height} pixels, image {path} has {width}x{height}; "
            "without --camera and --fov any two images are matched, but give no pose"
        )
        raise InputError(msg)


def _view(image: Image8, matcher: Matcher[Any]) -> _View:
    height, width = image.shape[:2]
    shown = image
    if max(width, height) > _SHOWN_SIZE:
        factor = _SHOWN_SIZE / max(width, height)
        size_shown = max(round(factor * width), 1), max(round(factor * height), 1)
        shown = np.asarray(cv2.resize(image, size_shown, interpolation=cv2.INTER_AREA), np.uint8)
    factors = np.array([shown.shape[1] / width, shown.shape[0] / height])
    return _View(matcher.extract(image), shown, factors)


def _agreement_text(agreed: Agreement) -> str:
    count = len(agreed.inliers)
    if not agreed.model:
        return f"{count} matches agree neither on a fundamental matrix nor on a homography"
    text = f"{int(agreed.inliers.sum())} of {count} matches agree on a {agreed.model}"
    return f"{text} (a flat scene, a turn, or little motion)" if agreed.model == HOMOGRAPHY else text


def _pose_text(two_view: TwoView, matches: int) -> str:
    if two_view.rotation is None:
        why = two_view.failure.value if two_view.failure else "they tell no motion"
        return f"no pose: {matches} matches; {why}"
    agree = f"{int(two_view.inliers.sum())} of {matches} matches agree"
    if two_view.model is Model.IDENTITY:
        return f"no motion of B against A beyond the noise, {agree}"
    vector = np.degrees(rotation_vector(two_view.rotation))
    turned = f"rotation vector [{' '.join(f'{value:.3f}' for value in vector)}] deg"
    if two_view.pose is None:
        angle = float(np.linalg.norm(vector))
        told = "no parallax that tells a translation"
        return f"rotation of B against A: {angle:.3f} deg, {turned}, {told}, {agree}"
    moved = " ".join(f"{value:.4f}" for value in two_view.pose.translation)
    return f"pose of B in A: {turned}, direction [{moved}], {agree}"
