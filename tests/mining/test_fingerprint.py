"""The content hash against published BLAKE3 values, and the revision of a header."""

from __future__ import annotations

import pytest

from xtalpriors.mining.sources.fingerprint import content_hash, header_revision


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # BLAKE3 test vectors (github.com/BLAKE3-team/BLAKE3, test_vectors.json): no input, and the byte 0
        (b"", "af1349b9f5f9a1a6a0404dea36dcc949"),
        (b"\x00", "2d3adedff11b61f14c886e35afa03673"),
    ],
)
def test_published_values(data: bytes, expected: str) -> None:
    assert content_hash(data) == expected


def test_revision_of_the_header() -> None:
    assert header_revision(b"#$Revision: 191935 $\ndata_x\n") == 191935
    assert header_revision(b"#$Revision$\ndata_x\n") is None
