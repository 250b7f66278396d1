"""Airflow's plugin that puts ``tanso.airflow.doors`` before its web server."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from tanso.airflow.doors import Doors


class DoorsPlugin(AirflowPlugin):
    """Every request passes by."""

    name = "tanso_doors"
    fastapi_root_middlewares: list[Any] = [{"middleware": Doors, "args": [], "kwargs": {}, "name": "tanso doors"}]
