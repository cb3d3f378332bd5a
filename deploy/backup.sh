#!/bin/sh
# Runs `assay backup` over the stores that secret files name; arguments go to it: backup.sh --to PLACE [--keep N]
# MLflow's volume lies here under another path than MLflow has it.
set -eu
ASSAY_TRACKING_URI=$(cat /run/secrets/mlflow_store)
case $ASSAY_TRACKING_URI in
    sqlite:*) ASSAY_TRACKING_URI=sqlite:////app/mlflow/mlflow.db ;;
esac
export ASSAY_TRACKING_URI
case $(cat /run/secrets/mlflow_artifacts) in
    s3://*) set -- --without artifacts "$@" ;;
    *) set -- --artifacts /app/mlflow/artifacts "$@" ;;
esac
exec assay backup "$@"
