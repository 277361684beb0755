"""Secrets that files are a part of, so that they can be read again while the service runs."""

import os.path
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from processor.settings.substitute import Missing, parts_of, read_text
from processor.settings.texts import check_secret
from processor.settings.yaml import Node


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret comes from.

    Attributes:
        parts: in their order, files, and what stands around them; variables are put in already, for they cannot change.
    """

    parts: tuple[str | Path, ...] = field(repr=False)

    @property
    def files(self) -> list[str]:
        """Names of the files that are read."""
        return [str(part) for part in self.parts if isinstance(part, Path)]

    def read(self) -> str | Missing:
        """Read the files, and give the secret; or why there is none to use."""
        found = [read_text(part) if isinstance(part, Path) else part for part in self.parts]
        text = ""
        for piece in found:
            if isinstance(piece, Missing):
                return piece
            text += piece
        try:
            return check_secret(SecretStr(text)).get_secret_value()
        except PydanticCustomError as error:
            return Missing(f"what {', '.join(self.files)} holds {error.message()}", "write the whole key to the file")


def key_sources(written: Node, destinations: Iterable[str], env: Mapping[str, str]) -> dict[str, SecretSource]:
    """Tell where the keys come from of those destinations whose key is in a file, or has a file as a part.

    Args:
        written: the whole file, before anything was put in.
        destinations: those that are right by themselves.
        env: the environment's variables.
    """
    nodes = {name: written.at(("destinations", name, "api_key")) for name in destinations}
    sources = {
        name: SecretSource(parts_of(node.value, Path(node.file).parent, env))
        for name, node in nodes.items()
        if node and isinstance(node.value, str)
    }
    # What is no regular file, a pipe say, can be read once only.
    return {name: one for name, one in sources.items() if one.files and all(map(os.path.isfile, one.files))}
