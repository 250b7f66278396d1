"""The warehouse: build the marts aside, check them, put them in the place of the published file; read them."""

from tanso.warehouse.build import EvaluateResult, EvaluationError, evaluate
from tanso.warehouse.read import ChangedError, NotPublishedError, connect

__all__ = ["ChangedError", "EvaluateResult", "EvaluationError", "NotPublishedError", "connect", "evaluate"]
