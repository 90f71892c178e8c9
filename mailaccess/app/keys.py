"""A key of the configuration: its default, its sentence, and how usage texts name its value."""

from dataclasses import field
from typing import Any


def config_key(default: Any, words: str, *, value: str = "", choices: tuple[str, ...] = ()) -> Any:
    """A key of the configuration; ``value`` is the name of its value in usage texts (none: it is a switch)."""
    metadata = {"words": words, "value": value, "choices": choices}
    if isinstance(default, tuple):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=default, metadata=metadata)
