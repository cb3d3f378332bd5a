"""Packages that import what they publish when it is used, not before (PEP 562)."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from sys import modules
from typing import Any


def lazily(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package, from its names by the module of it that they come from.

    One that is published under another name is given as ``"name as other"``. A command and a service use a
    part of each stage; the rest would be half of what they import.
    """
    places = {}
    for home, entries in homes.items():
        for entry in entries:
            own, _, other = entry.partition(" as ")
            if (other or own) in homes:
                raise ValueError(
                    f"{package}.{other or own} would be the module of that name once it is imported"
                )
            places[other or own] = home, own

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {sorted(places)}")
        home, own = places[name]
        value = getattr(import_module(f"{package}.{home}"), own)
        setattr(modules[package], name, value)
        return value

    return get
