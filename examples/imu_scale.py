# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Metric scale, gravity and speed of the odometry from an IMU, by GTSAM's preintegration.

python examples/imu_scale.py [FRAMES]

The images are those of the rendered room; the IMU is simulated along the same path, in the camera's axes. For
a recording take its samples instead, and turn them into the camera's axes by the calibration of both.
"""

import sys

import gtsam
import numpy as np
from gtsam.symbol_shorthand import B, V, X

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_vector
from drcn_ros.odometry import Frame, OdometryConfig, State, VisualOdometry
from drcn_ros.scenes.scenarios import RATE, scenario

GRAVITY = np.array([0.0, 0.0, -9.81])
IMU_RATE = 200.0
# Of a cheap IMU, per root of a second: m/s^2 and rad/s.
ACCELERATION_NOISE, TURN_NOISE = 2e-3, 2e-4
# Frames from one keyframe to the next.
STEP = 5


def main(frames=60):
    """Print scale and gravity as they are found, and how far off they are."""
    sequence = scenario("demo", frames, camera=Camera(320, 240, 230.0, 230.0, 159.5, 119.5))
    keyframes, poses = odometry(sequence)
    samples = imu(sequence)
    begins = [float(sequence.times[keyframe]) for keyframe in keyframes[:-1]]
    steps = [preintegrated(samples, begin, GRAVITY) for begin in begins]
    scale, gravity, speeds = align(poses, steps)
    print(f"gravity {np.linalg.norm(gravity):.2f} m/s^2, true 9.81")
    path = refine(poses, scale, gravity, speeds, samples, begins)
    true = sequence.poses[keyframes][:, :3, 3]
    found, exact = (np.linalg.norm(np.diff(places, axis=0), axis=1).sum() for places in (path, true))
    print(f"way {found:.3f} m, true {exact:.3f} m, {100.0 * (found / exact - 1.0):+.1f} %")


def odometry(sequence):
    """Return the numbers of the keyframes and their poses (4, 4) in the unit of the run."""
    follower = VisualOdometry(OdometryConfig(), sequence.camera)
    numbers, poses = [], []
    for number, (stamp, image) in enumerate(sequence.frames()):
        result = follower.process(Frame(stamp, image))
        if result.state is not State.LOST and number % STEP == 0:
            numbers.append(number)
            poses.append(result.pose.copy())
    return np.array(numbers), poses


def imu(sequence):
    """Return times (N,), forces (N, 3) and turns (N, 3) that an IMU in the camera measures."""
    step = 1.0 / IMU_RATE
    times = np.arange(0.0, sequence.times[-1], step)
    random = np.random.default_rng(1)
    forces, turns = [], []
    for time in times:
        before, now, after = (sequence.path(max(time + shift, 0.0)) for shift in (-step, 0.0, step))
        acceleration = (after[:3, 3] - 2.0 * now[:3, 3] + before[:3, 3]) / step**2
        forces.append(now[:3, :3].T @ (acceleration - GRAVITY))
        turns.append(rotation_vector(now[:3, :3].T @ after[:3, :3]) / step)
    noise = np.sqrt(IMU_RATE) * random.standard_normal((2, len(times), 3))
    return times, np.array(forces) + ACCELERATION_NOISE * noise[0], np.array(turns) + TURN_NOISE * noise[1]


def preintegrated(samples, begin, gravity):
    """Return GTSAM's summary of the samples between two keyframes; gravity (3,) in the odometry's axes."""
    parameters = gtsam.PreintegrationParams(gravity)
    parameters.setAccelerometerCovariance(ACCELERATION_NOISE**2 * np.eye(3))
    parameters.setGyroscopeCovariance(TURN_NOISE**2 * np.eye(3))
    parameters.setIntegrationCovariance(1e-8 * np.eye(3))
    summary = gtsam.PreintegratedImuMeasurements(parameters, gtsam.imuBias.ConstantBias())
    times, forces, turns = samples
    first = round(begin * IMU_RATE)
    for index in range(first, min(first + round(STEP * IMU_RATE / RATE), len(times))):
        summary.integrateMeasurement(forces[index], turns[index], 1.0 / IMU_RATE)
    return summary


def align(poses, steps):
    """Return scale, gravity (3,) and speeds (N, 3) that agree best with poses and samples.

    Qin and Shen, "VINS-Mono" (T-RO 2018), section V.B: linear in all of them, since the rotations are known.
    """
    count = len(poses)
    rows, values = [], []
    for index, step in enumerate(steps):
        rotation, seconds = poses[index][:3, :3], step.deltaTij()
        moved = np.zeros((3, 3 * count + 4))
        moved[:, 3 * index : 3 * index + 3] = -seconds * np.eye(3)
        moved[:, -4:-1] = -0.5 * seconds**2 * np.eye(3)
        moved[:, -1] = poses[index + 1][:3, 3] - poses[index][:3, 3]
        faster = np.zeros((3, 3 * count + 4))
        faster[:, 3 * index : 3 * index + 3] = -np.eye(3)
        faster[:, 3 * index + 3 : 3 * index + 6] = np.eye(3)
        faster[:, -4:-1] = -seconds * np.eye(3)
        rows += [moved, faster]
        values += [rotation @ step.deltaPij(), rotation @ step.deltaVij()]
    found = np.linalg.lstsq(np.concatenate(rows), np.concatenate(values), rcond=None)[0]
    return found[-1], found[-4:-1], found[:-4].reshape(count, 3)


def refine(poses, scale, gravity, speeds, samples, begins):
    """Return the keyframes' places (N, 3), metres, from a graph of poses, speeds and one bias."""
    # Of gravity the length is known, so that the direction is what the samples tell.
    gravity = gravity * np.linalg.norm(GRAVITY) / np.linalg.norm(gravity)
    graph, values = gtsam.NonlinearFactorGraph(), gtsam.Values()
    values.insert(B(0), gtsam.imuBias.ConstantBias())
    graph.add(
        gtsam.PriorFactorConstantBias(
            B(0), gtsam.imuBias.ConstantBias(), gtsam.noiseModel.Isotropic.Sigma(6, 0.05)
        )
    )
    metric = [gtsam.Pose3(gtsam.Rot3(pose[:3, :3]), scale * pose[:3, 3]) for pose in poses]
    # The odometry's step: turn to a thousandth of a radian, way to five per cent of it.
    for index, pose in enumerate(metric):
        values.insert(X(index), pose)
        values.insert(V(index), speeds[index])
        if index == 0:
            graph.add(gtsam.PriorFactorPose3(X(0), pose, gtsam.noiseModel.Isotropic.Sigma(6, 1e-6)))
            continue
        step = metric[index - 1].between(pose)
        length = max(float(np.linalg.norm(step.translation())), 1e-3)
        noise = gtsam.noiseModel.Diagonal.Sigmas(np.array([1e-3] * 3 + [0.05 * length] * 3))
        graph.add(gtsam.BetweenFactorPose3(X(index - 1), X(index), step, noise))
        summary = preintegrated(samples, begins[index - 1], gravity)
        graph.add(gtsam.ImuFactor(X(index - 1), V(index - 1), X(index), V(index), B(0), summary))
    found = gtsam.LevenbergMarquardtOptimizer(graph, values).optimize()
    return np.array([found.atPose3(X(index)).translation() for index in range(len(poses))])


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
