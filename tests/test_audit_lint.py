import ast

import pytest

from brewslm.audit.lint import emit_problems, made_problems, problems, reason_problems, stage_problems, untested_problems
from brewslm.reasons import REGISTRY, Reason, Refusal, Severity, Stage
from brewslm.reasons.export import ExportRunFailed
from brewslm.reasons.training import TrainingOom


def test_the_project_is_clean():
    assert problems() == []


def tree(**files: str) -> dict[str, ast.Module]:
    return {name.replace("__", "/") + ".py": ast.parse(source) for name, source in files.items()}


@pytest.mark.parametrize(
    "line",
    [
        "from brewslm.audit import emit_event",
        "audit.emit_event(reason)",
        "from brewslm.audit.append import append",
        "from brewslm.audit.committer import COMMITTER",
    ],
)
def test_a_stage_that_emits_by_itself_is_found(line):
    (problem,) = emit_problems(tree(stages__train=line, pipeline__execute=line, access__tokens=line, audit__emit=line))
    assert problem.startswith("stages/train.py:1: ")


@pytest.mark.parametrize(
    ("source", "is_made"),
    [
        ("raise StageError(TrainingOom(error='x'))", True),
        ("BY_CAUSE = {Cause.OOM: training.TrainingOom}", True),
        ("from brewslm.reasons.training import TrainingOom", False),
        ("def told(reason: TrainingOom) -> TrainingOom: ...", False),
    ],
)
def test_a_code_that_nothing_makes_is_found(source, is_made):
    found = list(made_problems([TrainingOom], tree(stages__train=source, reasons__training="TrainingOom")))
    assert [problem.split(":")[0] for problem in found] == ([] if is_made else ["brewslm.reasons.training.TrainingOom"])


@pytest.mark.parametrize(
    "words", ["assert code == 'training_oom'", "reason = TrainingOom(error='x')", "assert 'cause: training_oom' in said"]
)
def test_a_code_that_no_test_names_is_found(tmp_path, words):
    (tmp_path / "test_some.py").write_text("assert 'training_oomph' != 'oom'")
    assert len(list(untested_problems([TrainingOom], tmp_path))) == 1
    (tmp_path / "test_more.py").write_text(words)
    assert list(untested_problems([TrainingOom], tmp_path)) == []


def test_an_event_under_another_parts_stage_is_found():
    reasons = [TrainingOom, ExportRunFailed]
    (problem,) = stage_problems(
        reasons, tree(stages__train__run="TrainingOom(); ExportRunFailed()", pipeline__execute="TrainingOom()")
    )
    assert problem.startswith("stages/train/run.py: ExportRunFailed is of stage export")


@pytest.fixture
def made(monkeypatch):
    """Reasons made for one test, and forgotten after it."""
    before = dict(REGISTRY)
    yield lambda: [reason for code, reason in REGISTRY.items() if code not in before]
    for code in set(REGISTRY) - set(before):
        del REGISTRY[code]


def test_each_way_to_write_a_bad_reason_is_found(made):
    class LintNoMeaning(Reason, stage=Stage.EVAL):
        pass

    class LintHalfSentence(Reason, stage=Stage.EVAL):
        """something without an end"""

    class LintNoRemedy(Reason, stage=Stage.EVAL, severity=Severity.ERROR, causes=("a bug",)):
        """An error without a next step."""

    class LintNoCauses(Reason, stage=Stage.EVAL, severity=Severity.ERROR, remedy="Do it again."):
        """An error that comes from nowhere."""

    class LintOwnStage(Reason, stage="gold"):
        """A stage that nobody knows."""

    class LintRowText(Reason, stage=Stage.EVAL):
        """It would keep a row's words for ever."""

        text: str

    class LintAlarm(Reason, stage=Stage.EVAL, severity=Severity.CRITICAL, remedy="Do it again.", causes=("a bug",)):
        """Not one of those that call for somebody at once."""

    class LintCheckFailed(Reason, stage=Stage.EVAL):
        """Bad news that is told as good."""

    class LintCheckCompleted(Reason, stage=Stage.EVAL, severity=Severity.ERROR, remedy="Do it again.", causes=("a bug",)):
        """Good news that is told as bad."""

    class LintGood(Reason, stage=Stage.EVAL, severity=Severity.ERROR, remedy="Do it again.", causes=("a bug",)):
        """Nothing is wrong with it."""

        rows: int

    class LintRefusal(Refusal, stage=Stage.EVAL, severity=Severity.ERROR):
        """A refusal says its next step where it is raised."""

    found = list(reason_problems(made()))
    assert [problem.split(":")[0].split(".Lint")[1] for problem in found] == [
        "NoMeaning", "HalfSentence", "NoRemedy", "NoCauses", "OwnStage", "RowText.text", "Alarm", "CheckFailed", "CheckCompleted",
    ]  # fmt: skip
