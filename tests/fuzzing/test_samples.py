"""What fuzzing ran into stays mended; and ordinary input, changed a little, breaks no promise either."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing.readers import READERS, seeds

SAMPLES = sorted(path for path in (Path(__file__).parent / "samples").rglob("*") if path.is_file())
SOME = {reader: tuple(islice(seeds(reader), 12)) for reader in READERS}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_mended_stays_mended(path: Path) -> None:
    began = time.process_time()
    READERS[path.parent.name](path.read_bytes())
    assert time.process_time() - began < 5


@pytest.mark.parametrize("reader", ["mime", "pdf", "subject"])
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
def test_ordinary_input_with_a_few_bytes_changed_breaks_no_promise(reader: str, data: st.DataObject) -> None:
    """What is not packed; `tests/forms/test_hostile_documents.py` damages what is."""
    content = bytearray(data.draw(st.sampled_from(SOME[reader])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.integers(0, 3))
        content[at : at + cut] = data.draw(st.binary(max_size=8))
    READERS[reader](bytes(content))
