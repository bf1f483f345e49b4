"""The live smoke check: a server must say what the exported file said when it was exported."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from brewslm.handlers import handler_for
from brewslm.models.endpoint import EndpointPredictor
from brewslm.models.prompt import Prompt
from brewslm.rows.manifest import PreparedData
from brewslm.serving.asking import answering, answers, predictor_of
from brewslm.serving.endpoints import Endpoint
from brewslm.serving.targets import Servable
from brewslm.store.files import read_json

PLACES = 12
"""Tokens of one answer that a live server is asked for: spread over it, the first and the end mark among them."""
PROMPTS = 8
"""Prompts that are asked about, where the trace does not say which."""
LEAST = 0.9
"""Share that must be the same, where the trace does not say it."""
TEXT_LEAST = 0.5
"""Share of the answers' characters, up to the first that differs, where an endpoint gives no tokens: left to itself, a quantised
model parts from the recorded words at a near-tie, and never comes back to them. Another model parts at once."""
ANSWER_SECONDS = 30.0
"""The longest that one answer may take."""
ALL_SECONDS = 180.0
"""The longest that the whole check may take."""
LOOK_SECONDS = 0.2
_TRACES = {"hf": "merged", "safetensors-merged": "merged"}


class SmokeMissed(Exception):
    """The server answers, and says something else. The message says what."""


class Smoke(NamedTuple):
    """What the export wrote down of a variant.

    Attributes:
        key: The variant's in the trace's `agreement`.
        manifest: Of the rows that were asked.
    """

    key: str
    trace: dict[str, Any]
    manifest: Path
    manifest_sha256: str

    @classmethod
    def of(cls, servable: Servable, trace: Path, manifest: Path, manifest_sha256: str) -> "Smoke":
        """From the bundle of what is served."""
        return cls(_TRACES.get(servable.variant, servable.variant), read_json(trace), manifest, manifest_sha256)


class Asked(NamedTuple):
    """What came of it: as in `switch.SwitchResult`."""

    asked: int
    same: int
    by: str


def ask_live(endpoint: Endpoint, smoke: Smoke, check: Callable[[], None]) -> Asked:
    """Ask it, within `ALL_SECONDS` whatever it does: a server that sends a byte now and then is never late by itself.

    Args:
        check: Raises when nobody wants to know any more.

    Raises:
        Unanswered: It is down, slow, or does not speak as was agreed.
        SmokeMissed: It is another model, or another chat template or tokenizer; or too little of what it says is the same.
    """
    done: list[Asked | BaseException] = []

    def ask() -> None:
        try:
            done.append(_asked(endpoint, smoke))
        except BaseException as error:  # noqa: BLE001 - it is raised again, by whoever waits
            done.append(error)

    asking = threading.Thread(target=ask, name="smoke", daemon=True)
    asking.start()
    until = time.monotonic() + ALL_SECONDS
    while asking.is_alive() and time.monotonic() < until:
        check()
        asking.join(LOOK_SECONDS)
    if not done:
        raise SmokeMissed(f"it did not answer all within {ALL_SECONDS:.0f} s")
    if isinstance(done[0], BaseException):
        raise done[0]
    return done[0]


def _asked(endpoint: Endpoint, smoke: Smoke) -> Asked:
    if "prompts" not in smoke.trace:
        found, least = _rows(endpoint, smoke), smoke.trace.get("live_least", LEAST)
    else:
        with answering(endpoint):
            live = predictor_of(endpoint, timeout_seconds=ANSWER_SECONDS, retries=0)
            _is_that_model(live, endpoint)
            same = _tokens(live, smoke)
            if same is None:
                found, least = _texts(live, smoke), TEXT_LEAST
            else:
                found, least = Asked(len(same), sum(same), "tokens"), smoke.trace.get("live_least", LEAST)
    if found.same < least * found.asked or not found.asked:
        what = {"tokens": "tokens", "texts": "characters", "rows": "answers"}[found.by]
        raise SmokeMissed(f"{found.same} of {found.asked} {what} are those of the exported file")
    return found


def _is_that_model(live: EndpointPredictor, endpoint: Endpoint) -> None:
    """A server that tells its models must know ours by its name."""
    known = live.known_models()
    if known and endpoint.model not in known:
        raise SmokeMissed(f"it has no model {endpoint.model}; it has {', '.join(sorted(known)[:5])}")


def _tokens(live: EndpointPredictor, smoke: Smoke) -> list[bool] | None:
    """Whether it says what the exported file said, at places of the answers that the export wrote; None if it gives no token.

    Each token is asked for after the recorded ones: left to itself, a quantised model soon parts from its own recorded words at a
    near-tie, for the server multiplies in another order (of the untuned base's 8 answers in Q8_0, 3 were the same word for word).
    """
    flips = smoke.trace["agreement"].get(smoke.key, {}).get("flips", [])
    otherwise = {(flip["prompt"], flip["position"]): flip["found"] for flip in flips}
    same: list[bool] = []
    for number, one in _asked_about(smoke):
        length = live.prompt_length(Prompt(tuple(one["messages"]), plain=""))
        if length is not None and length != len(one["prompt_ids"]):
            raise SmokeMissed(f"it makes {length} tokens of a prompt that training made {len(one['prompt_ids'])} of")
        for place in spread(len(one["answer_ids"])):
            said = live.next_token([*one["prompt_ids"], *one["answer_ids"][:place]])
            if said is None and not same:
                return None
            same.append(said == otherwise.get((number, place), one["expected"][place]))
    return same


def _texts(live: EndpointPredictor, smoke: Smoke) -> Asked:
    """How far its answers are those of the trained model, in characters up to the first other one."""
    whole = alike = 0
    for _, one in _asked_about(smoke):
        wanted = one["answer"]
        said = live.written(Prompt(tuple(one["messages"]), plain=""), len(one["answer_ids"]))
        whole += len(wanted)
        alike += common_start(said.strip(), wanted.strip()) if said.strip() != wanted.strip() else len(wanted)
    return Asked(whole, alike, "texts")


def _rows(endpoint: Endpoint, smoke: Smoke) -> Asked:
    """How many rows it answers as the trained model did."""
    data = PreparedData(smoke.manifest, smoke.manifest_sha256)
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    wanted = {one["row_id"]: one["output"] for one in smoke.trace["answers"]}
    rows = [row for row in data.eval() if row.row_id in wanted]
    found = answers(endpoint, handler, rows, timeout_seconds=ALL_SECONDS, retries=0)
    return Asked(len(found), sum(one.output == wanted[one.row_id] for one in found), "rows")


def _asked_about(smoke: Smoke) -> Iterator[tuple[int, dict[str, Any]]]:
    """The prompts, by their number: those that the variant answered freely, or the first ones."""
    prompts: Sequence[dict[str, Any]] = smoke.trace["prompts"]
    answered = smoke.trace["agreement"].get(smoke.key, {}).get("answers") or []
    for number in [one["prompt"] for one in answered] or range(min(PROMPTS, len(prompts))):
        yield number, prompts[number]


def spread(length: int) -> list[int]:
    """At most `PLACES` places, evenly spaced, with both ends."""
    return sorted({round(step * (length - 1) / (PLACES - 1)) for step in range(PLACES)})


def common_start(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
