"""Eval packs: which gates a tuned model must pass. The envelope is `slm.evaluation-pack/v2`.

A gate names one metric that its handler emits: there are no aliases, and what is misspelt is refused. What a gate says of a
model stands in `gates.py`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from brewslm import presets
from brewslm.errors import StageError, did_you_mean
from brewslm.handlers import HANDLERS
from brewslm.handlers.base import TaskHandler
from brewslm.metrics.intervals import wilson
from brewslm.metrics.judging import JudgeRubric
from brewslm.reasons.refusals import EvalPackInvalid
from brewslm.rows.slices import RowSlice

DEFAULT_PACK = "general"
BASE, FEW_SHOT, BEST = "base", "few_shot_base", "baseline"
"""Systems on a scorecard that every handler may have; and in a gate: whichever system but the tuned one did best."""
Id = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][\w.\-]*$")


class Gate(BaseModel):
    """One condition on one metric of the tuned model.

    Attributes:
        metric_id: A metric that the handler emits.
        class_id: Of this class alone: a label, a type of entity, a field.
        slice_id: On the rows of this slice of the task spec alone.
        operator: "gte" where more is better, "lte" where less is.
        threshold: The figure that the tuned model must reach; or else
        better_than: the system that it must beat, by more than `margin`; or else
        no_worse_than: the system that it must not fall behind by more than `margin`. Both are tested on the same rows, paired.
            A system is "base", "few_shot_base", a baseline of the handler, or "baseline": whichever of them did best.
        margin: In the metric's own unit.
        confidence: One-sided: of all draws of rows on which a model that deserves it no more than just not passes the gate,
            there are at most 1 - confidence. The pack's when left out.
        required: False: it is reported, and does not decide.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gate_id: str = Id
    metric_id: str
    class_id: str | None = None
    slice_id: str | None = None
    operator: Literal["gte", "lte"]
    threshold: float | None = Field(default=None, allow_inf_nan=False)
    better_than: str | None = None
    no_worse_than: str | None = None
    margin: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    confidence: float | None = Field(default=None, ge=0.5, lt=1.0)
    required: bool = True

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = [one for one in (self.threshold, self.better_than, self.no_worse_than) if one is not None]
        if len(given) != 1:
            raise ValueError(f"gate {self.gate_id} needs one of threshold, better_than and no_worse_than")
        if self.threshold is not None and self.margin:
            raise ValueError(f"gate {self.gate_id} has a margin, which is for better_than and no_worse_than")
        return self

    @property
    def system(self) -> str | None:
        """The system that it compares with, as the pack names it."""
        return self.better_than or self.no_worse_than

    def decidable(self, n: int, confidence: float) -> bool:
        """Whether n rows could show that the threshold is met: a perfect result's bound must clear it.

        A gate that compares systems is always decidable here, and so is a threshold that no share can have.
        """
        if self.threshold is None or not 0 <= self.threshold <= 1:
            return True
        low, high = wilson(n if self.operator == "gte" else 0, n, 2 * (self.confidence or confidence) - 1)
        return low >= self.threshold if self.operator == "gte" else high <= self.threshold


