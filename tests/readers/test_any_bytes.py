"""Whatever the bytes: a text that can be written, or a reason."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from brewslm.readers import READERS, Unreadable
from tests.readers.made import docx_of_xml, mail, paragraph, pdf
from tests.readers.test_kinds import PAGE

REAL = {
    "text/plain": "naïve café".encode(),
    "text/markdown": b"# A\n\nb",
    "text/html": PAGE.encode(),
    "message/rfc822": mail("Grüße", "<p>x</p>", b"%PDF"),
    "application/pdf": pdf("First page", "", "Last page"),
}
REAL |= {media_type: docx_of_xml(paragraph("some text") * 3) for media_type in READERS if media_type not in REAL}


def check(media_type: str, content: bytes) -> None:
    try:
        found = READERS[media_type].read_content(content)
    except Unreadable:
        return
    assert found.text.strip() and found.text.encode() and not {"\0", "\r"} & set(found.text)
    assert list(found.page_starts) == sorted(found.page_starts) and all(at <= len(found.text) for at in found.page_starts)
    assert all(isinstance(count, int) and count > 0 for count in found.notes.values())


@pytest.mark.parametrize("media_type", READERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=st.binary(max_size=300))
@example(content=b"")
def test_no_bytes_break_a_reader(media_type, content):
    check(media_type, content)
    check(media_type, REAL[media_type][:8] + content)


@pytest.mark.parametrize("media_type", READERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_damage_to_a_real_document_breaks_a_reader(media_type, data):
    content = bytearray(REAL[media_type])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    check(media_type, bytes(content[: data.draw(st.integers(0, len(content)))]))
    check(media_type, bytes(content))
