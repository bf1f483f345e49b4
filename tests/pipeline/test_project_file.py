"""brewslm.yaml as a text: it says what it means, and what is wrong with it is told where it stands."""

import json
import string
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brewslm.errors import StageError
from brewslm.pipeline.project_file.reading import Beside, load, load_file, problems_of
from brewslm.pipeline.project_file.schema import ProjectFile, as_value, document
from brewslm.pipeline.project_file.text import MOST_BYTES, dump, parse
from brewslm.reasons.refusals import ProjectFileInvalid

DOCS = Path(__file__).parents[2] / "docs"
HEAD = "contract_version: slm.project/v1\nproject: {name: mine}\n"
ONE = HEAD + "sources: [{"
SLOT = HEAD + "deploy: [{create: {"
ELSEWHERE = SLOT + "target: endpoint, settings: {url: 'http://a.org/v1', model: m, "
V1 = "begins with contract_version: slm.project/v1"
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12)
names = st.text(string.ascii_lowercase, min_size=1, max_size=8)
positive = st.integers(1, 10**6)
shares = st.floats(0.01, 0.4)
numbers = st.one_of(st.integers(-9, 9**9), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), words)


def part(**fields):
    return st.fixed_dictionaries({}, optional=fields)


FILES = st.fixed_dictionaries(
    {
        "contract_version": st.just("slm.project/v1"),
        "project": st.fixed_dictionaries({"name": words}, optional={"base_model": words}),
    },
    optional={
        "sources": st.lists(
            st.fixed_dictionaries(
                {"locator": words.map(lambda word: f"sample:{word}"), "mapper": names},
                optional={"limit": positive, "gold": st.booleans(), "drop_reasons": st.just(["empty_text"])},
            ).flatmap(lambda one: st.dictionaries(words, words, max_size=3).map(lambda columns: one | {"field_map": columns})),
            min_size=1,
            max_size=3,
        ),
        "documents": st.fixed_dictionaries({"paths": st.lists(words.map(lambda word: f"/{word}"), max_size=3)}),
        "clean": part(preset=st.sampled_from(["documents", "web"]), pii=st.sampled_from(["redact", "block"])),
        "prepare": part(
            task_profile=words, seed=st.integers(0, 2**40), eval_share=shares, group_by=words, contexts=st.integers(0, 20)
        ),
        "preflight": part(runtime=words, probe=st.booleans()),
        "train": part(recipe=words, settings=st.dictionaries(words, numbers, max_size=3), timeout_minutes=st.floats(0.1, 1e6)),
        "evaluate": part(eval_pack=words, gold_set=words),
        "export": part(formats=st.lists(words, min_size=1, max_size=3)),
        "deploy": st.lists(
            part(
                create=part(endpoint=words, variant=words, settings=st.dictionaries(words, numbers, max_size=2)),
                settings=part(in_flight=positive, log_requests=st.booleans(), wait_seconds=st.floats(0, 100)),
                schedule=st.fixed_dictionaries({"cron": words}, optional={"tolerance": shares, "rollback": st.booleans()}),
            ),
            min_size=1,
            max_size=2,
        ),
    },
)


@QUICK
@given(FILES)
def test_a_file_that_is_written_down_is_read_back_as_it_was(value):
    file = ProjectFile.model_validate(value)
    text = dump(as_value(file))
    again = ProjectFile.model_validate(parse(text).value)
    assert again == file
    assert dump(as_value(again)) == text
    assert ProjectFile.model_validate(json.loads(file.model_dump_json())) == file  # as a run keeps it


@QUICK
@given(
    st.recursive(
        st.one_of(st.none(), numbers), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
    )
)
def test_any_value_that_is_written_down_is_read_back_as_it_was(value):
    assert parse(dump({"value": value})).value == {"value": value}


@QUICK
@given(st.text(alphabet=st.sampled_from([*"{}[]:-,&*!|>'\"#%@ \n\tax1.", "\0", "\ud800", "…"]), max_size=40), st.integers(0, 200))
def test_whatever_is_typed_is_read_or_refused_with_its_reason(typed, at):
    example = (DOCS / "brewslm.example.yaml").read_text()
    for text in (typed, example[:at] + typed + example[at:]):
        try:
            parse(text)
        except StageError as refused:
            assert isinstance(refused.reason, ProjectFileInvalid) and refused.reason.problems[0].cause


