"""Who may do what in an Airflow that stays up: FAB's users and roles, with one rule of FAB's made narrower."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager


# Airflow knows FAB's auth manager, and what goes with it, by this part of the name.
class NarrowFabAuthManager(FabAuthManager):
    """Answering a question asks for the right to answer questions, and to see the DAG."""

    def is_authorized_dag(
        self, *, method: ResourceMethod, user: Any, access_entity: DagAccessEntity | None = None, details: Any = None
    ) -> bool:
        """As FAB, which for an answer asks for the right to edit the DAG too: whoever has that may pause the DAG."""
        if access_entity is DagAccessEntity.HITL_DETAIL and method == "PUT":
            may_answer = super().is_authorized_dag(method=method, user=user, access_entity=access_entity)
            return may_answer and super().is_authorized_dag(method="GET", user=user, details=details)
        return super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)
