"""What handlers promise (`test_promises.py`), of texts that an encoder reads, or an encoder with a decoder."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from brewslm.handlers import handler_for
from brewslm.handlers.base import TaskHandler
from brewslm.models.architectures import Architecture, architecture_for
from brewslm.models.architectures.base import IGNORED
from brewslm.models.catalogue import base_model
from tests.handlers.cases import CASES, Case
from tests.handlers.door import assert_reads_alike
from tests.tiny import make_tiny_encoder

quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@dataclass(frozen=True)
class Kind:
    """A handler's rows, with a model of another architecture."""

    case: Case
    handler: TaskHandler
    architecture: Architecture
    model: Any

    def payload(self, data: st.DataObject) -> dict[str, Any]:
        payload = self.case.payload(data.draw(self.case.good))
        assume(payload is not None and self.handler.check(payload) is None)
        return payload


@pytest.fixture(params=["classification", "labels", "seq2seq"], scope="module")
def kind(request, tmp_path_factory):
    case = CASES[request.param]
    handler = case.handler()
    (name,) = handler.architectures - {"causal"}
    encoder = name == "encoder"
    folder = make_tiny_encoder(tmp_path_factory.mktemp("base")) if encoder else base_model("made:encoder-decoder-tiny").folder
    architecture = architecture_for(name, folder, handler.schema)
    return Kind(case, handler_for(handler.profile, handler.schema), architecture, architecture.load(precision="fp32"))


@quick
@given(data=st.data())
def test_what_is_learned_is_the_answer_and_its_end_mark_alone(kind, data):
    payload = kind.payload(data)
    made = kind.architecture.encode("r", kind.handler.prompt(payload), kind.handler.completion(payload))
    end, labels = kind.architecture.end_id, kind.handler.schema.labels
    if end is not None:
        learned = [label for label in made.labels if label != IGNORED]
        assert learned[-1] == end and end not in learned[:-1]
        again = kind.architecture._tokenizer(text_target=kind.handler.completion(payload), add_special_tokens=False)["input_ids"]
        assert learned[:-1] == again and made.inputs.keys() == {"input_ids"}
    elif kind.handler.scoring_mode == "labels":
        assert [label for label, has in zip(labels, made.labels, strict=True) if has] == kind.handler.expected(payload)
    else:
        assert [labels[place] for place in made.labels] == [payload["label"]]


@quick
@given(data=st.data())
def test_a_model_reads_the_same_in_training_and_when_it_is_asked(kind, data):
    assert_reads_alike(kind.architecture, kind.model, kind.handler, kind.payload(data))
