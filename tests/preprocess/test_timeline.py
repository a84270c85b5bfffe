"""What comes out stands where the file's own clock says."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from av.audio.frame import AudioFrame

from maie_preprocess.timeline import Timeline
from tests.preprocess import recordings

pytestmark = pytest.mark.unit

RATE = 16_000
MAX_SECONDS = 3600.0
FRAME = 320
# A player's own tolerance.
CLOSE = 0.05


def frames(times: Iterable[float | None], *, value: int = 1000) -> list[AudioFrame]:
    """Frames of 20 ms, each with the time that it claims."""
    made = []
    for time in times:
        frame = AudioFrame.from_ndarray(
            np.full((1, FRAME), value, np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = RATE
        frame.time_base = recordings.TICK
        frame.pts = None if time is None else round(time / recordings.TICK)
        made.append(frame)
    return made


def steps(begin: float, count: int) -> list[float]:
    return [begin + 0.02 * number for number in range(count)]


def placed(
    frames: Iterable[AudioFrame], *, start: float | None = None, max_seconds: float = MAX_SECONDS
) -> tuple[np.ndarray, Timeline]:
    timeline = Timeline(start, max_seconds)
    out = [piece for frame in frames for piece in timeline.push(frame)]
    out += timeline.flush()
    return np.concatenate([frame.to_ndarray()[0] for frame in out]), timeline


def loud_seconds(samples: np.ndarray) -> list[float]:
    """Where the samples are no silence: start, end, start, end and so on."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], samples != 0, [0]]).astype(np.int8)))
    return [float(edge) / RATE for edge in edges]


def test_sound_without_a_gap_stays_as_it_is() -> None:
    samples, timeline = placed(frames(steps(0, 500)))
    assert len(samples) == 500 * FRAME
    assert samples.all()
    assert not timeline.gaps.warnings()


@pytest.mark.parametrize("gap", [0.06, 0.3, 1.0, 20.0, 600.0])
def test_a_gap_is_silence_of_its_length(gap: float) -> None:
    samples, timeline = placed(frames(steps(0, 50) + steps(1 + gap, 50)))
    assert loud_seconds(samples) == pytest.approx([0, 1, 1 + gap, 2 + gap], abs=1e-3)
    warnings = timeline.gaps.warnings()
    assert len(warnings) == (gap > 0.5)
    for warning in warnings:
        assert warning.reason == "GAP"
        assert (warning.start_seconds, warning.end_seconds) == pytest.approx((1, 1 + gap))


def test_gaps_that_follow_each_other_soon_are_all_there() -> None:
    times = steps(0, 50) + steps(3, 50) + steps(7, 50)
    samples, timeline = placed(frames(times))
    assert loud_seconds(samples) == pytest.approx([0, 1, 3, 4, 7, 8])
    assert len(timeline.gaps.warnings()) == 2


@pytest.mark.parametrize("wild", [3600.0 * 10, 30.0, 2.0, -2.0, -100.0])
def test_a_wild_time_of_one_page_moves_nothing(wild: float) -> None:
    times = steps(0, 50) + steps(1 + wild, 50) + steps(2, 50)
    samples, timeline = placed(frames(times))
    assert len(samples) == 150 * FRAME
    assert samples.all()
    assert not timeline.gaps.warnings()


def test_a_wild_page_before_a_lost_one_costs_only_the_lost_one() -> None:
    times = steps(0, 50) + steps(3600, 50) + steps(3, 600)
    samples, _ = placed(frames(times))
    assert len(samples) == (50 + 50 + 50 + 600) * FRAME


def test_times_of_a_live_recording_may_jitter() -> None:
    chance = np.random.default_rng(1)
    times = [time + chance.uniform(-0.07, 0.07) for time in steps(1, 2000)]
    samples, _ = placed(frames(times))
    assert samples.all()
    assert len(samples) / RATE == pytest.approx(40, abs=CLOSE)


