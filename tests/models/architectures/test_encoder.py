"""An encoder with a head: what it reads, what it answers, and what its loss is."""

import pytest

from brewslm.handlers import handler_for
from brewslm.models.architectures import architecture_for
from brewslm.models.architectures.base import IGNORED
from brewslm.models.catalogue import base_model
from brewslm.rows.manifest import OutputSchema
from tests.tiny import make_tiny_encoder

LABELS = ["bad", "good", "great"]
ONE = OutputSchema(scoring_mode="label", labels=LABELS)
SEVERAL = OutputSchema(scoring_mode="labels", labels=LABELS)
TEXTS = ["the movie was good", "a slow film", "great great great acting and a lovely plot"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_encoder(tmp_path_factory.mktemp("encoder") / "model")


def asked(text: str):
    return handler_for("classification", ONE).prompt({"text": text})


def test_a_folder_with_an_encoder_is_known_by_its_architecture(folder):
    found = base_model(f"path:{folder}")
    assert (found.architecture, found.model_class, found.context_length) == ("encoder", "BertModel", 64)


def test_it_reads_the_bare_text_and_answers_with_the_place_of_the_label(folder):
    encoder = architecture_for("encoder", folder, ONE)
    one = encoder.encode("r1", asked(TEXTS[0]), "great")
    assert encoder._tokenizer.decode(one.inputs["input_ids"]) == "[CLS] the movie was good [SEP]"
    assert (one.labels, one.tokens, one.supervised) == ([2], 6, 1)
    assert encoder.lengths([asked(text) for text in TEXTS], ["bad"] * 3)[0] == 6


def test_a_label_that_train_does_not_have_is_not_supervised(folder):
    assert architecture_for("encoder", folder, ONE).encode("r1", asked("x"), "unseen").labels == [IGNORED]


def test_the_loss_of_padded_rows_is_the_sum_of_each_rows_own(folder):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    encoder = architecture_for("encoder", folder, ONE)
    model = encoder.load(precision="fp32")
    batch = [encoder.encode(str(at), asked(text), label) for at, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True))]
    together = encoder.loss(model, encoder.collate(batch)).item()
    alone = sum(encoder.loss(model, encoder.collate([one])).item() for one in batch)
    plain = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3)
    plain.load_state_dict(model.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    import torch

    plain.eval()
    read = [tokenizer(text, return_tensors="pt") for text in TEXTS]
    stock = sum(plain(**one, labels=torch.tensor([at])).loss.item() for at, one in enumerate(read))
    assert together == pytest.approx(alone, rel=1e-5) and together == pytest.approx(stock, rel=1e-5)


def test_several_labels_are_each_a_question_of_their_own(folder):
    import torch

    encoder = architecture_for("encoder", folder, SEVERAL)
    one = encoder.encode("r1", asked(TEXTS[0]), '["good","great"]')
    assert one.labels == [0, 1, 1]
    model = encoder.load(precision="fp32")
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([-9.0, 9.0, 9.0]))
    assert encoder.predictor(model).generate([asked("x")], 1) == ['["good","great"]']
    assert encoder.loss(model, encoder.collate([one])).item() < 1e-3


def test_chances_sum_to_one_and_do_not_depend_on_who_else_is_asked(folder):
    encoder = architecture_for("encoder", folder, ONE)
    predictor = encoder.predictor(encoder.load(precision="fp32"))
    together = predictor.label_scores([asked(text) for text in TEXTS], LABELS)
    alone = [predictor.label_scores([asked(text)], LABELS)[0] for text in TEXTS]
    assert together == [pytest.approx(row, rel=1e-4) for row in alone]
    assert all(sum(row) == pytest.approx(1) for row in together)
    assert predictor.label_scores([asked(TEXTS[0])], LABELS[::-1])[0] == pytest.approx(together[0][::-1], rel=1e-4)
