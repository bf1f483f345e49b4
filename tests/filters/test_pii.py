"""What find_pii promises of every type: findings in order, exact, never with a value, none left by a policy."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.filters.pii import TYPES, Finding, find_pii, pseudonymise, redact
from brewslm.filters.preset import PiiPreset, cleaning_preset
from tests.filters.personal import FOUND, NOT_FOUND

PII = cleaning_preset().pii
KEY = b"a project's own secret"
LINES = [text for _, text, _ in FOUND] + NOT_FOUND
SOUP = st.text(alphabet="0123456789 .-+()@:/[]_axXAEDGBFR\n=\u00a0１", max_size=60)
TEXTS = st.lists(st.sampled_from(LINES) | SOUP | st.text(max_size=30), max_size=6).map("\n".join) | st.lists(
    st.sampled_from([value for _, _, value in FOUND]) | SOUP, max_size=6
).map("".join)


@pytest.mark.parametrize(("kind", "text", "value"), FOUND)
def test_each_kind_is_found_where_it_stands(kind, text, value):
    start = text.index(value)
    assert find_pii(text, PII) == (Finding(kind, start, start + len(value)),)


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_only_looks_like_it_is_no_finding(text):
    assert find_pii(text, PII) == ()


def test_every_type_has_an_example_that_holds():
    assert {kind for kind, _, _ in FOUND} == set(TYPES)


@pytest.mark.parametrize(
    "around", ["({})", '"{}"', "'{}'", "**{}**", "| {} |", "<{}>", "a;{};b", "{},", "{}.", "x: {}", "\n{}\n", "`{}`", "«{}»"]
)
@pytest.mark.parametrize(("kind", "value"), [
    ("email", "ana@mail.example.org"), ("phone", "+44 20 7946 0958"), ("card", "4111 1111 1111 1111"), ("ip", "203.0.113.9"),
    ("iban", "DE89370400440532013000"), ("national_id", "RSSMRA85T10A562S"), ("mac", "00:1a:2b:3c:4d:5e"), ("ssn", "536-90-4399"),
    ("secret", "ghp_" + "a1B2" * 9), ("crypto", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), ("tax_id", "DE136695976"),
])  # fmt: skip
def test_what_stands_around_a_value_is_neither_in_the_way_nor_in_the_finding(kind, value, around):
    text = around.format(value)
    start = text.index(value)
    assert find_pii(text, PII) == (Finding(kind, start, start + len(value)),)


def test_a_number_is_read_in_the_regions_of_the_preset():
    text = "030 901820"
    assert find_pii(text, PiiPreset(phone_regions=("US",))) == ()
    assert [finding.type for finding in find_pii(text, PiiPreset(phone_regions=("DE",)))] == ["phone"]


def test_a_finding_has_no_room_for_a_value():
    assert Finding.__slots__ == ("type", "start", "end")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_findings_are_in_order_and_nothing_is_left_when_they_are_redacted(text):
    found = find_pii(text, PII)
    assert all(0 <= one.start < one.end <= len(text) and one.type in TYPES for one in found)
    assert all(one.end <= after.start for one, after in pairwise(found))
    redacted, moved = redact(text, found)
    assert find_pii(redacted, PII) == ()
    assert [redacted[one.start : one.end] for one in moved] == [f"[{one.type.upper()}]" for one in found]
    assert outside(redacted, moved) == outside(text, found)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_nothing_is_left_when_they_are_pseudonymised(text):
    found = find_pii(text, PII)
    written, moved = pseudonymise(text, found, KEY)
    assert find_pii(written, PII) == ()
    assert pseudonymise(written, find_pii(written, PII), KEY) == (written, ())
    assert outside(written, moved) == outside(text, found)


def outside(text, findings):
    """What stands between the findings."""
    ends = [0, *(one.end for one in findings)]
    starts = [*(one.start for one in findings), len(text)]
    return [text[end:start] for end, start in zip(ends, starts, strict=True)]


def test_the_same_value_has_the_same_stand_in_and_another_key_another():
    text = "ana@example.org, ANA@example.org and bob@example.org; 4111 1111 1111 1111 or 4111111111111111"
    written, moved = pseudonymise(text, find_pii(text, PII), KEY)
    first, again, other, card, grouped = (written[one.start : one.end] for one in moved)
    assert first == again != other and card == grouped and "example" not in written
    assert first.startswith("[EMAIL_") and len(first) == len("[EMAIL_]") + 10
    assert pseudonymise(text, find_pii(text, PII), b"another secret of it")[0] != written


def test_the_case_of_a_secret_is_a_part_of_it():
    text = "ghp_" + "a1B2" * 9 + " ghp_" + "a1b2" * 9
    written, moved = pseudonymise(text, find_pii(text, PII), KEY)
    assert len({written[one.start : one.end] for one in moved}) == 2


@pytest.mark.parametrize("key", [b"", b"short", bytes(65)])
def test_a_key_that_is_too_short_or_too_long_is_refused(key):
    with pytest.raises(ValueError, match="bytes"):
        pseudonymise("text", (), key)


def test_a_value_that_a_neighbour_hides_is_found_too():
    text = "0171 2345678 " * 12 + "4111 1111 1111 1111 " * 3
    redacted, _ = redact(text, find_pii(text, PII))
    assert not any(one.isdigit() for one in redacted)


def test_a_placeholder_announces_nothing_and_is_no_finding():
    text = "[PASSPORT] 123456789 [PHONE_3f2a91c40b] 2125550198 [DATE_OF_BIRTH] 12.03.1985 password=[SECRET]"
    assert find_pii(text, PII) == ()


@pytest.mark.parametrize("unit", [
    "a.a.", "1 1 1 1 ", "1", "a@", "a@b.", "1.1.", "aa:bb:", "::", "1-1-", "+1", "(1) ", "AA11 ", "A1", "bc1q", "eyJaaaaaaaa.",
    "[", "-----BEGIN PRIVATE KEY-----\n", "password=", "http://a:b@c ", "_aaaaaaaaaaaaaaaaa", "born 1", "passport 1", "geb. 12.",
    "00 ", "-aa-bb", "bearer ", "0123 456789 ", "[EMAIL]", "1985-01-01 born ", "\u00a01",
])  # fmt: skip
def test_a_long_string_of_anything_is_read_in_steps_that_grow_with_its_length(unit):
    """No clock: regular expressions that backtrack would not come back from this within the suite's patience."""
    text = unit * (20_000 // len(unit))
    redacted, _ = redact(text, find_pii(text, PII))
    assert len(redacted) > 0
