# The service as an image: docker build -t clickstream-processor .
# Arguments and how it is run: docs/docker.md.

# Any image with Python 3.11 or newer as `python`. Both stages have the same one: they share its interpreter.
ARG BASE_IMAGE=python:3.13-slim


FROM ${BASE_IMAGE} AS build

ARG UV_VERSION=0.13.9
# Package indexes other than PyPI: pip's for uv, uv's for everything else. Both trust whom the base image trusts.
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ENV UV_SYSTEM_CERTS=true UV_PYTHON=/app/bin/python UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy

WORKDIR /build
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore "uv==${UV_VERSION}" \
    && python -m venv --without-pip /app

# The runtime's part of the lock, by its hashes. It stays cached until one of the two files changes. Of AWS's API
# descriptions only those are kept that its credentials are made with: 1 of 28 MB.
COPY pyproject.toml requirements.lock ./
RUN --mount=type=cache,target=/root/.cache \
    uv pip install --no-build --require-hashes --constraints requirements.lock \
        --requirements pyproject.toml --extra msk \
    && find /app/lib/python*/site-packages/botocore/data -mindepth 1 -maxdepth 1 -type d \
        ! -name sts ! -name 'sso*' ! -name signin -exec rm -r {} +

COPY README.md LICENSE ./
COPY schemas schemas
COPY examples/canonical.yaml examples/
COPY processor processor
RUN --mount=type=cache,target=/root/.cache \
    uv build --wheel --require-hashes --build-constraints requirements.lock --out-dir /wheel \
    && uv pip install --no-deps --prefix /package /wheel/*.whl


# Nothing is run from here on, so that a base without a shell does as well.
FROM ${BASE_IMAGE}

# The MALLOC_… keep glibc from giving memory back to the kernel, and asking for it again, for every reply over TLS.
# OPS_PORT is what the health check asks: it must be `ops.port` of the file, or --ops-port.
ENV PATH=/app/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1 \
    MALLOC_MMAP_THRESHOLD_=8388608 \
    MALLOC_TRIM_THRESHOLD_=67108864 \
    MALLOC_TOP_PAD_=8388608 \
    OPS_PORT=8080

# Two layers: a change of the service alone moves the small one.
COPY --from=build /app /app
COPY --from=build /package /app

# Here `clickstream run` looks for its clickstream.yaml.
WORKDIR /etc/clickstream
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-IS", "-c", "\
import http.client, os, sys\n\
connection = http.client.HTTPConnection('127.0.0.1', int(os.environ['OPS_PORT']), timeout=4)\n\
connection.request('GET', '/live')\n\
answer = connection.getresponse()\n\
sys.exit(answer.status != 200 and answer.read().decode())"]
ENTRYPOINT ["clickstream"]
CMD ["run"]

ARG BASE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="clickstream-processor" \
      org.opencontainers.image.description="Sends Avro click events from Kafka topics to Voyado Engage and Retail Rocket." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
