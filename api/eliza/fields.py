"""Reading a body field by field, so that one answer names everything that is wrong with it.

What a field must be is said by its type: `Meta(extra={MUST: …})`. Null where something is required
is the same as nothing.
"""

from collections.abc import Collection, Mapping
from itertools import chain, islice
from typing import Any, get_args

import msgspec
from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import fields

from api.eliza.errors import REQUIRED
from api.placet.errors import InvalidBodyError, fault

MUST = "must"
MOST_FAULTS = 20

type Path = tuple[str | int, ...]


def checked_fields[T: Struct](
    values: Mapping[str, Any], into: type[T], *, required: Collection[str] = ()
) -> T:
    """`required` names fields that can do without a value at other times.

    Raises: InvalidBodyError that names every field that is missing or malformed.
    """
    faults = _faults_of_object(values, into, (), required)
    if faults:
        raise InvalidBodyError(*faults)
    return msgspec.convert(values, into)


def _faults_of_object(
    values: Any, into: type[Struct], path: Path, required: Collection[str] = ()
) -> list[dict[str, Any]]:
    if not isinstance(values, Mapping):
        return [fault("invalid", "must be an object", *path)]
    found = []
    for field in fields(into):
        place = (*path, field.encode_name)
        value = values.get(field.encode_name)
        if value is None and (field.default is NODEFAULT or field.encode_name in required):
            found.append(fault(REQUIRED, "is required", *place))
        elif field.encode_name in values:
            found += _faults_of_value(value, field.type, place)
    return found


def _faults_of_value(value: Any, kind: Any, path: Path) -> list[dict[str, Any]]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        inside = _faults_inside(value, kind, path)
        return inside or [fault("invalid", f"must {_wording(kind)}", *path)]
    return []


def _faults_inside(value: Any, kind: Any, path: Path) -> list[dict[str, Any]]:
    """Those of each object in a list of objects."""
    inner = _struct_in(kind)
    if inner is None or not isinstance(value, list):
        return []
    faults = (_faults_of_object(each, inner, (*path, number)) for number, each in enumerate(value))
    return list(islice(chain.from_iterable(faults), MOST_FAULTS))


def _struct_in(kind: Any) -> type[Struct] | None:
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind
    return next(filter(None, map(_struct_in, get_args(kind))), None)


def _wording(kind: Any) -> str:
    notes = (note for part in (kind, *get_args(kind)) for note in getattr(part, "__metadata__", ()))
    return next(str(note.extra[MUST]) for note in notes if isinstance(note, Meta) and note.extra)
