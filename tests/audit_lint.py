"""The audit lint: `python -m tests.audit_lint` names every place that breaks a rule of the event stream, and exits 1.

Most of the taxonomy is kept by the type checker, for a reason code is a class. What types can't say is said here.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from brewslm.reasons import REGISTRY, Reason, Severity, Stage, is_event

PACKAGE = Path(__file__).parents[1] / "brewslm"
EMITTERS = ("pipeline/execute.py", "pipeline/worker.py", "serving/supervisor.py", "access/", "plugins.py")
"""Who may call emit_event: the runner, the worker, the supervisor, access, and the plugin loader. A stage tells its reason."""
ROW_WORDS = {"text", "raw", "row", "rows_text", "payload", "value", "values", "prompt", "completion", "answer", "question"}
"""A payload field of such a name, holding text, would hold somebody's data."""


def emit_problems(package: Path = PACKAGE) -> Iterator[str]:
    """Calls of emit_event in files that may not make any."""
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name.startswith((*EMITTERS, "audit/")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            word = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
            if word == "emit_event":
                yield f"{name}:{node.lineno}: emit_event is called here; tell the reason, and execute emits it"


def reason_problems(reasons: Iterable[type[Reason]] | None = None) -> Iterator[str]:
    """Reason classes that lack their meaning, their remedy or a stage of the enum, or whose payload would hold a row's text."""
    for reason in REGISTRY.values() if reasons is None else reasons:
        where = f"{reason.__module__}.{reason.__name__}"
        if not (vars(reason).get("__doc__") or "").strip():
            yield f"{where}: a reason needs a docstring: it is what people are told"
        elif not reason.meaning().endswith("."):
            yield f"{where}: the docstring's first line must be one whole sentence"
        if not isinstance(reason.stage, Stage) or not isinstance(reason.severity, Severity):
            yield f"{where}: its stage and severity must be of the enums"
        event = is_event(reason.model_construct())
        if event and reason.severity in (Severity.ERROR, Severity.CRITICAL) and not reason.remedy:
            yield f"{where}: an error needs a remedy: one next step"
        for name, field in reason.model_fields.items():
            if name in ROW_WORDS and field.annotation not in (int, float, bool):
                yield f"{where}.{name}: a payload holds ids, counts and hashes, never a row's text"


def main() -> int:
    """Print each problem; 1 when there is any."""
    problems = [*emit_problems(), *reason_problems()]
    for problem in problems:
        print(problem)
    print(f"audit lint: {len(REGISTRY)} reasons, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
