import pytest

from brewslm.web import rail
from brewslm.web.pages import PAGES
from brewslm.web.rail import lessons_about, shown
from brewslm.web.styles import assets

pytestmark = pytest.mark.anyio
EVERY = [rail.OVERVIEW, *rail.PIPELINE, *rail.BELOW, rail.ACADEMY]


def within(user, css: str) -> list:
    """The links inside the element with this class, in their order."""
    with user:
        client = user.client
        root = next(one for one in client.elements.values() if css in one.classes)
        return [one for one in root.descendants() if one.tag == "nicegui-link"]


async def test_the_rail_shows_the_pages_that_exist_in_their_order_and_where_one_is(user, project):
    await user.open(f"/projects/{project}/data")
    listed = within(user, "rail-list")
    have = [entry.name for entry in EVERY if entry.path in PAGES]
    assert {"Overview", "Data", "Observability"} <= set(have)
    assert [one.text for one in listed] == have
    assert [one.text for one in listed if one.props.get("aria-current") == "page"] == ["Data"]
    assert listed[0].props["href"] == f"/projects/{project}"


async def test_a_page_of_no_project_offers_the_projects(user, project):
    await user.open("/")
    assert within(user, "rail-list")[0].text == "Projects"
    assert [one.text for one in within(user, "switcher")] == ["a project", "All projects"]


def test_only_entries_whose_page_is_registered_are_shown_and_pages_below_one_belong_to_it():
    some = shown(rail.PIPELINE, {"/projects/{project}/gold", "/projects/{project}/data", "/elsewhere"})
    assert [entry.name for entry in some] == ["Data", "Gold set"]
    at = {name: [entry.name for entry in EVERY if entry.leads_to(path)] for name, path in {
        "run": "/projects/{project}/runs/{run_id}", "row": "/rows/{row_id}", "failures": "/projects/{project}/failures",
        "overview": "/projects/{project}", "lesson": "/academy/{lesson_name}", "rows": "/projects/{project}/rows",
    }.items()}  # fmt: skip
    assert at == {
        "run": ["Runs"], "row": ["Data"], "failures": ["Observability"], "overview": ["Overview"], "lesson": ["Academy"],
        "rows": ["Data"],
    }  # fmt: skip


def test_a_page_finds_its_lessons_by_its_address():
    assert "tokens" in [one.name for one in lessons_about("/projects/{project}/prepare")]
    assert lessons_about("/projects/{project}/runs/{run_id}") == lessons_about("/projects/{project}/runs") != []
    assert [one.name for one in lessons_about("/projects/{project}/events")] == ["the-stream-and-the-passports", "drift"]
    assert lessons_about("/rows/{row_id}") == lessons_about("/projects/{project}/data") != []
    assert lessons_about("/projects/{project}") == lessons_about("/") == []


async def test_the_look_and_the_script_are_asked_for_once_and_by_their_content(user):
    for address, file in assets().items():
        answer = await user.http_client.get(address)
        assert answer.status_code == 200 and answer.text == file.text and "immutable" in answer.headers["cache-control"]
        assert (await user.http_client.get(address.replace("/assets/", "/assets/0"))).status_code == 404
