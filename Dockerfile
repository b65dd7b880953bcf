# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /source
RUN python -m venv /opt/licet
COPY pyproject.toml README.md LICENSE ./
COPY accounts accounts
COPY api api
COPY attachments attachments
COPY config config
COPY delivery delivery
COPY inbox inbox
COPY reviews reviews
COPY web web
COPY templates templates
COPY static static
RUN /opt/licet/bin/pip install --no-cache-dir .
# Hashed and compressed once, here; the key is for this step only and signs nothing.
RUN SECRET_KEY=build DATA_DIR=/tmp/build STATIC_ROOT=/opt/licet/static COLLECTING_STATIC=1 \
    /opt/licet/bin/licet collectstatic --no-input --verbosity 0

FROM python:3.13-slim
RUN groupadd --gid 10001 licet \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin licet \
 && install --directory --owner 10001 --group 10001 --mode 0750 /data
COPY --from=build /opt/licet /opt/licet
ENV PATH=/opt/licet/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    STATIC_ROOT=/opt/licet/static \
    DATA_DIR=/data
# Not /data: the working directory is on Python's path and may hold a .env.
WORKDIR /opt/licet
VOLUME /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "8", "config.wsgi:application"]
