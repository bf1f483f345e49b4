"""documents.add: what comes in from files, folders and URLs, and how it is read when it is cleaned."""

from pathlib import Path

import pytest

from brewslm.observe.documents import documents
from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.clean import CleanRequest
from brewslm.stages.documents import AddRequest
from brewslm.store.files import project_folder
from tests.filters.test_text import PROSE
from tests.readers.made import docx, locked_pdf, mail, pdf
from tests.readers.test_kinds import PAGE
from tests.sources.webserver import WebServer, cache, server, setting  # noqa: F401 - fixtures
from tests.stages.clean.cleaning import letter


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox" / "deep").mkdir(parents=True)
    return tmp_path / "inbox"


def add(project, *paths):
    return call("test", AddRequest(project=project, paths=[str(path) for path in paths]))


def fill(inbox: Path) -> None:
    (inbox / "a.pdf").write_bytes(pdf("\n".join(f"{line}." for line in PROSE.split(". "))))
    (inbox / "b.docx").write_bytes(docx(lambda document: document.add_paragraph(letter(1))))
    (inbox / "deep" / "c.htm").write_text(PAGE.replace("garden", "meadow").replace(PROSE, letter(3)))
    (inbox / "d.eml").write_bytes(mail(letter(2)))
    (inbox / "e.pdf").write_bytes(locked_pdf("secret"))
    (inbox / "f.pdf").write_bytes(pdf(""))


def test_every_kind_of_a_folder_is_added_read_and_cleaned_or_has_its_reason(project, inbox):
    fill(inbox)
    (inbox / "g.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (inbox / ".hidden.txt").write_text(PROSE)
    result = add(project, inbox).result
    assert result["added"] == 6 and [(one["name"], one["reason"]) for one in result["skipped"]] == [("g.png", "source_binary")]
    ledger = call("test", CleanRequest(project=project)).result["ledger"]
    assert ledger == {"rows_in": 6, "rows_out": 4, "rejected": {"document_encrypted": 1, "document_without_text_layer": 1}}
    found = {one.name: one for one in documents(project)}
    assert set(found) == {"a.pdf", "b.docx", "deep/c.htm", "d.eml", "e.pdf", "f.pdf"}
    assert found["a.pdf"].cleaned["notes"] == {"pages": 1} and found["e.pdf"].reason == "document_encrypted"
    page = (project_folder(project) / found["deep/c.htm"].cleaned["path"]).read_text()
    assert page.startswith("# The meadow") and "Imprint" not in page


def test_the_copy_is_named_by_its_content_and_by_the_kind_that_it_is(project, inbox):
    (inbox / "lies.txt").write_bytes(pdf("Some words"))
    assert add(project, inbox).result["added"] == 1
    (document,) = documents(project)
    assert document.media_type == "application/pdf" and document.path.endswith(".pdf") and document.name == "lies.txt"
    assert (project_folder(project) / document.path).read_bytes() == (inbox / "lies.txt").read_bytes()


def test_links_that_lead_out_of_a_folder_are_left_out_and_those_inside_are_files(project, inbox, tmp_path):
    (tmp_path / "secret.txt").write_text("outside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "more.txt").write_text("outside too")
    (inbox / "in.txt").write_text(PROSE)
    (inbox / "deep" / "again.txt").symlink_to(inbox / "in.txt")
    (inbox / "out.txt").symlink_to(tmp_path / "secret.txt")
    (inbox / "folder").symlink_to(tmp_path / "outside")
    (inbox / "loop").symlink_to(inbox / "loop")
    result = add(project, inbox).result
    left_out = {one["name"]: one["reason"] for one in result["skipped"]}
    assert left_out["out.txt"] == left_out["folder"] == "path_outside_project" and set(left_out) == {"out.txt", "folder", "loop"}
    assert (result["added"], result["known"]) == (1, 1)


def test_a_file_locator_is_its_path(project, inbox, monkeypatch):
    (inbox / "a.txt").write_text(PROSE)
    monkeypatch.chdir(inbox)
    assert add(project, "file:a.txt").result["added"] == 1


def test_a_document_on_the_web_is_fetched_and_known_by_its_name_there(project, inbox, server: WebServer):
    server.answers = {"/papers/a": lambda handler: handler.send(pdf("Some words of the web"))}
    (inbox / "b.txt").write_text(PROSE)
    assert add(project, inbox, f"url:{server.url('/papers/a?token=secret')}").result["added"] == 2
    document = documents(project)[1]
    assert (document.media_type, document.name) == ("application/pdf", "a")


def test_a_url_that_gives_no_document_refuses_the_whole_call(project, inbox, server: WebServer):
    server.answers = {"/x.zip": lambda handler: handler.send(b"PK\x03\x04 none")}
    (inbox / "b.txt").write_text(PROSE)
    for path, code in (("/x.zip", "source_binary"), ("/gone", "source_unavailable")):
        with pytest.raises(RunFailed) as failed:
            add(project, inbox, f"url:{server.url(path)}")
        assert failed.value.error.reason.code == code and "127.0.0.1" in str(failed.value.error)
    assert documents(project) == [] and not (project_folder(project) / "documents").exists()


def test_a_folder_that_is_named_says_what_could_have_been_in_it(project, inbox):
    (inbox / "a.csv").write_text("a,b\n")
    with pytest.raises(RunFailed) as failed:
        add(project, inbox)
    assert failed.value.error.reason.code == "source_empty" and ".docx" in failed.value.error.next_step
