import pytest
from nicegui import ui
from nicegui.testing import User

from brewslm.web.changes import changes, config_diff
from brewslm.web.confirm import Confirm
from brewslm.web.parts import Text
from brewslm.web.pieces import Column, interval, ledger_bar, pager, reason_chip, table

pytestmark = pytest.mark.anyio


async def test_rejected_rows_are_told_by_reason_with_meaning_remedy_and_way(home, user: User):
    ui.page("/ledger")(lambda: ledger_bar(12, 9, {"empty_text": 1, "neutral_score": 2}, "/rejected"))
    await user.open("/ledger")
    await user.should_see("12 in = 9 out + ")
    assert next(one for one in user.find(ui.link).elements if one.text == "3 rejected").props["href"] == "/rejected"
    codes = sorted(one.id for code in ("neutral_score", "empty_text") for one in user.find(code).elements)
    assert codes == [one.id for code in ("neutral_score", "empty_text") for one in user.find(code).elements]
    ui.page("/chip")(lambda: reason_chip("a_code_of_tomorrow"))
    await user.open("/chip")
    await user.should_see("This version does not know this code.")


async def test_only_what_differs_is_shown_nested_by_path(home, user: User):
    before = {"epochs": 1, "lora": {"r": 16, "alpha": 32}, "gone": None}
    after = {"epochs": 1, "lora": {"r": 8, "alpha": 32}, "new": [1, 2]}
    found = changes(before, after)
    assert [(one.name, one.before, one.after) for one in found] == [("lora.r", 16, 8), ("new", None, [1, 2])]
    ui.page("/diff")(lambda: config_diff("Recipe", found))
    await user.open("/diff")
    await user.should_see("[1,2]")
    await user.should_not_see("epochs")


async def test_a_double_click_is_one_act(home, user: User):
    done: list[str] = []

    async def do() -> None:
        done.append("once")
        Text("p", "It is done.")

    def page() -> None:
        asked = Confirm("Undo")
        asked.ask("Undo import-1?", ["Rows: 40 → 0"], "Undo import-1 now", do)

    ui.page("/confirm")(page)
    await user.open("/confirm")
    button = user.find("Undo import-1 now")
    button.trigger("click")
    button.trigger("click")
    await user.should_see("It is done.")
    assert done == ["once"]


async def test_a_table_names_its_rows_and_a_pager_says_which_they_are(home, user: User):
    def page() -> None:
        table(
            "Files",
            (Column("File", lambda one: one, "mono"), Column("Size", lambda one: f"{len(one)} B", "figure")),
            ["a", "bcd"],
        )
        pager("1–2 of 9", [("Next", "/more")])
        interval(0.5, 0.4, 0.6)

    ui.page("/table")(page)
    await user.open("/table")
    for said in ("bcd", "3 B", "1–2 of 9", "Next", "50.0 % (40.0 % to 60.0 %)"):
        await user.should_see(said)
