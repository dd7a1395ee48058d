"""What a setting is: an option, a key of the configuration file, a check and a help text, in one dataclass field."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, get_args, overload

from anonymizer.addresses import Address
from anonymizer.errors import SettingsError
from anonymizer.kinds import TRAITS, Kind, KindTraits

Group: TypeAlias = Literal["Server", "Input and output", "What to find", "How to hide", "Films", "Files", "Run"]
"""Heading under which the help of a command lists an option."""
GROUPS: tuple[Group, ...] = get_args(Group)
Value = TypeVar("Value")
Parse: TypeAlias = Callable[[object], Any]
"""Takes what a user wrote (text, YAML or Python), returns the checked value, raises ValueError."""
ToPlain: TypeAlias = Callable[[Any], object]
"""Takes a checked value, returns it in a type that YAML and JSON know and `Parse` understands."""


def to_plain(value: object) -> object:
    """The `ToPlain` of most fields."""
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value) if isinstance(value, Path | Address) else value


def setting(
    default: Any,
    parse: Parse,
    text: str,
    metavar: str = "",
    plain: ToPlain = to_plain,
    *,
    group: Group | None = None,
    common: bool = False,
) -> Any:
    """A dataclass field.

    Args:
        text: help.
        metavar: stands for the value in the help. Flags have none.
        group: of the option in the help, if not that of its class.
        common: the help lists the option first, among those that most people need.
    """
    metadata = {"parse": parse, "help": text, "metavar": metavar, "plain": plain, "group": group, "common": common}
    return field(default=default, metadata=metadata)


class PerKind(Generic[Value]):
    """A setting of each kind by itself, such as `face_threshold` and `plate_threshold`.

    A class that holds it gets a dataclass field for each kind in its place. As an attribute of a settings object it
    maps each kind to its value.
    """

    def __init__(
        self,
        name: str,
        default: Callable[[KindTraits], Value],
        parse: Parse,
        text: str,
        metavar: str,
        *,
        common: bool = False,
        only_models: bool = False,
    ) -> None:
        """
        Args:
            name: of the fields, behind the kind.
            text: help; it may speak of {one} or of the {plural}, see `KindTraits`.
            only_models: whether the setting is about kinds that models look for.
        """
        self._name = name
        self._default = default
        self._parse = parse
        self._text = text
        self._metavar = metavar
        self._common = common
        self._kinds = {kind: traits for kind, traits in TRAITS.items() if traits.has_models or not only_models}

    @overload
    def __get__(self, instance: None, owner: type) -> PerKind[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Mapping[Kind, Value]: ...
    def __get__(self, instance: object | None, owner: type) -> PerKind[Value] | Mapping[Kind, Value]:
        return self if instance is None else {kind: getattr(instance, self._name_of(kind)) for kind in self._kinds}

    def fields(self) -> dict[str, Any]:
        """The dataclass field of each kind, by its name."""
        return {self._name_of(kind): self._field(traits) for kind, traits in self._kinds.items()}

    def values(self, of_kinds: Mapping[Kind, Value]) -> dict[str, Any]:
        """The same values under the names of the fields; None for the kinds that are left out."""
        return {self._name_of(kind): of_kinds.get(kind) for kind in self._kinds}

    def _name_of(self, kind: Kind) -> str:
        return f"{kind}_{self._name}"

    def _field(self, traits: KindTraits) -> Any:
        text = self._text.format(one=traits.one, plural=traits.plural)
        return setting(self._default(traits), self._parse, text, self._metavar, common=self._common)


@dataclass(frozen=True)
class SettingsPart:
    """A group of settings that are used together. Its fields are made by `setting` and `PerKind`.

    The values that a part is made with may also be text, as on the command line, or what a YAML file holds; the fields
    then have the types that they are declared with.
    """

    group: ClassVar[Group]

    def __init_subclass__(cls, group: Group) -> None:
        """Before `dataclass` looks at the class: a field for each kind where the class holds a `PerKind`.

        Args:
            group: of the options in the help.
        """
        cls.group = group
        annotations: dict[str, Any] = {}
        for name, annotation in inspect.get_annotations(cls).items():
            value = cls.__dict__.get(name)
            of_kinds = value.fields() if isinstance(value, PerKind) else None
            for key, part in (of_kinds or {}).items():
                setattr(cls, key, part)
            annotations |= {name: annotation} if of_kinds is None else dict.fromkeys(of_kinds, "object")
        cls.__annotations__ = annotations

    def __post_init__(self) -> None:
        """
        Raises:
            SettingsError: a value is wrong.
        """
        for each in fields(self):
            try:
                value = each.metadata["parse"](getattr(self, each.name))
            except ValueError as error:
                raise SettingsError(f"--{key_of(each)}: {error}") from None
            object.__setattr__(self, each.name, value)

    def as_options(self) -> dict[str, object]:
        """All values in plain types that YAML and JSON know, under the keys of the configuration file."""
        return {key_of(each): each.metadata["plain"](getattr(self, each.name)) for each in fields(self)}


def key_of(setting: Field[Any]) -> str:
    """The key of a field in the configuration file and, behind two dashes, on the command line."""
    return setting.name.replace("_", "-")
