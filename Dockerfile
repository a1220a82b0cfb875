# One image for everything: the command picks the service.
#   python -m services run SERVICE (the names are in services/roster.py)      python -m services migrate

# The part of the one lock that runs (no servers as wheels, no tools). A stage of its own: the packages below are
# installed again only when the outcome changes, not with every edit of pyproject.toml.
FROM python:3.11-slim AS lock
WORKDIR /lock
COPY docker/runtime_lock.py pyproject.toml requirements.lock ./
RUN python runtime_lock.py pyproject.toml requirements.lock > runtime.lock

FROM python:3.11-slim AS build
# pip's own settings decide where packages come from: a pip.conf as a secret (nothing of it stays), or these.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
RUN python -m venv --without-pip /opt/venv
COPY --from=lock /lock/runtime.lock /tmp/runtime.lock
# The cache is a mount: nothing of it gets into a layer, whatever hadolint thinks of it.
# hadolint ignore=DL3042
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv install --require-hashes --only-binary :all: --disable-pip-version-check \
        --no-input --progress-bar off --root-user-action ignore -r /tmp/runtime.lock
COPY docker/trim.py /tmp/trim.py
RUN python /tmp/trim.py /opt/venv/lib/python3.11/site-packages
# Compiled here, because the running container cannot write: checked by nothing, so that no copy makes it stale.
WORKDIR /app
COPY contracts contracts
COPY kit kit
COPY services services
COPY studio_client studio_client
RUN python -m compileall -q --invalidation-mode unchecked-hash .

FROM python:3.11-slim
RUN groupadd --gid 10001 studio \
 && useradd --uid 10001 --gid studio --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin studio
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
# Sees that every service can be imported, and leaves the bytecode of what they use of the standard library: the
# official image has none, and a container that cannot write would compile it at every start and health check.
RUN python -c "from services import __main__, roster; [spec.load() for spec in roster.ROSTER]"
USER 10001:10001
EXPOSE 8484
# No init: the process is PID 1, handles SIGTERM and SIGINT itself (kit/runtime/process.py) and has no children.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "services", "--help"]
