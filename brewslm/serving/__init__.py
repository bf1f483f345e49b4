"""Serving: targets, model servers, what keeps them running, and the gateway in front of them."""

from brewslm.serving.endpoints import Endpoint, locate, wait_for
from brewslm.serving.model_server import ModelServer, ModelServerFailed, serve_model

__all__ = ["Endpoint", "ModelServer", "ModelServerFailed", "locate", "serve_model", "wait_for"]
