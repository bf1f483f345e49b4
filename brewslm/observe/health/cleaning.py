"""Findings about documents. Plain functions of the facts."""

from collections import Counter
from collections.abc import Iterator, Sequence

from brewslm.observe.health.facts import DocumentFacts, HealthFacts
from brewslm.observe.health.limits import Finding, Judge, Limits, remedy_of
from brewslm.rows.reasons import RowReason

_SAME = (RowReason.DUPLICATE_DOCUMENT.value, RowReason.NEAR_DUPLICATE_DOCUMENT.value)


def cleaning(facts: HealthFacts, limits: Limits) -> Iterator[Finding]:
    """What was turned away, by reason; what failed a rule; duplicates; and personal data by type."""
    documents = facts.documents
    if not documents:
        return
    judge = Judge("Cleaning", limits)
    yield from _rejected(judge, documents)
    yield _about(
        judge, "low_quality", documents, [one for one in documents if one.rules_failed], "failed a rule",
        "Look at rules_failed in brewslm documents list --json; then mend the documents.",
    )  # fmt: skip
    yield _about(
        judge, "duplicate_documents", documents, [one for one in documents if one.reason in _SAME], "say what another says",
        "Nothing, if that is meant: the first of each was kept.",
    )  # fmt: skip
    yield from _personal(judge, facts.project, documents)


def _rejected(judge: Judge, documents: Sequence[DocumentFacts]) -> Iterator[Finding]:
    """Those for which none of the other findings speaks."""
    reasons = Counter(one.reason for one in documents if one.reason and one.reason not in _SAME and not one.rules_failed)
    if not reasons:
        yield judge("documents_rejected", 0.0, f"all {len(documents):,} documents could be read and used", "")
    for reason, _ in reasons.most_common():
        those = [one for one in documents if one.reason == reason]
        yield _about(judge, "documents_rejected", documents, those, f"were rejected: {reason}", remedy_of(reason), reason)


def _personal(judge: Judge, project: int, documents: Sequence[DocumentFacts]) -> Iterator[Finding]:
    types = sorted({kind for one in documents for kind in one.findings})
    if not types:
        yield judge("personal_data", 0.0, f"none was found in {len(documents):,} documents", "")
    for kind in types:
        those = [one for one in documents if one.findings.get(kind)]
        next_step = f"Look at the documents; to keep them out altogether: brewslm clean --project {project} --pii block"
        yield _about(judge, "personal_data", documents, those, f"hold {kind}", next_step, kind)


def _about(
    judge: Judge, name: str, documents: Sequence[DocumentFacts], those: Sequence[DocumentFacts], verb: str, next_step: str,
    subject: str = "",
) -> Finding:  # fmt: skip
    said = f"{len(those):,} of {len(documents):,} documents {verb}"
    ids = [str(one.id) for one in those]
    return judge(name, len(those) / len(documents), said, next_step, subject=subject, ids=ids, count=len(those))
