"""Ask a live model server, of whatever kind: rows in, predictions out, by the words that the model was trained on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from brewslm.handlers.base import Prediction, TaskHandler
from brewslm.models.endpoint import RETRIES, TIMEOUT_SECONDS, EndpointPredictor
from brewslm.models.prompt import Listener
from brewslm.rows.manifest import PreparedRow
from brewslm.serving.endpoints import Endpoint


class Unanswered(Exception):
    """A model server did not answer, or not in the form that was agreed. The message says which, without any row's text."""


def predictor_of(
    endpoint: Endpoint, on_answers: Listener | None = None, timeout_seconds: float = TIMEOUT_SECONDS, retries: int = RETRIES
) -> EndpointPredictor:
    """Whoever asks a server that chats."""
    return EndpointPredictor(
        endpoint.base_url, endpoint.model, on_answers, api_key=endpoint.secret or "none", timeout_seconds=timeout_seconds,
        retries=retries,
    )  # fmt: skip


def answers(
    endpoint: Endpoint, handler: TaskHandler, rows: Sequence[PreparedRow], timeout_seconds: float = TIMEOUT_SECONDS,
    retries: int = RETRIES,
) -> list[Prediction]:  # fmt: skip
    """What the server answers to rows, in their order.

    One that answers rows is sent {"rows": [{"row_id", "payload"}]} and sends {"model", "predictions": [Prediction]}; another is
    asked by the handler, over OpenAI's API.

    Raises:
        Unanswered: It is down, slow, or says something else.
    """
    with answering(endpoint):
        if not endpoint.rows:
            return handler.predict(rows, predictor_of(endpoint, None, timeout_seconds, retries))
        import httpx2

        body = {"rows": [{"row_id": row.row_id, "payload": row.payload} for row in rows]}
        said = httpx2.post(endpoint.rows_url, json=body, headers=endpoint.headers(), timeout=timeout_seconds)
        said.raise_for_status()
        found = [Prediction.model_validate(one) for one in said.json()["predictions"]]
        if [one.row_id for one in found] != [row.row_id for row in rows]:
            raise ValueError("other rows")
        return found


@contextmanager
def answering(endpoint: Endpoint) -> Iterator[None]:
    """Turn whatever a server can do wrong into `Unanswered`, said in one sentence."""
    import httpx2
    import openai

    where = endpoint.base_url
    try:
        yield
    except (openai.APITimeoutError, httpx2.TimeoutException) as error:
        raise Unanswered(f"{where} did not answer in time") from error
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        cause = error.__cause__ or error
        raise Unanswered(f"nothing answers at {where} ({type(cause).__name__})") from error
    except openai.APIStatusError as error:
        raise Unanswered(f"{where} answered HTTP {error.status_code}{_why(error.response)}") from error
    except httpx2.HTTPStatusError as error:
        raise Unanswered(f"{where} answered HTTP {error.response.status_code}{_why(error.response)}") from error
    except (openai.APIError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise Unanswered(f"{where} answered something else than was agreed ({type(error).__name__})") from error


def _why(response: Any) -> str:
    """What a status means that people get wrong; a server's own words may quote somebody's data."""
    return {401: " (it wants a key)", 403: " (it does not let this key)", 404: " (it has no such model, or no such address)"}.get(
        response.status_code, ""
    )
