"""Runs the DAG in Airflow's own environment and tells what came of it: `python airflow_child.py ASKED.json TOLD.json`.

`AIRFLOW_HOME` is an empty folder, `AIRFLOW__CORE__DAGS_FOLDER` that of the DAG. The file that is read holds a list of
runs: {"environment": {…}, "skipped": [task …], "seconds": {task: execution timeout}}. The file that is written holds
{"problems": {…}, "tasks": {…}, "runs": [{…}]}.
"""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.models.pool import Pool
from airflow.models.xcom import XComModel
from airflow.sdk.exceptions import AirflowSkipException
from airflow.utils.db import initdb
from airflow.utils.session import create_session


def skip(_context: Any) -> None:
    """Stand for somebody who marks a task as skipped."""
    raise AirflowSkipException("by hand")


def taken(dag: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """Run the DAG once."""
    os.environ |= asked["environment"]
    for task in dag.tasks:
        task.retry_delay, task.retry_exponential_backoff = timedelta(0), 0
        task._pre_execute_hook = skip if task.task_id in asked.get("skipped", ()) else None
        task.execution_timeout = timedelta(seconds=asked.get("seconds", {}).get(task.task_id, 300))
    run = dag.test()
    with create_session() as session:
        tasks = run.get_task_instances(session=session)
        return {
            "state": run.state,
            "states": {ti.task_id: ti.state for ti in tasks},
            "attempts": {ti.task_id: ti.try_number for ti in tasks},
            "xcoms": [[xcom.task_id, xcom.key] for xcom in session.query(XComModel).filter_by(run_id=run.run_id)],
        }


def main() -> None:
    """Read what is asked, make a database, and run."""
    initdb()
    with create_session() as session:
        Pool.create_or_update_pool("game_recommendation", 1, "training", include_deferred=False, session=session)
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    dag = bag.dags["game_recommendation"]
    told = {
        "problems": bag.import_errors,
        "dags": sorted(bag.dags),
        "schedule": dag.timetable.expression,
        "tasks": {
            task.task_id: {
                "retries": task.retries,
                "minutes": task.execution_timeout and task.execution_timeout.total_seconds() / 60,
                "pool": task.pool,
                "after": sorted(task.upstream_task_ids),
            }
            for task in dag.tasks
        },
        "runs": [taken(dag, asked) for asked in json.loads(Path(sys.argv[1]).read_text())],
    }
    Path(sys.argv[2]).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
