#!/bin/sh
# Let pip, by its own configuration, install the torch that torch.txt pins, beside a lock that holds what it needs.
#   requirements/torch.sh PYTHON       PYTHON is the environment's interpreter; TORCH=any: its CUDA build on any machine
# Where it cannot be had, all else works: this says why, and ends with 0.
set -eu
cd "$(dirname "$0")/.."
python=$1

without() {
    printf 'setup: torch is not installed, so transformers cannot be trained, and their tests are skipped: %s\n' "$*" >&2
    exit 0
}

# What pip would do, before several GB are on their way.
report=$("$python" -m pip install --quiet --dry-run --report - -r requirements/torch.txt) ||
    without "pip found no $(cat requirements/torch.txt) for this machine. See docs/transformers.md, then: make torch"
case $report in *'"name": "nvidia-'*)
    [ "${TORCH:-}" = any ] || nvidia-smi >/dev/null 2>&1 ||
        without "pip would take its CUDA build, several GB, and this machine has no NVIDIA GPU." \
            "Let pip find a CPU build (docs/transformers.md), or take it all the same with TORCH=any; then: make torch"
    ;;
esac
"$python" -m pip install --quiet --no-compile -r requirements/torch.txt
