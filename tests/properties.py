"""How many examples a property is tried with: few while a person waits, many in CI.

HYPOTHESIS_PROFILE=ci chooses many.
"""

from __future__ import annotations

import os

from hypothesis import settings

IN_CI = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
# Hypothesis' own number, for tests that name none.
MANY = 100
# A person's run tries one in so many of CI's examples, others each time.
PART = 8
LEAST = 5


def examples(many: int) -> int:
    """The number of examples to try, of so many in CI."""
    return many if IN_CI else max(many // PART, LEAST)


def load_profile() -> None:
    """Makes that the rule for tests that name no number."""
    # A time limit for one example would be a test of the machine's speed.
    settings.register_profile("maie", max_examples=examples(MANY), deadline=None)
    settings.load_profile("maie")