@pytest.mark.parametrize("skew", [1e-4, 2e-3, -2e-3])
def test_a_clock_that_drifts_is_followed(skew: float) -> None:
    samples, timeline = placed(frames([time * (1 + skew) for time in steps(0, 6000)]))
    assert len(samples) / RATE == pytest.approx(120 * (1 + skew), abs=CLOSE)
    assert not timeline.gaps.warnings()


def test_an_overlap_is_cut_away() -> None:
    samples, _ = placed(frames(steps(0, 50) + steps(0.7, 50)))
    assert len(samples) / RATE == pytest.approx(1.7, abs=CLOSE)


def test_a_clock_that_is_set_back_loses_no_sound() -> None:
    samples, _ = placed(frames(steps(0, 600) + steps(0, 600) + steps(0, 50)))
    assert len(samples) == 1250 * FRAME
    assert samples.all()


@pytest.mark.parametrize("count", [1, 600])
def test_a_jump_beyond_the_longest_recording_is_not_believed(count: int) -> None:
    samples, _ = placed(frames(steps(0, 50) + steps(360_000, count)))
    assert len(samples) == (50 + count) * FRAME


def test_frames_without_a_time_follow_the_one_before() -> None:
    samples, _ = placed(frames([*steps(0, 5), None, None, *steps(3, 3), None]))
    assert loud_seconds(samples) == pytest.approx([0, 0.14, 3, 3.08])


@pytest.mark.parametrize(("first", "silence"), [(4.0, 4.0), (0.02, 0.0), (-0.03, 0.0)])
def test_a_late_start_is_silence(first: float, silence: float) -> None:
    samples, timeline = placed(frames(steps(first, 50)), start=0.0)
    assert loud_seconds(samples) == [silence, silence + 1]
    assert not timeline.gaps.warnings()


def test_what_could_not_be_decoded_is_named() -> None:
    timeline = Timeline(None, MAX_SECONDS)
    out = [piece for frame in frames(steps(0, 50)) for piece in timeline.push(frame)]
    timeline.damage()
    out += [piece for frame in frames(steps(1.3, 50)) for piece in timeline.push(frame)]
    out += timeline.flush()
    (warning,) = timeline.gaps.warnings()
    assert warning.reason == "DAMAGED"
    assert (warning.start_seconds, warning.end_seconds) == pytest.approx((1, 1.3))


def test_a_hundred_gaps_are_twenty_warnings() -> None:
    times = [time for number in range(101) for time in steps(3 * number, 50)]
    _, timeline = placed(frames(times))
    warnings = timeline.gaps.warnings()
    assert len(warnings) == 20
    assert warnings[-1].end_seconds == pytest.approx(300)
    assert "81 more gaps" in warnings[-1].message
    assert not warnings[0].metadata
    assert warnings[-1].metadata == pytest.approx({"gaps": 81, "missing_seconds": 81 * 2})


@pytest.mark.parametrize("sample_format", ["u8", "s16", "s16p", "s32", "flt", "fltp", "dblp"])
@pytest.mark.parametrize("layout", ["mono", "stereo", "6 channels"])
def test_silence_is_silent_in_every_format(sample_format: str, layout: str) -> None:
    timeline = Timeline(None, MAX_SECONDS)
    out: list[AudioFrame] = []
    for time in (0.0, 2.5):
        frame = AudioFrame(format=sample_format, layout=layout, samples=FRAME)
        frame.sample_rate = RATE
        frame.time_base = recordings.TICK
        frame.pts = round(time / recordings.TICK)
        out += timeline.push(frame)
    out += timeline.flush()
    assert sum(frame.samples for frame in out) == pytest.approx(2.52 * RATE, abs=1)
    rest = 128 if sample_format == "u8" else 0
    for silence in out[1:-1]:
        assert silence.layout.nb_channels == out[0].layout.nb_channels
        assert (silence.to_ndarray() == rest).all()
