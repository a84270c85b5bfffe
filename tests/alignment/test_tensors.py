"""Tensors of the KServe v2 protocol: what is sent, and whatever may come back."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.kserve.v2 import inference_pb2 as kserve
from maie_alignment.engines.triton.tensors import UnfitError, levels_of, signature_of

pytestmark = pytest.mark.unit

COLUMNS = 5
NAMES = st.sampled_from(["input_values", "attention_mask", "waveform", "logits", "log_probs", "?"])
KINDS = st.sampled_from(["FP32", "FP16", "INT64", "INT32", "BYTES", ""])
SIZES = st.integers(-2, 6) | st.sampled_from([COLUMNS, 2**31, 2**62, -(2**63)])
SHAPES = st.lists(SIZES, max_size=4)
TENSORS = st.lists(st.tuples(NAMES, KINDS, SHAPES), max_size=4)


def described(
    inputs: list[tuple[str, str, list[int]]], outputs: list[tuple[str, str, list[int]]]
) -> kserve.ModelMetadataResponse:
    made = kserve.ModelMetadataResponse()
    for tensors, found in ((made.inputs, inputs), (made.outputs, outputs)):
        for name, kind, shape in found:
            tensors.add(name=name, datatype=kind, shape=shape)
    return made


@pytest.mark.parametrize("batched", [False, True])
def test_audio_is_sent_in_the_types_and_dimensions_of_the_model(batched: bool) -> None:
    lengths = [-1, 1] if batched else [-1]
    model = described(
        [("waveform", "FP16", [-1, -1]), ("waveform_lengths", "INT32", lengths)],
        [("log_probs", "FP32", [-1, -1, COLUMNS]), ("out_lengths", "INT64", [-1])],
    )
    audio = np.array([0.5, -0.25, 1], np.float32)
    request = signature_of(model, COLUMNS, None).request(audio)
    shapes = {each.name: (each.datatype, [*each.shape]) for each in request.inputs}
    assert shapes == {
        "waveform": ("FP16", [1, 3]),
        "waveform_lengths": ("INT32", [1, 1] if batched else [1]),
    }
    contents = dict(zip(shapes, request.raw_input_contents, strict=True))
    assert np.frombuffer(contents["waveform"], "<f2").tolist() == audio.tolist()
    assert np.frombuffer(contents["waveform_lengths"], "<i4").tolist() == [3]
    assert [each.name for each in request.outputs] == ["log_probs"]


def test_a_mask_covers_all_of_the_audio() -> None:
    model = described(
        [("input_values", "FP32", [-1, -1]), ("attention_mask", "INT64", [-1, -1])],
        [("logits", "FP32", [-1, -1, -1])],
    )
    request = signature_of(model, COLUMNS, None).request(np.zeros(7, np.float32))
    contents = dict(
        zip([each.name for each in request.inputs], request.raw_input_contents, strict=True)
    )
    assert np.frombuffer(contents["attention_mask"], "<i8").tolist() == [1] * 7


@given(TENSORS, TENSORS)
def test_whatever_a_server_says_of_a_model_is_usable_or_refused(
    inputs: list[tuple[str, str, list[int]]], outputs: list[tuple[str, str, list[int]]]
) -> None:
    with contextlib.suppress(UnfitError):
        signature = signature_of(described(inputs, outputs), COLUMNS, None)
        request = signature.request(np.zeros(3, np.float32))
        assert len(request.inputs) == len(request.raw_input_contents) == len(inputs)


@given(
    TENSORS,
    st.lists(st.binary(max_size=64), max_size=4),
    st.lists(st.floats(width=32), max_size=8),
)
def test_whatever_a_server_answers_is_numbers_or_refused(
    outputs: list[tuple[str, str, list[int]]], raw: list[bytes], fields: list[float]
) -> None:
    answer = kserve.ModelInferResponse(raw_output_contents=raw)
    for name, kind, shape in outputs:
        made = answer.outputs.add(name=name, datatype=kind, shape=shape)
        made.contents.fp32_contents.extend(fields)
    with contextlib.suppress(UnfitError):
        levels = levels_of(answer, "logits")
        (found,) = (each for each in answer.outputs if each.name == "logits")
        assert [1, *levels.shape] == [*found.shape]
        assert levels.dtype == np.float32
