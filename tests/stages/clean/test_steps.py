"""What each step leaves in reports and chunks, with real documents, in this process."""

import hashlib
import random
import re
import stat

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from brewslm.errors import StageError
from brewslm.processes.context import DirectContext
from brewslm.stages.clean import run
from brewslm.stages.clean.workplace import reports
from brewslm.store.files import project_folder
from tests.readers.made import pdf
from tests.stages.clean.cleaning import added, cleaned, job_of, letter


def cleaned_here(project, tmp_path, texts, **asked):
    """Result, reports by name in the order of adding, and chunk lines."""
    added(project, tmp_path / "inbox", texts)
    job = job_of(project, **asked)
    result, found = cleaned(job, tmp_path / "run")
    chunks = [orjson.loads(line) for line in found["cleaning/cleaned/chunks.jsonl"].splitlines()]
    return result, dict(zip(sorted(texts), reports(tmp_path / "run/cleaning"), strict=True)), chunks


def test_a_chunk_is_exact_in_the_cleaned_text_and_leads_back_to_the_source(project, tmp_path):
    pages = [f"Handbook of gardens\n{letter(n, 6)}\nPage {n + 1} of 4".replace("\n\n", "\n") for n in range(4)]
    raw = "Caf\u00c3\u00a9 rules\n\n" + letter(7) + "\n\nWrite to ana@example.org today.\n\n" + letter(8) + "\n"
    _, found, chunks = cleaned_here(project, tmp_path, {"a.pdf": pdf(*pages), "b.txt": raw, "c.txt": letter(9) + "\r\n"})
    assert found["a.pdf"].trimmed_lines == {"header": 4, "pattern": 4} or sum(found["a.pdf"].trimmed_lines.values()) == 8
    assert len(found["a.pdf"].page_starts) == 4 and found["b.txt"].mended_lines == 1
    folder = project_folder(project)
    for name, report in found.items():
        text = (tmp_path / "run/cleaning" / report.path).read_bytes().decode()
        beside = tmp_path / "run/cleaning" / report.source_path
        source = (beside if beside.exists() else folder / report.source_path).read_bytes().decode()
        mine = [line for line in chunks if line["document"] == report.document]
        assert mine and [line["index"] for line in mine] == list(range(report.chunks))
        for line in mine:
            assert text[line["start"] : line["end"]] == line["text"]
            origin = source[line["source_start"] : line["source_end"]]
            if name == "c.txt":
                assert origin == line["text"]
            words = set(re.findall(r"[a-z]{4,}", line["text"].replace("EMAIL", "")))
            assert words <= set(re.findall(r"[a-z]{4,}", origin)), "every word of the chunk stands in its source"
    assert "ana@example.org" not in orjson.dumps(chunks).decode()
    assert found["b.txt"].source_path.startswith("documents/") and found["c.txt"].source_path.endswith(".source.txt")
    assert found["a.pdf"].source_path == f"cleaned/{found['a.pdf'].document}.source.txt"


def test_no_chunk_has_more_tokens_than_the_preset_allows_and_each_is_counted(project, tmp_path):
    choice = random.Random(0)
    dense = " ".join("".join(choice.choices("qzxjkv", k=14)) for _ in range(400))
    text = f"# One\n\n{letter(1, 60)}\n\n## Two\n\n{letter(2, 60)}\n\n{dense} {letter(3)}"
    _, _, chunks = cleaned_here(project, tmp_path, {"a.md": text})
    job = job_of(project)
    tokenizer = Tokenizer.from_file(str(job.tokenizer))
    assert len(chunks) > 10
    for line in chunks:
        assert line["tokens"] == len(tokenizer.encode(line["text"], add_special_tokens=False).ids) <= job.preset.chunk.maximum
    assert {tuple(line["headings"]) for line in chunks} == {("One",), ("One", "Two")}
    assert sum(line["tokens"] > job.preset.chunk.minimum / 2 for line in chunks) > len(chunks) / 2


