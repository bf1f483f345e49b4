"""Architectures that see, hear, or read one text and write another, on made models of two layers."""

import pytest

from brewslm.errors import StageError
from brewslm.media import MediaFolder
from brewslm.models.architectures import architecture_for
from brewslm.models.architectures.base import IGNORED
from brewslm.models.catalogue import base_model
from brewslm.models.made import MADE as MADE_SIZES
from brewslm.models.prompt import Prompt
from brewslm.rows.manifest import OutputSchema
from brewslm.settings import settings
from tests.media.made import picture, sweep

ANSWERS = ["yes", "no, it is not"]
MADE = ("vision-tiny", "speech-ctc-tiny", "speech-encoder-decoder-tiny", "encoder-decoder-tiny")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "0.png").write_bytes(picture(0))
    (folder / "1.png").write_bytes(picture(1, size=(30, 50)))
    (folder / "0.wav").write_bytes(sweep(300, 900, 0.5))
    (folder / "1.wav").write_bytes(sweep(900, 300, 0.8, 22050))
    return folder


def prompts_for(name, files):
    """Two prompts of unlike length."""
    kept = MediaFolder(None, files)

    def part(kind, file):
        return {"type": kind, **kept.take(file, kind), "path": str(files / file)}

    asked = ("which digit?", "is it <image>, <|im_end|> or what do you think?")
    if name.startswith("vision"):
        contents = [[part("image", f"{n}.png"), {"type": "text", "text": text}] for n, text in enumerate(asked)]
    elif name.startswith("speech"):
        contents = [[part("audio", f"{n}.wav")] for n in range(2)]
    else:
        contents = list(asked)
    return [Prompt(({"role": "user", "content": content},), "") for content in contents]


@pytest.fixture(params=MADE, scope="module")
def made(request, files):
    base = base_model(f"made:{request.param}")
    architecture = architecture_for(base.architecture, base.folder, OutputSchema(scoring_mode="text"))
    return architecture, architecture.load(precision="fp32"), prompts_for(request.param, files)


def test_the_loss_of_padded_rows_is_the_sum_of_each_by_itself_and_the_likelihood_of_the_answers(made):
    architecture, model, prompts = made
    rows = [architecture.encode(str(n), *pair) for n, pair in enumerate(zip(prompts, ANSWERS, strict=True))]
    alone = sum(architecture.loss(model, architecture.collate([row])).item() for row in rows)
    assert architecture.loss(model, architecture.collate(rows)).item() == pytest.approx(alone, rel=1e-4)
    found = architecture.predictor(model).log_likelihoods(prompts, ANSWERS)
    assert -sum(said for said, _ in found) == pytest.approx(alone, rel=1e-4)
    assert [count for _, count in found] == [row.supervised for row in rows]


def test_answer_and_end_mark_alone_are_supervised(made):
    architecture, _, prompts = made
    row = architecture.encode("r", prompts[0], "yes")
    learned = [label for label in row.labels if label != IGNORED]
    tokenizer = architecture._tokenizer
    if architecture.end_id is None:
        assert tokenizer.decode(learned, group_tokens=False) == "yes"
    else:
        assert learned[-1] == architecture.end_id and tokenizer.decode(learned[:-1]) == "yes"


def test_what_a_model_reads_when_it_is_asked_is_what_it_read_in_training(made):
    architecture, model, prompts = made
    one, together = architecture.predictor(model), architecture.predictor(model).generate(prompts, 4)
    assert [one.generate([prompt], 4)[0] for prompt in prompts] == together
    if hasattr(architecture, "prompt_ids"):
        for prompt, answer in zip(prompts, ANSWERS, strict=True):
            asked = architecture.prompt_ids(prompt)
            assert architecture.encode("r", prompt, answer).inputs["input_ids"][: len(asked)] == asked


def test_a_written_folder_is_read_again_and_answers_alike(made, tmp_path):
    architecture, model, prompts = made
    model.save_pretrained(tmp_path)
    architecture.save_reader(tmp_path)
    again = architecture_for(architecture.name, tmp_path, architecture.schema)
    wanted = architecture.predictor(model).log_likelihoods(prompts, ANSWERS)
    found = again.predictor(again.read_weights(tmp_path)).log_likelihoods(prompts, ANSWERS)
    assert [said for said, _ in found] == pytest.approx([said for said, _ in wanted], rel=1e-5)


