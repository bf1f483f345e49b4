"""Pictures: what is asked about one is answered, or it is described."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from brewslm.handlers.base import Metric, Prediction, Scores
from brewslm.handlers.generating import MOST_NAME, GeneratingHandler, said
from brewslm.media import is_media, opened_picture
from brewslm.metrics import text
from brewslm.metrics.figure import mean, share
from brewslm.models.prompt import Prompt
from brewslm.rows import RowReason
from brewslm.rows.manifest import PreparedRow

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, Any]

DESCRIBE = "Describe the picture."
"""Asked of a picture that comes without a question."""
SIDE = 16
"""Pixels of the side to which pictures are scaled before they are compared."""
LISTED_FORMS = 20


class VisionLanguageHandler(GeneratingHandler):
    """Questions about pictures, and captions, which answer one and the same question."""

    profile = "vision_language"
    scoring_mode = "text"
    input_field = "image"
    media = "image"
    also_asked = ("prompt",)
    architectures = frozenset({"vision_language"})
    primary_metric = "f1"
    metric_ids = frozenset({"f1", "exact_match", "bleu", "rouge_l", "chrf"})
    baseline_ids = frozenset({"majority_answer", "nearest_picture"})
    max_new_tokens = 64

    def check(self, payload: dict[str, Any]) -> RowReason | None:
        """A row needs a picture that was kept: of before they were, it holds a path alone."""
        image, asked = payload.get("image"), payload.get("prompt")
        if not is_media(image) or not isinstance(image, dict) or "width" not in image:
            return RowReason.MEDIA_MISSING
        if asked is not None and not (isinstance(asked, str) and asked.strip()):
            return RowReason.MISSING_PROMPT
        answer = payload.get("text")
        return None if isinstance(answer, str) and answer.strip() else RowReason.MISSING_TEXT

    def prompt(self, payload: dict[str, Any]) -> Prompt:
        """The picture, then the question."""
        asked = payload.get("prompt") or DESCRIBE
        content = [{"type": "image", **payload["image"]}, {"type": "text", "text": asked}]
        return Prompt(({"role": "user", "content": content},), plain=f"{asked}\n\nAnswer:")

    def completion(self, payload: dict[str, Any]) -> str:
        """The answer, or the caption."""
        return str(payload["text"])

    def question(self, payload: dict[str, Any]) -> str:
        """The question, and the picture's file."""
        image = payload.get("image")
        return (
            f"{payload.get('prompt') or DESCRIBE} [{image['path'][:MOST_NAME]}]"
            if isinstance(image, dict) and "path" in image
            else ""
        )

    def score(self, rows: Sequence[PreparedRow], predictions: Sequence[Prediction]) -> Scores:
        """Exact match and token F1, as of answers; BLEU-4, ROUGE-L and chrF, as of captions. The share right of each question."""
        expected = [self.completion(row.payload) for row in rows]
        answers = [str(prediction.output) for prediction in predictions]
        exact, f1 = text.squad_rows(expected, answers)
        right = [value == 1.0 for value in exact]
        figures = {
            "f1": mean(f1),
            "exact_match": share(right),
            "bleu": text.bleu(expected, answers),
            "rouge_l": mean(text.rouge_rows(expected, answers)["rougeL"]),
            "chrf": text.chrf(expected, answers),
        }
        forms: dict[str, list[bool]] = defaultdict(list)
        for row, is_right in zip(rows, right, strict=True):
            forms[_form(row)].append(is_right)
        most = sorted(forms, key=lambda form: (-len(forms[form]), form))[:LISTED_FORMS]
        by_question = {form: Metric.of(share(forms[form])).model_dump() for form in most}
        return Scores.of(figures, right, {"by_question": by_question})

    def baselines(self, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]) -> dict[str, list[Prediction]]:
        """`majority_answer`: the commonest one to the same question. `nearest_picture`: that of the likest train picture."""
        known: dict[str, list[PreparedRow]] = defaultdict(list)
        for row in train:
            known[_form(row)].append(row)
        every = {
            form: Counter(self.completion(row.payload) for row in found).most_common(1)[0][0] for form, found in known.items()
        }
        usual = Counter(self.completion(row.payload) for row in train).most_common(1)[0][0]
        commonest = [every.get(_form(row), usual) for row in rows]
        return {"majority_answer": said(rows, commonest), "nearest_picture": said(rows, self._nearest(train, known, rows))}

    def _nearest(
        self, train: Sequence[PreparedRow], known: dict[str, list[PreparedRow]], rows: Sequence[PreparedRow]
    ) -> list[str]:
        import numpy as np

        seen: dict[str, Pixels] = {}
        for row in (*train, *rows):
            image = row.payload["image"]
            if image["sha256"] not in seen:
                seen[image["sha256"]] = _pixels(image)
        answers = []
        for row in rows:
            alike = known.get(_form(row), train)
            others = np.stack([seen[one.payload["image"]["sha256"]] for one in alike])
            distances = ((others - seen[row.payload["image"]["sha256"]]) ** 2).sum(axis=1)
            answers.append(self.completion(alike[int(distances.argmin())].payload))
        return answers


def _form(row: PreparedRow) -> str:
    return str(row.payload.get("prompt") or DESCRIBE)


def _pixels(image: dict[str, Any]) -> "Pixels":
    import numpy as np

    small = opened_picture(image).convert("L").resize((SIDE, SIDE))
    return np.asarray(small, dtype=np.float32).ravel()
