# Two images: `full`, the default, serves and trains; `service` only serves, and lacks every training library. A third,
# `airflow`, is for teams that let Airflow train.
#   docker build -t game-recommender .
#   docker build -t game-recommender:service --target service .
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data \
    MODEL_STORE=/models \
    HOME=/tmp
RUN useradd --uid 10001 --no-log-init --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin games-service \
    && install --directory --owner=games-service --group=games-service --mode=0750 /data /models
WORKDIR /srv/game-recommender

# What installs and slims, in neither image.
FROM base AS build
ARG UV_VERSION=0.13.9
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils tini \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir "uv==${UV_VERSION}"
ENV UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy
COPY deploy/docker/slim.sh deploy/docker/compile.py /usr/local/lib/build/
COPY pyproject.toml uv.lock ./

FROM build AS build-service
RUN --mount=type=cache,target=/tmp/.cache/uv \
    uv sync --frozen --no-compile-bytecode --no-default-groups && bash /usr/local/lib/build/slim.sh /opt/venv
COPY app app
RUN python /usr/local/lib/build/compile.py app && chmod -R a+rX app

FROM build AS build-full
RUN --mount=type=cache,target=/tmp/.cache/uv \
    uv sync --frozen --no-compile-bytecode --no-dev && bash /usr/local/lib/build/slim.sh /opt/venv
COPY app app
COPY training training
RUN python /usr/local/lib/build/compile.py app training && chmod -R a+rX app training
# The first model: a volume that is new begins with what its image has there, and the first start trains nothing.
# hadolint ignore=DL3059
RUN PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/tmp/data python -m training run --starter

FROM build AS build-airflow
COPY dags/pyproject.toml dags/uv.lock dags/
RUN --mount=type=cache,target=/tmp/.cache/uv \
    UV_PROJECT_ENVIRONMENT=/opt/airflow uv sync --frozen --no-compile-bytecode --project dags

# What both images share, besides the environment.
FROM base AS runtime
# Process 1: it ends what the trainers of a service leave behind.
COPY --from=build /usr/bin/tini-static /usr/bin/tini
COPY --chmod=0755 deploy/docker/healthy.py /usr/local/bin/healthy
COPY LICENSE ./
EXPOSE 8000
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --start-interval=1s --retries=3 CMD ["healthy"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "app"]
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Game recommender" \
    org.opencontainers.image.description="A self-hosted game recommender: RAWG catalogue, item-based collaborative filtering, an online API." \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"

FROM runtime AS service
COPY --from=build-service /opt/venv /opt/venv
COPY --from=build-service /srv/game-recommender/app app
VOLUME ["/data", "/models"]

FROM runtime AS trainer
COPY --from=build-full /opt/venv /opt/venv
COPY --from=build-full /srv/game-recommender/app app
COPY --from=build-full /srv/game-recommender/training training
COPY --from=build-full --chown=10001:10001 /models /models
VOLUME ["/data", "/models"]

# Airflow beside the trainer, for the profile `airflow` of docker-compose.yml; its libraries are of other versions.
FROM trainer AS airflow
COPY --from=build-airflow /opt/airflow /opt/airflow
COPY dags/game_recommendation.py dags/
COPY --chmod=0755 deploy/docker/airflow.sh /usr/local/bin/airflow-alone
USER 0:0
RUN install --directory --owner=games-service --group=games-service --mode=0750 /airflow
USER 10001:10001
ENV PATH=/opt/airflow/bin:$PATH \
    AIRFLOW_HOME=/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/srv/game-recommender/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=false \
    GAME_RECOMMENDER_HOME=/srv/game-recommender \
    GAME_RECOMMENDER_PYTHON=/opt/venv/bin/python
VOLUME ["/airflow"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --start-interval=2s \
    CMD ["/usr/local/bin/python3", "-ISc", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/api/v2/version', timeout=4)"]
CMD ["airflow-alone"]

FROM trainer AS full
