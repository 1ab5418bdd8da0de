"""Records as `dataclasses` makes them, without its cost: it imports `inspect` and compiles code for each class.

That is a seventh of what one `report` computes. For type checkers these are the standard library's own, and
`dataclasses.fields`, `replace` and `asdict` take them too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from dataclasses import asdict, dataclass, field, replace

__all__ = ["asdict", "dataclass", "defaults", "field", "names", "replace"]


_Factory: TypeAlias = "Callable[[], object]"


class _Field:
    """What stands beside a field's name: its default or what makes it, and whether `repr` shows it."""

    __slots__ = ("factory", "has_default", "is_shown", "value")

    def __init__(self, value: object, factory: _Factory | None, *, has_default: bool, is_shown: bool) -> None:
        self.value = value
        self.factory = factory
        self.has_default = has_default
        self.is_shown = is_shown

    def default(self) -> object:
        return self.value if self.factory is None else self.factory()


class _Fields:
    """`__dataclass_fields__`, made when the standard library asks for it."""

    def __get__(self, _: object, owner: type) -> Mapping[str, Any]:
        import dataclasses  # noqa: PLC0415 - the cost that this module spares

        made = [(name, Any, _standard(dataclasses, given)) for name, given in owner._fields.items()]  # type: ignore[attr-defined]
        twin: Any = dataclasses.make_dataclass(owner.__name__, made, kw_only=True)
        same: Mapping[str, Any] = twin.__dataclass_fields__
        return same


def names(record: type) -> frozenset[str]:
    """The names of the fields."""
    fields: Mapping[str, _Field] = record._fields  # type: ignore[attr-defined]
    return frozenset(fields)


def defaults(record: type) -> dict[str, Any]:
    """The defaults of those fields that have one, by name."""
    fields: Mapping[str, _Field] = record._fields  # type: ignore[attr-defined]
    return {name: given.default() for name, given in fields.items() if given.has_default}


if not TYPE_CHECKING:

    def dataclass(*, frozen: bool = False, slots: bool = True, kw_only: bool = False, eq: bool = True):  # noqa: ANN201
        """As the standard library's; always slotted, and hashable if frozen."""
        assert slots  # noqa: S101 - nothing else is made here

        def make(cls: type) -> type:
            body = {name: value for name, value in vars(cls).items() if name not in {"__dict__", "__weakref__"}}
            fields = {name: _given(body, name) for name in cls.__annotations__}
            positions = () if kw_only else tuple(fields)
            body.update(__slots__=tuple(fields), _fields=fields, _positions=positions, __init__=_init)
            body.update(__dataclass_fields__=_Fields(), __match_args__=positions, __reduce__=_reduce)
            body.setdefault("__repr__", _repr)
            if eq:
                body.update(__eq__=_eq, __hash__=_hash if frozen else None)
            if frozen:
                body.update(__setattr__=_refuse, __delattr__=_refuse)
            return type(cls)(cls.__name__, cls.__bases__, body)

        return make

    def field(*, default: object = ..., default_factory: _Factory | None = None, repr: bool = True) -> _Field:  # noqa: A002
        """As the standard library's."""
        has_default = default is not ... or default_factory is not None
        return _Field(default, default_factory, has_default=has_default, is_shown=repr)

    def replace(record: object, /, **changes: object) -> object:
        """A copy with other values."""
        return type(record)(**{**asdict(record), **changes})

    def asdict(record: object) -> dict[str, Any]:
        """The values by name; records inside them stay records."""
        return {name: getattr(record, name) for name in record._fields}


_set = object.__setattr__


def _given(body: dict[str, Any], name: str) -> _Field:
    value = body.pop(name, ...)
    return value if isinstance(value, _Field) else _Field(value, None, has_default=value is not ..., is_shown=True)


def _init(self: Any, *args: object, **given: object) -> None:
    if args:
        if len(args) > len(self._positions):
            raise TypeError(f"{type(self).__name__}() takes {len(self._positions)} positional arguments")
        for name, value in zip(self._positions, args, strict=False):
            if given.setdefault(name, value) is not value:
                raise TypeError(f"{type(self).__name__}() got {name} twice")
    fields: Mapping[str, _Field] = self._fields
    for name, about in fields.items():
        if name in given:
            _set(self, name, given.pop(name))
        elif about.has_default:
            _set(self, name, about.default())
        else:
            raise TypeError(f"{type(self).__name__}() needs {name}")
    if given:
        raise TypeError(f"{type(self).__name__}() has no {', '.join(given)}")


def _values(self: Any) -> tuple[object, ...]:
    return tuple([getattr(self, name) for name in self._fields])


def _eq(self: object, other: object) -> bool:
    return _values(self) == _values(other) if type(self) is type(other) else NotImplemented


def _hash(self: object) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    shown = [f"{name}={getattr(self, name)!r}" for name, about in self._fields.items() if about.is_shown]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _reduce(self: Any) -> tuple[object, ...]:
    return _rebuilt, (type(self), dict(zip(self._fields, _values(self), strict=True)))


def _rebuilt(cls: type, values: dict[str, Any]) -> object:
    return cls(**values)


def _refuse(self: object, name: str, *_: object) -> None:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - the cost that this module spares

    raise FrozenInstanceError(f"{type(self).__name__}.{name} cannot be changed")


def _standard(dataclasses: Any, given: _Field) -> object:
    if given.factory is not None:
        return dataclasses.field(default_factory=given.factory, repr=given.is_shown)
    if given.has_default:
        return dataclasses.field(default=given.value, repr=given.is_shown)
    return dataclasses.field(repr=given.is_shown)
