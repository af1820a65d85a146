#!/bin/sh
# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# gpu_wheels.sh [FOLDER]: gather what `drcn bench gpu` needs on a machine that reaches no registry and has torch,
# numpy, OpenCV, scikit-image and pytest, but neither PoseLib nor rosbags: wheels for Python 3.12 on x86-64, in
# versions of lock.txt. Says how large all that travels is, and what to type there. PYTHON names the interpreter
# whose pip downloads.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-.wheels}
python=${PYTHON:-python3}
# rosbags and PoseLib, and what they need beside numpy.
names="poselib rosbags apsw backports-zstd lz4 ruamel-yaml"
limit=60

fail() {
    echo "drcn_ros: $1" >&2
    exit 2
}

wanted=
for name in $names; do
    # Where the versions of Python have one each, the newest version's comes last.
    pinned=$(sed -n "s/^\($name==[^ ;]*\).*/\1/p" requirements/lock.txt | tail -n 1)
    [ -n "$pinned" ] || fail "requirements/lock.txt has no version of $name"
    wanted="$wanted $pinned"
done
platforms=
for tag in manylinux_2_28 manylinux_2_27 manylinux_2_26 manylinux_2_24 manylinux_2_17 manylinux2014 manylinux1; do
    platforms="$platforms --platform ${tag}_x86_64"
done
rm -f "$folder"/*.whl
# Words of both lists are single arguments.
# shellcheck disable=SC2086
"$python" -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
    $platforms -d "$folder" $wanted || fail "a wheel could not be downloaded; is a package registry reached?"

for name in $names; do
    file=$(echo "$name" | tr - _)
    ls "$folder/$file"-*.whl > /dev/null 2>&1 || fail "there is no wheel of $name in $folder"
done
# What git holds or would add, and the wheels.
tree=$(git ls-files -z --cached --others --exclude-standard | xargs -0 du -ck 2> /dev/null | awk '/\ttotal$/ { sum += $1 } END { print sum }')
wheels=$(du -sk "$folder" | cut -f 1)
size=$(((tree + wheels + 1023) / 1024))
[ "$size" -le "$limit" ] || fail "tree and wheels take $size MB, more than the $limit MB that may travel"
echo "tree $((tree / 1024)) MB, wheels $((wheels / 1024)) MB in $folder: $size of $limit MB. There:"
echo
echo "python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target $folder/site $folder/*.whl && PYTHONPATH=$folder/site python3 -m drcn_ros bench gpu --out gpu_output"
