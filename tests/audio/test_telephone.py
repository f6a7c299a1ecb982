"""Telephone audio."""

import struct
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio import telephone

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = struct.pack("<65536h", *range(-32768, 32768))


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the standard library's audioop is gone")
def test_mu_law_is_that_of_the_standard_library_for_every_sample_and_code() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import audioop  # noqa: PLC0415
    assert telephone.encode(EVERY_SAMPLE) == audioop.lin2ulaw(EVERY_SAMPLE, 2)
    assert telephone.decode(EVERY_CODE) == audioop.ulaw2lin(EVERY_CODE, 2)


def test_every_code_comes_back_from_its_samples_save_the_second_zero() -> None:
    again = telephone.encode(telephone.decode(EVERY_CODE))
    assert [code for code in EVERY_CODE if again[code] != code] == [0x7F]


@given(st.binary(max_size=2000))
def test_frames_hold_the_audio_and_are_all_of_one_length(ulaw: bytes) -> None:
    cut = telephone.frames(ulaw)
    assert {len(each) for each in cut} <= {telephone.FRAME}
    whole = b"".join(cut)
    assert whole.startswith(ulaw)
    assert set(whole[len(ulaw) :]) <= {0xFF}
    assert len(whole) - len(ulaw) < telephone.FRAME
