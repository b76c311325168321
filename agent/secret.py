"""Secrets: the configuration says where each lies, and holds none itself."""

from __future__ import annotations

import os
from pathlib import Path

from agent.errors import BadConfiguration


def secret_in(told: str, key: str) -> str:
    """`env:NAME` or `file:PATH` → the secret. BadConfiguration, naming `key`, when there is none."""
    kind, _, place = told.partition(":")
    if kind == "env":
        secret = os.environ.get(place, "")
    elif kind == "file":
        secret = text_of(Path(place).expanduser(), key)
    else:
        raise BadConfiguration([f'agent.toml: `{key}` is "env:NAME" or "file:PATH".'])
    if not secret.strip():
        where = f"the environment variable {place}" if kind == "env" else place
        raise BadConfiguration([f"agent.toml: `{key}`: {where} holds no secret. Put it there."])
    return secret.strip()


def text_of(path: Path, key: str) -> str:
    """A file that the setting `key` names. BadConfiguration when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else "it is not a text file"
        raise BadConfiguration(
            [f"agent.toml: `{key}`: {path} cannot be read: {why}. Check the path and who may read it."]
        ) from None
