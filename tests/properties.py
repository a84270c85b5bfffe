"""How many examples a property is tried with: few while a person waits, more in CI.

HYPOTHESIS_PROFILE=ci chooses more.
"""

from __future__ import annotations

import os

from hypothesis import settings

IN_CI = os.environ.get("HYPOTHESIS_PROFILE") == "ci"
# Hypothesis' own number, for tests that name none.
MANY = 100
# A run tries one in so many of these examples, others each time: CI within the time that it has,
# and a person's run within less.
PART = 3 if IN_CI else 8
LEAST = 5


def examples(many: int) -> int:
    """The number of examples to try in one run, of so many in several."""
    return max(many // PART, LEAST)


def load_profile() -> None:
    """Makes that the rule for tests that name no number."""
    # A time limit for one example would be a test of the machine's speed.
    settings.register_profile("maie", max_examples=examples(MANY), deadline=None)
    settings.load_profile("maie")
