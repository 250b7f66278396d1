"""The pipeline in Airflow: assets, approval, alerts, and the tasks of the DAGs."""
