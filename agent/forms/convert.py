"""Old Word (.doc) and Rich Text → .docx, by LibreOffice where it is installed.

LibreOffice runs without macros, links or network, on a profile that is thrown away, for a limited
time; when that is over, all its processes are ended.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from agent.forms.units import Refused

SECONDS = 45
MOST_BYTES = 25_000_000
MOST_MEMORY = 4_000_000_000  # bytes of address space; LibreOffice maps far more than it uses

_PLACES = ("/usr/lib/libreoffice/program/soffice", "/opt/libreoffice/program/soffice")
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop>
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop>
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop>
<prop oor:name="DisableActiveContent" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Misc">
<prop oor:name="UseOpenCL" oor:op="fuse"><value>false</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update">
<prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
</oor:items>
"""


def converter() -> str | None:
    """Where LibreOffice is, or None."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    return found or next((place for place in _PLACES if Path(place).is_file()), None)


def to_docx(content: bytes, ending: str) -> bytes:
    """`content`, a file of the kind `ending` ("doc", "rtf"), as a .docx.

    Raises `Refused`: `legacy_no_converter` where LibreOffice is not installed.
    """
    program = converter()
    if program is None:
        raise Refused(
            "legacy_no_converter",
            "It is a document of an old kind, and LibreOffice, which could read it, is not installed. "
            "Please save it as .docx and send it again.",
        )
    if len(content) > MOST_BYTES:
        raise Refused("too_large", f"The document is larger than {MOST_BYTES // 1_000_000} MB.")
    with tempfile.TemporaryDirectory(prefix="n2k-", ignore_cleanup_errors=True) as folder:
        return _convert(program, content, Path(folder), ending)


def _convert(program: str, content: bytes, folder: Path, ending: str) -> bytes:
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(_SETTINGS, encoding="utf-8")
    source = folder / f"in.{ending}"
    source.write_bytes(content)
    _run(
        [
            *_without_network(),
            program,
            "--headless",
            "--norestore",
            "--nolockcheck",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--convert-to",
            "docx:MS Word 2007 XML",
            "--outdir",
            str(folder / "out"),
            str(source),
        ],
        folder,
    )
    try:
        return (folder / "out" / "in.docx").read_bytes()
    except OSError:
        raise Refused("bad_document", "The document is damaged: it could not be converted.") from None


def _run(command: list[str], folder: Path) -> None:
    process = subprocess.Popen(  # noqa: S603 - a fixed command; the file's own name never appears in it
        command,
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _limit(process.pid)
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        raise Refused("timeout", f"The document could not be converted within {SECONDS} seconds.") from None
    finally:
        _end(process)


def _limit(pid: int) -> None:
    if sys.platform == "linux":
        import resource  # not on every system

        for what, most in (
            (resource.RLIMIT_AS, MOST_MEMORY),
            (resource.RLIMIT_CPU, SECONDS),
            (resource.RLIMIT_CORE, 0),
        ):
            try:
                resource.prlimit(pid, what, (most, most))
            except (OSError, ValueError):  # it is over already, or a lower limit is in force
                continue


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and all that it started."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        subprocess.run(  # noqa: S603
            ["taskkill", "/T", "/F", "/PID", str(process.pid)],  # noqa: S607 - Windows' own, by its usual name
            check=False,
            capture_output=True,
        )
    process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Only what LibreOffice needs to start; none of the agent's secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "TEMP": str(folder),
        "SAL_USE_VCLPLUGIN": "svp",
    }


@cache
def _without_network() -> tuple[str, ...]:
    """A command that takes the network away from what follows it; () where the system has none."""
    unshare = shutil.which("unshare")
    for command in ((unshare, "-n"), (unshare, "-rn")) if unshare else ():
        tried = subprocess.run([*command, "true"], check=False, capture_output=True)  # noqa: S603 - fixed words
        if tried.returncode == 0:
            return command
    return ()
