#!/bin/sh
# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# make_venv.sh PYTHON FOLDER: make the virtual environment, or say in one line what is missing.
set -eu
python=$1
folder=$2

fail() {
    echo "drcn_ros: $1" >&2
    exit 2
}

command -v "$python" > /dev/null 2>&1 || fail "there is no '$python'; install Python 3.10 to 3.14 or name one: make PYTHON=python3.12"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null) || fail "'$python' does not run"
case $version in
    3.10 | 3.11 | 3.12 | 3.13 | 3.14) ;;
    *) fail "'$python' is Python $version, but 3.10 to 3.14 is needed; name another: make PYTHON=python3.12" ;;
esac
machine=$(uname -m)
[ "$machine" = x86_64 ] || fail "ROS 2 wheels exist for x86_64 only, this is $machine; use ROS 2's own packages (README: On a robot)"
"$python" -c 'import ensurepip, venv' 2> /dev/null || fail "'$python' cannot make virtual environments; run: sudo apt install python$version-venv"
"$python" -m venv "$folder" || fail "no virtual environment could be made in '$folder'"
