# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Install rules of the ament_python package."""

from glob import glob

from setuptools import find_packages, setup

NAME = "drcn_ros"

setup(
    name=NAME,
    version="0.1.0",
    description="Learned monocular visual-odometry front end for ROS 2",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["py.typed", "networks/embedded/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/launch", glob("launch/*")),
        (f"share/{NAME}/config", glob("config/*")),
    ],
    # pip installs these itself; on ROS binary installations rosdep and requirements/robot.txt do.
    install_requires=[],
    extras_require={"slam": ["gtsam==4.3.0; python_version >= '3.11'"]},
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "drcn = drcn_ros.cli.main:main",
            "vo_node = drcn_ros.ros.node.vo_node:main",
            "map_node = drcn_ros.ros.mapping.map_node:main",
        ],
    },
)