def test_a_near_duplicate_names_the_earlier_document_and_how_alike_they_are(project, tmp_path):
    texts = {
        "a.txt": letter(1, 40),
        "b.txt": letter(1, 40) + " One more word.",
        "c.txt": letter(1, 40).upper(),
        "d.txt": letter(2),
    }
    result, found, _ = cleaned_here(project, tmp_path, texts)
    first = found["a.txt"].document
    assert found["b.txt"].reason == "near_duplicate_document" and found["b.txt"].near_duplicate_of.document == first
    assert 0.8 <= found["b.txt"].near_duplicate_of.similarity < 1
    assert found["c.txt"].reason == "duplicate_document" and found["c.txt"].duplicate_of == first
    assert result.ledger.rejected == {"near_duplicate_document": 1, "duplicate_document": 1}


def test_the_web_preset_is_stricter_and_its_name_and_hash_are_told(project, tmp_path):
    texts = {"a.txt": letter(1), "code.txt": letter(2) + " Then { a brace } stood there."}
    result, _, _ = cleaned_here(project, tmp_path, texts)
    assert result.ledger.rejected == {} and result.preset == "documents"
    strict, again = (cleaned(job_of(project, preset="web"), tmp_path / name)[0] for name in ("web", "web2"))
    assert strict.ledger.rejected["no_stop_words"] == 2
    (_, code) = reports(tmp_path / "web/cleaning")
    assert {"curly_braces", "no_stop_words"} <= set(code.rules_failed) and code.reason == code.rules_failed[0]
    assert strict.preset_sha256 == again.preset_sha256 != result.preset_sha256


def test_stand_ins_are_the_same_for_the_same_value_and_another_projects_key_changes_them(project, tmp_path):
    texts = {f"{n}.txt": f"{letter(n)}\n\nWrite to ana@example.org." for n in range(2)} | {"2.txt": letter(5) + " bo@example.org"}
    result, found, chunks = cleaned_here(project, tmp_path, texts, pii="pseudonymise")
    marks = [re.findall(r"\[EMAIL_[0-9a-f]{10}\]", line["text"]) for line in chunks if "EMAIL" in line["text"]]
    assert marks[0] == marks[1] != marks[2] and result.pii_findings == {"email": 3}
    key = job_of(project).pii_key
    assert len(key.read_bytes()) == 32 and stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes().hex() not in orjson.dumps(job_of(project).model_dump(mode="json")).decode()
    assert cleaned(job_of(project, pii="pseudonymise"), tmp_path / "again")[0] == result
    text = (tmp_path / "run/cleaning" / found["0.txt"].path).read_text()
    (one,) = found["0.txt"].findings
    assert text[one["start"] : one["end"]] == marks[0][0] and found["0.txt"].finding_counts == {"email": 1}


def test_redacting_makes_no_key(project, tmp_path):
    cleaned_here(project, tmp_path, {"a.txt": letter(1)})
    assert not job_of(project).pii_key.parent.exists()


def test_a_tokenizer_that_was_changed_is_refused(project, tmp_path):
    added(project, tmp_path / "inbox", {"a.txt": letter(1)})
    job = job_of(project).model_copy(update={"tokenizer_sha256": "0" * 64})
    with pytest.raises(StageError) as refused:
        run(job, DirectContext(tmp_path))
    assert refused.value.reason.code == "base_model_not_found"


lines = st.sampled_from([letter(n, 3) for n in range(4)] + ["Page 1 of 2", "ana@example.org", "", "@@##", "{", "lorem ipsum"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(lines, max_size=6).map("\n\n".join).filter(str.strip), min_size=1, max_size=8, unique=True))
def test_documents_in_are_documents_out_and_rejected_with_a_report_each(home, tmp_path_factory, texts):
    from brewslm.pipeline.execute import call
    from brewslm.stages.projects import CreateRequest

    folder = tmp_path_factory.mktemp("property")
    project = call("test", CreateRequest(name=folder.name)).project
    result, found, chunks = cleaned_here(project, folder, {f"{n}.txt": text for n, text in enumerate(texts)})
    assert result.ledger.rows_in == len(texts) == result.ledger.rows_out + sum(result.ledger.rejected.values())
    kept = [report for report in found.values() if report.reason is None]
    assert len(kept) == result.ledger.rows_out and sum(report.chunks for report in kept) == result.chunks == len(chunks)
    for report in kept:
        assert hashlib.sha256((folder / "run/cleaning" / report.path).read_bytes()).hexdigest() == report.text_hash
