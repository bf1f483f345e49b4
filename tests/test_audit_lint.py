import pytest

from brewslm.reasons import REGISTRY, Reason, Refusal, Severity, Stage
from tests.audit_lint import emit_problems, reason_problems


def test_the_project_is_clean():
    assert [*emit_problems(), *reason_problems()] == []


@pytest.mark.parametrize("call", ["emit_event(reason, project_id=1)", "audit.emit_event(reason)"])
def test_a_stage_that_emits_by_itself_is_found(tmp_path, call):
    for name in ("stages/train.py", "pipeline/execute.py", "access/tokens.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"def run():\n    {call}\n")
    (problem,) = emit_problems(tmp_path)
    assert problem.startswith("stages/train.py:2: ")


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

    class LintNoRemedy(Reason, stage=Stage.EVAL, severity=Severity.ERROR):
        """An error without a next step."""

    class LintOwnStage(Reason, stage="gold"):
        """A stage that nobody knows."""

    class LintRowText(Reason, stage=Stage.EVAL):
        """It would keep a row's words for ever."""

        text: str

    class LintGood(Reason, stage=Stage.EVAL, severity=Severity.CRITICAL, remedy="Do it again."):
        """Nothing is wrong with it."""

        rows: int

    class LintRefusal(Refusal, stage=Stage.EVAL, severity=Severity.ERROR):
        """A refusal says its next step where it is raised."""

    problems = list(reason_problems(made()))
    assert [problem.split(":")[0].split(".Lint")[1] for problem in problems] == [
        "NoMeaning", "HalfSentence", "NoRemedy", "OwnStage", "RowText.text",
    ]  # fmt: skip
