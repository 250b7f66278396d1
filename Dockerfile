# The image of every service of ours in docker-compose.yaml: Python, the locked packages, this checkout.
FROM python:3.11-slim

# Numbers, not names: TANSO_HOME on the host, or on shared storage, must belong to 50000.
RUN useradd --uid 50000 --gid 0 --create-home airflow \
    && install --directory --owner 50000 --group 0 /opt/airflow

WORKDIR /opt/tanso
COPY requirements.txt .
RUN pip install --no-cache-dir --compile --no-deps --require-hashes --requirement requirements.txt
COPY . .
# The project itself, in place; what it needs is there.
RUN pip install --no-cache-dir --no-index --no-deps --no-build-isolation --editable .

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 50000:0
