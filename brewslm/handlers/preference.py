"""Two answers to a prompt, of which one is better."""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from brewslm.handlers.base import Prediction, Scores, TaskHandler
from brewslm.metrics.figure import Figure, mean, share
from brewslm.models.prompt import Predictor, Prompt
from brewslm.rows.manifest import PreparedRow
from brewslm.rows.reasons import RowReason

MAX_NEW_TOKENS = 128
SIDES = ("chosen", "rejected")


class AlignmentHandler(TaskHandler):
    """A model prefers the answer that it would rather write.

    What decides is the log-probability of the whole answer with its end mark, summed: so likely is it that the model says just
    this, and it is what DPO raises and lowers. A sum favours short answers; `preference_accuracy_per_token`, where each sum is
    divided by its tokens, favours long ones, and stands beside it. A model that has learned more than length gains in both.
    """

    profile = "preference"
    scoring_mode = "preference"
    input_field = "prompt"
    objective = "preference"
    measures_given_texts = True
    asks_per_row = 2
    primary_metric = "preference_accuracy"
    metric_ids = frozenset(
        {
            "preference_accuracy", "preference_accuracy_per_token", "log_prob_margin", "log_prob_margin_per_token",
            "chosen_log_prob", "rejected_log_prob", "reward_accuracy", "reward_margin", "chosen_log_prob_gain",
        }
    )  # fmt: skip
    baseline_ids = frozenset({"longer", "shorter", "tfidf_logreg"})

    def check(self, payload: dict[str, Any]) -> RowReason | None:
        """A prompt, and two answers that are not the same."""
        missing = {
            "prompt": RowReason.MISSING_PROMPT, "chosen": RowReason.MISSING_CHOSEN, "rejected": RowReason.MISSING_REJECTED,
        }  # fmt: skip
        for field, reason in missing.items():
            if not isinstance(payload.get(field), str) or not payload[field].strip():
                return reason
        return RowReason.IDENTICAL_PAIR if payload["chosen"].strip() == payload["rejected"].strip() else None

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """The prompt as it is: what a team asks of its assistant holds its own instructions."""
        return Prompt(({"role": "user", "content": payload["prompt"]},), plain=f"{payload['prompt']}\n\nAnswer:")

    def completion(self, payload: dict[str, Any]) -> str:
        """The better answer."""
        return str(payload["chosen"])

    def worse(self, payload: dict[str, Any]) -> str:
        """The other one."""
        return str(payload["rejected"])

    def predict(self, rows: Sequence[PreparedRow], predictor: Predictor) -> list[Prediction]:
        """Which of a row's answers the model prefers; where a row has none to choose from, what the model answers."""
        if not all("chosen" in row.payload and "rejected" in row.payload for row in rows):
            said = predictor.generate([self.prompt(row.payload) for row in rows], MAX_NEW_TOKENS)
            return [Prediction(row_id=row.row_id, output=one.strip(), raw=one) for row, one in zip(rows, said, strict=True)]
        prompts = [self.prompt(row.payload) for row in rows]
        answers = [str(row.payload[side]) for side in SIDES for row in rows]
        found = predictor.log_likelihoods(prompts * 2, answers)
        both = zip(found[: len(rows)], found[len(rows) :], strict=True)
        return [_preferred(row, chosen, rejected) for row, (chosen, rejected) in zip(rows, both, strict=True)]

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Accuracy and, where log-probabilities are known, margins (natural logarithms) and the answers' own."""
        right = [said.output == self.completion(row.payload) for row, said in zip(rows, predictions, strict=True)]
        found = {"preference_accuracy": share(right)}
        if predictions and all(said.figures for said in predictions):
            figures = [said.figures for said in predictions]
            sums = [one["chosen_log_prob"] - one["rejected_log_prob"] for one in figures]
            chosen, rejected = ([_per_token(one, side) for one in figures] for side in SIDES)
            each = [a - b for a, b in zip(chosen, rejected, strict=True)]
            found |= {
                "preference_accuracy_per_token": share([margin > 0 for margin in each]),
                "log_prob_margin": mean(sums), "log_prob_margin_per_token": mean(each),
                "chosen_log_prob": mean(chosen), "rejected_log_prob": mean(rejected),
            }  # fmt: skip
        return Scores.of(found, right)

    def gained(self, rows: Sequence[PreparedRow], tuned: Sequence[Prediction], base: Sequence[Prediction]) -> dict[str, Figure]:
        """How far training moved the answers apart, and what it made of the better one.

        `reward_margin` is DPO's implicit reward without its beta: the tuned model's margin less its base's. `reward_accuracy` is
        the share of rows where it is above 0. `chosen_log_prob_gain` is per token of the better answer: far below 0, the model
        has unlearned to speak while it learned to tell apart.
        """
        margins, gains = [], []
        for after, before in zip(tuned, base, strict=True):
            margin = {
                side: after.figures[f"{side}_log_prob"] - before.figures[f"{side}_log_prob"] for side in SIDES
            }  # fmt: skip
            margins.append(margin["chosen"] - margin["rejected"])
            gains.append(_per_token(after.figures, "chosen") - _per_token(before.figures, "chosen"))
        return {
            "reward_accuracy": share([margin > 0 for margin in margins]), "reward_margin": mean(margins),
            "chosen_log_prob_gain": mean(gains),
        }  # fmt: skip

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`longer` and `shorter` prefer by the number of characters; `tfidf_logreg` by words that better answers had in train.

        None of them sees the prompt. Where a rule says nothing, a coin that the row's id decides does.
        """
        found = {
            "longer": [self._by(row, {side: float(len(row.payload[side])) for side in SIDES}) for row in rows],
            "shorter": [self._by(row, {side: -float(len(row.payload[side])) for side in SIDES}) for row in rows],
        }
        if len(train) > 1:
            found["tfidf_logreg"] = self._by_words(train, rows)
        return found

    def _by_words(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> list[Prediction]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\S+")
        known = words.fit_transform([row.payload[side] for side in SIDES for row in train])
        model = LogisticRegression(C=10, max_iter=1000).fit(known, [1] * len(train) + [0] * len(train))
        scored = model.decision_function(words.transform([row.payload[side] for side in SIDES for row in rows])).tolist()
        both = zip(scored[: len(rows)], scored[len(rows) :], strict=True)
        return [self._by(row, dict(zip(SIDES, one, strict=True))) for row, one in zip(rows, both, strict=True)]

    @staticmethod
    def _by(row: PreparedRow, marks: dict[str, float]) -> Prediction:
        margin = round(marks["chosen"] - marks["rejected"], 9)
        chosen = margin > 0 if margin else bool(crc32(row.row_id.encode()) % 2)
        return Prediction(row_id=row.row_id, output=row.payload["chosen" if chosen else "rejected"])


def _preferred(row: PreparedRow, chosen: tuple[float, int], rejected: tuple[float, int]) -> Prediction:
    """The answer with the larger sum; of like ones the worse answer, for that is no preference."""
    from math import exp

    margin = chosen[0] - rejected[0]
    chance = 1 / (1 + exp(-margin)) if margin > -700 else 0.0  # of the two alone
    return Prediction(
        row_id=row.row_id, output=row.payload["chosen" if margin > 0 else "rejected"],
        scores={"chosen": chance, "rejected": 1 - chance},
        figures={
            "chosen_log_prob": chosen[0], "chosen_tokens": chosen[1],
            "rejected_log_prob": rejected[0], "rejected_tokens": rejected[1],
        },
    )  # fmt: skip


def _per_token(figures: dict[str, float], side: str) -> float:
    return figures[f"{side}_log_prob"] / max(1.0, figures[f"{side}_tokens"])
