"""Answers from given passages: with the passage's number, or that the passages don't say."""

import re
from collections.abc import Sequence
from typing import Any

from brewslm.handlers.base import Prediction, Scores
from brewslm.handlers.faults import Fault, text_faults
from brewslm.handlers.generating import GeneratingHandler
from brewslm.handlers.nearest import nearest
from brewslm.mappers.rag_passthrough import NOT_IN_CONTEXT
from brewslm.metrics import text
from brewslm.metrics.figure import Figure, mean, share
from brewslm.metrics.grounding import NEAR, Vectors, content_words, nearest_sentences, says_not_known, support
from brewslm.models.prompt import Predictor, Prompt
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason

SUPPORTED = 0.5
"""From this share of an answer's content words on, a passage that holds them supports it."""
_CITED = re.compile(r"^\s*\[(\d{1,3})\]\s*")


class RagHandler(GeneratingHandler):
    """The model writes "[2] the answer", 2 being the passage that it comes from, or one fixed sentence where none says it."""

    profile = "rag_qa"
    scoring_mode = "text"
    input_field = "question"
    also_asked = ("context",)
    primary_metric = "f1"
    metric_ids = frozenset({
        "f1", "answer_f1", "exact_match", "citation_accuracy", "faithfulness", "appropriate_refusal_rate", "wrongly_refused_rate",
        "unsupported_rate", "context_recall",
    })  # fmt: skip
    by_vectors_ids = frozenset({"sentence_faithfulness"})
    baseline_ids = frozenset({"always_refuse", "nearest_passage"})
    max_new_tokens = 96

    def check(self, payload: dict[str, Any]) -> RowReason | None:
        """An answer must be supported by a passage: learning one that is not would be learning to make things up."""
        if not self.question(payload):
            return RowReason.MISSING_QUESTION
        if not passages(payload):
            return RowReason.MISSING_CONTEXT
        if not isinstance(payload.get("answer"), str):
            return RowReason.MISSING_ANSWER
        if says_not_known(payload["answer"], NOT_IN_CONTEXT) or _best(payload)[1] >= SUPPORTED:
            return None
        return RowReason.ANSWER_UNSUPPORTED

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """A short instruction as system message; the numbered passages, and below them the question, as user message."""
        asked = (
            f"Answer from the passages, and begin with the passage's number in brackets. If none says it, write: {NOT_IN_CONTEXT}"
        )
        numbered = "\n".join(f"[{number}] {passage}" for number, passage in enumerate(passages(payload), 1))
        body = f"{numbered}\n\nQuestion: {payload['question']}"
        messages = ({"role": "system", "content": asked}, {"role": "user", "content": body})
        return Prompt(messages, plain=f"{asked}\n\n{body}\n\nAnswer:")

    def completion(self, payload: dict[str, Any]) -> str:
        """The best passage's number and the answer, or the fixed sentence."""
        return _written(self.expected(payload))

    def expected(self, payload: dict[str, Any]) -> dict[str, Any]:
        """{"answer", "citation"}; {"answer": "", "citation": None} where the passages don't say."""
        if says_not_known(payload["answer"], NOT_IN_CONTEXT):
            return {"answer": "", "citation": None}
        return {"answer": payload["answer"].strip(), "citation": _best(payload)[0]}

    def faults(self, payload: dict[str, Any], prediction: Prediction) -> list[Fault]:
        """Refused without need, answered without ground, another passage cited, or how the answer differs."""
        wanted, said = self.expected(payload), prediction.output
        if bool(wanted["answer"]) is not bool(said["answer"]):
            return [Fault("refused_answerable" if wanted["answer"] else "answered_unanswerable")]
        if said["citation"] is None and said["answer"]:
            cited = [Fault("no_citation")]
        else:
            cited = [] if said["citation"] == wanted["citation"] else [Fault("wrong_citation")]
        return [*cited, *text_faults(wanted["answer"], said["answer"])]

    def stratum(self, payload: dict[str, Any]) -> str:
        """Rows that the passages answer, and rows that they don't."""
        return "that the passages answer" if self.expected(payload)["answer"] else "that the passages don't answer"

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """Each row's answer and the passage that it cites."""
        return [self._read(one) for one in super().predict(rows, predictor)]

    def _read(self, prediction: Prediction) -> Prediction:
        raw = str(prediction.output)
        cited = _CITED.match(raw)
        answer = raw[cited.end() :] if cited else raw
        if says_not_known(answer, NOT_IN_CONTEXT):
            return prediction.model_copy(update={"output": {"answer": "", "citation": None}})
        problems = dict(prediction.problems) | ({} if cited else {"no_citation": 1})
        output = {"answer": answer.strip(), "citation": int(cited[1]) if cited else None}
        return prediction.model_copy(update={"output": output, "problems": problems})

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """F1 as SQuAD 2.0 has it over all rows (a right refusal is 1, a wrong one 0), and what it is made of.

        `faithfulness` is the share of an answer's content words that stand in the passage it cites, over rows that were answered;
        0 where no passage is cited. `unsupported_rate` is the share that stands in no passage at all. `context_recall` is the
        share of the right answer's content words that stand in some passage: what the passages allow, whatever the model does.
        A figure over no rows is left out.
        """
        wanted = [self.expected(row.payload) for row in rows]
        given = [prediction.output for prediction in predictions]
        exact, f1 = text.squad_rows([one["answer"] for one in wanted], [one["answer"] for one in given])
        known, refused = ([bool(one["answer"]) for one in wanted], [not one["answer"] for one in given])
        cites = [a["citation"] == b["citation"] for a, b in zip(wanted, given, strict=True)]
        right = [bool(same) and cited for same, cited in zip(exact, cites, strict=True)]
        answered = [not one for one in refused]
        grounded = [_grounded(row.payload, one) if one["answer"] else 0.0 for row, one in zip(rows, given, strict=True)]
        figures = {
            "f1": mean(f1),
            "exact_match": share([value == 1.0 for value in exact]),
            "answer_f1": mean(f1, known),
            "citation_accuracy": share(cites, known),
            "wrongly_refused_rate": share(refused, known),
            "appropriate_refusal_rate": share(refused, [not one for one in known]),
            "faithfulness": mean(grounded, answered),
            "unsupported_rate": mean([1 - _held(row.payload, one) for row, one in zip(rows, given, strict=True)], answered),
            "context_recall": mean([_held(row.payload, one) for row, one in zip(rows, wanted, strict=True)], known),
        }
        return Scores.of(figures, right)

    def by_vectors(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction], vectors: Vectors) -> dict[str, Figure]:
        """`sentence_faithfulness`: the share of an answer's sentences that lie near a sentence of any passage.

        Over rows that were answered; what the answer cites is not looked at.
        """
        answers = [prediction.output["answer"] for prediction in predictions]
        contexts = ["\n".join(passages(row.payload)) for row in rows]
        near = nearest_sentences(list(zip(answers, contexts, strict=True)), vectors)
        shares = [sum(one >= NEAR for one in each) / len(each) if each else 0.0 for each in near]
        return {"sentence_faithfulness": mean(shares, [bool(answer) for answer in answers])}

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`always_refuse`; `nearest_passage`: the passage nearest to the question by TF-IDF, cited and copied whole."""
        copied = []
        for row in rows:
            (place,) = nearest(passages(row.payload), [row.payload["question"]])
            output = {"answer": passages(row.payload)[place], "citation": place + 1}
            copied.append(Prediction(row_id=row.row_id, output=output))
        nothing = {"answer": "", "citation": None}
        return {
            "always_refuse": [Prediction(row_id=row.row_id, output=nothing) for row in rows],
            "nearest_passage": copied,
        }


def passages(payload: dict[str, Any]) -> list[str]:
    """The passages of a context: what an empty line parts."""
    context = payload.get("context")
    parts = re.split(r"\n\s*\n", context) if isinstance(context, str) else []
    return [" ".join(part.split()) for part in parts if part.strip()]


def _best(payload: dict[str, Any]) -> tuple[int, float]:
    """The number of the passage that supports the answer best, the first of equals, and how well it does."""
    shares = [support(payload["answer"], passage) for passage in passages(payload)]
    best = max(range(len(shares)), key=lambda place: (shares[place], -place))
    return best + 1, shares[best]


def _written(output: dict[str, Any]) -> str:
    return f"[{output['citation']}] {output['answer']}" if output["answer"] else NOT_IN_CONTEXT


def _held(payload: dict[str, Any], output: dict[str, Any]) -> float:
    """The share of an answer's content words that stand in the passages, taken together."""
    return support(output["answer"], " ".join(passages(payload)))


def _grounded(payload: dict[str, Any], output: dict[str, Any]) -> float:
    known, cited = passages(payload), output["citation"]
    if cited is None or not 1 <= cited <= len(known):
        return 0.0
    return support(output["answer"], known[cited - 1]) if content_words(output["answer"]) else 1.0
