"""What the models of declarations share: the types of their keys, and their mistakes in plain English, all at once.

A validator raises ``ValueError`` for what is wrong with a value (the message gets the value in front), or one of
``wrong`` and ``wrongs``, whose messages stand as they are.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tanso.packs import names, yaml_files
from tanso.shown import escaped

_T = TypeVar("_T")

if TYPE_CHECKING:
    OrAbsent: TypeAlias = _T | None
else:

    class OrAbsent:
        """The type of a key that may be left out: None then. A ``null`` in the file is a mistake, as pydantic sees it
        by the bare type."""

        def __class_getitem__(cls, declared: Any) -> Any:
            return declared


Mistake = tuple[str, str]  # key, message
ROOT = "^"  # before a key that is not one of the model's own, but of the file
_MOST = 30  # mistakes that are listed
_LONGEST = 200  # characters of a value that are shown
_TYPES = {
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


class Model(BaseModel):
    """A mapping of a declaration: each key has its type, and no other key is there."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    hides_values: ClassVar[bool] = False  # one of them may be a secret
    elsewhere: ClassVar[Mapping[str, str]] = {}  # keys of its siblings, and what to say of them here

    @classmethod
    def across(cls, sound: Mapping[Any, Any], given: Set[Any], context: Any) -> Iterator[Mistake]:
        """Mistakes that are of no single key. ``given``: the keys that were declared; ``sound``: those that are
        right as such, with what stands there."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _every_mistake(cls, data: Any, handler: Any, info: ValidationInfo) -> Any:
        found: list[Mistake] = []
        made, bad = None, set()
        try:
            made = handler(data)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                found += _told(cls, problem)
                bad |= set(problem["loc"][:1])
        if isinstance(data, dict):
            sound = {key: value for key, value in data.items() if key not in bad}
            found += cls.across(sound, data.keys(), info.context)
        if found:
            raise wrongs(found)
        return made


def wrong(message: str) -> PydanticCustomError:
    """An error of a validator, to be raised: a message that needs no value in front."""
    return wrongs([("", message)])


def wrongs(found: Iterable[Mistake]) -> PydanticCustomError:
    """The same for several, by their keys below the validator's own; "" is that itself."""
    return PydanticCustomError("wrong", "{found}", {"found": list(found)})


def mistakes(model: type[Model], data: Any, context: Any = None, under: str = "") -> list[Mistake]:
    """Every mistake of ``data``, in the order of the model's keys; ``under``: where ``data`` stand in the file."""
    try:
        model.model_validate(data, context=context)
    except ValidationError as error:
        found = [found for problem in error.errors(include_url=False) for found in _told(model, problem)]
        return [(joined(under, key).removeprefix(ROOT), message) for key, message in found]
    return []


def unseen(data: Any) -> list[Mistake]:
    """Texts, keys included, with a character that nobody sees."""
    found = []
    for key, text in yaml_files.texts(data):
        try:
            names.seen(text, lines=True)
        except ValueError as error:
            found.append((key, f"{shown(text)} {error}"))
    return found


def listed(path: Any, found: Sequence[Mistake]) -> str:
    """A message with every mistake of a file, a line each."""
    told = (f"{key}: {message}" if key else message for key, message in dict.fromkeys(found))
    lines = [f"{path}: {escaped(line)}" for line in told]
    more = [f"{path}: and {len(lines) - _MOST} more mistakes"] if len(lines) > _MOST else []
    return "\n".join(lines[:_MOST] + more)


def shown(value: Any) -> str:
    """A value in a message; of a long one the beginning."""
    if isinstance(value, str):
        return names.shown(value if len(value) <= _LONGEST else value[:_LONGEST] + "…")
    return escaped(reprlib.repr(value))


def nearest(word: Any, known: Iterable[str]) -> str:
    """The end of a message, where a known word is near."""
    found = get_close_matches(str(word), list(known), 1, 0.7)
    return f"; did you mean {found[0]}?" if found else ""


def one_of(words: Iterable[str]) -> str:
    """ "a, b or c"."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _told(model: type[Model], problem: Mapping[str, Any]) -> Iterator[Mistake]:
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    key = ""
    for part in problem["loc"]:
        if part != "[key]":
            key = joined(key, f"[{part}]" if isinstance(part, int) else escaped(str(part)))
    instead = "" if model.hides_values else f", not {shown(value)}"
    if kind == "wrong":
        for below, message in context["found"]:
            yield joined(key, below), message
    elif kind == "value_error":
        yield key, f"{shown(value)} {context['error']}"
    elif kind == "extra_forbidden" and problem["loc"][-1] in model.elsewhere:
        yield key, model.elsewhere[problem["loc"][-1]]
    elif kind in ("extra_forbidden", "invalid_key"):
        known = sorted(field.alias or name for name, field in model.model_fields.items())
        near = nearest(problem["loc"][-1], known)
        yield key, f"unknown key{f'{near} Known' if near else '; known'} are {', '.join(known) or 'none'}"
    elif kind == "missing":
        yield key, "is missing"
    elif kind == "too_short":
        yield key, "must have at least one entry"
    elif kind == "literal_error":
        yield key, f"must be {context['expected'].replace(chr(39), '')}{instead}"
    else:
        yield key, f"must be {_TYPES.get(kind) or problem['msg']}{instead}"


def joined(key: str, below: str) -> str:
    """The key ``below`` another; ``ROOT`` before it makes it one of the file."""
    if below.startswith(ROOT) or not key:
        return below
    return key + below if not below or below.startswith("[") else f"{key}.{below}"


# Types of keys.


def _filled(value: str) -> str:
    if not value:
        raise wrong("must be a text, not ''")
    return value


def whole(what: str, least: int, most: int | None = None) -> Any:
    """The type of a whole number; ``what`` ends the sentence "must be a whole number"."""

    def check(value: Any) -> int:
        if type(value) is not int or value < least or (most is not None and value > most):
            raise wrong(f"must be a whole number{what}, not {shown(value)}")
        return value

    bounds = {"minimum": least} | ({} if most is None else {"maximum": most})
    return Annotated[int, BeforeValidator(check), WithJsonSchema({"type": "integer", **bounds})]


def _label(value: Any) -> Any:
    if isinstance(value, list | dict) or value is None:
        raise wrong(f"must be a text or a number, not {shown(value)}")
    return value


def _empty_list(value: Any) -> Any:
    return [] if value is None else value


def _empty_mapping(value: Any) -> Any:
    return {} if value is None else value


Text = Annotated[str, AfterValidator(_filled), Field(json_schema_extra={"minLength": 1})]
Seen = Annotated[str, AfterValidator(names.seen)]
Code = Annotated[str, AfterValidator(names.code)]
Pattern = Annotated[str, AfterValidator(names.pattern)]
Label = Annotated[Any, BeforeValidator(_label), WithJsonSchema({"type": ["string", "number", "boolean"]})]
# Of a key that may be there without a value.
OrEmptyList = BeforeValidator(_empty_list)
OrEmptyMapping = BeforeValidator(_empty_mapping)
