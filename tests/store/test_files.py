import pytest

from brewslm.errors import StageError
from brewslm.store.files import confined, new_folder, read_json, sha256, write_atomic, write_json


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"b": 1, "a": [2]})
    write_json(path, {"b": 3})
    assert read_json(path) == {"b": 3}
    assert [file.name for file in path.parent.iterdir()] == ["file.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, b"old")
    with pytest.raises(TypeError):
        write_atomic(path, "not bytes")
    assert path.read_bytes() == b"old" and [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_new_folder_gets_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "bundle"
    with new_folder(path) as folder:
        (folder / "first").write_text("1")
        assert not path.exists()
    with pytest.raises(RuntimeError), new_folder(path) as folder:
        (folder / "second").write_text("2")
        raise RuntimeError
    assert [file.name for file in path.iterdir()] == ["first"]
    with new_folder(path) as folder:
        (folder / "third").write_text("3")
    assert [file.name for file in path.iterdir()] == ["third"] and [one.name for one in tmp_path.iterdir()] == ["bundle"]


def test_nothing_leads_out_of_a_confined_folder(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").touch()
    (root / "link").symlink_to(tmp_path)
    assert confined(root, "a", "b") == (root / "a" / "b").resolve()
    for parts in (("..", "secret"), ("link", "secret"), (str(tmp_path / "secret"),)):
        with pytest.raises(StageError) as refused:
            confined(root, *parts)
        assert refused.value.reason.code == "path_outside_project"


def test_sha256_is_the_known_one(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
