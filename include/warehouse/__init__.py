"""The warehouse: build the marts aside, check them, put them in the place of the published file; read them."""

from include.warehouse.build import EvaluateResult, EvaluationError, evaluate
from include.warehouse.read import NotPublishedError, connect

__all__ = ["EvaluateResult", "EvaluationError", "NotPublishedError", "connect", "evaluate"]
