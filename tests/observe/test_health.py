"""Every finding of the data health report is reached by data that has the fault, and not by data that has not."""

import orjson
import pytest
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.observe.health import data_health
from brewslm.observe.health.cleaning import cleaning
from brewslm.observe.health.facts import DocumentFacts, HealthFacts, ImportFacts, PreparedFacts
from brewslm.observe.health.limits import Limit, Severity, limits
from brewslm.observe.health.rows import ingestion, mapping, prepared, shape
from brewslm.pipeline.execute import call
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.stages.clean import CleanRequest
from tests.stages.clean.cleaning import added, letter

GROUPS = (ingestion, mapping, cleaning, shape, prepared)


def judged(**facts):
    """The findings of these facts, by id."""
    found = [one for group in GROUPS for one in group(HealthFacts(project=1, **facts), limits())]
    return {(one.id, one.subject): one for one in found}


def imported(rows=1000, ids=(), **counts):
    unparseable = {name: count for name, count in counts.items() if name == "invalid_json"}
    rejected = {name: count for name, count in counts.items() if name != "invalid_json"}
    return ImportFacts("import-1", "jsonl:rows.jsonl", rows, unparseable, rejected, {name: list(ids) for name in counts})


def documents(bad, **facts):
    return [DocumentFacts(n, **(facts if n < bad else {"reason": None})) for n in range(100)]


def made(count, **rejected):
    return PreparedFacts(2, "qa", {"train": 900, "eval": count}, 1000, rejected, {name: ["r1-1"] for name in rejected})


CASES = [
    ("unparseable_rows", "import-1", {"imports": [imported(invalid_json=10)]}, "ok"),
    ("unparseable_rows", "import-1", {"imports": [imported(invalid_json=11)]}, "warn"),
    ("unparseable_rows", "import-1", {"imports": [imported(invalid_json=201)]}, "block"),
    ("rejected_rows", "", {"imports": [imported()]}, "ok"),
    ("rejected_rows", "empty_text", {"imports": [imported(empty_text=50)]}, "ok"),
    ("rejected_rows", "empty_text", {"imports": [imported(empty_text=51)]}, "warn"),
    ("rejected_rows", "empty_text", {"imports": [imported(empty_text=501)]}, "block"),
    ("documents_rejected", "", {"documents": documents(0)}, "ok"),
    ("documents_rejected", "document_corrupt", {"documents": documents(11, reason="document_corrupt")}, "warn"),
    ("documents_rejected", "document_corrupt", {"documents": documents(51, reason="document_corrupt")}, "block"),
    ("low_quality", "", {"documents": documents(5, reason="lorem_ipsum", rules_failed=("lorem_ipsum",))}, "ok"),
    ("low_quality", "", {"documents": documents(6, reason="lorem_ipsum", rules_failed=("lorem_ipsum",))}, "warn"),
    ("low_quality", "", {"documents": documents(60, reason="low_quality", rules_failed=("low_quality",))}, "block"),
    ("duplicate_documents", "", {"documents": documents(20, reason="duplicate_document")}, "ok"),
    ("duplicate_documents", "", {"documents": documents(21, reason="near_duplicate_document")}, "warn"),
    ("personal_data", "", {"documents": documents(0)}, "ok"),
    ("personal_data", "email", {"documents": documents(1, reason=None, findings={"email": 3})}, "warn"),
    ("task_profiles", "", {"profiles": {"qa": 5}}, "ok"),
    ("task_profiles", "", {"profiles": {"qa": 5, "classification": 5}}, "warn"),
    ("labels", "", {"labels": {"a": 5}}, "block"),
    ("labels", "", {"labels": {"a": 5, "b": 5}}, "ok"),
    ("minority_label", "b", {"labels": {"a": 91, "b": 9}}, "warn"),
    ("minority_label", "b", {"labels": {"a": 90, "b": 10}}, "ok"),
    ("leaks", "leak", {"prepared": made(400)}, "ok"),
    ("leaks", "leak", {"prepared": made(400, leak=51)}, "warn"),
    ("over_length", "over_length", {"prepared": made(400, over_length=10)}, "ok"),
    ("over_length", "over_length", {"prepared": made(400, over_length=11)}, "warn"),
    ("over_length", "over_length", {"prepared": made(400, over_length=201)}, "block"),
    ("eval_interval", "", {"prepared": made(400)}, "ok"),
    ("eval_interval", "", {"prepared": made(200)}, "warn"),
    ("eval_interval", "", {"prepared": made(0)}, "block"),
]


