import stat
from concurrent.futures import ThreadPoolExecutor

from brewslm.store.secrets import secret_key, secret_path


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(home):
    path = secret_path(1, "pii")
    assert path == home / "projects/1/secrets/pii.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(path), range(32)))
    assert len(keys) == 1 and len(keys.pop()) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert secret_key(path) == path.read_bytes() != secret_key(secret_path(2, "pii"))
