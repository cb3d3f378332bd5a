#!/bin/sh
# Makes what compose.yaml needs to be secret, each value in a file of its own under deploy/secrets/. What is there
# stays, so that it can be run again; to renew a value delete its file first.
#   sh deploy/secrets.sh [postgres] [s3] [--host NAME]
#     postgres   MLflow and the people's database in PostgreSQL (start with --profile postgres)
#     s3         MLflow's artifacts in the S3-compatible store (start with --profile s3)
#     --host     the name in the self-signed certificate, beside localhost
# The folder is closed to others (0700). The files can be read by all (0444), as each container has a user of its own
# and sees only the files that compose.yaml gives it.
set -eu
umask 077
folder=${ASSAY_SECRETS:-$(dirname "$0")/secrets}
postgres='' s3='' host=localhost
while [ $# -gt 0 ]; do
    case $1 in
        postgres) postgres=yes ;;
        s3) s3=yes ;;
        --host) host=${2:?--host needs a name}; shift ;;
        *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
    esac
    shift
done
mkdir -p "$folder"
chmod 700 "$folder"

random() { openssl rand -hex 24; }
read_from() { cat "$folder/$1"; }
# A file appears whole or not at all.
put() {
    [ -s "$folder/$1" ] && return
    printf '%s\n' "$2" >"$folder/.$1.new"
    chmod 444 "$folder/.$1.new"
    mv "$folder/.$1.new" "$folder/$1"
    echo "made $1"
}
# A store that is in use is not changed under its data.
put_store() {
    put "$1" "$2"
    [ "$(read_from "$1")" = "$2" ] && return
    echo "$folder/$1 names another store than this command asks for. To move, back up (assay backup), delete that" >&2
    echo "file, run this again and restore (assay restore)." >&2
    exit 1
}

put grafana_password "$(random)"
put decision_key "$(random)"
put postgres_password "$(random)"
put redis_conf "requirepass $(random)"
redis_conf=$(read_from redis_conf)
put redis_url "redis://:${redis_conf#requirepass }@redis:6379/0"
put s3_credentials "[default]
aws_access_key_id = assay
aws_secret_access_key = $(random)"
s3_secret=$(sed -n 's/^aws_secret_access_key = //p' "$folder/s3_credentials")
put s3_users "{\"identities\": [{\"name\": \"assay\", \"credentials\": [{\"accessKey\": \"assay\", \"secretKey\": \"$s3_secret\"}], \"actions\": [\"Admin\"]}]}"

if [ -n "$postgres" ]; then
    server="assay:$(read_from postgres_password)@postgres:5432/assay"
    put_store database "postgresql://$server"
    put_store mlflow_store "postgresql+psycopg://$server"
else
    put_store database sqlite:////app/data/assay.db
    put_store mlflow_store sqlite:////app/data/mlflow.db
fi
if [ -n "$s3" ]; then
    put_store mlflow_artifacts s3://mlflow
else
    put_store mlflow_artifacts /app/data/artifacts
fi

if ! [ -s "$folder/tls_certificate" ]; then
    names="DNS:localhost,IP:127.0.0.1"
    [ "$host" = localhost ] || names="DNS:$host,$names"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=$host" \
        -addext "subjectAltName=$names" -keyout "$folder/.key.new" -out "$folder/.certificate.new" 2>/dev/null
    chmod 444 "$folder/.key.new" "$folder/.certificate.new"
    mv "$folder/.key.new" "$folder/tls_key"
    mv "$folder/.certificate.new" "$folder/tls_certificate"
    echo "made tls_certificate and tls_key: self-signed, for $host, for a year; put your own in their place"
fi
