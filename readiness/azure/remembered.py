"""Answers that many VMs share, asked once and kept for a few minutes.

A thousand VMs of one resource group ask about its locks once. A refusal is an answer, too, and kept like one.
Safe to share between threads: who asks what is being asked already waits for that answer.
"""

import threading
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any

from readiness.errors import DeniedError

Json = dict[str, Any]
Answer = list[Json] | DeniedError
LIFE = timedelta(minutes=3)
"""Longer, and a lock taken away since would still refuse; shorter, and big waves ask again and again."""


class Remembered:
    """Lists by what was asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Hashable, _Kept] = {}

    def ask(
        self, key: Hashable, now: datetime, question: Callable[[], list[Json]], life: timedelta = LIFE
    ) -> Answer:
        """Return the answer to a question, or the refusal to answer it; what changes rarely lives longer."""
        with self._lock:
            kept = self._kept.setdefault(key, _Kept())
        with kept.lock:
            if kept.answer is None or kept.at is None or not kept.at <= now < kept.at + life:
                kept.answer, kept.at = _asked(question), now
            return kept.answer


class _Kept:
    """One answer, and since when it is known."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answer: Answer | None = None
        self.at: datetime | None = None


def _asked(question: Callable[[], list[Json]]) -> Answer:
    try:
        return question()
    except DeniedError as error:
        return error