@pytest.mark.parametrize(
    ("text", "line", "column", "where", "cause"),
    [
        (HEAD + "train:\n  recipee: qa", 4, 3, "train.recipee", "did you mean recipe?"),
        (HEAD + "prepare: {project: 2}", 3, 11, "prepare.project", "there is no key project here"),
        (HEAD + "prepare: {resplit: true, sead: 1}", 3, 26, "prepare.sead", "did you mean seed?"),
        (HEAD + "evalaute: {}", 3, 1, "evalaute", "did you mean evaluate?"),
        (HEAD + "train: {settings: {epoch: 2}}", 3, 20, "train.settings.epoch", "did you mean epochs?"),
        (HEAD + "train: {settings: {epochs: 0}}", 3, 20, "train.settings.epochs", "greater than 0"),
        (HEAD + "train: {recipe: qaa}", 3, 9, "train.recipe", "recipe qaa is not known"),
        (HEAD + "train:", 3, 1, "train", "write train: {}"),
        (HEAD + "prepare: {eval_rows: 0}", 3, 11, "prepare.eval_rows", "greater than or equal to 1"),
        (HEAD + "prepare: {eval_rows: 1, eval_share: 0.1}", 3, 1, "prepare", "say the same twice"),
        (HEAD + "prepare: {task_profile: clasification}", 3, 11, "prepare.task_profile", "did you mean classification?"),
        (HEAD + "prepare: {adapter: qa-pears}", 3, 11, "prepare.adapter", "qa-pears"),
        (ONE + "locator: jsnl:a.jsonl, mapper: qa_pair_passthrough, field_map: {}}]", 3, 12, "sources.0.locator", "jsonl"),
        (ONE + "locator: sample:x, mapper: qa_pair_pasthrough, field_map: {}}]", 3, 31, "sources.0.mapper", "did you mean"),
        (ONE + "locator: sample:x, maper: qa, field_map: {}}]", 3, 31, "sources.0.maper", "did you mean mapper?"),
        (ONE + "locator: 'url:https://a.org/x.csv?a_token=k', mapper: m, field_map: {}}]", 3, 12, "sources.0.locator", "secret"),
        (HEAD + "evaluate: {eval_pack: generall}", 3, 12, "evaluate.eval_pack", "did you mean general?"),
        (HEAD + "evaluate: {judge: {url: 'https://k:s@a.org/v1', model: m}}", 3, 12, "evaluate.judge", "holds no key"),
        (HEAD + "export: {formats: [gguf_q8]}", 3, 10, "export.formats", "did you mean gguf-q8_0?"),
        (HEAD + "preflight: {runtime: gpu}", 3, 13, "preflight.runtime", "known: cpu, cuda, mps"),
        (SLOT + "target: lokal}}]", 3, 20, "deploy.0.create.target", "did you mean local?"),
        (SLOT + "settings: {paralel: 4}}}]", 3, 31, "deploy.0.create.settings.paralel", "did you mean parallel?"),
        (ELSEWHERE + "key: sk-Abc.1}}}]", 3, 83, "deploy.0.create.settings.key", "never the key itself"),
        (HEAD + "deploy: [{settings: {in_flight: 0}}]", 3, 22, "deploy.0.settings.in_flight", "greater than or equal to 1"),
        (HEAD + "deploy: [{schedule: {cron: hourly}}]", 3, 22, "deploy.0.schedule.cron", "hourly"),
        (HEAD + "deploy: [{}, {}]", 3, 10, "deploy.0", "slot default is there 2 times"),
        ("contract_version: slm.project/v2\nproject: {name: mine}", 1, 1, "contract_version", V1),
        ("project: {name: no}\n" + HEAD, 3, 1, "project", "project is there twice"),
        ("project: {name: 7}\ncontract_version: slm.project/v1", 1, 11, "project.name", "valid string"),
        ("a: *b", 1, 4, "", "an alias"),
        ("a: &b [1]", 1, 4, "", "an anchor"),
        ("a: !!python/object/apply:os.system ['true']", 1, 4, "", "a tag"),
        ("a: 1\n---\nb: 2", 2, 1, "", "a second document"),
        ("a: " + "[" * 30, 1, 23, "", "nested more than 20 deep"),
        ("a: [1", 1, 6, "", "it is no YAML"),
        ("? [1]\n: 2", 1, 3, "", "a key must be one word"),
        ("a: " + "9" * 5000, 1, 4, "a", "limit"),
        ("", None, None, "contract_version", "begins with contract_version"),
        ("- 1", 1, 1, "", "valid dictionary"),
        ("a" * (MOST_BYTES + 1), None, None, "", "larger than 256 KiB"),
    ],
    ids=lambda value: str(value)[-40:] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(text, line, column, where, cause, tmp_path):
    found = problems_of(text, Beside(tmp_path))
    told = next((one for one in found if one.where == where and cause in one.cause), None)
    assert told is not None, found
    assert (told.line, told.column) == (line, column)


def test_every_problem_is_told_in_the_order_of_the_lines(tmp_path):
    text = HEAD + "train: {recipee: qa}\nprepare: {sed: 1}\nexport: {formats: 3}\n"
    with pytest.raises(StageError) as refused:
        load(text, Beside(tmp_path), "brewslm.yaml")
    assert [one.line for one in refused.value.reason.problems] == [3, 4, 5]
    assert refused.value.reason.exit_code == 2
    assert str(refused.value).startswith("brewslm.yaml can't be used: project_file_invalid\n  line 3, column 9, train.recipee")
    assert "and 2 more" in refused.value.cause


def test_words_that_older_yaml_takes_for_something_else_are_texts():
    assert parse("{a: no, b: 1:30, c: 2026-01-01, d: 0x1f, e: 1_000}").value == {
        "a": "no", "b": "1:30", "c": "2026-01-01", "d": "0x1f", "e": "1_000",
    }  # fmt: skip
    assert parse("{a: true, b: 12, c: -0.5, d: null, e: ~}").value == {"a": True, "b": 12, "c": -0.5, "d": None, "e": None}


def test_paths_start_from_the_folder_of_the_file(tmp_path, monkeypatch):
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "brewslm.yaml").write_text(
        HEAD + "sources: [{locator: jsonl:data/rows.jsonl, mapper: qa_pair_passthrough, field_map: {question: q, answer: a}}]\n"
        "documents: {paths: [manual.pdf, /srv/more, 'url:https://a.org/b.pdf']}\n"
    )
    monkeypatch.chdir("/")
    file = load_file(folder / "brewslm.yaml")
    assert file.sources[0].locator == f"jsonl:{folder}/data/rows.jsonl"
    assert file.documents.paths == [f"{folder}/manual.pdf", "/srv/more", "url:https://a.org/b.pdf"]


