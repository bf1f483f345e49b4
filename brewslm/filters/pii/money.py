"""Cards, accounts and wallets, each by its check digits."""

import re
from collections.abc import Iterator

from brewslm.filters.pii.base import Detector, Span, Text
from brewslm.filters.pii.context import before, words

_EDGE = (
    r"(?<![\w][0-9])(?<![\w][.-][0-9])(?<!\+[0-9])"  # stands behind the first digit: a pattern that begins with a class is fast
)
_CARD = re.compile(
    rf"[1-6]{_EDGE}(?:[0-9]{{3}}(?:[ \n-][0-9]{{4}}){{3}}(?:[ -][0-9]{{1,3}})?"
    r"|[0-9]{3}[ -][0-9]{6}[ -][0-9]{4,5}|[0-9]{11,18})"
    r"(?![\w]|[-.][0-9])"
)
_CARD_WORDS = words("card", "visa", "credit", "debit", "amex", "karte", "kreditkarte", "carte", "tarjeta", "carta")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}(?<![^\W_].{4})(?:[ \n-]?[A-Z0-9]){11,30}", re.IGNORECASE)
_IBAN_LENGTHS = {
    word[:2]: int(word[2:])
    for line in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18",
        "FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20",
        "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24",
        "SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30",
    )
    for word in line.split()
}  # the registry of SWIFT, release 99
_BASE58 = tuple(re.compile(rf"{one}(?<!\w{one})[1-9A-HJ-NP-Za-km-z]{{25,34}}(?!\w)") for one in "13")
_BECH32 = re.compile(r"bc1(?<!\w.{3})[02-9ac-hj-np-z]{11,71}(?!\w)", re.IGNORECASE)
_ETHER = re.compile(r"0x(?<!\w.{2})[0-9a-f]{40}(?!\w)", re.IGNORECASE)


class Card(Detector):
    """A payment card: an issuer's range and length (ISO/IEC 7812), and the Luhn digit."""

    type = "card"

    def spans(self, text: Text) -> Iterator[Span]:
        """The digits with their separators."""
        from stdnum import ean, luhn

        for match in text.matches(_CARD):
            digits = re.sub(r"[ \n-]", "", match.group())
            if not _issued(digits) or not luhn.is_valid(digits) or len(set(digits)) < 2:
                continue
            # Visa's old length is an article's too: then only words tell them apart.
            if len(digits) == 13 and ean.is_valid(digits) and not _CARD_WORDS.search(before(text.plain, match.start())):
                continue
            yield match.span()


def _issued(digits: str) -> bool:
    """Whether an issuer gives out numbers of this beginning and length."""
    two, three, four, length = int(digits[:2]), int(digits[:3]), int(digits[:4]), len(digits)
    return (
        (digits[0] == "4" and length in (13, 16, 19))
        or ((51 <= two <= 55 or 2200 <= four <= 2204 or 2221 <= four <= 2720) and length == 16)
        or (two in (34, 37) and length == 15)
        or ((four == 6011 or two == 65 or 644 <= three <= 649 or two == 62 or two == 81) and 16 <= length <= 19)
        or ((300 <= three <= 305 or three == 309 or two in (36, 38, 39)) and length in (14, 16))
        or (two == 35 and length == 16)
        or (four in (1800, 2131) and length == 15)
        or ((four in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763)) and 12 <= length <= 19)
    )


class Iban(Detector):
    """An account number of ISO 13616: the country's length and structure, and the check digits."""

    type = "iban"

    def spans(self, text: Text) -> Iterator[Span]:
        """The number with its spaces."""
        from stdnum import iban

        for match in text.matches(_IBAN):
            end = _end_of(match.group(), _IBAN_LENGTHS.get(match.group()[:2].upper(), 0))
            value = re.sub(r"[ \n-]", "", match.group()[:end])
            follows = text.plain[match.start() + end : match.start() + end + 1]
            if end and not follows.isalnum() and iban.is_valid(value, check_country=False):
                yield match.start(), match.start() + end


def _end_of(candidate: str, length: int) -> int:
    """Where so many letters and digits have gone by; 0 when there are fewer, or none are asked for."""
    count = 0
    for place, one in enumerate(candidate):
        count += one.isalnum()
        if length and count == length:
            return place + 1
    return 0


class Crypto(Detector):
    """A Bitcoin address by its checksum (Base58Check; Bech32 and Bech32m of BIP 173 and 350), an Ethereum one by its shape."""

    type = "crypto"

    def spans(self, text: Text) -> Iterator[Span]:
        """The address."""
        from stdnum import bitcoin

        for match in (match for pattern in _BASE58 for match in pattern.finditer(text.plain)):
            if bitcoin.is_valid(match.group()):
                yield match.span()
        for match in text.anchored("bc1", _BECH32):
            if _is_bech32(match.group()):
                yield match.span()
        for match in text.anchored("0x", _ETHER):
            if len(set(match.group().lower())) > 6:  # not 0x000…, nor a mask
                yield match.span()


def _is_bech32(address: str) -> bool:
    low = address.lower()
    if address not in (low, address.upper()):
        return False
    check = 1
    for value in [3, 3, 0, 2, 3, *("qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(one) for one in low[3:])]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for place, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term if top >> place & 1 else 0
    return check == (1 if low[3] == "q" else 0x2BC830A3)
