import pytest

from brewslm.web.palette import options

pytestmark = pytest.mark.anyio


def seen(user) -> dict[str, str]:
    """Title of each line of the palette → where it leads."""
    with user:
        root = next(one for one in user.client.elements.values() if "palette-list" in one.classes)
        return {one.default_slot.children[0].text: one.props["href"] for one in root.default_slot.children}


def ask(user, text: str) -> None:
    with user:
        field = next(one for one in user.client.elements.values() if "palette-input" in one.classes)
        for listener in field._event_listeners.values():
            field._handle_event({"listener_id": listener.id, "args": text})


async def test_pages_acts_and_things_are_found_from_the_page_that_one_is_on(user, walk):
    walk.run("exp", "train.run")
    await user.open(f"/projects/{walk.project}/data")
    ask(user, "")
    await user.should_see("found")
    shown = seen(user)
    assert shown["Overview"] == f"/projects/{walk.project}" and shown["Run autopilot"].endswith("?act=autopilot")
    ask(user, "exp-1")
    await user.should_not_see("Run autopilot")
    assert list(seen(user)) == ["exp-1"]
    ask(user, "no such thing")
    await user.should_see("Nothing is called no such thing")


async def test_what_is_called_so_stands_first_and_every_line_leads_somewhere(user, walk):
    imported = walk.imported()
    await user.open("/")
    assert options(imported, walk.project)[0].title == imported
    assert options("autopilot", walk.project)[0].kind == "act"
    assert [one.title for one in options("auto", None) if one.kind in ("page", "act")] == []
    assert all(one.target.startswith("/") for text in ("", "a", "e", "re") for one in options(text, walk.project))
