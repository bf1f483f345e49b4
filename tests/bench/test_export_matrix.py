"""The export matrix names each cell rightly; that all of it works for real is the bench itself."""

import pytest

from bench.export_matrix import counted, without_toolchain
from bench.export_matrix_rows import KINDS, written
from brewslm.models.formats import BY_NAME
from tests.tiny import make_tiny_base


def test_a_format_that_a_base_can_not_have_is_impossible_and_another_waits_for_its_toolchain(tmp_path):
    assert without_toolchain(BY_NAME["awq"], "made:encoder-decoder-tiny") == {
        "state": "impossible", "cause": "the base is of architecture encoder_decoder",
    }  # fmt: skip
    narrow = without_toolchain(BY_NAME["vllm"], f"path:{make_tiny_base(tmp_path / 'narrow')}")
    assert narrow["state"] == "impossible" and "16" in narrow["cause"]


def test_cells_are_counted_by_their_state():
    cells = {
        "a": {"formats": {"hf": {"state": "ran"}, "awq": {"state": "impossible"}}},
        "b": {"formats": {"hf": {"state": "ran"}}},
    }
    assert counted(cells) == {"ran": 2, "impossible": 1, "needs a toolchain": 0, "failed": 0}


@pytest.mark.parametrize("name", KINDS)
def test_a_kinds_rows_have_the_columns_that_are_mapped_and_no_two_are_alike(tmp_path, name):
    kind = KINDS[name]
    lines = written(kind, tmp_path).read_text().splitlines()
    assert len(lines) == len(set(lines)) >= 50
    columns = {column for columns in kind.mapped.values() for column in columns.split(",")}
    assert all(f'"{column}"' in lines[0] for column in columns)
