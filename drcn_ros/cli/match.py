# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn match A B`: matches of two images, their relative pose when calibrated, and a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from drcn_ros.cli.parameters import add_parameter_options, configuration
from drcn_ros.errors import InputError
from drcn_ros.evaluation.calibrations import read_calibration
from drcn_ros.evaluation.estimates import Correspondences
from drcn_ros.evaluation.match_picture import draw_matches
from drcn_ros.evaluation.replacing import whole_file
from drcn_ros.evaluation.sources.files import read_image
from drcn_ros.foreign.images import write_image
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_vector
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import TwoView, estimate_two_view
from drcn_ros.matching import Matches, create_matcher
from drcn_ros.ros.config import NodeConfig

_SUFFIXES = (".png", ".jpg", ".jpeg")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("a", type=Path, metavar="A", help="reference image")
    parser.add_argument("b", type=Path, metavar="B", help="current image")
    parser.add_argument("--camera", type=Path, metavar="FILE", help="calibration (YAML) of both images")
    parser.add_argument("-o", "--out", type=Path, metavar="PNG", help="draw the matches")
    add_parameter_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Match, print, draw; return 0."""
    config = configuration(arguments)
    if arguments.out is not None and arguments.out.suffix.lower() not in _SUFFIXES:
        msg = f"picture {arguments.out}: name it *.png or *.jpg"
        raise InputError(msg)
    images = [read_image(path) for path in (arguments.a, arguments.b)]
    camera = None if arguments.camera is None else _camera(arguments.camera, images)
    matcher = create_matcher(config.matcher)
    reference, current = (matcher.extract(image) for image in images)
    matches = matcher.match(reference, current)
    print(f"{matcher.name}: {len(reference)} and {len(current)} keypoints, {len(matches)} matches")
    inliers = np.ones(len(matches), bool)
    if camera is not None:
        two_view = _two_view(matches, camera, config)
        inliers = two_view.inliers
        print(_pose_text(two_view, len(matches)))
    if arguments.out is not None:
        drawn = Correspondences(matches.reference_points, matches.current_points, inliers)
        with whole_file(arguments.out) as temporary:
            write_image(temporary, draw_matches(images[0], images[1], drawn))
        print(f"picture: {arguments.out}")
    return 0


def _camera(path: Path, images: list[np.ndarray]) -> Camera:
    calibration = read_calibration(path)
    for remark in calibration.remarks:
        print(f"note: {remark}")
    camera = calibration.camera
    for image in images:
        height, width = image.shape[:2]
        if (width, height) != (camera.width, camera.height):
            size = f"{camera.width}x{camera.height}"
            msg = f"calibration {path} is for {size} pixels, an image has {width}x{height}"
            raise InputError(msg)
    return camera


def _two_view(matches: Matches, camera: Camera, config: NodeConfig) -> TwoView:
    points = (matches.reference_points.astype(np.float64), matches.current_points.astype(np.float64))
    return estimate_two_view(*points, camera, config.two_view)


def _pose_text(two_view: TwoView, matches: int) -> str:
    if two_view.rotation is None:
        return f"no pose: {matches} matches do not agree on one motion"
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
