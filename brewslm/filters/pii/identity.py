"""Numbers that a state gives to a person, by their check digits (python-stdnum) or, where they have none, their structure.

A bare run of digits passes a check digit by chance once in ten or so. Those need a word that announces them; a number that is
written in its country's own groups, or has letters or two check digits, stands alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from brewslm.filters.pii.base import Detector, Span, Text
from brewslm.filters.pii.context import after, before, is_something_else, words

_SSN = re.compile(r"[0-9](?<![\w][0-9])(?<![\w][.,-][0-9])[0-9]{2}([- ]?)[0-9]{2}\1[0-9]{4}(?![\w]|[-.,][0-9])")
_SSN_WORDS = words("ssn", "social security", "soc\\.? sec", "itin", "taxpayer id")
_NEVER_GIVEN = frozenset({"078051120", "219099999"})
"""Printed in advertisements, and used by thousands since (SSA, "Misused SSNs")."""


class Ssn(Detector):
    """A US social security number: 000, 666 and 900-999 begin none, 00 and 0000 end none; an ITIN begins with 9."""

    type = "ssn"

    def spans(self, text: Text) -> Iterator[Span]:
        """The nine digits with their hyphens."""
        for match in text.matches(_SSN):
            digits = re.sub(r"[- ]", "", match.group())
            announced = _SSN_WORDS.search(before(text.plain, match.start()))
            if not _is_ssn(digits) or (match[1] != "-" and not announced):
                continue
            if announced or not is_something_else(text.plain, match.start()):
                yield match.span()


def _is_ssn(digits: str) -> bool:
    area, group, serial = digits[:3], int(digits[3:5]), digits[5:]
    if serial == "0000" or digits in _NEVER_GIVEN:
        return False
    if area[0] == "9":  # IRS: the groups of an ITIN
        return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99
    return area not in ("000", "666") and group != 0


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one country numbers people.

    Attributes:
        module: The validator in python-stdnum; empty where the pattern says all.
        pattern: Begins with a class, and has no look-behind: the edges are checked for all alike.
        announced_by: Words without which a match counts for nothing; None when it stands alone.
    """

    module: str
    pattern: re.Pattern[str]
    announced_by: re.Pattern[str] | None = None


def _scheme(module: str, pattern: str, *announced_by: str) -> Scheme:
    return Scheme(module, re.compile(pattern), words(*announced_by) if announced_by else None)


