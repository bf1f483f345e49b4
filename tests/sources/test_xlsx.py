from pathlib import Path

import pytest

from brewslm.errors import StageError
from brewslm.rows import RawRow, RowReason, SentinelRow
from brewslm.sources.xlsx import XlsxConnector
from tests.sources.workbooks import workbook

CONNECTOR = XlsxConnector()
HEADER = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>label</t></is></c></row>'


def test_cells_are_what_the_sheet_means(tmp_path: Path) -> None:
    rows = HEADER + (
        '<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2"><v>3</v></c></row>'
        '<row r="4"><c r="B4" t="b"><v>1</v></c></row>'
        '<row r="5"><c r="A5" t="e"><v>#N/A</v></c><c r="B5"><v>0.5</v></c></row>'
        '<row r="6"><c r="A6" s="1"><v>45351</v></c><c r="B6" s="1"><v>45351.5</v></c></row>'
        '<row r="7"></row><row r="8"><c><v>1</v></c><c t="str"><v>by formula</v></c></row>'
    )
    path = workbook(tmp_path / "a.xlsx", rows, strings=["text", " <r><t>kept </t></r> "])
    assert [(row.position, row.values) for row in CONNECTOR.rows(path) if isinstance(row, RawRow)] == [
        (2, {"text": "kept ", "label": 3}),
        (4, {"text": None, "label": True}),
        (5, {"text": "#N/A", "label": 0.5}),
        (6, {"text": "2024-02-29", "label": "2024-02-29T12:00:00"}),
        (8, {"text": 1, "label": "by formula"}),
    ]
    described = CONNECTOR.describe(str(path))
    assert described.approximate_total_rows == 5 and described.notes == ["the sheet First is read; not read: Second"]


def test_cells_beyond_the_header_are_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", HEADER + '<row r="2"><c r="C2"><v>1</v></c></row>', strings=["text"])
    (row,) = CONNECTOR.rows(path)
    assert isinstance(row, SentinelRow) and row.reason is RowReason.WRONG_CELL_COUNT and row.position == 2


def test_row_numbers_that_repeat_do_not_make_two_rows_one(tmp_path: Path) -> None:
    again = '<row r="2"><c r="A2"><v>1</v></c></row>'
    path = workbook(tmp_path / "a.xlsx", HEADER + again + again, strings=["text"])
    assert [row.position for row in CONNECTOR.rows(path)] == [2, 3]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("", "source_empty"),
        ('<row r="1"><c r="A1" t="s"><v>9</v></c></row>', "source_unreadable"),
        ('<row r="1"><c r="A1"><v>1', "source_unreadable"),
    ],
)
def test_a_sheet_that_can_not_be_read_is_a_problem(tmp_path: Path, rows: str, code: str) -> None:
    path = workbook(tmp_path / "a.xlsx", rows, strings=["text"])
    with pytest.raises(StageError) as refused:
        list(CONNECTOR.rows(path))
    assert refused.value.reason.code == code


def test_a_file_that_is_cut_or_is_no_workbook_is_a_problem(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "a.xlsx", HEADER, strings=["text"]).read_bytes()
    path = tmp_path / "b.xlsx"
    for content in (whole[:-50], whole[: len(whole) // 2], b"text,label\n", b"\xd0\xcf\x11\xe0" + bytes(500)):
        path.write_bytes(content)
        with pytest.raises(StageError) as refused:
            CONNECTOR.file(str(path))
        assert refused.value.reason.code == "source_unreadable"
