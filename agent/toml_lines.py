"""Values put into a TOML file line by line, so that comments and order stay as people know them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_VALUE = r'("[^"\n]*"|\[[^\]\n]*\]|[^\s#"\[]+)'


def tell(path: Path, values: Mapping[str, object]) -> None:
    """Give these keys these values in the file; each stands in it once, at the start of a line."""
    path.write_text(told_anew(path.read_text(encoding="utf-8"), values), encoding="utf-8")


def told_anew(toml: str, values: Mapping[str, object]) -> str:
    """The TOML with these keys set; a comment behind a value stays, in its column where there is room."""
    for key, value in values.items():
        line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
        found = re.search(rf"^{key} = {_VALUE}([ \t]*)(#.*)?$", toml, flags=re.M)
        if found:
            toml = toml[: found.start()] + _with_comment(line, found) + toml[found.end() :]
    return toml


def _with_comment(line: str, found: re.Match[str]) -> str:
    if not found[3]:
        return line
    column = found.start(3) - found.start()
    return f"{line:<{column - 1}} {found[3]}"


def person(name: str, address: str, roles: Sequence[str], deputy: str = "") -> str:
    """One of a desk's `[[people]]`, to be put at the end of its file."""
    told = {"name": name, "address": address, "roles": list(roles)} | ({"deputy": deputy} if deputy else {})
    lines = "\n".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in told.items())
    return f"\n[[people]]\n{lines}\n"
