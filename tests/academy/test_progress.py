"""Reading, answering and doing, by real operations: in the terminal, over HTTP, and in the event stream."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from typer.testing import CliRunner

from brewslm.academy import course, find
from brewslm.api.app import create_app
from brewslm.cli.main import app
from brewslm.observe.academy import academy, exercise, lesson
from brewslm.store.database import reading
from brewslm.store.tables import RunEvent
from tests.synthetic import add_rows, reviews

RIGHT = {one.name: [question.letter for question in one.quiz] for one in course()}


def typed(*words, code=0):
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == code, done.stdout + done.stderr
    return done.stdout if code in (0, 3) else done.stderr


def told(*codes):
    with reading() as session:
        found = session.scalars(select(RunEvent).where(RunEvent.reason_code.in_(codes)).order_by(RunEvent.id))
        return [(one.project_id, one.reason_code, json.loads(one.payload)) for one in found]


def test_a_lesson_is_read_once_and_the_list_says_so():
    assert f"next: brewslm academy {course()[0].name}" in typed("academy")
    shown = typed("academy", "tokens")
    assert "Figure: From a row to tokens" in shown and "brewslm prepare --project 1 --max-tokens 60" in shown
    assert "max_length" in shown and "What happens to it?" in shown
    typed("academy", "read", "tokens")
    assert told("lesson_read") == [(0, "lesson_read", {"lesson": "tokens", "part": "foundations"})]
    assert f"1 of {len(course())} read" in typed("academy")
    assert lesson("tokens").progress.read and not lesson("loss").progress.read


def test_a_quiz_is_judged_and_says_why_and_passes_when_all_is_right(project):
    wrong = ["a", *RIGHT["tokens"][1:]]
    assert wrong != RIGHT["tokens"]
    said = typed("academy", "answer", "tokens", *wrong, "--project", project)
    question = find("tokens").quiz[0]
    assert question.choices[0].why in said and question.choices[1].why in said and "2 of 3 right: not passed" in said
    assert not lesson("tokens").progress.quiz_passed
    assert "3 of 3 right: passed" in typed("academy", "answer", "tokens", *RIGHT["tokens"])
    assert lesson("tokens").progress.quiz_passed
    events = [(where, payload["right"], payload["passed"]) for where, _, payload in told("quiz_answered")]
    assert events == [(project, 2, False), (0, 3, True)]
    typed("academy", "answer", "tokens", *wrong)
    assert lesson("tokens").progress.quiz_passed  # what was passed stays passed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tokens", "a"], "it has 3 questions, and 1 answers were given"),
        (["tokens", "a", "d", "d"], "it has no choice d"),
        (["tokens", "a", "b", "x"], "one of the letters a to d"),
        (["tokenz", "a"], "did you mean tokens?"),
    ],
)
def test_answers_that_can_not_be_meant_are_refused_and_leave_no_event(words, said):
    done = CliRunner().invoke(app, ["academy", "answer", *words])
    assert done.exit_code in (1, 2) and said in done.stderr and "next:" in done.stderr
    assert told("quiz_answered") == []


def test_an_unknown_lesson_or_project_is_named():
    assert "unknown_lesson" in typed("academy", "read", "nothing", code=1)
    assert "unknown_project" in typed("academy", "check", "tokens", "--project", 9, code=1)
    assert "unknown_project" in typed("academy", "answer", "tokens", *RIGHT["tokens"], "--project", 9, code=1)
    assert told("lesson_read", "quiz_answered") == []


def test_an_exercise_is_done_by_what_the_work_left(project, tmp_path):
    add_rows(project, [*reviews(60), {"text": "a lovely film " + "of many words " * 30, "label": "positive"}])
    before = typed("academy", "check", "tokens", "--project", project, code=3)
    assert before.count("not seen") == 2 and f"brewslm prepare --project {project} --max-tokens 60" in before
    typed("prepare", "--project", project, "--max-tokens", 300)
    half = exercise("tokens", project)
    assert [one.event is not None for one in half.steps] == [True, False] and not half.done
    assert half.next_step == "Not seen so far: A manifest was frozen after it."
    typed("prepare", "--project", project)
    assert "tokens: done" in typed("academy", "check", "tokens")
    assert lesson("tokens").progress.exercise_project == project
    assert {one.name for part in academy().parts for one in part.lessons if one.progress.exercise_done} == {"tokens"}


def test_an_exercise_of_one_project_is_not_done_in_another(project):
    add_rows(project, reviews(40))
    for seed in (42, 7):
        typed("prepare", "--project", project, "--seed", seed, "--resplit")
    other = json.loads(typed("project", "create", "another", "--json"))["project"]
    typed("manifest", "activate", "--project", project, 1)
    assert exercise("splits-and-leaks").project == project and exercise("splits-and-leaks").done
    assert not exercise("splits-and-leaks", other).done
    assert academy(other).exercises_done == 0 and academy(project).exercises_done == 1


def test_a_gold_set_needs_two_people(project, tmp_path):
    add_rows(project, reviews(60))
    typed("prepare", "--project", project)
    here = ("--project", project)
    typed("gold", "draft", "films", *here)
    typed("gold", "import", "films", *here, "--rows", 4, "--stratified")
    waiting = json.loads(typed("gold", "rows", "films", *here, "--reviewer", "ana", "--json"))
    judged = tmp_path / "reviews.jsonl"
    judged.write_text("".join(json.dumps({"row_id": row["row_id"], "verdict": "accepted"}) + "\n" for row in waiting))
    typed("gold", "review", "films", *here, "--reviewer", "ana", "--file", judged)
    assert [one.event is not None for one in exercise("gold-sets", project).steps] == [True, True, False, False]
    typed("gold", "review", "films", *here, "--reviewer", "ben", "--file", judged)
    typed("gold", "lock", "films", *here)
    assert exercise("gold-sets", project).done


def test_the_course_over_http(project):
    with TestClient(create_app(with_worker=False), base_url="http://localhost") as client:
        listed = client.get("/api/academy").json()
        assert listed["lessons"] == len(course()) and next(part["part"] for part in listed["parts"]) == "foundations"
        shown = client.get("/api/academy/tokens").json()
        assert shown["figure"]["svg"].startswith("<svg") and shown["before"] == "what-a-language-model-is"
        assert set(shown["quiz"][0]) == {"ask", "choices"} and "why" not in json.dumps(shown["quiz"])
        assert client.post("/api/academy/tokens/read").json()["progress"]["read"] is True
        judged = client.post("/api/academy/tokens/answer", json={"answers": RIGHT["tokens"], "project": project}).json()
        assert judged["passed"] and all(one["right"] for one in judged["answers"])
        assert client.get("/api/academy/tokens/exercise", params={"project": project}).json()["done"] is False
        for address, body, code in (
            ("/api/academy/none/answer", {"answers": ["a"]}, "unknown_lesson"),
            ("/api/academy/tokens/answer", {"answers": ["a"]}, "invalid_request"),
            ("/api/academy/tokens/answer", {"answers": ["e"]}, "invalid_request"),
            ("/api/academy/tokens/answer", {"answers": RIGHT["tokens"], "project": 9}, "unknown_project"),
        ):
            assert client.post(address, json=body).json()["code"] == code
        assert client.get("/api/academy/none").status_code == 404
    assert [where for where, *_ in told("lesson_read", "quiz_answered")] == [0, project]
