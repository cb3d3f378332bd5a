#!/bin/sh
# The images of one commit in a container registry: built and scanned once, from then on known by their digests.
#   deploy/images.sh build            builds and pushes each target as main-$SHA, and prints their digests
#   deploy/images.sh scan             refuses them for a known vulnerability that a newer version has not
#   deploy/images.sh verify           makes sure that they are still what main-$SHA names
#   deploy/images.sh digest TARGET    prints one of them
#   deploy/images.sh tag TAG...       puts more tags on each of them, and makes sure that they stay the same
# IMAGE names the service's image (ghcr.io/OWNER/assay; the others are IMAGE-TARGET), SHA the commit, SOURCE the
# repository. DIGESTS is what `build` printed: service@sha256:... onnx@sha256:... and so on.
set -eu

TARGETS='service onnx train mlflow'
GRYPE=ghcr.io/anchore/grype:v0.117.0

refuse() {
    echo "images.sh: $*" >&2
    exit 1
}

name_of() { case $1 in service) echo "$IMAGE" ;; *) echo "$IMAGE-$1" ;; esac }

digest_of() { docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$1"; }

check_digests() {
    [ "$DIGESTS" ] || refuse "DIGESTS is empty; it is what build prints"
    for each in $DIGESTS; do
        printf '%s\n' "$each" | grep -Eqx '(service|onnx|train|mlflow)@sha256:[0-9a-f]{64}' ||
            refuse "'$each' is no TARGET@sha256:DIGEST of $TARGETS"
    done
}

build() {
    digests=''
    for target in $TARGETS; do
        name=$(name_of "$target")
        docker buildx build --push --sbom=true --provenance=mode=max --target "$target" --tag "$name:main-$SHA" \
            --build-arg "VERSION=main-$SHA" --build-arg "REVISION=$SHA" --build-arg "SOURCE=$SOURCE" . >&2
        digests="$digests $target@$(digest_of "$name:main-$SHA")"
    done
    echo "${digests# }"
}

scan() {
    for each in $DIGESTS; do
        docker run --rm --volume "$HOME/.docker/config.json:/config/config.json:ro" --env DOCKER_CONFIG=/config \
            "$GRYPE" "$(name_of "${each%%@*}")@${each#*@}" --only-fixed --fail-on high
    done
}

verify() {
    printf '%s\n' "$SHA" | grep -Eqx '[0-9a-f]{40}' || refuse "'$SHA' is no commit of 40 digits"
    for each in $DIGESTS; do
        name=$(name_of "${each%%@*}")
        [ "$(digest_of "$name:main-$SHA")" = "${each#*@}" ] || refuse "$name:main-$SHA is not ${each#*@}"
    done
}

digest() {
    for each in $DIGESTS; do
        [ "${each%%@*}" != "$1" ] || { echo "${each#*@}" && return; }
    done
    refuse "there is no digest of '$1'"
}

tag() {
    for each in $DIGESTS; do
        name=$(name_of "${each%%@*}") digest=${each#*@}
        for tag in "$@"; do
            docker buildx imagetools create --prefer-index=false --tag "$name:$tag" "$name@$digest"
            [ "$(digest_of "$name:$tag")" = "$digest" ] || refuse "$name:$tag is not $digest, which was tested"
        done
    done
}

verb=${1-}
case $verb in
build) ;;
scan | verify | digest | tag) check_digests ;;
*) refuse "'$verb' is not one of build, scan, verify, digest and tag" ;;
esac
shift
"$verb" "$@"