@pytest.mark.parametrize(("name", "subject", "facts", "severity"), CASES)
def test_a_finding_is_reached_just_beyond_its_limit(name, subject, facts, severity):
    found = judged(**facts)[name, subject]
    assert found.severity == severity, found
    assert bool(found.next_step) == (severity != "ok") and found.said and "  " not in found.said


def test_every_limit_of_the_preset_has_a_case():
    assert {name for name, *_ in CASES} == set(type(limits()).model_fields)


def test_at_most_twenty_rows_are_named_and_all_are_counted():
    found = judged(imports=[imported(ids=[f"r1-{n}" for n in range(30)], empty_text=600)])["rejected_rows", "empty_text"]
    assert (len(found.ids), found.count) == (20, 600)
    found = judged(documents=documents(60, reason="document_corrupt"))["documents_rejected", "document_corrupt"]
    assert (found.ids[:2], len(found.ids), found.count) == (["0", "1"], 20, 60)


def test_the_worst_severity_is_the_greatest():
    assert max([Severity.WARN, Severity.BLOCK, Severity.OK]) is Severity.BLOCK and Severity.OK < Severity.WARN
    assert Limit(warn=1, at_least=True).severity(1) is Severity.OK


def test_a_project_without_data_has_no_findings_and_one_that_is_unknown_is_refused(project):
    assert data_health(project).findings == [] and data_health(project).severity == "ok"
    with pytest.raises(StageError):
        data_health(9)


def test_real_imports_and_documents_are_judged_with_their_rows(project, tmp_path):
    lines = [orjson.dumps({"text": f"film number {n} was what it was", "label": "good"}) for n in range(40)]
    lines += [b"{broken"] * 5 + [orjson.dumps({"text": "", "label": "good"})] * 30
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    field_map = {"text": "text", "label": "label"}
    asked = ImportRequest(
        project=project,
        locator=f"jsonl:{tmp_path / 'rows.jsonl'}",
        mapper="label_to_classification",
        field_map=field_map,
        commit=True,
    )
    import_rows("test", asked)
    added(project, tmp_path / "inbox", {"a.txt": letter(1) + " ana@example.org", "b.txt": "@@## ~~ |||", "c.pdf": b"%PDF-1.7"})
    call("test", CleanRequest(project=project))
    report = data_health(project)
    found = {(one.id, one.subject): one for one in report.findings}
    assert report.severity == "block"
    broken = found["unparseable_rows", "import-1"]
    assert (broken.count, len(broken.ids), broken.severity) == (5, 5, "warn") and "invalid_json 5" in broken.said
    (empty,) = [one for one in report.findings if one.id == "rejected_rows"]
    assert empty.count == 30 and len(empty.ids) == 20 and empty.measured == round(30 / 70, 6)
    assert found["labels", ""].severity == "block" and "all 40 rows" in found["labels", ""].said
    assert found["personal_data", "email"].ids == ["1"] and found["low_quality", ""].ids == ["2"]
    assert found["documents_rejected", "document_corrupt"].ids == ["3"]
    shown = CliRunner().invoke(app, ["health", "--project", str(project)])
    assert shown.exit_code == 0 and "block  all 40 rows have the label good" in shown.stdout
    assert "next: Import rows with the other labels." in shown.stdout
    as_json = orjson.loads(CliRunner().invoke(app, ["health", "--project", str(project), "--json"]).stdout)
    assert as_json == report.model_dump(mode="json")


def test_where_too_few_rows_are_there_to_hold_out_more_the_next_step_is_to_import():
    few = PreparedFacts(2, "qa", {"train": 70, "eval": 20}, 100, {})
    assert judged(prepared=few)["eval_interval", ""].next_step.startswith("Import more rows")


def test_language_modeling_is_not_judged_by_an_accuracy():
    assert ("eval_interval", "") not in judged(prepared=PreparedFacts(1, "language_modeling", {"eval": 5}, 20, {}))
