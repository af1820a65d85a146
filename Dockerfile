# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# A robot's image: ROS 2, torch, drcn_ros. Written by what the packages document, and not built so far.
#
#   docker build -t drcn_ros .                                                     # Jazzy, torch for CPUs
#   docker build -t drcn_ros --build-arg TORCH="torch --torch-backend=cu128" .     # NVIDIA GPU, driver for CUDA 12.8
#   docker build -t drcn_ros --build-arg ROS_DISTRO=humble --build-arg TORCH="torch --index-url URL" .   # Jetson: README
#   docker run --rm --network host --ipc host --gpus all drcn_ros \
#       ros2 launch drcn_ros vo.launch.py image:=/camera/image_raw camera_info:=/camera/camera_info
#   docker run --rm --network host drcn_ros drcn doctor
#
# On a Jetson `--runtime nvidia` takes the place of `--gpus all`. `--ipc host` shares the memory through which DDS
# moves images between containers; without it they go over the loopback interface.

ARG ROS_DISTRO=jazzy
FROM ros:${ROS_DISTRO}-ros-base

# Requirement and arguments of `uv pip install` for torch.
ARG TORCH="torch --torch-backend=cpu"

# From Ubuntu 24.04 on pip and uv ask before they touch the system's Python; the image is ours.
ENV PIP_BREAK_SYSTEM_PACKAGES=1 \
    UV_BREAK_SYSTEM_PACKAGES=1 \
    PIP_NO_CACHE_DIR=1 \
    UV_NO_CACHE=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

# What changes least comes first, so that a change of the code builds in seconds.
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-pip \
    && rm -rf /var/lib/apt/lists/*
# hadolint ignore=DL3013,SC2086
RUN pip install uv && uv pip install --system ${TORCH}

WORKDIR /ws/src/drcn_ros
COPY requirements/robot.txt requirements/
RUN pip install -r requirements/robot.txt

COPY package.xml .
RUN apt-get update \
    && rosdep update --rosdistro "${ROS_DISTRO}" \
    && rosdep install --from-paths . --ignore-src -y --dependency-types=exec --rosdistro "${ROS_DISTRO}" \
    && rm -rf /var/lib/apt/lists/*

COPY . .
WORKDIR /ws
RUN . "/opt/ros/${ROS_DISTRO}/setup.sh" \
    && colcon build --packages-select drcn_ros --merge-install --install-base /opt/drcn_ros \
    && rm -rf build log \
    && . /opt/drcn_ros/setup.sh \
    && python3 -c "from drcn_ros.matching import MatcherConfig, create_matcher; create_matcher(MatcherConfig(device='cpu'))"

# The programs lie where `ros2 run` looks; on the PATH they are commands too.
ENV PATH="/opt/drcn_ros/lib/drcn_ros:${PATH}" \
    FASTRTPS_DEFAULT_PROFILES_FILE=/opt/drcn_ros/share/drcn_ros/config/fastdds_shm.xml \
    FASTDDS_DEFAULT_PROFILES_FILE=/opt/drcn_ros/share/drcn_ros/config/fastdds_shm.xml
ENTRYPOINT ["/ros_entrypoint.sh", "/bin/bash", "-c", "source /opt/drcn_ros/setup.bash && exec \"$@\"", "drcn_ros"]
CMD ["ros2", "launch", "drcn_ros", "vo.launch.py"]
