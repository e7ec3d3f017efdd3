# The three services and the `countersign` command in one image; what runs is told by the command.
# The build arguments PYTHON_IMAGE and DEBIAN_IMAGE name base images by digest, where a deployment pins them.
# Its own packages are built in the first stage, so that neither pip's cache nor a build tool comes along.
ARG PYTHON_IMAGE=python:3.11-slim
ARG DEBIAN_IMAGE=debian:bookworm-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements requirements
RUN python -m venv --without-pip /opt/countersign \
 && pip --python /opt/countersign/bin/python install --no-cache-dir --no-compile --require-hashes -r requirements/main.txt
COPY pyproject.toml .
COPY authenticator authenticator
COPY cli cli
COPY operations operations
COPY protocol protocol
COPY schemas schemas
COPY services services
RUN pip --python /opt/countersign/bin/python install --no-cache-dir --no-deps --no-build-isolation . \
 && pip --python /opt/countersign/bin/python uninstall --yes setuptools \
 && /opt/countersign/bin/python -m compileall -q /opt/countersign/lib

FROM ${PYTHON_IMAGE} AS services
RUN useradd --system --uid 10001 --no-create-home --home-dir / countersign \
 && install -d -m 700 -o countersign /data /secrets /shared /demo
COPY --from=build /opt/countersign /opt/countersign
ENV PATH=/opt/countersign/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LOGIN_HOST=0.0.0.0 LOGIN_METRICS_HOST=0.0.0.0 LOGIN_DATA_DIRECTORY=/data LOGIN_SECRETS_DIRECTORY=/secrets \
    PAIRING_HOST=0.0.0.0 PAIRING_METRICS_HOST=0.0.0.0 PAIRING_DATA_DIRECTORY=/data PAIRING_SECRETS_DIRECTORY=/secrets \
    PUSH_HOST=0.0.0.0 PUSH_METRICS_HOST=0.0.0.0 PUSH_DATA_DIRECTORY=/data PUSH_SECRETS_DIRECTORY=/secrets
USER countersign
WORKDIR /
# Each container has a RocksDB of its own, which its next start goes on with.
VOLUME /data
CMD ["countersign", "--help"]

FROM ${DEBIAN_IMAGE} AS proxy
RUN apt-get update \
 && apt-get install -y --no-install-recommends caddy \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10002 --no-create-home --home-dir / proxy-user
ENV XDG_CONFIG_HOME=/tmp XDG_DATA_HOME=/tmp
COPY deploy/containers/Caddyfile /etc/caddy/Caddyfile
USER proxy-user
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile"]
