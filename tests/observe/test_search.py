from brewslm.observe.search import MOST, search
from brewslm.pipeline.execute import call
from brewslm.stages.projects import CreateRequest
from tests.api.conftest import client  # noqa: F401 - the API, without a server


def found(text, project=None) -> list[tuple[str, str]]:
    return [(hit.kind, hit.id) for hit in search(text, project)]


def test_things_are_found_by_name_by_id_and_by_all_words_of_what_they_are(walk):
    imported = walk.imported()
    walk.prepared()
    experiment = walk.trained([["a"]])
    assert found(imported)[0] == ("import", imported)
    assert ("run", experiment) in found("TRAIN run")
    assert found("a proj")[0] == ("project", str(walk.project))
    assert found("train nothing-like-it") == []
    assert found("label_not_allowed")[0] == ("reason", "label_not_allowed")


def test_what_is_so_called_stands_before_what_only_holds_the_words(walk):
    noted = call("test", CreateRequest(name="training_oom in the fall")).project
    assert found(" Training_OOM ")[:2] == [("reason", "training_oom"), ("project", str(noted))]


def test_a_row_is_found_by_its_whole_id_whether_it_was_taken_or_rejected(walk):
    walk.imported(broken=1)
    row = walk.prepared()["train"][0]
    assert found(row) == [("row", row)]
    source = row.rpartition("-")[0]
    assert found(f"{source}-61") == [("row", f"{source}-61")]
    assert found(f"{source}-9999") == [] and found(row[:-1] + "x") == []


def test_another_projects_runs_are_left_out_and_a_sign_of_like_is_a_letter(walk):
    walk.run("exp", "train.run")
    other = call("test", CreateRequest(name="100 % other_project")).project
    assert [hit.kind for hit in search("train.run", other)] == [] and found("exp-1", other) == [("run", "exp-1")]
    assert found("0 %") == [("project", str(other))] and found("r_p") == [("project", str(other))]


def test_at_most_six_of_a_kind_the_newest_first(walk):
    for _ in range(MOST + 3):
        walk.run("exp", "train.run")
    assert found("train.run") == [("run", f"exp-{n}") for n in range(MOST + 3, 3, -1)]


def test_the_api_answers_the_same(walk, client):
    walk.run("exp", "train.run")
    assert [hit["id"] for hit in client.get("/api/search", params={"text": "exp-1"}).json()] == ["exp-1"]
