#!/usr/bin/env bash
# One Airflow in one container: its database, the pool of the DAG, then all its processes.
set -euo pipefail
airflow db migrate
airflow pools set game_recommendation 1 "training the game recommender"
exec airflow standalone
