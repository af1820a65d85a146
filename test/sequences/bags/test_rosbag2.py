# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""rosbag2 in every container and compression gives the same frames, a cut-off one those before the cut."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import yaml

from drcn_ros.errors import InputError
from drcn_ros.sequences import Selection, SequenceOptions, open_sequence
from drcn_ros.sequences.bags.writer import Compression, Storage, write_bag
from drcn_ros.sequences.inspection.inspect import inspect

MCAP, SQLITE = Storage.MCAP, Storage.SQLITE3
NONE, FILE, MESSAGE, CHUNKS = Compression.NONE, Compression.FILE, Compression.MESSAGE, Compression.STORAGE


@pytest.mark.parametrize(
    ("storage", "compression"),
    [
        (MCAP, NONE),
        (MCAP, FILE),
        (MCAP, MESSAGE),
        (MCAP, CHUNKS),
        (SQLITE, NONE),
        (SQLITE, FILE),
        (SQLITE, MESSAGE),
    ],
)
def test_every_container_gives_the_same_frames(tmp_path: Path, clip, assert_same, storage, compression):
    write_bag(clip, tmp_path / "bag", storage=storage, compression=compression)
    sequence = open_sequence(tmp_path / "bag")
    assert len(sequence) == len(clip)
    assert sequence.notes.lines == []
    assert_same(sequence)
    assert_same(sequence)


@pytest.mark.parametrize("storage", [MCAP, SQLITE])
def test_a_single_storage_file_is_enough(tmp_path: Path, clip, assert_same, storage):
    write_bag(clip, tmp_path / "bag", storage=storage)
    file = next(path for path in (tmp_path / "bag").iterdir() if path.suffix in (".mcap", ".db3"))
    assert_same(open_sequence(file))


@pytest.mark.parametrize("with_metadata", [True, False])
def test_several_files_are_read_in_the_order_of_their_numbers(
    tmp_path: Path, clip, assert_same, with_metadata
):
    folder = tmp_path / "split"
    folder.mkdir()
    first_ns = clip.stamps_ns[0]
    names, counts = [], {}
    # Twelve would come before two in the order of the alphabet.
    for number, begin, limit in ((2, 0, 3), (12, 3, 5)):
        part = tmp_path / f"part_{number}"
        start_s = (clip.stamps_ns[begin] - first_ns) * 1e-9
        write_bag(clip, part, selection=Selection(start_s=start_s, limit=limit))
        names.append(f"split_{number}.mcap")
        shutil.move(part / f"part_{number}.mcap", folder / names[-1])
        metadata = yaml.safe_load((part / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
        for entry in metadata["topics_with_message_count"]:
            name = entry["topic_metadata"]["name"]
            counts[name] = counts.get(name, 0) + entry["message_count"]
    if with_metadata:
        metadata["relative_file_paths"] = names
        for entry in metadata["topics_with_message_count"]:
            entry["message_count"] = counts[entry["topic_metadata"]["name"]]
        (folder / "metadata.yaml").write_text(yaml.safe_dump({"rosbag2_bagfile_information": metadata}))
    sequence = open_sequence(folder)
    assert len(sequence) == len(clip)
    assert_same(sequence)
    assert any("not finished" in note for note in sequence.notes.lines) != with_metadata


def cut(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


@pytest.mark.parametrize("storage", [MCAP, SQLITE])
@pytest.mark.parametrize("compression", [NONE, FILE, MESSAGE])
@pytest.mark.parametrize("with_metadata", [True, False])
def test_a_bag_cut_off_in_the_middle_is_read_up_to_the_cut(
    tmp_path: Path, clip, assert_same, storage, compression, with_metadata
):
    bag = tmp_path / "bag"
    write_bag(clip, bag, storage=storage, compression=compression)
    cut(next(path for path in bag.iterdir() if path.name != "metadata.yaml"), 0.6)
    if not with_metadata:
        (bag / "metadata.yaml").unlink()
    sequence = open_sequence(bag)
    frames = list(sequence.frames())
    assert 2 <= len(frames) < len(clip)
    assert_same(sequence, count=len(frames), truth=False)
    assert any("cut off" in note for note in sequence.notes.lines)


def test_messages_that_a_killed_recorder_left_in_the_write_ahead_log_are_read(
    tmp_path: Path, clip, assert_same
):
    bag, copy = tmp_path / "bag", tmp_path / "copy"
    write_bag(clip, bag, storage=SQLITE)
    connection = sqlite3.connect(bag / "bag.db3")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("UPDATE messages SET timestamp = timestamp")
    connection.commit()
    shutil.copytree(bag, copy)
    connection.close()
    assert (copy / "bag.db3-wal").stat().st_size > 0
    assert_same(open_sequence(copy))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda bag: (bag / "bag.mcap").unlink(), "bag.mcap is missing"),
        (lambda bag: (bag / "bag.mcap").write_bytes(b""), "bag.mcap is damaged|no whole record"),
        (lambda bag: (bag / "bag.mcap").write_bytes(b"\0" * 1000), "bag.mcap is damaged"),
        (lambda bag: cut(bag / "bag.mcap", 0.02), "not one image"),
    ],
    ids=["missing", "empty", "zeros", "no image left"],
)
def test_a_bag_without_a_readable_image_is_one_clear_line(tmp_path: Path, clip, damage, message):
    write_bag(clip, tmp_path / "bag")
    damage(tmp_path / "bag")
    with pytest.raises(InputError, match=message) as error:
        open_sequence(tmp_path / "bag")
    assert "\n" not in str(error.value)


