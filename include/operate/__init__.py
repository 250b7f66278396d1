"""Running the pipeline: what the DAGs, the command line and the headless runner share."""