_TAX_WORDS = ("steuer", "idnr", "tin\\b", "tax id", "identifikationsnummer")
SCHEMES = (
    _scheme("fr.nir", r"[1-478] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3}[ -]?[0-9]{2}"),
    _scheme("de.idnr", r"[1-9][0-9] [0-9]{3} [0-9]{3} [0-9]{3}"),
    _scheme("de.idnr", r"[1-9][0-9]{10}", *_TAX_WORDS),
    _scheme("", r"[0-9]{2}[0-3][0-9][01][0-9]{3}[A-Z][0-9]{3}", "rentenversicherung", "sozialversicherung", "rvnr", "sv-nummer"),
    _scheme("es.dni", r"[0-9]{8}-?[A-HJ-NP-TV-Z]"),
    _scheme("es.dni", r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}-?[A-HJ-NP-TV-Z]"),
    _scheme("es.nie", r"[XYZ]-?[0-9]{7}-?[A-Z]"),
    _scheme("it.codicefiscale", r"[A-Za-z]{6}[0-9LMNPQRSTUV]{2}[A-Za-z][0-9LMNPQRSTUV]{2}[A-Za-z][0-9LMNPQRSTUV]{3}[A-Za-z]"),
    _scheme("", r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[0-9]{6}|(?: [0-9]{2}){3} )[A-D]"),
    _scheme("gb.nhs", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", "nhs"),
    _scheme("nl.bsn", r"[0-9]{8,9}|[0-9]{4}\.[0-9]{2}\.[0-9]{3}", "bsn", "burgerservice", "sofi"),
    _scheme("be.nn", r"[0-9]{2}\.[01][0-9]\.[0-3][0-9]-[0-9]{3}\.[0-9]{2}"),
    _scheme("be.nn", r"[0-9]{11}", "rijksregister", "registre national", "national n", "niss", "insz"),
    _scheme("pl.pesel", r"[0-9]{11}", "pesel"),
    _scheme("pt.nif", r"[1-3][0-9]{8}", "nif", "contribuinte"),
    _scheme("se.personnummer", r"(?:[0-9]{2})?[0-9]{2}[01][0-9][0-3][0-9][-+][0-9]{4}"),
    _scheme("fi.hetu", r"[0-3][0-9][01][0-9]{3}[-+A][0-9]{3}[0-9A-FHJ-NPR-Y]"),
    _scheme("dk.cpr", r"[0-3][0-9][01][0-9]{3}-?[0-9]{4}", "cpr", "personnummer"),
    _scheme("no.fodselsnummer", r"[0-7][0-9][0-9]{4} ?[0-9]{5}", "fødselsnummer", "fodselsnummer", "personnummer", "fnr"),
    _scheme("ch.ssn", r"756[. ]?[0-9]{4}[. ]?[0-9]{4}[. ]?[0-9]{2}"),
    _scheme("ie.pps", r"[0-9]{7}[A-W][A-IW]?", "pps"),
    _scheme("ro.cnp", r"[1-8][0-9]{12}", "cnp"),
    _scheme("in_.aadhaar", r"[2-9][0-9]{3} [0-9]{4} [0-9]{4}"),
    _scheme("in_.aadhaar", r"[2-9][0-9]{11}", "aadhaar", "aadhar", "uidai"),
    _scheme("br.cpf", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"),
    _scheme("br.cpf", r"[0-9]{11}", "cpf"),
    _scheme("ca.sin", r"[1-9][0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}", "sin\\b", "social insurance", "nas\\b"),
    _scheme("au.tfn", r"[0-9]{3} ?[0-9]{3} ?[0-9]{2,3}", "tfn", "tax file"),
    _scheme("mx.curp", r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]"),
    _scheme("cn.ric", r"[1-9][0-9]{16}[0-9Xx]"),
    _scheme("kr.rrn", r"[0-9]{2}[01][0-9][0-3][0-9]-[1-8][0-9]{6}"),
    _scheme("tr.tckimlik", r"[1-9][0-9]{10}", "kimlik", "tckn", "t\\.?c\\.? no"),
    _scheme("za.idnr", r"[0-9]{2}[01][0-9][0-3][0-9]{8}", "id n", "identity n", "id-nommer"),
)  # fmt: skip
_ALONE = tuple(scheme for scheme in SCHEMES if scheme.announced_by is None)
_ANNOUNCED = tuple(scheme for scheme in SCHEMES if scheme.announced_by is not None)
_ANY_ALONE = re.compile("|".join(f"(?:{scheme.pattern.pattern})" for scheme in _ALONE))
_ANY_ANNOUNCED = re.compile("|".join(f"(?:{scheme.pattern.pattern})" for scheme in _ANNOUNCED))
_VAT = re.compile(
    r"(?:AT ?U|BE ?[01]|BG|CHE-?|CY|CZ|DE|DK|EE|EL|ES ?|FI|FR ?[0-9A-HJ-NP-Z]{2}|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL"
    r"|PL|PT|RO|SE|SI|SK|XI)"
    r" ?(?:[A-Z]?[0-9](?:[ .-]?[0-9A-Z]){5,13})"
)
_VAT_WORDS = words("vat", "ust", "umsatzsteuer", "mwst", "tva", "iva\\b", "nif-iva", "p\\.? ?iva", "partita iva", "btw", "tax")


class NationalId(Detector):
    """A person's number of one of about thirty countries: SCHEMES."""

    type = "national_id"

    def spans(self, text: Text) -> Iterator[Span]:
        """The number as it is written."""
        for low, high in text.regions:
            for scheme in _worth_trying(text.plain, low, high):
                yield from self._of_scheme(scheme, text.plain, low, high)

    def _of_scheme(self, scheme: Scheme, plain: str, low: int, high: int) -> Iterator[Span]:
        for match in scheme.pattern.finditer(plain, low, high):
            start, end = match.span()
            if (
                _stands_apart(plain, start, end)
                and _passes(scheme.module, match.group())
                and _announced(scheme, plain, start, end)
            ):
                yield start, end


def _worth_trying(plain: str, low: int, high: int) -> tuple[Scheme, ...]:
    """The schemes that a region can hold: two searches in place of thirty."""
    alone = _ALONE if _ANY_ALONE.search(plain, low, high) else ()
    return alone + (_ANNOUNCED if _ANY_ANNOUNCED.search(plain, low, high) else ())


def _announced(scheme: Scheme, plain: str, start: int, end: int) -> bool:
    if scheme.announced_by is None:
        return not is_something_else(plain, start) or scheme.module == "it.codicefiscale"
    return bool(scheme.announced_by.search(before(plain, start)) or scheme.announced_by.search(after(plain, end, 16)))


def _stands_apart(plain: str, start: int, end: int) -> bool:
    """Whether nothing before or after makes the number a part of a longer one."""
    left, right = plain[max(0, start - 2) : start], plain[end : end + 2]
    if " " in plain[start:end] and (re.fullmatch("[0-9] ", left) or re.fullmatch(" [0-9]", right)):
        return False
    glued_left = left[-1:].isalnum() or left[-1:] == "_" or (left[-1:] in (".", "-", "/") and left[:1].isdigit())
    return not (glued_left or right[:1].isalnum() or right[:1] == "_" or (right[:1] in (".", "-", "/") and right[1:].isdigit()))


def _passes(module: str, value: str) -> bool:
    return not module or bool(_validator(module).is_valid(re.sub(r"[ .]", "", value)))


@cache
def _validator(module: str) -> Any:
    return import_module(f"stdnum.{module}")


class TaxId(Detector):
    """A VAT number of the EU, Britain or Switzerland with country and check digits: a sole trader's is a person's."""

    type = "tax_id"

    def spans(self, text: Text) -> Iterator[Span]:
        """From the country's letters on."""
        for match in text.matches(_VAT):
            end = match.end()
            while end - match.start() >= 8:
                if _stands_apart(text.plain, match.start(), end) and _is_vat(text.plain[match.start() : end]):
                    yield match.start(), end
                    break
                end -= 1


def _is_vat(value: str) -> bool:
    if value[-1] in " .-":
        return False
    module = {"GB": "gb.vat", "XI": "gb.vat", "CH": "ch.vat"}.get(value[:2], "eu.vat")
    if module == "gb.vat":
        return bool(_validator(module).is_valid("GB" + value[2:]))
    return bool(_validator(module).is_valid(value))
