"""No parser lets out an error of its own, whatever it is given."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.__main__ import MESH_TESTS
from tests.fuzz.mutations import MUTATIONS
from tests.fuzz.targets import TARGETS
from tests.properties import examples

pytestmark = pytest.mark.unit

# Each input of these takes some ms.
SLOW = {"media probe"}


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_read_or_refused(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=examples(100 if name in SLOW else 400))
    @given(st.binary(max_size=2000))
    def run(data: bytes) -> None:
        target.run(data)

    run()


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_good_inputs_are_read_or_refused(name: str) -> None:
    target, chance = TARGETS[name], random.Random(name)
    seeds = target.seeds()
    for seed in seeds:
        target.run(seed)
    for number in range(24 if name in SLOW else 100):
        seed = seeds[number % len(seeds)]
        if seed:
            target.run(MUTATIONS[number % len(MUTATIONS)](seed, chance))


def test_numbers_of_thousands_of_digits_in_a_template_are_refused() -> None:
    TARGETS["template"].run(b"1" * 5000)


def test_make_fuzz_comes_to_its_tests_around_a_mesh() -> None:
    """They run in the process that fuzzed the parsers and imported all that these need."""
    script = (
        "import sys, pytest; from tests.fuzz.__main__ import MESH_OPTIONS, MESH_TESTS; "
        "sys.exit(pytest.main([*MESH_OPTIONS, '--collect-only', *MESH_TESTS]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(path in done.stdout for path in MESH_TESTS)
