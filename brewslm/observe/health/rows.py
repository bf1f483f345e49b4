"""Findings about rows: as they came in, were mapped, are shaped, and were prepared. Plain functions of the facts."""

from collections import Counter
from collections.abc import Iterator

from brewslm.observe.health.facts import HealthFacts
from brewslm.observe.health.limits import NAMED, Finding, Judge, Limits, remedy_of
from brewslm.rows.reasons import RowReason


def ingestion(facts: HealthFacts, limits: Limits) -> Iterator[Finding]:
    """How much of each import's source could not be parsed."""
    judge = Judge("Ingestion", limits)
    for one in facts.imports:
        count = sum(one.unparseable.values())
        said = f"{count:,} of {one.rows:,} rows of {one.locator} could not be parsed{_reasons(one.unparseable)}"
        ids = [row for reason in one.unparseable for row in one.rejected_ids.get(reason, [])]
        next_step = f"brewslm rejected export {one.run_id}, mend the lines, then brewslm rejected reimport"
        yield judge("unparseable_rows", _share(count, one.rows), said, next_step, subject=one.run_id, ids=ids, count=count)


def mapping(facts: HealthFacts, limits: Limits) -> Iterator[Finding]:
    """For each reason the rows that mapping turned away, over all imports."""
    judge = Judge("Mapping", limits)
    rejected: Counter[str] = Counter()
    for one in facts.imports:
        rejected.update(one.rejected)
    rows = sum(one.rows - sum(one.unparseable.values()) for one in facts.imports)
    if facts.imports and not rejected:
        yield judge("rejected_rows", 0.0, f"all {rows:,} rows were accepted", "")
    for reason, count in rejected.most_common():
        ids = [row for one in facts.imports for row in one.rejected_ids.get(reason, [])]
        said = f"{count:,} of {rows:,} rows were rejected: {reason}"
        yield judge("rejected_rows", _share(count, rows), said, remedy_of(reason), subject=reason, ids=ids[:NAMED], count=count)


def shape(facts: HealthFacts, limits: Limits) -> Iterator[Finding]:
    """Which tasks the rows are for, and how even their labels are."""
    judge = Judge("Shape", limits)
    if facts.profiles:
        said = ", ".join(f"{count:,} rows of {name}" for name, count in sorted(facts.profiles.items()))
        next_step = f"brewslm prepare --project {facts.project} --task-profile {next(iter(facts.profiles))}"
        yield judge("task_profiles", len(facts.profiles), said, next_step, count=len(facts.profiles))
    if not facts.labels:
        return
    names, rows = len(facts.labels), sum(facts.labels.values())
    said = f"all {rows:,} rows have the label {next(iter(facts.labels))}" if names == 1 else f"{names:,} labels in {rows:,} rows"
    yield judge("labels", names, said, "Import rows with the other labels.", count=names)
    if names > 1:
        label, count = min(facts.labels.items(), key=lambda pair: (pair[1], pair[0]))
        said = f"the rarest label, {label}, has {count:,} of {rows:,} rows"
        yield judge(
            "minority_label", _share(count, rows), said, f"Import more rows labelled {label}.", subject=label, count=count
        )


def prepared(facts: HealthFacts, limits: Limits) -> Iterator[Finding]:
    """What the manifest in use left out, and how exact a score its held-out rows can give."""
    if facts.prepared is None:
        return
    judge, found = Judge("Prepared", limits), facts.prepared
    named = (
        ("leaks", RowReason.LEAK, "kept out: held-out rows say nearly the same"),
        ("over_length", RowReason.OVER_LENGTH, "too long"),
    )
    for name, reason, said in named:
        count = found.rejected.get(reason.value, 0)
        sentence = f"{count:,} of {found.rows_in:,} rows of v{found.version} were {said}"
        ids = found.rejected_ids.get(reason.value, [])
        yield judge(name, _share(count, found.rows_in), sentence, reason.remedy, subject=reason.value, ids=ids, count=count)
    if found.task_profile == "language_modeling":  # it is scored by likelihood, token by token: rows don't tell how exactly
        return
    rows = found.rows.get("eval", 0)
    margin = _margin(rows)
    said = f"{rows:,} held-out rows tell an accuracy to within ± {100 * margin:.1f} points at worst"
    wanted = max(2 * rows, 400)
    next_step = f"brewslm prepare --project {facts.project} --eval-rows {wanted}"
    if 2 * wanted > found.rows_in:
        next_step = "Import more rows: so few can't be held out and trained on."
    yield judge("eval_interval", margin, said, next_step, count=rows)


def _margin(rows: int) -> float:
    """Half of Wilson's 95 % interval where half of the rows are right, the widest there is."""
    from brewslm.metrics.intervals import wilson

    low, high = wilson(rows // 2, rows)
    return (high - low) / 2


def _share(count: int, total: int) -> float:
    return count / total if total else 0.0


def _reasons(counts: dict[str, int]) -> str:
    said = ", ".join(f"{reason} {count:,}" for reason, count in sorted(counts.items()))
    return f" ({said})" if said else ""
