"""Connections that Airflow keeps, for what pulls files."""

from __future__ import annotations

from airflow.sdk import BaseHook

from tanso.ingest.pull.connections import Connection, ConnectionUnknown


def find(conn_id: str) -> Connection:
    """The connection of that id. Raises ConnectionUnknown when Airflow has none."""
    try:
        found = BaseHook.get_connection(conn_id)
    except Exception as error:  # a kind of its own per secrets backend
        raise ConnectionUnknown(
            f"connection {conn_id!r} is not known to Airflow ({type(error).__name__}); add it under Admin, "
            f"Connections, or set AIRFLOW_CONN_{conn_id.upper()}"
        ) from None
    return Connection(found.host, found.port, found.login, found.password, found.extra_dejson)
