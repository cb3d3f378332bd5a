#!/bin/sh
# Make /opt/assay, what an image runs; the Dockerfile calls it.
#   requirements/environment.sh packages LOCK...     an environment with the packages of these locks, by their hashes
#   requirements/environment.sh finish SECONDS       Assay's wheel, bytecode, the list of it all; every file dated SECONDS
set -eu
python=/opt/assay/bin/python
step=$1
shift

install() { pip --python "$python" install --no-compile --only-binary :all: "$@"; }

packages() {
    python -m venv --without-pip /opt/assay
    locks=" $* "
    for lock; do set -- "$@" -r "requirements/$lock.txt" && shift; done
    install --require-hashes "$@"
    # SciPy and scikit-learn use the tests of NumPy; a service does not.
    case $locks in *" train "*) ;; *) find /opt/assay/lib -type d -name tests -prune -exec rm -r {} + ;; esac
}

finish() {
    install --no-deps --no-index /wheels/*.whl
    # Bytecode that holds no times and is not compared with its source again: nothing in an image changes.
    python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/assay/lib
    /opt/sbom/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
        --output-file /opt/assay/sbom.cdx.json "$python"
    find /opt/assay -exec touch --no-dereference --date="@$1" {} +
}

"$step" "$@"
