import logging
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from nicegui import Client, ui
from nicegui.functions.download import download
from nicegui.functions.navigate import Navigate
from nicegui.functions.notify import notify
from nicegui.testing import User

from brewslm.api.app import create_app
from brewslm.handlers.base import Metric
from brewslm.handlers.gates import GateOutcome
from brewslm.stages.evaluate.scorecard import PairedTest, Power, Scorecard, SystemScore
from tests.observe.conftest import Walk, walk  # noqa: F401 - a project that walks through the stages
from tests.running import PATIENCE_SECONDS

LOOKS = round(PATIENCE_SECONDS / 0.1)
"""Of a tenth of a second, or half of that."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Patient(User):
    """Looks as long as it takes: pages read in threads, and NiceGUI's own three looks are over after 0.3 s."""

    async def should_see(self, *target: Any, retries: int = 0, **rules: Any) -> None:
        await super().should_see(*target, retries=retries or LOOKS, **rules)

    async def should_not_see(self, *target: Any, retries: int = 0, **rules: Any) -> None:
        await super().should_not_see(*target, retries=retries or LOOKS, **rules)


@pytest.fixture
async def user(monkeypatch, caplog) -> AsyncIterator[User]:
    """Somebody who looks at the pages of the real application, without a browser and without a worker."""
    monkeypatch.setenv("NICEGUI_USER_SIMULATION", "true")
    app = create_app(with_worker=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/ui") as http,
    ):
        yield Patient(http)
        for client in list(Client.instances.values()):
            client.delete()
        await threads_ended()
    ui.navigate, ui.notify, ui.download = Navigate(), notify, download
    faults = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not faults, faults


async def threads_ended() -> None:
    """What pages still read in threads has been read: it must not meet the next test's home."""
    limiter = anyio.to_thread.current_default_thread_limiter()
    borrowers = [object() for _ in range(int(limiter.total_tokens))]
    for borrower in borrowers:
        await limiter.acquire_on_behalf_of(borrower)
    for borrower in borrowers:
        limiter.release_on_behalf_of(borrower)


GATE = {"metric_id": "accuracy", "class_id": None, "slice_id": None, "operator": "gte", "threshold": None, "better_than": None,
        "no_worse_than": None, "margin": 0.0, "confidence": 0.95, "interval_confidence": 0.9, "required": True}  # fmt: skip
GATES = [
    GateOutcome(**GATE | {"gate_id": name} | fields)
    for name, fields in {
        "min_accuracy": {"threshold": 0.8, "value": 0.9025, "low": 0.8753, "high": 0.9243, "n": 400, "met": True},
        "gain": {
            "better_than": "base", "compared_with": "base", "value": 0.9025, "other": 0.77, "low": 0.09, "high": 0.17, "n": 400,
            "p_value": 1e-8, "met": True,
        },
        "keeps_up": {
            "no_worse_than": "baseline", "margin": 0.02, "compared_with": "base", "value": 0.9025, "other": 0.77, "low": -0.03,
            "high": 0.17, "n": 400, "undecidable": True, "required": False,
        },
        "refunds": {"metric_id": "recall", "class_id": "refund", "threshold": 0.9, "cause": "class_missing", "required": False},
    }.items()
]  # fmt: skip


@pytest.fixture
def card() -> Scorecard:
    """A tuned model that is surely better than its base."""

    def system(prompt: str | None, value: float, low: float, high: float) -> SystemScore:
        metric = Metric(value=value, low=low, high=high, n=400)
        return SystemScore(prompt=prompt, metrics={"accuracy": metric}, correct=round(400 * value), details={}, seconds=1.0)

    return Scorecard(
        experiment_id="exp-1", base_model="path:x", base_sha256="0", adapter_sha256="0", manifest_version=1, manifest_sha256="0",
        task_profile="classification", scoring_mode="label", eval_pack="general", primary_metric="accuracy", n=400,
        systems={
            "tuned": system("chat", 0.9025, 0.8694, 0.9279),
            "base": system("plain", 0.77, 0.7263, 0.8085),
            "majority": system(None, 0.5, 0.4512, 0.5488),
        },
        base_prompts={}, gates=GATES, promotable=True,
        power=Power(
            metric_id="accuracy", n=400, confidence=0.95, power=0.8, from_threshold=0.037, from_system=0.06, system="base"
        ),
        paired={"base": PairedTest(wins=74, losses=21, p_value=4e-8), "majority": PairedTest(wins=9, losses=7, p_value=0.8036)},
    )  # fmt: skip
