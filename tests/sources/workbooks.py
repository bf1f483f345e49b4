"""Small .xlsx workbooks, put together from the XML of their rows."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(path: Path, rows: str, *, strings: Sequence[str] = (), sheet: str | None = None) -> Path:
    """Write a workbook of two sheets, with a date style as number 1.

    Args:
        strings: The shared strings; one with markup is written as it is.
        sheet: The whole XML of the first sheet, in place of its rows.
    """
    shared = "".join(f"<si>{text.strip() if '<' in text else f'<t>{text}</t>'}</si>" for text in strings)
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Hidden" sheetId="3" state="hidden" r:id="r9"/><sheet name="First" sheetId="1" r:id="r1"/>'
        '<sheet name="Second" sheetId="2" r:id="r2"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">'
        '<Relationship Id="r1" Type="worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{SHEET}">{shared}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{SHEET}"><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": sheet or f'<worksheet xmlns="{SHEET}"><sheetData>{rows}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path
