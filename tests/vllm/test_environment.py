"""The environment of `make test-vllm` runs vLLM on the processor."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.unit


def test_that_vllm_sees_no_gpu_and_works_on_the_processor() -> None:
    from vllm.platforms import current_platform

    assert current_platform.is_cpu()
