#!/bin/sh
# Runs MLflow on the stores that two secret files name: what a file holds is no argument that `ps` shows.
set -eu
MLFLOW_BACKEND_STORE_URI=$(cat "${MLFLOW_STORE_FILE:-/run/secrets/mlflow_store}")
MLFLOW_ARTIFACTS_DESTINATION=$(cat "${MLFLOW_ARTIFACTS_FILE:-/run/secrets/mlflow_artifacts}")
export MLFLOW_BACKEND_STORE_URI MLFLOW_ARTIFACTS_DESTINATION
case $MLFLOW_ARTIFACTS_DESTINATION in
    s3://*) python "$(dirname "$0")/bucket.py" "$MLFLOW_ARTIFACTS_DESTINATION" ;;
esac
exec mlflow server
