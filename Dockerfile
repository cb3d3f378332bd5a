# The images: train, mlflow, onnx and service, the last, which `docker build .` makes. See docs/deploy/image.md.
#   make image                     with labels of the version and the commit
#   docker build --target train --build-arg BASE=python:3.12-slim .
ARG BASE=python:3.11-slim

FROM ${BASE} AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
WORKDIR /build

# Compiles the kernel; only the wheel leaves this stage.
FROM base AS wheel
# The compiler is the one of the base's Debian release, whichever that is.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements/build.txt requirements/
RUN pip install --require-hashes -r requirements/build.txt
COPY LICENSE README.md pyproject.toml ./
COPY src src
# Files are dated by it and not by the clock, so that one commit gives one wheel.
ARG SOURCE_DATE_EPOCH=315532800
RUN SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH}" pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .
# Where nothing compiles the package goes on in Python; an image must not.
RUN python -m zipfile -e /wheels/*.whl /tmp/wheel \
    && for each in scoring counting folding; do ls /tmp/wheel/assay/estimators/kernel/"$each".*.so; done

# Lists what an environment holds.
FROM base AS sbom
COPY requirements/sbom.txt requirements/
RUN python -m venv --without-pip /opt/sbom \
    && pip --python /opt/sbom/bin/python install --require-hashes --only-binary :all: -r requirements/sbom.txt

# /opt/assay of each image: the packages of its locks, then Assay with its bytecode and the list.
FROM sbom AS packages
COPY requirements/*.sh requirements/*.txt requirements/
ARG EXTRAS=
RUN sh requirements/environment.sh packages image ${EXTRAS}
COPY pyproject.toml ./
COPY --from=wheel /wheels /wheels
ARG SOURCE_DATE_EPOCH=315532800
RUN sh requirements/environment.sh finish "${SOURCE_DATE_EPOCH}"

FROM sbom AS packages-onnx
COPY requirements/*.sh requirements/*.txt requirements/
ARG EXTRAS=
RUN sh requirements/environment.sh packages image onnx ${EXTRAS}
COPY pyproject.toml ./
COPY --from=wheel /wheels /wheels
ARG SOURCE_DATE_EPOCH=315532800
RUN sh requirements/environment.sh finish "${SOURCE_DATE_EPOCH}"

FROM sbom AS packages-train
COPY requirements/*.sh requirements/*.txt requirements/
RUN sh requirements/environment.sh packages image train hub s3 mlflow-s3 fetch
COPY pyproject.toml ./
COPY --from=wheel /wheels /wheels
ARG SOURCE_DATE_EPOCH=315532800
RUN sh requirements/environment.sh finish "${SOURCE_DATE_EPOCH}"

# What all images have in common: the user, one folder that may be written, no pip.
FROM ${BASE} AS runtime
ENV PATH=/opt/assay/bin:$PATH HOME=/app/data \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONNOUSERSITE=1 PYDANTIC_DISABLE_PLUGINS=__all__ \
    ASSAY_HOME=/app/data ASSAY_TASKS=/app/tasks ASSAY_HOST=0.0.0.0
# The base has Python's library without bytecode, and where nothing can be written it would be compiled at every start.
RUN pip uninstall --yes --root-user-action=ignore pip setuptools wheel \
    && rm -rf /usr/local/lib/python3*/ensurepip \
    && python -m compileall -q -x '/(site-packages|test|idlelib|lib2to3|tkinter|turtledemo|pydoc_data)/' \
        --invalidation-mode unchecked-hash /usr/local/lib/python3* \
    && groupadd --gid 10001 assay \
    && useradd --uid 10001 --gid assay --home-dir /app/data --no-create-home --shell /usr/sbin/nologin assay \
    && install -d -o assay -g assay -m 0750 /app/data /app/backups \
    && install -d -o assay -g assay -m 0755 /app/keys
WORKDIR /app
COPY tasks tasks
VOLUME /app/data
USER 10001:10001
ENTRYPOINT ["assay"]
ARG BASE
ARG VERSION=
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="assay" \
    org.opencontainers.image.description="Trains, gates, registers, serves and watches text classifiers" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.base.name="${BASE}"

FROM runtime AS train
# pg_dump and pg_restore, of the base's Debian release: they read servers of their own version and older ones.
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
COPY --from=packages-train /opt/assay /opt/assay
ENV MLFLOW_DISABLE_TELEMETRY=true GIT_PYTHON_REFRESH=quiet
CMD ["--help"]

FROM train AS mlflow
# Its jobs are none of ours, and nine processes of a hundred megabytes each.
ENV MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
    MLFLOW_HOST=0.0.0.0 MLFLOW_PORT=5000 \
    MLFLOW_BACKEND_STORE_URI=sqlite:////app/data/mlflow.db MLFLOW_ARTIFACTS_DESTINATION=/app/data/artifacts
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:5000/health', timeout=4)"]
ENTRYPOINT []
CMD ["mlflow", "server"]

FROM runtime AS onnx
COPY --from=packages-onnx /opt/assay /opt/assay
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["assay", "health"]
CMD ["serve"]

FROM runtime AS service
COPY --from=packages /opt/assay /opt/assay
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["assay", "health"]
CMD ["serve"]
