"""kill -9 of a model server, the gateway or a worker at random moments of promotes, rollbacks and drift checks.

After each, whatever was killed is started again, and then: at most one version is promoted and the slot points to it, every run
has come to an end, no change was made or told twice, the chain of events holds, and the promoted version answers.

The moments come from a seed, which is printed; BREWSLM_KILL_SEED repeats one. Those of the short run are the same for everybody,
so that no change is refused for moments that have nothing to do with it; `make test-all` looks for new ones.
"""

import os
import random
import secrets
import time
from collections import Counter
from contextlib import ExitStack, suppress

import openai
import psutil
import pytest
from sqlalchemy import select

from brewslm.handlers import handler_for
from brewslm.models.endpoint import EndpointPredictor
from brewslm.pipeline import runs
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.serving import locate
from brewslm.store.database import reading
from brewslm.store.tables import DeploymentVersion, Run, RunEvent, Slot
from tests.experiments import LABELS, adopt_bundle, make_experiment, rows
from tests.running import ours, server, until

VARIANTS = ("gguf-f16", "gguf-q8_0")
CHANGING = ("deploy.create", "deploy.promote", "deploy.rollback")
LONGEST_MOMENT_SECONDS = 3.0
SHORT, SEED = 3, 20260801


@pytest.fixture
def export(project, tiny_model, tiny_adapter, tiny_bundle):
    return adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)


class House:
    """The server and a second worker; whoever was killed is started again."""

    def __init__(self, home, stack):
        self._home, self._stack = home, stack
        self._start_server()
        self._start_worker()

    def _start_server(self):
        self.serving = self._stack.enter_context(server(self._home))

    def _start_worker(self):
        self.worker = self._stack.enter_context(ours(["worker", "--name", "second"], self._home / "second.log"))

    def kill(self, victim):
        """kill -9, and what a watchdog would do about it."""
        if victim == "gateway":
            self.serving.kill()
            self._start_server()
        elif victim == "worker":
            self.worker.kill()
            self._start_worker()
        else:
            for pid in live_servers(self._home):
                with suppress(psutil.NoSuchProcess):  # the supervisor ends one that nobody wants any more
                    psutil.Process(pid).kill()


def live_servers(home):
    """Processes of the model servers that are up, of the promoted version and of one that is tried."""
    known = [int(file.stem) for file in (home / "serving").glob("*.json")]
    return [found.pid for number in known if (found := locate(number)) and psutil.pid_exists(found.pid)]


def promoted_in_slot():
    """The slot's version, which is the one that is promoted, or None where none is."""
    with reading() as session:
        promoted = list(session.scalars(select(DeploymentVersion).where(DeploymentVersion.state == "promoted")))
        slot = session.scalars(select(Slot)).one_or_none()
    assert len(promoted) <= 1, f"{len(promoted)} versions are promoted"
    pointed = slot.version_id if slot else None
    assert pointed == (promoted[0].id if promoted else None), "the slot points to another version than the promoted one"
    return promoted[0] if promoted else None


def begin(serving, export, rng):
    """Queue what shall be going on at the moment: one, two or three of a promote, a rollback and a check."""
    chosen = rng.sample(["promote", "rollback", "check"], rng.randint(1, 3))
    now = promoted_in_slot()
    for action in chosen:
        if action == "promote":
            created = serving.post("/api/deployments", json={"export": export, "variant": rng.choice(VARIANTS)})["task_id"]
            number = serving.ended(created)["result"]["deployment"]
            serving.post(f"/api/deployments/{number}/promote")
        elif now is not None:
            serving.post(f"/api/deployments/{now.id}/" + ("rollback" if action == "rollback" else "drift/check"))
    return chosen


def settled():
    """Every run has come to its end, or else which have not."""

    def all_ended():
        with reading() as session:
            return all(runs.view(run).state in runs.ENDED for run in session.scalars(select(Run)))

    until(all_ended, "the end of every run", 300)


def consistent(serving):
    """All that must hold, once everything has settled."""
    version = promoted_in_slot()
    with reading() as session:
        changing = session.scalars(select(Run).where(Run.operation.in_(CHANGING), Run.state == "succeeded"))
        expected = Counter(run.id for run in changing)
        told = Counter(session.scalars(select(RunEvent.run_id).where(RunEvent.reason_code == "deployment_changed")))
    assert told == expected, "a change was told twice, or not at all"
    verified = serving.get("/api/audit/verify")
    assert (verified["faults"], verified["gaps"]) == ([], 0)
    if version is not None:
        answers(serving, f"default-v{version.version}")


def answers(serving, name):
    """The gateway answers by the promoted version, and rightly."""
    base_url = f"{serving.url}/serve/1/default/v1"
    client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=0)

    def answered_by():
        try:
            return [one.id for one in client.models.list()] == [name]
        except openai.APIError:
            return False

    until(answered_by, f"an answer of {name}")
    handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=LABELS))
    asked = [PreparedRow.model_validate(row) for row in rows(4)]
    said = handler.predict(asked, EndpointPredictor(base_url, name, labelling="constrained"))
    assert [one.output for one in said] == [row.payload["label"] for row in asked]


@pytest.mark.parametrize("kills", [SHORT, pytest.param(30, marks=pytest.mark.slow)])
def test_after_a_kill_at_any_moment_versions_and_traffic_are_consistent(home, export, kills):
    seed = int(os.environ.get("BREWSLM_KILL_SEED") or (SEED if kills == SHORT else secrets.randbelow(2**32)))
    print(f"BREWSLM_KILL_SEED={seed}")
    rng = random.Random(seed)
    victims = [("gateway", "worker", "model server")[number % 3] for number in range(kills)]
    rng.shuffle(victims)
    with ExitStack() as stack:
        house = House(home, stack)
        created = house.serving.post("/api/deployments", json={"export": export, "variant": "gguf-f16"})["task_id"]
        number = house.serving.ended(created)["result"]["deployment"]
        assert house.serving.ended(house.serving.post(f"/api/deployments/{number}/promote")["task_id"])["state"] == "succeeded"
        for victim in victims:
            going_on = begin(house.serving, export, rng)
            moment = time.monotonic() + rng.uniform(0, LONGEST_MOMENT_SECONDS)
            until(lambda moment=moment: time.monotonic() >= moment, "the moment")
            house.kill(victim)
            settled()
            consistent(house.serving)
            print(f"killed the {victim} during {', '.join(going_on)}: consistent")
    with reading() as session:
        ended = Counter((run.operation, run.state) for run in session.scalars(select(Run)))
    print(dict(ended))
