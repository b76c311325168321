"""Documents are read in a process of their own: what breaks it becomes a question, and nothing else stops."""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.forms import worker
from agent.forms.definition import FormDefinition
from agent.forms.limits import Limits
from agent.forms.read import read
from agent.forms.worker import Reader
from agent.forms.write import write_form
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.rules import Category

MakeDocx = Callable[[str], bytes]


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture
def form(definitions: Sequence[FormDefinition], categories: Sequence[Category]) -> bytes:
    return write_form(definitions[0], {"author": "Zoë Example"}, {}, ["M07"], categories=categories)


def children(of: int) -> set[int]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == of and state != "Z":
            found.add(int(path.parent.name))
    return found


def test_a_form_is_read_as_it_would_be_here(
    reader: Reader, form: bytes, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    found = reader.read(form, "form.docx", definitions, categories)
    assert isinstance(found, Reading)
    assert found == read(form, "form.docx", definitions, categories)


def test_what_is_no_form_has_the_same_reason_as_here(reader: Reader) -> None:
    assert reader.read(b"\x89PNG", "a.png", [], []) == read(b"\x89PNG", "a.png", [], [])


def test_an_answer_that_makes_no_sense_is_a_question_and_the_next_is_read(
    reader: Reader,
    form: bytes,
    definitions: Sequence[FormDefinition],
    categories: Sequence[Category],
    make_docx: MakeDocx,
) -> None:
    half_a_letter = make_docx('<w:p><w:r><w:sym w:font="Arial" w:char="D800"/></w:r></w:p>')
    found = reader.read_units(half_a_letter, "half.docx")
    assert isinstance(found, Unreadable)
    assert (found.code, found.document) == ("crashed", "half.docx")
    assert isinstance(reader.read(form, "form.docx", definitions, categories), Reading)


def test_a_reading_that_was_broken_off_is_not_taken_for_that_of_the_next_document(
    form: bytes,
    definitions: Sequence[FormDefinition],
    categories: Sequence[Category],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken_off(_: object) -> bytes:
        raise KeyboardInterrupt

    reader = Reader(workers=1)
    try:
        reader.read(form, "first.docx", definitions, categories)
        with monkeypatch.context() as patch:
            patch.setattr(worker, "receive", broken_off)
            with pytest.raises(KeyboardInterrupt):
                reader.read(form, "second.docx", definitions, categories)
        assert reader.read(form, "third.docx", definitions, categories).document == "third.docx"
    finally:
        reader.close()


def test_several_threads_share_a_reader(
    reader: Reader, form: bytes, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(
            threads.map(lambda n: reader.read(form, f"{n}.docx", definitions, categories), range(12))
        )
    assert [one.document for one in found if isinstance(one, Reading)] == [f"{n}.docx" for n in range(12)]


def rows(make_docx: MakeDocx, many: int) -> bytes:
    """A table of many rows, no two alike, so that it does not look packed to do harm."""
    chance = random.Random(1)
    said = (chance.randbytes(8).hex() for _ in range(many))
    cells = "".join(f"<w:tr><w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc></w:tr>" for text in said)
    return make_docx(f"<w:tbl>{cells}</w:tbl>")


def test_a_document_that_takes_too_long_is_a_question_and_the_next_is_read(
    form: bytes, definitions: Sequence[FormDefinition], categories: Sequence[Category], make_docx: MakeDocx
) -> None:
    reader = Reader(Limits(seconds=0.4))
    try:
        late = reader.read(rows(make_docx, 60_000), "long.docx", definitions, categories)
        assert isinstance(late, Unreadable)
        assert (late.code, late.document) == ("timeout", "long.docx")
        assert late.problems[0].endswith(".")
    finally:
        reader.close()
    reader = Reader()
    try:
        assert isinstance(reader.read(form, "form.docx", definitions, categories), Reading)
    finally:
        reader.close()


def test_the_time_allowed_is_counted_anew_for_every_document(
    form: bytes, definitions: Sequence[FormDefinition], categories: Sequence[Category], make_docx: MakeDocx
) -> None:
    reader = Reader(Limits(seconds=0.8), workers=1)
    try:
        for pause in (0.5, 0.5, 0):  # together longer than one document may take
            assert isinstance(reader.read(form, "form.docx", definitions, categories), Reading)
            time.sleep(pause)
        late = reader.read(rows(make_docx, 90_000), "long.docx", definitions, categories)
        assert isinstance(late, Unreadable)
        assert late.code == "timeout"
    finally:
        reader.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_a_document_that_takes_too_much_memory_is_a_question_and_the_next_is_read(
    form: bytes, definitions: Sequence[FormDefinition], categories: Sequence[Category], make_docx: MakeDocx
) -> None:
    reader = Reader(Limits(memory=150_000_000))
    try:
        big = reader.read(rows(make_docx, 90_000), "big.docx", definitions, categories)
        assert isinstance(big, Unreadable)
        assert big.code == "memory"
        assert isinstance(reader.read(form, "form.docx", definitions, categories), Reading)
    finally:
        reader.close()


def test_a_file_beyond_every_form_is_not_even_sent() -> None:
    found = Reader(Limits(size=10)).read(b"\0" * 11, "x", [], [])
    assert isinstance(found, Unreadable)
    assert found.code == "too_large"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process where Linux lists it")
def test_a_process_that_dies_between_documents_is_replaced(
    reader: Reader, form: bytes, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> None:
    before = children(os.getpid())
    reader.read(b"", "x", [], [])
    for process in children(os.getpid()) - before:
        os.kill(process, signal.SIGKILL)
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    assert isinstance(reader.read(form, "form.docx", definitions, categories), Reading)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process where Linux lists it")
def test_no_process_is_left_when_the_reader_is_closed() -> None:
    before = children(os.getpid())
    reader = Reader()
    reader.read(b"", "x", [], [])
    assert len(children(os.getpid()) - before) == 1
    reader.close()
    assert children(os.getpid()) - before == set()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the process where Linux shows it")
def test_the_process_knows_no_secrets_and_has_no_network(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N2K_CLIENT_SECRET", "invented-secret")
    before = children(os.getpid())
    reader.read(b"", "x", [], [])
    (process,) = children(os.getpid()) - before
    assert b"invented-secret" not in Path(f"/proc/{process}/environ").read_bytes()
    try:
        own, other = (Path(f"/proc/{pid}/ns/net").readlink() for pid in (os.getpid(), process))
    except OSError:
        pytest.skip("this system does not show networks")
    if own == other and os.geteuid() != 0:
        pytest.skip("this system does not let a process leave its network")
    assert own != other


@pytest.mark.skipif(sys.platform != "linux", reason="LibreOffice and the listener are tried on Linux only")
def test_pictures_and_templates_on_the_web_are_not_fetched_when_rich_text_is_converted(
    reader: Reader,
) -> None:
    asked = threading.Event()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        rtf = (
            rf"{{\rtf1{{\*\template http://127.0.0.1:{port}/a.dot}}"
            r" Hello {\field{\*\fldinst INCLUDEPICTURE "
            rf'"http://127.0.0.1:{port}/a.png" \\d}}{{\fldrslt x}}}}}}'
        )
        found = reader.read(rtf.encode(), "a.rtf", [], [])
        try:
            listener.accept()
            asked.set()
        except TimeoutError:
            pass
    assert isinstance(found, Unreadable)
    assert not asked.is_set()
