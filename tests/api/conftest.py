from collections.abc import Iterator
from contextlib import suppress

import orjson
import pytest
from fastapi.testclient import TestClient

from brewslm.api.app import create_app
from brewslm.pipeline import execute


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The API without a worker: what it queues stays queued until a test performs it."""
    with TestClient(create_app(with_worker=False), base_url="http://localhost", raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def perform(client):
    """Perform what a response queued; returns the task."""

    def done(response) -> dict:
        assert response.status_code == 202, response.text
        view = response.json()
        assert response.headers["Location"] == f"/api/tasks/{view['task_id']}"
        with suppress(execute.RunFailed):
            execute.perform(view["task_id"])
        return client.get(response.headers["Location"]).json()

    return done


@pytest.fixture
def uploaded(client):
    """Upload rows as JSON lines; returns their locator."""

    def upload(rows: list, name: str = "rows.jsonl") -> str:
        data = b"".join(orjson.dumps(row) + b"\n" for row in rows)
        answer = client.post("/api/uploads", files={"file": (name, data)})
        assert answer.status_code == 201
        return f"jsonl:{answer.json()['path']}"

    return upload
