"""The countries' numbering plans, read from libphonenumber's metadata (`phonenumbers`).

Its own `parse` takes 0.1 ms a number and region; a plan's pattern, compiled once, says the same in a few microseconds.
"""

import re
from dataclasses import dataclass
from functools import cache

_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a region numbers its lines.

    Attributes:
        trunk: What is dialled before a national number and not after a country code: "0" in most of Europe, "" in Spain.
        valid: The national numbers that are given out.
        lengths: Digits that a national number may have.
    """

    trunk: str
    valid: re.Pattern[str]
    lengths: frozenset[int]

    def holds(self, national: str, sure: bool) -> bool:
        """Whether the digits are a number of the plan; unsure, whether they could be by their count."""
        return bool(self.valid.fullmatch(national)) if sure else len(national) in self.lengths

    def reads(self, digits: str, sure: bool) -> bool:
        """The same for digits as they are written inside of the region: with the trunk prefix, where there is one."""
        if self.trunk and digits.startswith(self.trunk):
            return self.holds(digits[len(self.trunk) :], sure)
        return self.trunk != "0" and self.holds(digits, sure)


@cache
def plan(region: str) -> Plan | None:
    """The plan of a region such as "DE", or of a code without one, such as "001"; None when nothing is known of it."""
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return None
    kinds = [getattr(metadata, kind) for kind in _KINDS]
    patterns = [f"(?:{kind.national_number_pattern})" for kind in kinds if kind and kind.national_number_pattern]
    general = metadata.general_desc
    lengths = frozenset(one for one in (general.possible_length or () if general else ()) if one > 0)
    return Plan(metadata.national_prefix or "", re.compile("|".join(patterns) or "(?!)"), lengths)


def holds_international(digits: str, sure: bool) -> bool:
    """Whether the digits after a plus are a country code and a number of one of its regions; a needless trunk 0 is let pass."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    for size in (1, 2, 3):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:size]), ()) if digits[0] != "0" else ()
        for known in map(plan, regions[:1] if not sure else regions):
            rest = digits[size:]
            if known and (known.holds(rest, sure) or (known.trunk == "0" and rest[:1] == "0" and known.holds(rest[1:], sure))):
                return True
    return False
