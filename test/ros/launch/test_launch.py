# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files ask for, and the real node with the command line that they build."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from drcn_ros import configuration
from drcn_ros.foreign.parameter_file import read_parameter_file
from drcn_ros.ros.config import NODE_NAME, NodeConfig

ROOT = Path(__file__).resolve().parents[3]


def command_line(node: Any) -> list[str]:
    """Return the arguments that launch_ros makes of a Node action."""
    named = node.named
    line = ["--ros-args", "-r", f"__node:={named['name']}"]
    if named.get("namespace"):
        line += ["-r", f"__ns:=/{named['namespace'].strip('/')}"]
    for entry in named["parameters"]:
        if isinstance(entry, dict):
            for name, value in entry.items():
                line += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
        else:
            assert Path(entry).is_file()
            line += ["--params-file", entry]
    for source, target in named["remappings"]:
        line += ["-r", f"{source}:={target}"]
    return line + named.get("arguments", [])


def test_every_argument_is_described(launched: Any) -> None:
    files = (("vo.launch.py", {}), ("slam.launch.py", {}), ("replay.launch.py", {"bag": "/data/x"}))
    for file, arguments in files:
        for action in launched(file, **arguments)["DeclareLaunchArgument"]:
            assert action.named["description"].endswith(".")


def test_arguments_reach_the_node(launched: Any) -> None:
    actions = launched(
        "vo.launch.py", image_transport="compressed", device="cpu", use_sim_time="true", log_level="debug"
    )
    (node,) = actions["Node"]
    assert (node.named["package"], node.named["executable"]) == ("drcn_ros", "vo_node")
    assert node.named["parameters"][-1] == {
        "use_sim_time": True,
        "image_transport": "compressed",
        "matcher.device": "cpu",
    }
    assert node.named["arguments"] == ["--ros-args", "--log-level", "debug"]
    profiles = {action.positional[0]: action.positional[1] for action in actions["SetEnvironmentVariable"]}
    assert set(profiles) == {"FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"}
    assert all(Path(profile).is_file() for profile in profiles.values())


def test_arguments_that_are_not_given_leave_the_parameter_files_alone(launched: Any) -> None:
    (node,) = launched("vo.launch.py")["Node"]
    assert node.named["parameters"][-1] == {"use_sim_time": False}


def test_an_own_parameter_file_comes_before_the_preset(launched: Any, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    (node,) = launched("vo.launch.py", preset="vo_fast", params_file=str(own))["Node"]
    preset, later, _ = node.named["parameters"]
    assert Path(preset).name == "vo_fast.yaml"
    assert later == str(own), "later files win"


def test_an_unknown_preset_lists_the_presets(launched: Any) -> None:
    with pytest.raises(RuntimeError, match="preset 'vo_quick' is unknown; presets are vo, vo_fast, vo_sift"):
        launched("vo.launch.py", preset="vo_quick")


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("vo*.yaml")), ids=lambda path: path.stem)
def test_a_preset_sets_known_parameters_to_values_that_are_taken(file: Path) -> None:
    values = read_parameter_file(file, NODE_NAME).values
    built = configuration.flatten(configuration.build(NodeConfig, values))
    assert {name: built[name] for name in values} == values


def test_a_replay_plays_every_frame_and_ends_with_the_player(launched: Any) -> None:
    actions = launched("replay.launch.py", bag="/data/x", rate="2.0", image="/eye")
    (node,) = actions["Node"]
    assert node.named["parameters"][-1] == {"use_sim_time": True, "processing": "every_frame"}
    (player,) = actions["ExecuteProcess"]
    command = player.named["cmd"]
    assert command[:6] == ["ros2", "run", "drcn_ros", "drcn", "play", "/data/x"]
    from drcn_ros.cli import play

    parser = argparse.ArgumentParser()
    play.configure(parser)
    parsed = parser.parse_args(command[5:])
    assert (parsed.rate, parsed.image) == (2.0, "/eye")
    assert ("image", "/eye") in node.named["remappings"]
    (handler,) = actions["RegisterEventHandler"]
    assert handler.positional[0].named["target_action"] is player


def test_a_replay_shows_and_records_on_demand(launched: Any) -> None:
    actions = launched("replay.launch.py", bag="/data/x", rviz="true", record="/tmp/out")
    assert [node.named["package"] for node in actions["Node"]] == ["drcn_ros", "rviz2"]
    assert Path(actions["Node"][1].named["arguments"][1]).is_file()
    record = actions["ExecuteProcess"][-1].named["cmd"]
    assert record[:5] == ["ros2", "bag", "record", "-o", "/tmp/out"]
    assert "/vo_node/pose" in record


def test_the_odometry_of_a_map_publishes_what_the_map_needs(launched: Any) -> None:
    odometry, mapping = launched("slam.launch.py", namespace="left", use_sim_time="true")["Node"]
    assert (odometry.named["executable"], mapping.named["executable"]) == ("vo_node", "map_node")
    assert odometry.named["namespace"] == mapping.named["namespace"] == "left"
    values = read_parameter_file(Path(odometry.named["parameters"][0]), NODE_NAME).values
    assert values == {"publish_descriptors": True}
    assert mapping.named["parameters"][-1] == {"use_sim_time": True}


@pytest.mark.dds
def test_the_real_map_starts_with_the_command_line_that_is_built(
    launched: Any, kit: Any, tmp_path: Path
) -> None:
    pytest.importorskip("gtsam", reason="the map needs GTSAM")
    _, node = launched("slam.launch.py", namespace="left")["Node"]
    log = tmp_path / "map.log"
    with kit.process(["-m", "drcn_ros.ros.mapping.map_node", *command_line(node)], log):
        kit.wait_until(lambda: "ready: frames from /left/vo_node/status" in log.read_text())
    assert "[left.map_node]" in log.read_text()
    assert "unknown" not in log.read_text()


@pytest.mark.dds
def test_the_real_node_starts_with_the_command_line_that_is_built(
    launched: Any, kit: Any, tmp_path: Path
) -> None:
    (node,) = launched(
        "vo.launch.py", preset="vo_sift", namespace="left", image="/cam/image_raw", camera_info="/cam/info"
    )["Node"]
    log = tmp_path / "node.log"
    with kit.process(["-m", "drcn_ros.ros.node.vo_node", *command_line(node)], log):
        kit.wait_until(
            lambda: "active: images from /cam/image_raw, calibration from /cam/info" in log.read_text()
        )
    text = log.read_text()
    assert "[left.vo_node]" in text
    assert "matcher sift" in text


def test_the_real_launch_takes_the_files() -> None:
    pytest.importorskip("launch_ros", reason="launch_ros comes with an installation of ROS")
    from launch.launch_description_sources import AnyLaunchDescriptionSource

    from launch import LaunchService

    for file in sorted((ROOT / "launch").glob("*.launch.*")):
        source = AnyLaunchDescriptionSource(str(file))
        assert source.get_launch_description(LaunchService().context).entities
