"""A part of brewslm.yaml is the request of an operation, without what another part or the project says."""

import inspect
import re
from math import isfinite
from typing import Any, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

M = TypeVar("M", bound=BaseModel)
_ATTRIBUTE = re.compile(r"^    ?(?P<names>\w+(?:, \w+)*): (?P<said>.*)$")


class Section:
    """Put beside a request's type, it makes a section of it: same fields, same defaults, same checks.

    Args:
        left_out: Fields that the file does not have; a key of this name is an unknown one.
        texts: Fields that map names to texts, in which a file may write numbers and truth values plainly.
        shown: Fields that are written down even where they have their default.
        given: What stands in for fields that are left out and needed.
    """

    def __init__(self, *left_out: str, texts: tuple[str, ...] = (), shown: tuple[str, ...] = (), **given: Any) -> None:
        self.left_out, self.texts, self.shown, self.given = {*left_out, *given}, texts, shown, given

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler(source)
        without = core_schema.wrap_serializer_function_ser_schema(self._without, schema=inner)
        return core_schema.no_info_wrap_validator_function(self._checked, inner, serialization=without)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = dict(handler.resolve_ref_schema(handler(schema)))
        words = _words(found.get("description", ""))
        properties = {name: dict(one) for name, one in found["properties"].items() if name not in self.left_out}
        for name, one in properties.items():
            one.pop("title", None)
            if name in words:
                one["description"] = words[name]
            if name in self.texts:
                one["additionalProperties"] = {"type": ["string", "number", "boolean"]}
        required = [name for name in found.get("required", []) if name not in self.left_out]
        found |= {"properties": properties, "description": words[""]}
        return {**found, "required": required} if required else {key: one for key, one in found.items() if key != "required"}

    def value_of(self, request: BaseModel) -> dict[str, Any]:
        """What is written down of a request: what was chosen, and what is always shown."""
        values = request.model_dump(mode="json", exclude_defaults=False)
        kept = {
            name: values[name]
            for name, field in type(request).model_fields.items()
            if name not in self.left_out and (name in self.shown or getattr(request, name) != _default(field))
        }
        return kept | {name: {key: plain(text) for key, text in kept[name].items()} for name in self.texts if name in kept}

    def request_of(self, kind: type[M], asked: dict[str, Any]) -> M:
        """The section of a request as a run keeps it."""
        known = {name: value for name, value in asked.items() if name in kind.model_fields and name not in self.left_out}
        return kind.model_validate(known | self.given)

    def _checked(self, value: Any, handler: core_schema.ValidatorFunctionWrapHandler) -> Any:
        if not isinstance(value, dict):
            return handler(value)
        unknown: list[InitErrorDetails] = [
            {"type": "extra_forbidden", "loc": (key,), "input": value[key]} for key in value if key in self.left_out
        ]
        texts = {name: _as_texts(value[name]) for name in self.texts if isinstance(value.get(name), dict)}
        kept = {key: one for key, one in value.items() if key not in self.left_out}
        try:
            made = handler(kept | texts | self.given)
        except ValidationError as error:
            if not unknown:
                raise
            raise ValidationError.from_exception_data("section", unknown + [_again(one) for one in error.errors()]) from None
        if unknown:
            raise ValidationError.from_exception_data("section", unknown)
        return made

    def _without(self, value: Any, handler: core_schema.SerializerFunctionWrapHandler) -> Any:
        made = handler(value)
        return {name: one for name, one in made.items() if name not in self.left_out} if isinstance(made, dict) else made


def _again(error: Any) -> InitErrorDetails:
    return {"type": PydanticCustomError(error["type"], error["msg"]), "loc": error["loc"], "input": None}


def text_of(value: Any) -> Any:
    """A number or truth value as `--set` would have it; anything else as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else value


def plain(text: str) -> Any:
    """The number or truth value that a text is, where reading it again gives the same text; else the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if repr(number) == text and isfinite(number):
            return number
    return text


def _as_texts(values: dict[Any, Any]) -> dict[Any, Any]:
    return {key: text_of(value) for key, value in values.items()}


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True)


def _words(docstring: str) -> dict[str, str]:
    """What a request's docstring says of itself (by ""), and of each field."""
    about, _, attributes = inspect.cleandoc(docstring).partition("Attributes:")
    found, names = {"": " ".join(about.split())}, list[str]()
    for line in attributes.splitlines():
        named = _ATTRIBUTE.match(line)
        if named:
            names = named["names"].split(", ")
            found |= dict.fromkeys(names, named["said"])
        elif line.strip():
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found