def test_labels_are_chosen_by_how_likely_they_are(made):
    architecture, model, prompts = made
    for row in architecture.predictor(model).label_scores(prompts, ["yes", "no"]):
        assert sum(row) == pytest.approx(1.0) and len(row) == 2


def test_a_persons_text_becomes_no_mark(made):
    architecture, _, prompts = made
    if architecture.name == "vision_language":
        tokenizer = architecture._tokenizer
        ids = architecture.prompt_ids(prompts[1])
        assert ids.count(tokenizer.convert_tokens_to_ids("<|im_end|>")) == 1
        assert ids.count(tokenizer.convert_tokens_to_ids("<image>")) == 1


def test_a_recording_that_does_not_fit_is_too_long_and_one_too_short_for_its_words_teaches_nothing(files):
    long = Prompt(({"role": "user", "content": [{"type": "audio", "path": "a.wav", "seconds": 60.0, "sample_rate": 16000}]},), "")
    for name, at_most in (("speech-encoder-decoder-tiny", 2000), ("speech-ctc-tiny", 2000)):
        base = base_model(f"made:{name}")
        assert (
            architecture_for(base.architecture, base.folder, OutputSchema(scoring_mode="text")).encode("r", long, "a").tokens
            > at_most
        )
    ctc = architecture_for("ctc", base.folder, OutputSchema(scoring_mode="text"))
    (short,) = prompts_for("speech", files)[:1]
    assert ctc.encode("r", short, "a " * 60).labels == [] and ctc.encode("r", short, "№ 雪").labels == []
    assert ctc.encode("r", short, "It's Seven, o'clock!").labels == ctc.letters("it's seven o'clock")


def test_a_made_model_is_the_same_each_time_and_an_unknown_one_is_refused(tmp_path, monkeypatch):
    first = base_model("made:encoder-decoder-tiny")
    monkeypatch.setenv("BREWSLM_CACHE", str(tmp_path))
    settings.cache_clear()
    again = base_model("made:encoder-decoder-tiny")
    assert first.sha256 == again.sha256 and first.folder != again.folder and "untrained" in first.note
    with pytest.raises(StageError, match="made:vision-small"):
        base_model("made:vision-smal")


def test_the_catalogue_says_of_made_models_what_they_are():
    from brewslm.models.catalogue import catalogue

    for locator in (f"made:{name}" for name in MADE_SIZES if name.endswith("small")):
        found, entry = base_model(locator), catalogue()[locator]
        for name in ("architecture", "model_class", "parameters", "hidden_size", "layers", "vocabulary", "context_length"):
            assert getattr(entry, name) == getattr(found, name), (locator, name)


def test_an_adapter_lowers_the_loss_and_merges_into_the_same_answers(made, tmp_path):
    import torch
    from peft import LoraConfig, get_peft_model

    architecture, _, prompts = made
    torch.manual_seed(0)
    whole = list(architecture.new_modules) or None
    model = architecture.read_weights(architecture.folder)
    adapted = architecture.adapted_modules(model)
    model = get_peft_model(model, LoraConfig(r=4, target_modules=adapted, exclude_modules=whole, modules_to_save=whole))
    batch = architecture.collate([architecture.encode("r", *pair) for pair in zip(prompts, ANSWERS, strict=True)])
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=1e-2)
    first = architecture.loss(model, batch)
    for _ in range(4):
        optimizer.zero_grad()
        architecture.loss(model, batch).backward()
        optimizer.step()
    assert architecture.loss(model.eval(), batch) < first
    model.save_pretrained(tmp_path)
    beside, merged = (architecture.load(tmp_path, "fp32", merge=merge) for merge in (False, True))
    found = [architecture.predictor(one).log_likelihoods(prompts, ANSWERS) for one in (beside, merged)]
    assert [said for said, _ in found[0]] == pytest.approx([said for said, _ in found[1]], rel=1e-4)