class TaskSpec(BaseModel):
    """The gates of one task profile, and the slices that they may name.

    Attributes:
        judge: The rubric of a judge; its metric is there when an evaluation is given a judge.
        sentence_vectors: Of rag_qa, measure `sentence_faithfulness` too, by MiniLM, which is fetched for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_profile: str
    display_name: str = ""
    description: str = ""
    slices: tuple[RowSlice, ...] = ()
    judge: JudgeRubric | None = None
    sentence_vectors: bool = False
    gates: tuple[Gate, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        _once("gate_id", (gate.gate_id for gate in self.gates))
        _once("slice_id", (one.slice_id for one in self.slices))
        known = [one.slice_id for one in self.slices]
        for gate in self.gates:
            if gate.slice_id is not None and gate.slice_id not in known:
                raise ValueError(f"gate {gate.gate_id} names slice {gate.slice_id}: {did_you_mean(gate.slice_id, known)}")
        return self

    def slice_of(self, gate: Gate) -> RowSlice | None:
        """The slice that a gate is about."""
        return next((one for one in self.slices if one.slice_id == gate.slice_id), None)


class EvalPack(BaseModel):
    """Gates by task profile.

    Attributes:
        confidence: Of every gate that names none.
        promotes: False: it is for tries. What passes it is not promotable, and what fails it may be so by another pack.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    contract_version: Literal["slm.evaluation-pack/v2"]
    pack_id: str = Id
    display_name: str
    description: str
    version: str = "1"
    owner: str = ""
    tags: tuple[str, ...] = ()
    confidence: float = Field(default=0.95, ge=0.5, lt=1.0)
    promotes: bool = True
    task_specs: tuple[TaskSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_profile_once(self) -> Self:
        _once("task_profile", (spec.task_profile for spec in self.task_specs))
        return self

    def spec(self, task_profile: str) -> TaskSpec:
        """What it asks of a task profile.

        Raises:
            StageError(EvalPackInvalid): Nothing: then nothing could be promoted, nor refused.
        """
        for spec in self.task_specs:
            if spec.task_profile == task_profile:
                return spec
        known = ", ".join(spec.task_profile for spec in self.task_specs)
        raise StageError(
            EvalPackInvalid(), f"the eval pack {self.pack_id} has no gates for {task_profile}", cause=f"it has {known}",
            next_step=f"Choose another: brewslm eval-packs list --task-profile {task_profile}",
        )  # fmt: skip

    def confidence_of(self, gate: Gate) -> float:
        """How sure a gate must be."""
        return gate.confidence if gate.confidence is not None else self.confidence


@dataclass(frozen=True)
class Misnamed:
    """Something that a gate names and that is not there.

    Attributes:
        code: "gate_metric_unknown", "gate_class_unknown" or "gate_system_unknown".
        known: What could be named.
    """

    code: str
    gate_id: str
    named: str
    known: tuple[str, ...]

    @property
    def said(self) -> str:
        """Such as "gate min_accuracy wants metric acuracy"."""
        return f"gate {self.gate_id} wants {self.code.split('_')[1]} {self.named}"

    @property
    def cause(self) -> str:
        """What could be meant, and what there is."""
        return did_you_mean(self.named, self.known)


def misnamed(spec: TaskSpec, handler: TaskHandler) -> Iterator[Misnamed]:
    """What a spec's gates name that this handler, on these classes, will never have."""
    systems = {BASE, FEW_SHOT, BEST, *handler.baseline_ids}
    for gate in spec.gates:
        yield from _unknown("gate_metric_unknown", gate, gate.metric_id, _metrics(spec, gate, [type(handler)]))
        yield from _unknown("gate_class_unknown", gate, gate.class_id, handler.classes())
        yield from _unknown("gate_system_unknown", gate, gate.system, systems)


def load_eval_pack(name: str) -> EvalPack:
    """A pack of the presets by its name, or a pack of your own by the path of its .yaml file.

    Raises:
        StageError(EvalPackInvalid): There is none, it has a key that packs don't have, or it names a task profile, a metric or a
            system that nothing here has.
    """
    if not name.endswith((".yaml", ".yml")):
        if name not in presets.names("eval_packs"):
            raise _refused(f"there is no eval pack {name}", "", did_you_mean(name, presets.names("eval_packs")))
        return _checked(presets.read_preset(f"eval_packs/{name}"), f"eval_packs/{name}.yaml")
    try:
        value = yaml.safe_load(Path(name).expanduser().read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _refused(f"{name} can't be read as an eval pack", "", type(error).__name__) from None
    return _checked(value, Path(name).name)


def _checked(value: Any, where: str) -> EvalPack:
    pack = presets.checked(value, EvalPack, where, EvalPackInvalid)
    for place, spec in enumerate(pack.task_specs):
        handlers = HANDLERS.get(spec.task_profile)
        at = f"task_specs.{place}"
        if handlers is None:
            cause = f"task profile {spec.task_profile} has no handler; {did_you_mean(spec.task_profile, HANDLERS)}"
            raise _refused(f"{where} can't be used", f"{at}.task_profile", cause)
        systems = {BASE, FEW_SHOT, BEST}.union(*(handler.baseline_ids for handler in handlers))
        for gate in spec.gates:
            found = [
                *_unknown("gate_metric_unknown", gate, gate.metric_id, _metrics(spec, gate, handlers)),
                *_unknown("gate_system_unknown", gate, gate.system, systems),
            ]
            for one in found:
                raise _refused(f"{where} can't be used", f"{at}.gates", f"{one.said}; {one.cause}")
    return pack


def _metrics(spec: TaskSpec, gate: Gate, handlers: Iterable[type[TaskHandler]]) -> set[str]:
    more = {spec.judge.metric} if spec.judge and gate.class_id is None else set[str]()
    if spec.sentence_vectors and gate.class_id is None:
        more |= frozenset[str]().union(*(one.by_vectors_ids for one in handlers))
    return more.union(*(one.class_metric_ids if gate.class_id is not None else one.metric_ids for one in handlers))


def _unknown(code: str, gate: Gate, named: str | None, known: Iterable[str]) -> Iterator[Misnamed]:
    every = tuple(sorted(known))
    if named is not None and named not in every:
        yield Misnamed(code, gate.gate_id, named, every)


def _once(what: str, named: Iterable[str]) -> None:
    twice = [one for one, count in Counter(named).items() if count > 1]
    if twice:
        raise ValueError(f"{what} {twice[0]} is there twice")


def _refused(what: str, where: str, cause: str) -> StageError:
    return StageError(EvalPackInvalid(), what, where=where, cause=cause)
