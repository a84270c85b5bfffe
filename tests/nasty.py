"""Messages of any type with values that no honest client sends, the same ones each time."""

from __future__ import annotations

import random
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

_INTEGERS = (0, 1, -1, 7, 2**31 - 1, -(2**31), 2**62)
_LONG = (*_INTEGERS, 2**63 - 1, -(2**63))
_FLOATS = (0.0, -1.0, 0.5, 1e308, float("nan"), float("inf"), -float("inf"))
_TEXTS = (
    *("", "x", "../../etc/passwd", "/etc/passwd", "a\0b", "two\nlines", "\u202egpj.exe", "*", ">"),
    *("maie.task.>", "a" * 5000, "{{ 7 * 7 }}", "%s%n", "' OR 1=1 --", "😀", "\ufffe", "a.b"),
    *("01990000-0000-7000-8000-000000000001", "direct-1", "file:///etc/passwd", "http://127.0.0.1"),
)
_BYTES = (b"", b"\0", b"\xff" * 40, b"RIFF\0\0\0\0WAVEfmt ", b"x" * 5000)
_UNSIGNED = (
    FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_FIXED32,
    FieldDescriptor.TYPE_FIXED64,
)
_WIDE = (
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_SFIXED64,
)
MAX_DEPTH = 4

Made = TypeVar("Made", bound=Message)


def nasty(kind: type[Made], chance: random.Random, depth: int = 0) -> Made:
    """A message whose fields are set, left out or repeated by chance."""
    made = kind()
    for field in cast(Descriptor, kind.DESCRIPTOR).fields:
        if chance.random() < 0.4 or depth > MAX_DEPTH:
            continue
        if _is_map(field):
            _fill_map(made, field, chance)
        elif field.is_repeated:
            for _ in range(chance.choice((1, 2, 40))):
                _append(made, field, chance, depth)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            part = getattr(made, field.name)
            part.CopyFrom(nasty(type(part), chance, depth + 1))
        else:
            setattr(made, field.name, _scalar(field, chance))
    return made


def _is_map(field: FieldDescriptor) -> bool:
    entry = field.message_type
    return bool(entry is not None and entry.GetOptions().map_entry)


def _fill_map(made: Message, field: FieldDescriptor, chance: random.Random) -> None:
    assert field.message_type is not None
    assert field.message_type is not None
    key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    if value.type != FieldDescriptor.TYPE_MESSAGE:
        for _ in range(chance.choice((1, 40))):
            getattr(made, field.name)[_scalar(key, chance)] = _scalar(value, chance)


def _append(made: Message, field: FieldDescriptor, chance: random.Random, depth: int) -> None:
    values = getattr(made, field.name)
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        added = values.add()
        added.CopyFrom(nasty(type(added), chance, depth + 1))
    else:
        values.append(_scalar(field, chance))


def _scalar(field: FieldDescriptor, chance: random.Random) -> Any:
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return chance.choice(_TEXTS)
        case FieldDescriptor.TYPE_BYTES:
            return chance.choice(_BYTES)
        case FieldDescriptor.TYPE_BOOL:
            return chance.choice((True, False))
        case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
            return chance.choice(_FLOATS)
        case kind if kind in _UNSIGNED:
            return chance.choice((0, 1, 2**31))
        case kind if kind in _WIDE:
            return chance.choice(_LONG)
        case _:
            return chance.choice(_INTEGERS[:-1])
