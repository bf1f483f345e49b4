"""The lint of the event stream: every place that breaks one of its rules.

Most of the taxonomy is kept by the type checker, for a reason code is a class. What types can't say is said here, of the source
as it stands: who emits, that each reason is made somewhere and met by a test, and that its stage and severity fit.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from brewslm.reasons import REGISTRY, Reason, Severity, Stage, is_event

PACKAGE = Path(__file__).parents[1]
TESTS = PACKAGE.parent / "tests"
"""Of a checkout; an installation has none."""
EMITTERS = ("pipeline/execute.py", "pipeline/worker.py", "serving/supervisor.py", "access/", "plugins.py", "audit/")
"""Who may emit: the runner, the worker, the supervisor, access, and the plugin loader. A stage tells its reason."""
DOORS = {"brewslm.audit.append": "append", "brewslm.audit.committer": "the committer"}
ROW_WORDS = {"text", "raw", "row", "rows_text", "payload", "value", "values", "prompt", "completion", "answer", "question"}
"""A payload field of such a name, holding text, would hold somebody's data."""
CRITICAL = {"event_lost", "chain_broken", "ledger_open"}
"""Nothing else may call for somebody at once."""
TOLD_BY = {
    "stages/ingest": {Stage.INGESTION}, "stages/mapping": {Stage.INGESTION}, "stages/introspect": {Stage.INGESTION},
    "stages/clean": {Stage.CLEANING}, "stages/prepare": {Stage.PREPARE, Stage.EVAL}, "stages/preflight": {Stage.TRAINING},
    "stages/train": {Stage.TRAINING, Stage.PREPARE}, "stages/evaluate": {Stage.EVAL, Stage.PREPARE},
    "stages/export": {Stage.EXPORT}, "stages/deploy": {Stage.DEPLOYMENT}, "serving": {Stage.DEPLOYMENT},
}  # fmt: skip
"""Whose events a part of the house may make. Gold sets are made by prepare, and told under eval, which reads them; a prepared
file that was changed is told under prepare, by whoever reads it."""
BAD_ENDS = ("Failed", "Error", "Missing", "Unavailable", "Blocked", "Broken", "Lost", "Oom", "Timeout", "Mismatch", "Detected")
GOOD_ENDS = ("Completed", "Installed", "Locked", "Drafted", "Imported", "Reviewed", "Activated", "Prepared", "Reproduced")


def problems(package: Path = PACKAGE, tests: Path | None = None) -> list[str]:
    """Every rule over the whole house."""
    tests = tests or TESTS
    sources = {path.relative_to(package).as_posix(): ast.parse(path.read_text()) for path in sorted(package.rglob("*.py"))}
    found = [*emit_problems(sources), *reason_problems(REGISTRY.values()), *made_problems(REGISTRY.values(), sources)]
    found += stage_problems(REGISTRY.values(), sources)
    return found + (list(untested_problems(REGISTRY.values(), tests)) if tests.exists() else [])


def emit_problems(sources: Mapping[str, ast.Module]) -> Iterator[str]:
    """Files that import or call what appends to the stream, and may not."""
    for name, tree in sources.items():
        if name.startswith(EMITTERS):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom | ast.Attribute):
                continue
            names = {node.attr} if isinstance(node, ast.Attribute) else {alias.name for alias in node.names}
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            word = "emit_event" if "emit_event" in names else DOORS.get(module)
            if word:
                yield f"{name}:{node.lineno}: {word} is used here; tell the reason, and execute emits it"


def reason_problems(reasons: Iterable[type[Reason]]) -> Iterator[str]:
    """Classes that say too little of themselves, or whose payload would hold a row's text."""
    for reason in reasons:
        where = f"{reason.__module__}.{reason.__name__}"
        if not (vars(reason).get("__doc__") or "").strip():
            yield f"{where}: a reason needs a docstring: it is what people are told"
        elif not reason.meaning().endswith("."):
            yield f"{where}: the docstring's first line must be one whole sentence"
        if reason.stage not in list(Stage) or reason.severity not in list(Severity):
            yield f"{where}: its stage and severity must be of the enums"
        if is_event(reason.model_construct()) and reason.severity in (Severity.ERROR, Severity.CRITICAL):
            if not reason.remedy:
                yield f"{where}: an error needs a remedy: one next step"
            if not reason.causes:
                yield f"{where}: an error needs its likely causes"
        if (reason.severity is Severity.CRITICAL) != (reason.code in CRITICAL):
            yield f"{where}: critical is for {', '.join(sorted(CRITICAL))}, and for nothing else"
        yield from _severity_problems(reason, where)
        for name, field in reason.model_fields.items():
            if name in ROW_WORDS and field.annotation not in (int, float, bool):
                yield f"{where}.{name}: a payload holds ids, counts and hashes, never a row's text"


def _severity_problems(reason: type[Reason], where: str) -> Iterator[str]:
    if reason.__name__.endswith(BAD_ENDS) and reason.severity is Severity.INFO:
        yield f"{where}: by its name it is no good news, and its severity says info"
    is_good = reason.__name__.endswith(GOOD_ENDS) and "Not" not in reason.__name__
    if is_good and reason.severity is not Severity.INFO and is_event(reason.model_construct()):
        yield f"{where}: by its name it is good news, and its severity says {reason.severity}"


def made_problems(reasons: Iterable[type[Reason]], sources: Mapping[str, ast.Module]) -> Iterator[str]:
    """Reasons that nothing makes: a code that is declared and never told."""
    made = {word for name, tree in sources.items() if not name.startswith("reasons/") for word in _used(tree)}
    for reason in reasons:
        if reason.__module__.startswith("brewslm.") and reason.__name__ not in made:
            yield f"{reason.__module__}.{reason.__name__}: nothing makes it; a code that is never told must not be declared"


def stage_problems(reasons: Iterable[type[Reason]], sources: Mapping[str, ast.Module]) -> Iterator[str]:
    """Events that a part of the house makes under another part's stage."""
    stages = {reason.__name__: reason.stage for reason in reasons if is_event(reason.model_construct())}
    for name, tree in sources.items():
        allowed = next((stages_ for folder, stages_ in TOLD_BY.items() if name.startswith((f"{folder}/", f"{folder}."))), None)
        if allowed is None:
            continue
        for word in sorted(_used(tree) & stages.keys()):
            if stages[word] not in allowed:
                yield f"{name}: {word} is of stage {stages[word]}; here is told {', '.join(sorted(allowed))}"


def untested_problems(reasons: Iterable[type[Reason]], tests: Path) -> Iterator[str]:
    """Reasons that no test names, by class or by code: nobody has seen them told."""
    words: set[str] = set()
    for path in tests.rglob("*.py"):
        words |= _named(ast.parse(path.read_text()))
    for reason in reasons:
        if reason.__module__.startswith("brewslm.") and not words & {reason.__name__, reason.code}:
            yield f"{reason.__module__}.{reason.__name__}: no test names it or its code {reason.code}"


def _used(tree: ast.Module) -> set[str]:
    """Names that are read as values: made, or handed on to be made. An import or an annotation is no use."""
    annotations = {id(part) for node in ast.walk(tree) for each in _annotations(node) for part in ast.walk(each)}
    found = set()
    for node in ast.walk(tree):
        if id(node) in annotations:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found.add(node.attr)
    return found


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    for each in (getattr(node, "annotation", None), getattr(node, "returns", None)):
        if isinstance(each, ast.expr):
            yield each


def _named(tree: ast.Module) -> set[str]:
    """Names, and whole words of strings."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(node.value.replace('"', " ").replace(":", " ").replace(",", " ").split())
    return found
