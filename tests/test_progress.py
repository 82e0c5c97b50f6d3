"""What progress prints where there is no terminal, and under the bar where there is one."""

from __future__ import annotations

import io
import sys

import pytest

from xtalpriors import progress


def test_notes_without_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 in the 20 s after 200 were there are 10 a second; the 600 that are left take a minute."""
    clock = iter([100.0, 105.0, 120.0, 121.0, 200.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    with progress.bar("training", 1000, "structure") as advance:
        advance(200)
        advance(100)
        advance(100, note="loss 0.6")
        advance(100, note="loss 0.5")  # a second later: not said
        advance(100, note="loss 0.6")  # nothing new
    assert capsys.readouterr().err.splitlines() == [
        "training: 1,000 structures",
        "training: 400 of 1,000 structures, 10 structures/s, 0:01:00 left; loss 0.6",
    ]


def test_work_without_a_total_or_notes(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("list", None, "file") as advance:
        advance()
        advance(5)
        advance(note="found")
    assert capsys.readouterr().err.splitlines()[0] == "list …"


def test_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last frame has the count, and the last note under it."""
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with progress.bar("training", 8, "structure") as advance:
        advance(4, note="loss 0.6")
        advance(4, note="loss 0.6 → 0.5")
        advance(0)
    shown = screen.getvalue()
    assert "8/8" in shown and shown.rindex("loss 0.6 → 0.5") > shown.rindex("8/8")
