#!/bin/sh
# Let pip, by its own configuration, install the torch that torch.txt pins, beside a lock that holds what it needs.
#   requirements/torch.sh PYTHON       PYTHON is the environment's interpreter; TORCH=any: its CUDA build on any machine
# Where it cannot be had, all else works: this says why, and ends with 0.
set -eu
cd "$(dirname "$0")/.."
python=$1
pinned=$(cat requirements/torch.txt)

without() {
    printf 'setup: torch is not installed, so transformers cannot be trained, and their tests are skipped: %s\n' "$*" >&2
    exit 0
}

there=$("$python" -c 'from importlib.metadata import version; print(version("torch").partition("+")[0])' 2>/dev/null) || there=none
[ "torch==$there" != "$pinned" ] || exit 0

# On Linux the build that an index gives unasked is CUDA's, several GB. The CPU's is +cpu, and pip knows it by its name.
if [ "$(uname -s)" != Linux ] || [ "${TORCH:-}" = any ] || nvidia-smi >/dev/null 2>&1; then
    "$python" -m pip install --quiet --no-compile "$pinned" ||
        without "pip could not install $pinned; it says why above. See docs/transformers.md, then: make torch"
else
    "$python" -m pip install --quiet --no-compile "$pinned+cpu" ||
        without "pip could not install $pinned+cpu, its build for machines without an NVIDIA GPU, like this one." \
            "Tell pip where that is (docs/transformers.md), or take the CUDA build with TORCH=any; then: make torch"
fi
