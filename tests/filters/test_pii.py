from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.filters.pii import Finding, find_pii, redact

HOLDS = [
    ("email", "write to ana.b+c@mail.example.org, please", "ana.b+c@mail.example.org"),
    ("phone", "call (212) 555-0198 today", "(212) 555-0198"),
    ("phone", "call +44 20 7946 0958 today", "+44 20 7946 0958"),
    ("card", "card 4111 1111 1111 1111 expires soon", "4111 1111 1111 1111"),
    ("card", "amex 378282246310005.", "378282246310005"),
    ("iban", "to DE89 3704 0044 0532 0130 00 AND NOTHING ELSE", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB82WEST12345698765432", "GB82WEST12345698765432"),
    ("ip", "from 203.0.113.9, at noon", "203.0.113.9"),
    ("ip", "from 2001:db8::1 at noon", "2001:db8::1"),
]
HOLDS_NONE = [
    "card 4111 1111 1111 1112 has a wrong check digit",
    "DE88 3704 0044 0532 0130 00 has a wrong check digit",
    "256.1.1.1 is no address, 127.0.0.1 is nobody's, and 1.2.3 is a version",
    "it opens at 10:30:15 and std::vector is code",
    "order 2023-10-11, room 1204, 3.14159265358979",
    "an @handle, and a@b",
]


@pytest.mark.parametrize(("kind", "text", "value"), HOLDS)
def test_each_kind_is_found_where_it_stands(kind, text, value):
    start = text.index(value)
    assert find_pii(text, "US") == (Finding(kind, start, start + len(value)),)


@pytest.mark.parametrize("text", HOLDS_NONE)
def test_what_fails_its_check_is_no_finding(text):
    assert find_pii(text, "US") == ()


def test_a_number_is_read_in_its_own_region():
    assert find_pii("ruf 030 901820 an", "US") == ()
    assert [finding.type for finding in find_pii("ruf 030 901820 an", "DE")] == ["phone"]


def test_redaction_leaves_no_value_and_tells_where_the_placeholders_stand():
    text = " ".join(line for _, line, _ in HOLDS)
    redacted, findings = redact(text, find_pii(text, "US"))
    assert not any(value in redacted for _, _, value in HOLDS)
    assert [redacted[one.start : one.end] for one in findings] == [f"[{one.type.upper()}]" for one in findings]
    assert find_pii(redacted, "US") == ()


@given(st.lists(st.sampled_from([line for _, line, _ in HOLDS] + HOLDS_NONE) | st.text(max_size=30), max_size=6))
def test_findings_never_overlap_and_redaction_keeps_everything_else(parts):
    text = "\n".join(parts)
    found = find_pii(text, "US")
    assert all(one.end <= after.start for one, after in pairwise(found))
    redacted, moved = redact(text, found)
    assert len(redacted) == len(text) + sum(
        (new.end - new.start) - (old.end - old.start) for old, new in zip(found, moved, strict=True)
    )
    position = shift = 0
    for old, new in zip(found, moved, strict=True):
        assert text[position : old.start] == redacted[position + shift : new.start]
        position, shift = old.end, new.end - old.end