def test_the_same_sequence_gives_the_same_bytes(tmp_path: Path, clip):
    for name in ("a", "b"):
        write_bag(clip, tmp_path / name / "bag")
    for file in ("bag.mcap", "metadata.yaml"):
        assert (tmp_path / "a" / "bag" / file).read_bytes() == (tmp_path / "b" / "bag" / file).read_bytes()


def test_a_bag_that_could_not_be_finished_leaves_nothing(tmp_path: Path, clip):
    def stop(count: int) -> None:
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bag(clip, tmp_path / "bag", on_frame=stop)
    assert list(tmp_path.iterdir()) == []


def test_grey_images_stay_grey(tmp_path: Path, clip):
    clip_images, clip.images = clip.images, [image[..., 0].copy() for image in clip.images]
    try:
        write_bag(clip, tmp_path / "bag")
        first = next(open_sequence(tmp_path / "bag").frames())
        assert np.array_equal(first.image, clip.images[0])
    finally:
        clip.images = clip_images


CASES = 200


def test_changed_bag_metadata_are_refused_or_the_images_are_the_same(tmp_path: Path, clip):
    write_bag(clip, tmp_path / "walk")
    file = tmp_path / "walk" / "metadata.yaml"
    sound = file.read_text()
    expected = list(open_sequence(tmp_path / "walk").frames(Selection(limit=2)))
    refused = 0
    for case in range(CASES):
        random = np.random.default_rng(case)
        content = yaml.safe_load(sound)
        change(content, random)
        file.write_text(yaml.safe_dump(content))
        found = inspect(str(tmp_path / "walk"), SequenceOptions())
        if found.problem:
            refused += 1
            assert "\n" not in found.problem, case
            continue
        frames = list(open_sequence(tmp_path / "walk").frames(Selection(limit=2)))
        assert [frame.stamp_ns for frame in frames] == [frame.stamp_ns for frame in expected], case
        for frame, other in zip(frames, expected, strict=True):
            assert np.array_equal(frame.image, other.image), case
    assert 20 < refused < CASES - 20


def change(content: object, random: np.random.Generator) -> None:
    """Change one value of nested lists and mappings, at any depth."""
    while True:
        keys = list(content) if isinstance(content, dict) else range(len(content))
        key = keys[int(random.integers(len(keys)))]
        if isinstance(content[key], (dict, list)) and content[key] and random.random() < 0.9:
            content = content[key]
            continue
        choices = [None, -1, 0, 2**63, "", "none", "../x", [], {}, [1], "sensor_msgs/msg/Imu", True, 1e300]
        content[key] = choices[int(random.integers(len(choices)))]
        return


@pytest.mark.parametrize("storage", Storage)
@pytest.mark.parametrize("damage", ["flipped bit", "zeroed block", "cut off"])
def test_a_damaged_bag_gives_frames_or_one_line(tmp_path: Path, clip, storage: Storage, damage: str):
    write_bag(clip, tmp_path / "bag", storage=storage)
    path = next(file for file in (tmp_path / "bag").iterdir() if file.suffix in (".mcap", ".db3"))
    whole = path.read_bytes()
    random = np.random.default_rng(5)
    for _ in range(12):
        data = bytearray(whole)
        # Half of the damage hits what describes the rest, which is little and at both ends.
        edge = int(random.choice([len(data), min(6000, len(data))]))
        place = int(random.integers(0, edge)) if random.random() < 0.7 else len(data) - edge
        if damage == "flipped bit":
            data[place] ^= 1 << int(random.integers(8))
        elif damage == "zeroed block":
            data[place : place + 512] = bytes(len(data[place : place + 512]))
        else:
            del data[max(place, 100) :]
        path.write_bytes(data)
        try:
            sequence = open_sequence(path)
            frames = list(sequence.frames())
        except InputError:
            continue
        assert len(frames) == len(clip) or sequence.notes.lines
