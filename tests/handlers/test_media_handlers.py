"""What the handlers of pictures and recordings promise, for any row of their mappers; as test_promises.py has it for text."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from brewslm import presets
from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction
from brewslm.mappers.audio_transcript import AudioTranscript
from brewslm.mappers.base import Refused
from brewslm.mappers.image_text import ImageText
from brewslm.media import MediaFolder
from brewslm.models.architectures import architecture_for
from brewslm.models.architectures.base import IGNORED
from brewslm.models.catalogue import base_model
from brewslm.models.prompt import media_of
from brewslm.rows import RowReason
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.stages.prepare.adapters import AdapterPreset
from tests.handlers.cases import ANYTHING, WORDS, columns
from tests.handlers.door import assert_reads_alike
from tests.media.made import picture, sweep

quick = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)
LETTERS = st.text("abc é,.'<|im_end|>", min_size=1, max_size=12).filter(lambda text: any(one.isalpha() for one in text))
KINDS = {
    "vision_language": (ImageText(columns("image", "text", "prompt")), "vision-language", "text", "made:vision-tiny"),
    "audio_transcript": (
        AudioTranscript(columns("audio", "transcript")),
        "audio-transcript",
        "transcript",
        "made:speech-encoder-decoder-tiny",
    ),
    "audio_transcript ctc": (
        AudioTranscript(columns("audio", "transcript")), "audio-transcript", "transcript", "made:speech-ctc-tiny",
    ),
}  # fmt: skip
"""Task profile, and what else tells two of it apart → mapper, preset, the answer's field, base."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for n in range(4):
        (folder / f"{n}.png").write_bytes(picture(n))
        (folder / f"{n}.wav").write_bytes(sweep(300, 500 + 100 * n))
    return folder


@pytest.fixture(params=KINDS, scope="module")
def kind(request, files):
    mapper, preset, answer, base = KINDS[request.param]
    adapter = presets.load("adapters", preset, AdapterPreset)
    schema = OutputSchema(scoring_mode=adapter.scoring_mode)
    made = base_model(base)
    handler = handler_for(request.param.split()[0], schema)
    return Kind(
        handler,
        mapper,
        adapter,
        answer,
        architecture_for(made.architecture, made.folder, schema),
        MediaFolder(None, files),
        files,
    )


class Kind:
    """A handler with what feeds it."""

    def __init__(self, handler, mapper, adapter, answer, architecture, kept, files):
        self.handler, self.mapper, self.adapter, self.answer, self.architecture = handler, mapper, adapter, answer, architecture
        self.kept, self.files, self.field = kept, files, handler.input_field
        self.model = architecture.load(precision="fp32")
        self.suffix = {"image": "png", "audio": "wav"}[handler.media]

    def payload(self, values):
        """As training gets it."""
        mapped = self.mapper.map(values)
        if isinstance(mapped, Refused):
            return None
        taken = self.kept.take(mapped[self.field], self.handler.media)
        if not isinstance(taken, dict):
            return None
        return self.adapter.adapt(mapped | {self.field: taken | {"path": str(self.files / mapped[self.field])}})

    def good(self, data, place=None):
        number = data.draw(st.integers(0, 3)) if place is None else place
        values = {self.field: f"{number}.{self.suffix}", self.answer: data.draw(LETTERS), "prompt": data.draw(WORDS)}
        payload = self.payload(values)
        assume(payload is not None and self.handler.check(payload) is None)
        return payload


@quick
@given(data=st.data())
def test_the_answer_is_not_in_the_question_and_the_file_is(kind, data):
    payload = kind.good(data)
    asked = kind.handler.prompt(payload)
    assert asked == kind.handler.prompt({key: value for key, value in payload.items() if key != kind.answer})
    assert [part["path"] for part in media_of(asked, kind.handler.media)] == [payload[kind.field]["path"]]
    assert kind.handler.question(payload)


@quick
@given(data=st.data())
def test_what_is_learned_is_the_answer_and_its_stop_token_alone(kind, data):
    payload = kind.good(data)
    made = kind.architecture.encode("r", kind.handler.prompt(payload), kind.handler.completion(payload))
    learned = [label for label in made.labels if label != IGNORED]
    tokenizer = kind.architecture._tokenizer
    if kind.architecture.end_id is None:  # letters, without capitals and punctuation; none where the model lacks one
        assume(learned)
        said = tokenizer.decode(learned, group_tokens=False)
        assert letters(said) == letters(kind.handler.completion(payload))
    else:
        assert learned[-1] == kind.architecture.end_id and kind.architecture.end_id not in learned[:-1]
        assert tokenizer.decode(learned[:-1]).replace("\u2060", "") == kind.handler.completion(payload)


def letters(text):
    return "".join(filter(str.isalnum, text.lower()))


@quick
@given(data=st.data())
def test_a_model_reads_the_same_in_training_and_when_it_is_asked(kind, data):
    payload = kind.good(data)
    made = kind.architecture.encode("r", kind.handler.prompt(payload), kind.handler.completion(payload))
    assume(made.supervised)
    assert_reads_alike(kind.architecture, kind.model, kind.handler, payload)


@quick
@given(data=st.data())
def test_any_row_of_the_mapper_is_taken_or_rejected_with_a_reason(kind, data):
    odd = st.fixed_dictionaries(dict.fromkeys((kind.field, kind.answer, "prompt"), ANYTHING | st.just(f"0.{kind.suffix}")))
    values = data.draw(odd)
    mapped = kind.mapper.map(values)
    if isinstance(mapped, Refused):
        assert isinstance(mapped.reason, RowReason)
        return
    taken = kind.kept.take(mapped[kind.field], kind.handler.media)
    if not isinstance(taken, dict):
        assert isinstance(taken.reason, RowReason)
        return
    payload = kind.payload(values)
    reason = kind.handler.check(payload)
    assert reason is None or isinstance(reason, RowReason)
    if reason is None:
        kind.architecture.encode("r", kind.handler.prompt(payload), kind.handler.completion(payload))


@quick
@given(data=st.data())
def test_the_right_answers_score_best_and_every_metric_is_a_known_one(kind, data):
    rows = [PreparedRow(row_id=f"r{place}", payload=kind.good(data, place)) for place in range(3)]
    answers = [kind.handler.completion(row.payload) for row in rows]
    right = [Prediction(row_id=row.row_id, output=answer) for row, answer in zip(rows, answers, strict=True)]
    wrong = [one.model_copy(update={"output": "q"}) for one in right]
    best, worst = (kind.handler.score(rows, one) for one in (right, wrong))
    primary, sign = kind.handler.primary_metric, -1 if kind.handler.lower_is_better else 1
    assert set(best.metrics) == kind.handler.metric_ids and all(best.row_correct)
    assert sign * best.metrics[primary].value >= sign * worst.metrics[primary].value
    assert all(one.low - 1e-9 <= one.value <= one.high + 1e-9 for one in best.metrics.values())
    found = kind.handler.baselines(rows, rows)
    assert all([one.row_id for one in said] == ["r0", "r1", "r2"] for said in found.values())
    nearest = next(said for name, said in found.items() if name.startswith("nearest"))
    if kind.handler.media == "audio":
        assert [one.output for one in nearest] == [answer.strip() for answer in answers]


def test_a_row_of_before_files_were_kept_is_rejected(kind):
    assert kind.handler.check({kind.field: "0.png", kind.answer: "a"}) is RowReason.MEDIA_MISSING
