"""One document, step by step: read, mend, trim, judge, treat personal data, look for duplicates, cut."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import orjson

from brewslm.filters.base import CleanedText, Filter
from brewslm.filters.boilerplate import Trimmed, trim
from brewslm.filters.chunks import chunks
from brewslm.filters.duplicates import ExactDuplicates, NearDuplicates
from brewslm.filters.keep import GoodEnough, HasText
from brewslm.filters.language import LanguageAllowed, language_of
from brewslm.filters.mend import mend
from brewslm.filters.minhash import similarity
from brewslm.filters.quality import quality
from brewslm.filters.ruleset import ruleset
from brewslm.filters.tokens import Tokens
from brewslm.filters.words import WordStatistics
from brewslm.readers import ReadText, Unreadable
from brewslm.readers.bounded import read_bounded
from brewslm.rows.identity import row_id
from brewslm.rows.reasons import RowReason
from brewslm.stages.clean.job import CleanJob, RawDocument
from brewslm.stages.clean.personal import PersonalData, Treated
from brewslm.stages.clean.report import MOST_FINDINGS, Cleaned, DocumentReport, NearDuplicate
from brewslm.store.files import sha256
from brewslm.store.secrets import secret_key


class DocumentCleaner:
    """Cleans documents of one job, one by one, in the order of their ids.

    Args:
        exact, near: Remember the texts that were kept.
        text_of: The cleaned text of a document that was kept.
    """

    def __init__(self, job: CleanJob, exact: ExactDuplicates, near: NearDuplicates, text_of: Callable[[int], str]) -> None:
        self._folder = job.folder
        self._preset, self._rules = job.preset, job.preset.rules[job.preset_name]
        languages = LanguageAllowed(job.preset.language.languages)
        self._judges: tuple[Filter, ...] = (languages, *ruleset(self._rules), GoodEnough(job.preset.minimum_quality))
        self._personal = PersonalData(job.pii, job.preset, secret_key(job.pii_key) if job.pii == "pseudonymise" else b"")
        self._tokens = Tokens(job.tokenizer)
        self._exact, self._near, self._text_of = exact, near, text_of

    def clean(self, document: RawDocument) -> Cleaned:
        """Its report, and what is kept of it."""
        report = DocumentReport(document=document.id, size_bytes=document.size_bytes)
        try:
            read = _read(self._folder / document.path, document)
        except Unreadable as refused:
            return Cleaned(report.but(reason=refused.reason))
        mended = mend(read.text)
        trimmed = trim(mended, read.page_starts, self._preset, self._rules.lines)
        report = self._judged(report, read, trimmed).but(mended_lines=mended.changed_lines)
        if report.reason is not None:
            return Cleaned(report)
        treated = self._personal.treat(trimmed.text)
        report = self._compared(_with_findings(report, treated), treated)
        return Cleaned(report) if report.reason is not None else self._kept(report, document, read, trimmed, treated)

    def _judged(self, report: DocumentReport, read: ReadText, trimmed: Trimmed) -> DocumentReport:
        """By language, rules and quality; a text of which nothing is left fails no other."""
        words = WordStatistics(trimmed.text)
        measured = quality(words, trimmed.share)
        language = language_of(trimmed.text, self._preset.language).code
        seen = CleanedText(trimmed.text, (), measured, words, language)
        failed = _failed((HasText(),), seen) or _failed(self._judges, seen)
        return report.but(
            reason=failed[0] if failed else None,
            rules_failed=failed,
            raw_characters=len(read.text),
            characters=len(trimmed.text),
            markdown=read.markdown,
            page_starts=read.page_starts,
            notes=read.notes,
            language=language,
            trimmed_lines=dict(trimmed.kinds),
            quality=measured.score,
            quality_parts={name: round(part, 3) for name, part in asdict(measured).items()},
        )

    def _compared(self, report: DocumentReport, treated: Treated) -> DocumentReport:
        """Turned away for personal data, as the same as an earlier document, or as nearly the same."""
        if self._personal.blocks and treated.findings:
            return report.but(reason=RowReason.PII_BLOCK)
        same = self._exact.of(report.document, treated.text)
        if same is not None:
            return report.but(reason=RowReason.DUPLICATE_DOCUMENT, duplicate_of=same)
        near = self._near.of(report.document, treated.text)
        if near is None:
            return report
        alike = NearDuplicate(document=near, similarity=round(similarity(treated.text, self._text_of(near)), 4))
        return report.but(reason=RowReason.NEAR_DUPLICATE_DOCUMENT, near_duplicate_of=alike)

    def _kept(self, report: DocumentReport, document: RawDocument, read: ReadText, trimmed: Trimmed, treated: Treated) -> Cleaned:
        text_hash = hashlib.sha256(treated.text.encode()).hexdigest()
        lines = []
        for index, one in enumerate(chunks(treated.text, self._preset.chunk, read.markdown, self._tokens)):
            source_start, source_end = trimmed.origins.to_raw(*treated.replacements.to_before(one.start, one.end))
            line = {
                "row_id": row_id(text_hash, one.start), "document": document.id, "index": index, "start": one.start,
                "end": one.end, "source_start": source_start, "source_end": source_end, "tokens": one.tokens,
                "text": one.text, "headings": one.headings,
            }  # fmt: skip
            lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        is_itself = hashlib.sha256(read.text.encode()).hexdigest() == document.content_hash
        report = report.but(
            path=f"cleaned/{document.id}.txt",
            source_path=document.path if is_itself else f"cleaned/{document.id}.source.txt",
            text_hash=text_hash,
            chunks=len(lines),
        )
        return Cleaned(report, treated.text, None if is_itself else read.text, lines)


def _read(path: Path, document: RawDocument) -> ReadText:
    if document.is_forgotten:
        raise Unreadable(RowReason.FORGOTTEN)
    if not path.is_file() or sha256(path) != document.content_hash:
        raise Unreadable(RowReason.SOURCE_CHANGED)
    return read_bounded(path, document.media_type)


def _failed(filters: tuple[Filter, ...], document: CleanedText) -> list[RowReason]:
    verdicts = (one.keeps(document) for one in filters)
    return [verdict[1] for verdict in verdicts if verdict is not True]


def _with_findings(report: DocumentReport, treated: Treated) -> DocumentReport:
    return report.but(
        characters=len(treated.text),
        findings=[asdict(finding) for finding in treated.findings[:MOST_FINDINGS]],
        finding_counts=dict(Counter(finding.type for finding in treated.findings)),
    )
