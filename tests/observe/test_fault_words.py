from datetime import date, datetime
from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from brewslm.observe.fault_words import fault_words


class Asked(BaseModel):
    name: str = Field(default="a", min_length=1, max_length=3, pattern="^[a-z]+$")
    rows: int = Field(default=1, ge=1)
    share: float = Field(default=0.5, gt=0, lt=1)
    side: Literal["train", "eval"] = "train"
    day: date | None = None
    since: datetime | None = None

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name == "no":
            raise ValueError("it is taken")
        return name


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": ""}, "It is needed."), ({"name": "long"}, "It has at most 3 letters."),
        ({"name": "A b"}, "It has letters that can't stand here."), ({"name": "no"}, "it is taken"),
        ({"rows": "many"}, "It is a whole number."), ({"rows": "0"}, "It is 1 or more."), ({"share": "much"}, "It is a number."),
        ({"share": "1"}, "It is less than 1."), ({"share": "0"}, "It is more than 0."),
        ({"side": "dev"}, "It is 'train' or 'eval'."), ({"rows": "9" * 5000}, "It is a smaller number."),
        ({"day": "soon"}, "It is a day, such as 2026-11-30."), ({"day": "2026-02-30"}, "It is a day, such as 2026-11-30."),
        ({"day": "2026-11-30T09:00"}, "It is a day without a time, such as 2026-11-30."),
        ({"since": "soon"}, "It is a day and a time, such as 2026-11-30T09:00."),
        ({"since": "2026-13-01"}, "It is a day and a time, such as 2026-11-30T09:00."),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_in_plain_words(given, said):
    with pytest.raises(ValidationError) as refused:
        Asked(**given)
    assert [fault_words(one) for one in refused.value.errors()] == [said]
