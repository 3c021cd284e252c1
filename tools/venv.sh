#!/bin/sh
# Install the package with extras into .venv:  tools/venv.sh dev
# Uses $PYTHON, else the newest Python from 3.10 on that can make virtual environments.
set -eu
cd "$(dirname "$0")/.."

works() {
    command -v "$1" >/dev/null &&
        "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

if ! [ -x .venv/bin/python ]; then
    for python in ${PYTHON:-python3.13 python3.12 python3.11 python3.10 python3}; do
        if works "$python"; then
            found=$python
            break
        fi
    done
    if [ -z "${found:-}" ]; then
        echo "Python 3.10 or newer with the module venv is needed (Debian: apt-get install python3-venv)" >&2
        exit 1
    fi
    echo "making .venv with $("$found" --version)"
    "$found" -m venv .venv
fi

echo "installing symphony-pg[$1] into .venv"
.venv/bin/python -m pip install -qq --disable-pip-version-check --editable ".[$1]"
touch ".venv/$1.stamp"