def test_a_number_of_a_recipe_is_what_set_would_make_of_it(tmp_path):
    file = load(HEAD + "train: {settings: {epochs: 2, learning_rate: 0.0005, method: dora}}", Beside(tmp_path))
    assert file.train.settings == {"epochs": "2", "learning_rate": "0.0005", "method": "dora"}
    assert as_value(file)["train"] == {"settings": {"epochs": 2, "learning_rate": 0.0005, "method": "dora"}}


def test_the_schema_that_is_checked_in_is_that_of_the_code():
    command = "python -m brewslm.pipeline.project_file.schema > docs/brewslm-project.schema.json"
    assert (DOCS / "brewslm-project.schema.json").read_text() == document(), f"run: {command}"


def test_the_example_is_valid_for_us_and_for_an_editor():
    file = load_file(DOCS / "brewslm.example.yaml")
    assert file.train.settings == {"epochs": "1", "learning_rate": "0.0005"} and file.deploy[0].name == "default"
    validator = jsonschema.Draft202012Validator(json.loads(document()))
    validator.check_schema(validator.schema)
    value = parse((DOCS / "brewslm.example.yaml").read_text()).value
    assert list(validator.iter_errors(value)) == []
    assert set(as_value(file)) == set(value)
    for broken in (
        value | {"trian": {}},
        value | {"train": {"settings": {"epoch": 1}}},
        value | {"prepare": {"project": 1}},
        value | {"train": None},
        value | {"contract_version": "slm.project/v2"},
    ):
        assert list(validator.iter_errors(broken)), broken
    told = validator.schema["properties"]["prepare"]["properties"]["group_by"]["description"]
    assert told.startswith('A column of the source (or "document") whose equal values stay on one side')


def test_a_file_that_is_none_is_refused(tmp_path):
    for content in (None, b"\xff\xfe\x00"):
        path = tmp_path / "brewslm.yaml"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(StageError) as refused:
            load_file(path)
        assert refused.value.reason.code == "project_file_invalid"
