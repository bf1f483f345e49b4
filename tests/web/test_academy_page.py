import pytest

from brewslm.academy import course, find
from brewslm.observe.academy import academy, lesson
from brewslm.pipeline.execute import call
from brewslm.stages.academy import ReadRequest
from tests.web.test_overview_page import links
from tests.web.test_projects_page import tell

pytestmark = pytest.mark.anyio


async def test_the_course_is_listed_in_its_parts_and_goes_on_where_one_is(user, project):
    call("test", ReadRequest(lesson="what-a-language-model-is"))
    await user.open(f"/academy?project={project}")
    await user.should_see("1 of 21 lessons read · 0 quizzes passed · 0 exercises done")
    named = links(user)
    assert named["Go on: What a language model is"] == f"/academy/what-a-language-model-is?project={project}"
    assert {one.title for one in course()} <= named.keys()
    for part in academy().parts:
        await user.should_see(part.title)


async def test_every_lesson_can_be_opened_with_its_text_figure_quiz_and_exercise(user, project):
    for one in course():
        view = lesson(one.name)
        await user.open(f"/academy/{one.name}?project={project}")
        await user.should_see(view.figure.title)
        await user.should_see(view.quiz[0].ask.replace("`", ""))
        await user.should_see(view.exercise.goal)
    answer = await user.http_client.get("/academy/tokns")
    assert answer.status_code == 404 and "unknown_lesson" in answer.text and "tokens" in answer.text


async def test_a_wrong_answer_is_told_with_the_reason_and_the_right_one_and_right_ones_pass(user):
    one = find("tokens")
    await user.open("/academy/tokens")
    user.find("Check the answers").click()
    await user.should_see("questions have no answer yet")
    right = [question.letter for question in one.quiz]
    give(user, ["a" if right[0] != "a" else "b", *right[1:]])
    await user.should_see("not passed so far")
    await user.should_see(f"{right[0]} is right: {one.answered(tuple(right))[0].why.replace('`', '')}")
    assert lesson("tokens").progress.read and not lesson("tokens").progress.quiz_passed
    give(user, right)
    await user.should_see("passed")
    await user.should_see(f"{len(right)} of {len(right)} right.")
    assert lesson("tokens").progress.quiz_passed


def give(user, letters: list[str]) -> None:
    with user:
        sets = [one for one in user.client.elements.values() if "radios" in one.classes]
    for one, letter in zip(sets, letters, strict=True):
        one.props["id"] = f"set-{one.id}"
        tell(user, f"set-{one.id}", "change", letter)
    user.find("Check the answers").click()


async def test_reading_is_told_by_a_button_in_the_stream_of_the_project(user, project):
    await user.open(f"/academy/tokens?project={project}")
    await user.should_see("not read")
    user.find("Mark as read").click()
    await user.should_not_see("Mark as read")
    assert lesson("tokens").progress.read


async def test_the_exercise_shows_which_events_were_seen_and_looks_again(user, walk):
    one = find("splits-and-leaks")
    await user.open(f"/academy/{one.name}?project={walk.project}")
    await user.should_see("not done so far")
    await user.should_see(f"Not seen so far: {one.exercise.steps[0].said}")
    walk.imported()
    walk.prepared()
    user.find("Look at the events again").click()
    await user.should_see("its events")
