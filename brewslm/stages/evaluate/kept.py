"""A system's answers, kept as they are made: whoever was cut off goes on with what is not answered yet."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from brewslm.models.prompt import Answered, Listener, Prompt, TellingPredictor
from brewslm.store.files import write_all

Ask = Callable[[TellingPredictor, list[int]], Any]
"""Asks a predictor for some places of a call."""


@dataclass(frozen=True)
class Kept:
    """One answer, and what it was given to.

    Attributes:
        key: Of what was asked: method, parameters and prompt.
        batch: Answers that were told at once with it: all of them are kept, or none, so that the rows that are left fall into the
            batches into which they would have fallen, and give the same sums.
        sent: The prompt as the model got it.
        told: What the predictor told of it; its place is that in the whole call.
    """

    call: int
    key: str
    batch: int
    sent: str
    template_sha256: str
    told: Answered


class KeptAnswers:
    """A predictor in front of another one, which is made when the first question comes that is not answered yet.

    Each batch of answers is appended to the file before the next one is asked for, so that it survives the death of the process.
    What is left of a line that was cut off is removed. A file that was made from something else is begun anew: its first line
    says from what.

    Args:
        path: A .jsonl file of the run's own, for this system alone.
        made_from: Hash of all that the answers depend on.
        made: Makes the predictor, which tells its answers to the listener.
        on_answers: Told how many more answers there are, kept ones too.
    """

    def __init__(
        self, path: Path, made_from: str, made: Callable[[Listener], TellingPredictor], on_answers: Callable[[int], None]
    ) -> None:
        self._made, self._on_answers = made, on_answers
        self._predictor: TellingPredictor | None = None
        self._listener: Listener = lambda _: None
        self._calls = 0
        self._known = {(one.call, one.told.place): one for one in _read(path, made_from)}
        self._file = path.open("ab", buffering=0)
        if self._file.tell() == 0:
            write_all(self._file, orjson.dumps({"made_from": made_from}, option=orjson.OPT_APPEND_NEWLINE))
        self._asked: dict[str, list[tuple[str | None, Kept]]] = defaultdict(list)

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """See `Predictor`."""
        keys = [_key("label_scores", list(labels), prompt) for prompt in prompts]
        return self._answers(
            prompts, keys, None, lambda inner, places: inner.label_scores([prompts[at] for at in places], labels)
        )  # fmt: skip

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: dict[str, Any] | None = None) -> list[str]:
        """See `Predictor`."""
        keys = [_key("generate", [max_new_tokens, schema], prompt) for prompt in prompts]
        return self._answers(
            prompts, keys, None, lambda inner, places: inner.generate([prompts[at] for at in places], max_new_tokens, schema)
        )  # fmt: skip

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """See `Predictor`."""
        keys = [_key("log_likelihoods", text, prompt) for prompt, text in zip(prompts, completions, strict=True)]
        found = self._answers(
            prompts, keys, completions,
            lambda inner, places: inner.log_likelihoods([prompts[at] for at in places], [completions[at] for at in places]),
        )  # fmt: skip
        return [(total, count) for total, count in found]

    def taken(self, prompt: Prompt, completions: Sequence[str], most: int) -> list[Kept]:
        """The answers to a row's prompt, in the order asked, at most so many; they are not given again.

        Args:
            completions: The row's own: of the answers that measured a text, those to one of these.
        """
        waiting = self._asked[_prompt_key(prompt)]
        own = [one for one in waiting if one[0] is None or one[0] in completions][:most]
        for one in own:
            waiting.remove(one)
        return [kept for _, kept in own]

    def _answers(self, prompts: Sequence[Prompt], keys: Sequence[str], completions: Sequence[str] | None, ask: Ask) -> list[Any]:
        call, self._calls = self._calls, self._calls + 1
        missing = [place for place, key in enumerate(keys) if not self._is_known(call, place, key)]
        self._on_answers(len(prompts) - len(missing))
        if missing:
            self._ask_for(call, missing, prompts, keys, ask)
        found = [self._known[call, place] for place in range(len(prompts))]
        for place, kept in enumerate(found):
            self._asked[_prompt_key(prompts[place])].append((completions[place] if completions else None, kept))
        return [kept.told.answer for kept in found]

    def _is_known(self, call: int, place: int, key: str) -> bool:
        kept = self._known.get((call, place))
        return kept is not None and kept.key == key

    def _ask_for(self, call: int, missing: list[int], prompts: Sequence[Prompt], keys: Sequence[str], ask: Ask) -> None:
        if self._predictor is None:
            self._predictor = self._made(lambda told: self._listener(told))
        predictor = self._predictor

        def keep(told: Sequence[Answered]) -> None:
            made = []
            for one in told:
                place = missing[one.place]
                here = Answered(**{**vars(one), "place": place})
                made.append(Kept(call, keys[place], len(told), predictor.sent(prompts[place]), predictor.template_sha256, here))
            write_all(self._file, b"".join(orjson.dumps(asdict(one), option=orjson.OPT_APPEND_NEWLINE) for one in made))
            self._known |= {(call, one.told.place): one for one in made}
            self._on_answers(len(made))

        self._listener = keep
        predictor.among(prompts)
        ask(predictor, missing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def _read(path: Path, made_from: str) -> list[Kept]:
    """The whole batches of the file, which is cut behind them; of one that was made from something else nothing."""
    if not path.exists():
        return []
    found: list[Kept] = []
    waiting: list[Kept] = []
    end = reached = 0
    with path.open("rb") as lines:
        for line in lines:
            said = _whole(line)
            if said is None or (reached == 0 and said.get("made_from") != made_from):
                break
            reached += len(line)
            if "made_from" in said:
                end = reached
                continue
            waiting.append(Kept(**{**said, "told": Answered(**said["told"])}))
            if len(waiting) == waiting[0].batch:
                found += waiting
                waiting, end = [], reached
    os.truncate(path, end)
    return found


def _whole(line: bytes) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] | None = orjson.loads(line) if line.endswith(b"\n") else None
    except orjson.JSONDecodeError:
        return None
    return said


def _key(method: str, asked: Any, prompt: Prompt) -> str:
    return hashlib.sha256(orjson.dumps([method, asked]) + _prompt_key(prompt).encode()).hexdigest()[:32]


def _prompt_key(prompt: Prompt) -> str:
    return hashlib.sha256(orjson.dumps([prompt.messages, prompt.plain])).hexdigest()
