#!/bin/sh
# Builds the images and replaces one replica after the other; the next only when the last is ready. A replica that does
# not become ready ends the roll: the other one goes on with what it has.
set -eu
cd "$(dirname "$0")/.."
docker compose build --quiet
for replica in api-1 api-2; do
    docker compose up --detach --no-deps --wait --wait-timeout 180 "$replica"
done
