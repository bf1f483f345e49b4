"""Names and places are an extra: without it, the refusal says what to install. They have no figures in bench/pii.py."""

import sys

import pytest

from brewslm.errors import StageError
from brewslm.filters.pii import find_pii
from brewslm.filters.preset import PiiPreset
from brewslm.reasons.refusals import ExtraMissing


def test_without_the_extra_the_refusal_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)  # as if it were not installed, here where it may be
    monkeypatch.setitem(sys.modules, "tldextract", None)
    with pytest.raises(StageError) as refused:
        find_pii("Ana lives in Berlin", PiiPreset(phone_regions=("US",), ner=True))
    assert isinstance(refused.value.reason, ExtraMissing) and refused.value.reason.extra == "pii-ner"
    assert "pip install 'brewslm[pii-ner]'" in refused.value.next_step


def test_nothing_of_the_extra_is_imported_unless_it_is_asked_for():
    find_pii("Ana lives in Berlin, ana@mail.example", PiiPreset(phone_regions=("US",)))
    assert "brewslm.filters.pii.ner" not in sys.modules or "spacy" not in sys.modules
