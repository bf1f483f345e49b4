"""A filter with a wrong value is told at the filter, keeps what was typed, and leaves the rest of the page as it was."""

import pytest
from nicegui import ui

from brewslm.web.parts import Text

pytestmark = pytest.mark.anyio
BIG = "9" * 30


def control(user, name: str) -> ui.element:
    (found,) = [
        one for one in user.client.elements.values() if one.props.get("name") == name and one.props.get("type") != "hidden"
    ]
    return found


def kept(made: ui.element) -> str:
    """What stands in a control."""
    if made.tag == "input":
        return str(made.props["defaultValue"])
    (chosen,) = [one.props["value"] for one in made.default_slot.children if one.props.get("selected")]
    return str(chosen)


def fault(user, name: str) -> str:
    """What is said at a control, by the element that it names."""
    made = control(user, name)
    assert made.props.get("aria-invalid") == "true", name
    (said,) = [one for one in user.client.elements.values() if one.props.get("id") == made.props["aria-describedby"]]
    assert isinstance(said, Text) and said.parent_slot.parent is made.parent_slot.parent
    return said.text


def way_on(user) -> str:
    (found,) = [one for one in user.client.elements.values() if isinstance(one, ui.link) and one.text == "Show it without"]
    return str(found.props["href"])


DAY = "It is a day and a time, such as 2026-11-30T09:00."
AT_FIELDS = [
    ("events", "since", "yesterdayish", DAY), ("events", "until", "2026-13-45T09:00", DAY),
    ("events", "stage", "nonsense", "It is 'ingestion'"), ("events", "severity", "loud", "It is 'info'"),
    ("events", "text", "!", "there is no word in it"), ("events", "text", "x" * 501, "It has at most 500 letters."),
    ("explorer", "since", "32.13.2026", DAY), ("explorer", "face", "nose", "It is 'cli'"),
    ("explorer?of=events", "stage", "nonsense", "It is 'ingestion'"),
    ("journal", "day", "yesterday", "It is a day, such as 2026-11-30."), ("journal", "day", "2026-02-30", "It is a day"),
    ("journal", "zone", "Mars/Olympus", "It is the name of a time zone, such as UTC or Europe/Berlin."),
    ("journal", "zone", "../../etc/passwd", "It is the name of a time zone"), ("journal", "text", "?", "there is no word in it"),
    ("support", "run", "exp-999", "This project has no run exp-999"),
    ("rows", "import", "import-99", "This project has no import import-99"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "name", "value", "said"), AT_FIELDS)
async def test_a_wrong_value_stands_in_its_field_with_why_and_a_way_on(user, walk, page, name, value, said):
    walk.imported()
    path, _, besides = page.partition("?")
    query = "&".join(filter(None, (besides, f"{name}={value}")))
    await user.open(f"/projects/{walk.project}/{path}?{query}")
    assert said in fault(user, name) and kept(control(user, name)) == value
    assert way_on(user) == f"/projects/{walk.project}/{page}"
    held = [
        one.props["aria-label"] for one in user.client.elements.values() if isinstance(one, ui.link) and "held" in one.classes
    ]
    assert held == []


BESIDE = [
    ("events", "before=x", "before x: It is a whole number."), ("events", "after=-1", "after -1: It is 0 or more."),
    ("events", f"before={BIG}", "It is 9223372036854775807 or less."), ("events", "sevrity=error", "did you mean severity?"),
    ("explorer", "of=all", "of all: It is 'calls' or 'events'."), ("explorer", "before=0x", "before 0x: It is a whole number."),
    ("failures", "stage=nonsense", "stage nonsense: It is 'ingestion'"), ("failures", "days=-1", "days -1: It is 1 or more."),
    ("failures", "limit=lots", "limit lots: It is a whole number."), ("failures", "warnings=some", "It is true or false."),
    ("rows", "status=some", "status some: It is 'counts'"), ("rows", "reason=empty_text", "choose them too"),
    ("rows", "after=x", "after x: There is no such page"), ("rows", "after=synthetic.9999.1", "There is no such page"),
    ("rows", "manifest=99", "manifest 99: This project has no version 99."), ("rows", "split=train", "name its version too"),
    ("cleaning", "document=7", "document 7: This project has none of this number"), ("cleaning", "document=٤x", "whole number"),
    ("cleaning", "page=-1", "page -1: It is 1 or more."), ("cleaning", "page=9", "page 9: There is one page"),
    ("cleaning", "start=some", "start some: It is a whole number."), ("export", "before=x", "before x: It is a whole number."),
    ("deployments", "days=forever", "It is one of: today, 7 days, 30 days, ever."), ("deployments", "before=x", "whole number"),
    ("runs", "compare=exp-1", "a comparison takes two to 5 different training runs"), ("runs", "compare=exp-8,exp-9", "exp-8"),
    ("runs", "before=x", "before x: It is a whole number."), ("evaluation", "tab=everything", "tab everything: It is '"),
    ("prepare", "version=x", "version x: It is a whole number."), ("prepare", "compare=0", "compare 0: It is 1 or more."),
    ("gold", "review=none", "review none: There is no draft of this name. Open one below."),
    ("playground", "left=export-9:hf", "left export-9:hf: This project has no such model to ask"),
    ("training", "manifest=99", "there is no version 99"), ("training", f"manifest={BIG}", "It is no version's number"),
    ("training", "recipe=clasification", "did you mean classification?"), ("training", "from=exp-99", "from exp-99: "),
    ("training", "check=preflight-99", "check preflight-99: "), ("training", "eval_pack=nonsense", "eval_pack nonsense: "),
    ("compression", "size=1", "There is no such filter"),
    ("rows", f"manifest={BIG}", "or less."), ("rows", "manifest=-1&split=train", "name its version too"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "query", "said"), BESIDE)
async def test_what_no_field_of_the_form_holds_is_told_above_it_and_the_rest_is_shown(user, walk, page, query, said):
    walk.imported()
    await user.open(f"/projects/{walk.project}/{page}?{query}")
    await user.should_see(said)
    assert way_on(user) == f"/projects/{walk.project}/{page}"
    if page == "rows":
        await user.should_see("1–50 of 60")
    elif page == "events":
        await user.should_see("map.commit")


async def test_what_is_right_still_filters_where_something_beside_it_is_wrong(user, walk):
    walk.imported(60, broken=2)
    await user.open(f"/projects/{walk.project}/rows?status=rejected&import=import-9&reason=invalid_json&before=x")
    await user.should_see("1–2 of 2")
    await user.open(f"/projects/{walk.project}/events?severity=critical&since=soon")
    await user.should_see("No event fits.")
    assert way_on(user).endswith("/events?severity=critical")


HINTS = [
    ("events", "run=exp-999", "run", "No run of this project is exp-999."),
    ("events", "code=training_omm", "code", "No reason code is training_omm; did you mean training_oom?"),
    ("events", "since=2026-11-30T09:00&until=2026-11-29T09:00", "until", "It is not later than From"),
    ("explorer", "actor=nobody", "actor", "Nobody here is nobody."),
    ("explorer", "operation=train.runn", "operation", "No call here is train.runn."),
    ("explorer?of=events", "code=nonsense", "code", "No reason code is nonsense."),
    ("rows", "field=label", "field", "It narrows nothing by itself"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "query", "name", "said"), HINTS)
async def test_a_name_that_nothing_has_is_told_at_its_field(user, walk, page, query, name, said):
    walk.imported()
    await user.open(f"/projects/{walk.project}/{page}{'&' if '?' in page else '?'}{query}")
    assert fault(user, name).startswith(said)
