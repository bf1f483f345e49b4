from pathlib import Path
from typing import Any

import pytest

from brewslm.errors import StageError
from brewslm.pipeline.execute import RunFailed
from brewslm.pipeline.importing import Imported, KeptSource, import_rows, introspect_locator
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.stages.introspect import Introspection
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.tables import Project, Run, RunEvent

SURE = "text,label\n" + "".join(f'"A film of {n} moments, and a lovely one.",{"good" if n % 2 else "bad"}\n' for n in range(12))
UNSURE = "a,b\nx y,z\nu v,w\nq r,z\n"


def imported(project: int, path: Path, **more: Any) -> Imported:
    return import_rows("test", ImportRequest(project=project, locator=f"csv:{path}", **more))


@pytest.fixture
def sure(tmp_path: Path) -> Path:
    path = tmp_path / "sure.csv"
    path.write_text(SURE)
    return path


@pytest.fixture
def unsure(tmp_path: Path) -> Path:
    path = tmp_path / "unsure.csv"
    path.write_text(UNSURE)
    return path


def refusal(project: int, path: Path, **more: Any) -> StageError:
    with pytest.raises(StageError) as refused:
        imported(project, path, **more)
    return refused.value


def operations() -> list[str]:
    with reading() as session:
        return [run.operation for run in session.query(Run).order_by(Run.created_at)]


def test_a_sure_proposal_is_taken_and_committed(project: int, sure: Path) -> None:
    done = imported(project, sure, auto=True, commit=True)
    assert done.run is not None and done.run.result is not None
    assert (done.run.result["accepted_count"], done.run.result["confidence"]) == (12, 0.95)
    assert done.preview is None and done.request.forced is False


def test_stages_one_to_three_write_no_event(project: int, sure: Path) -> None:
    with reading() as session:
        before = session.query(RunEvent).count()
    assert (done := imported(project, sure, auto=True)).preview is not None and done.run is None
    introspect_locator(f"csv:{sure}")
    with reading() as session:
        assert session.query(RunEvent).count() == before


def test_a_content_that_is_kept_already_is_not_ingested_again(project: int, sure: Path) -> None:
    assert imported(project, sure, auto=True).source.ingested
    assert not imported(project, sure, auto=True).source.ingested
    assert operations().count("ingest.run") == 1
    sure.write_text(SURE + "One more film and a dull one.,bad\n")
    again = imported(project, sure, auto=True)
    assert again.source.ingested and again.preview is not None and again.preview.accepted_count == 13


def test_a_copy_that_was_damaged_is_ingested_again(project: int, sure: Path) -> None:
    kept = imported(project, sure, auto=True).source
    copy = project_folder(project) / kept.path
    copy.write_text(SURE.replace("lovely", "nasty.", 1))
    assert imported(project, sure, auto=True).source.ingested and copy.read_text() == SURE


def test_an_unsure_proposal_is_refused_unless_forced_and_forcing_is_told(project: int, unsure: Path) -> None:
    for commit in (False, True):
        error = refusal(project, unsure, auto=True, commit=commit)
        assert (error.reason.code, error.reason.exit_code) == ("low_confidence", 4)
        assert "under 0.80" in error.cause
    assert "map.commit" not in operations()
    forced = imported(project, unsure, auto=True, force=True, commit=True)
    assert forced.request.forced and forced.request.confidence is not None and forced.request.confidence < 0.8
    with reading() as session:
        assert '"forced":true' in session.query(RunEvent).one().payload


def test_no_mapping_is_chosen_in_silence(project: int, sure: Path) -> None:
    assert refusal(project, sure).reason.code == "invalid_request"
    assert operations() == ["project.create"]


def test_a_mapping_that_was_named_outright_needs_no_confidence(project: int, unsure: Path) -> None:
    done = imported(project, unsure, mapper="label_to_classification", field_map={"text": "a", "label": "b"})
    assert done.request.confidence is None and done.preview is not None and done.preview.accepted_count == 3


def test_a_named_mapper_is_filled_up_from_its_own_hypothesis(project: int, sure: Path, unsure: Path) -> None:
    done = imported(project, sure, mapper="label_to_classification", field_map={"allowed_labels": "good"})
    assert done.request.field_map == {"text": "text", "label": "label", "allowed_labels": "good"}
    assert done.preview is not None and done.preview.rejection_counts == {"label_not_allowed": 6}
    assert refusal(project, unsure, mapper="label_to_classification").reason.code == "low_confidence"


def test_what_is_said_outright_overrides_the_proposal(project: int, sure: Path) -> None:
    sure.write_text(SURE.replace("text,label", "text,label,more").replace("bad\n", "bad,1\n").replace("good\n", "good,2\n"))
    done = imported(project, sure, auto=True, field_map={"label": "more"})
    assert done.request.field_map == {"text": "text", "label": "more"}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"mapper": "bio_to_span"}, "unknown_mapper"),
        ({"auto": True, "drop": ["duplicate"]}, "invalid_request"),
        ({"mapper": "qa_pair_passthrough"}, "column_missing"),
        ({"mapper": "qa_pair_passthrough", "field_map": {"question": "text", "answer": "reply"}}, "column_missing"),
        ({"auto": True, "field_map": {"txt": "text"}}, "invalid_request"),
    ],
)
def test_a_mapping_that_can_not_be_is_refused_and_no_row_is_written(
    project: int, sure: Path, more: dict[str, Any], code: str
) -> None:
    assert refusal(project, sure, **more).reason.code == code
    assert not (project_folder(project) / "synthetic").exists()


def test_columns_that_suit_no_mapper_are_refused_even_when_forced(project: int, tmp_path: Path) -> None:
    (tmp_path / "numbers.csv").write_text("x,y\n" + "".join(f"{n},{n / 7}\n" for n in range(20)))
    error = refusal(project, tmp_path / "numbers.csv", auto=True, force=True)
    assert error.reason.exit_code == 4 and "no mapper suits the columns: x, y" in error.cause


def test_a_source_without_rows_fails_its_ingest(project: int, tmp_path: Path) -> None:
    (tmp_path / "blank.csv").write_text("text,label\n")
    with pytest.raises(RunFailed) as failed:
        imported(project, tmp_path / "blank.csv", auto=True)
    assert failed.value.error.reason.code == "source_empty"


def test_an_empty_home_gets_project_1_on_first_use_and_no_other(sure: Path) -> None:
    assert refusal(7, sure, auto=True).reason.code == "unknown_project"
    assert imported(1, sure, auto=True).preview is not None
    with reading() as session:
        assert [project.id for project in session.query(Project)] == [1]
    assert refusal(2, sure, auto=True).reason.code == "unknown_project"


def test_each_stage_is_told_as_soon_as_it_is_done(project: int, sure: Path) -> None:
    told: list[KeptSource | Introspection] = []
    import_rows("test", ImportRequest(project=project, locator=f"csv:{sure}", auto=True), on_stage=told.append)
    assert [type(one) for one in told] == [KeptSource, Introspection]
