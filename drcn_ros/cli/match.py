# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn match A B`: matches of two images, their relative pose when calibrated, and a picture."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.cli.parameters import add_parameter_options, configuration
from drcn_ros.errors import InputError
from drcn_ros.evaluation.calibrations import read_calibration
from drcn_ros.evaluation.estimates import Correspondences
from drcn_ros.evaluation.match_picture import draw_matches
from drcn_ros.evaluation.replacing import whole_file
from drcn_ros.evaluation.sources.files import read_image
from drcn_ros.foreign.images import Image8, write_image
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_vector
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import TwoView, estimate_two_view
from drcn_ros.geometry.types import Array
from drcn_ros.matching import Matches, create_matcher
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.types import Features
from drcn_ros.ros.config import NodeConfig

_SUFFIXES = (".png", ".jpg", ".jpeg")
# Longer side of an image in the picture, pixels; larger ones are reduced.
_SHOWN_SIZE = 2048


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
    camera = None if arguments.camera is None else _camera(arguments.camera)
    matcher = create_matcher(config.matcher)
    views = [_view(path, matcher, camera, arguments) for path in (arguments.a, arguments.b)]
    reference, current = (view.features for view in views)
    matches = matcher.match(reference, current)
    print(f"{matcher.name}: {len(reference)} and {len(current)} keypoints, {len(matches)} matches")
    inliers = np.ones(len(matches), bool)
    if camera is not None:
        two_view = _two_view(matches, camera, config)
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


def _camera(path: Path) -> Camera:
    calibration = read_calibration(path)
    for remark in calibration.remarks:
        print(f"note: {remark}")
    return calibration.camera


def _view(path: Path, matcher: Matcher[Any], camera: Camera | None, arguments: argparse.Namespace) -> _View:
    image = read_image(path)
    height, width = image.shape[:2]
    if camera is not None and (width, height) != (camera.width, camera.height):
        size = f"{camera.width}x{camera.height}"
        msg = f"calibration {arguments.camera} is for {size} pixels, image {path} has {width}x{height}"
        raise InputError(msg)
    shown = image
    if max(width, height) > _SHOWN_SIZE:
        factor = _SHOWN_SIZE / max(width, height)
        size_shown = max(round(factor * width), 1), max(round(factor * height), 1)
        shown = np.asarray(cv2.resize(image, size_shown, interpolation=cv2.INTER_AREA), np.uint8)
    factors = np.array([shown.shape[1] / width, shown.shape[0] / height])
    return _View(matcher.extract(image), shown, factors)


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
