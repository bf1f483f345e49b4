from brewslm.observe.settings import _setting, key_names, settings_view, workers
from brewslm.pipeline.keys import keep_key
from brewslm.pipeline.worker import worker_lock
from brewslm.settings import Settings
from brewslm.store.locks import lock


def test_every_setting_is_shown_with_its_meaning_and_no_secret(home, monkeypatch):
    monkeypatch.setenv("BREWSLM_JUDGE_API_KEY", "sk-very-secret")
    monkeypatch.setenv("BREWSLM_DATABASE_URL", "postgresql://brew:hunter22@db/brew")
    made = Settings()
    shown = {one.name: one for one in (_setting(made, name) for name in Settings.model_fields)}
    assert all(one.meaning for one in shown.values())
    assert shown["BREWSLM_JUDGE_API_KEY"].value == "set" and shown["BREWSLM_JUDGE_API_KEY"].is_set
    assert "hunter22" not in shown["BREWSLM_DATABASE_URL"].value and "db/brew" in shown["BREWSLM_DATABASE_URL"].value
    assert shown["BREWSLM_URL_BYTES"].value == "16 GB" and not shown["BREWSLM_URL_BYTES"].is_set


def test_a_workers_lock_says_whether_it_is_at_work(home):
    for name in ("main", "second"):
        worker_lock(name).parent.mkdir(parents=True, exist_ok=True)
        worker_lock(name).touch()
    with lock(worker_lock("second"), wait=False):
        assert [(one.name, one.is_working) for one in workers()] == [("second", True), ("main", False)]


def test_of_a_key_only_its_name_is_told(project, monkeypatch):
    monkeypatch.setenv("BREWSLM_KEY_OPEN_AI", "sk-1")
    keep_key("test", project, "azure", "sk-2")
    assert key_names(project) == ["azure", "open-ai"]
    assert "sk-" not in settings_view().model_dump_json()
