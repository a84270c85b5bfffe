"""What the measures of chunks become together."""

from __future__ import annotations

from typing import Any

import pytest

from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.quality.v1 import quality_pb2 as quality
from maie_core.durations import duration, seconds
from maie_quality.report import MAX_WINDOWS, make_report, thinned

pytestmark = pytest.mark.unit

ENGINE = common.EngineVersion(engine="dnsmos")
RECEIVED = preprocess.PreprocessResult(
    quality=preprocess.AudioQuality(
        vad_coverage=0.75,
        loudness_lufs=-21.5,
        loudness_range_lu=4.0,
        peak_dbfs=-1.5,
        clipping_ratio=0.25,
        bandwidth_hertz=7000,
    )
)


def window(start: float, overall: float, *, channel: int = 0) -> quality.QualityWindow:
    span = common.TimeRange(start_offset=duration(start), end_offset=duration(start + 5))
    return quality.QualityWindow(
        range=span,
        opinion=quality.Opinion(overall=overall, speech=overall),
        level_dbfs=-20.0,
        channel=channel,
    )


def part(*scores: float, start: float = 0.0, **of: Any) -> quality.Measures:
    windows = [window(start + 5 * place, score) for place, score in enumerate(scores)]
    made = quality.Measures(windows=windows, engine=ENGINE, duration=duration(60))
    made.MergeFrom(quality.Measures(**of))
    return made


def levels(speech: float, noise: float, pauses: float = 10.0) -> dict[str, Any]:
    return {
        "speech_power": speech,
        "noise_power": noise,
        "speech_duration": duration(50),
        "noise_duration": duration(pauses),
    }


def test_scores_are_summed_up_over_all_chunks() -> None:
    report = make_report([part(1, 2, 3), part(4, 5, start=60)], RECEIVED)
    assert report.overall.mean == 3
    assert report.overall.min == 1
    assert report.overall.median == 3
    assert report.overall.percentile_10 == pytest.approx(1.4)
    assert report.overall.percentile_90 == pytest.approx(4.6)
    assert report.speech == report.overall
    assert not report.HasField("background")
    assert not report.HasField("crowd")
    assert [seconds(each.range.start_offset) for each in report.windows] == [0, 5, 10, 60, 65]
    assert report.engine == ENGINE


def test_figures_of_the_recording_as_it_was_received_are_taken_over() -> None:
    report = make_report([part(3)], RECEIVED)
    assert (report.loudness_lufs, report.loudness_range_lu) == (-21.5, 4.0)
    assert (report.peak_dbfs, report.clipping_ratio) == (-1.5, 0.25)
    assert (report.bandwidth_hertz, report.silence_share) == (7000, 0.25)


def test_noise_is_that_of_all_pauses_by_their_lengths() -> None:
    one = part(3, **levels(0.011, 0.001, pauses=30))
    other = part(3, **levels(0.011, 0.003, pauses=10))
    # (0.011 - 0.0015) / 0.0015
    assert make_report([one, other], RECEIVED).snr_db == pytest.approx(8.017, abs=0.01)


def test_without_pauses_no_noise_is_told() -> None:
    assert not make_report([part(3, **levels(0.01, 0.001, pauses=0.1))], RECEIVED).HasField(
        "snr_db"
    )
    silent = make_report([part(3, **levels(0.01, 0.0))], RECEIVED)
    assert silent.snr_db == pytest.approx(70, abs=1)


def test_hum_is_that_of_most_of_the_recording() -> None:
    hum = quality.Hum(hertz=50, level_dbfs=-40)
    assert not make_report([part(3, hum=hum), part(3), part(3)], RECEIVED).HasField("hum")
    most = make_report([part(3, hum=hum), part(3, hum=hum), part(3)], RECEIVED)
    assert most.hum.hertz == 50
    assert most.hum.level_dbfs == pytest.approx(-40)


def echo(level: float) -> quality.Echo:
    return quality.Echo(delay=duration(0.25), level_db=level, share=1)


def test_an_echo_that_is_low_or_rare_is_not_warned_of() -> None:
    assert not make_report([part(3, echo=echo(-15))], RECEIVED).warnings
    rare = [part(3, echo=echo(-3)), *(part(3) for _ in range(9))]
    assert not make_report(rare, RECEIVED).warnings


def test_the_echo_of_most_of_the_recording_is_reported() -> None:
    near, near_too, far = (
        quality.Echo(delay=duration(delay), level_db=level, share=1)
        for delay, level in ((0.2, -10), (0.201, -12), (0.5, -3))
    )
    parts = [part(3, echo=far), part(3, echo=near), part(3), part(3, echo=near_too)]
    echo = make_report(parts, RECEIVED).echo
    assert seconds(echo.delay) == pytest.approx(0.2005)
    assert echo.level_db == pytest.approx(-11)
    assert echo.share == pytest.approx(0.5)
    assert not make_report([part(3)], RECEIVED).HasField("echo")


def test_a_recording_without_speech_has_no_scores() -> None:
    nobody = preprocess.PreprocessResult(quality=preprocess.AudioQuality(vad_coverage=0.0))
    report = make_report([], nobody)
    assert report.silence_share == 1
    assert not report.HasField("overall")
    assert not report.HasField("engine")
    assert not report.warnings


@pytest.mark.parametrize(
    ("measures", "cause", "values"),
    [
        (part(3, **levels(0.011, 0.006)), "the noise is louder than the speech", {"snr_db": -0.8}),
        (
            part(3, **levels(0.03, 0.01)),
            "the noise is only 3 dB below the speech",
            {"snr_db": 3},
        ),
        (
            part(3, reverberation_seconds=1.2),
            "far from the microphone (1.2 s)",
            {"reverberation_seconds": 1.2},
        ),
        (
            part(3, echo=echo(-6)),
            "has an echo after 0.25 s, only 6 dB lower",
            {"echo_delay_seconds": 0.25, "echo_level_db": -6},
        ),
        (part(1.2), "listeners would rate the sound 1.2 of 5", {"overall": 1.2}),
    ],
)
def test_poor_sound_is_warned_of_with_its_cause(
    measures: quality.Measures, cause: str, values: dict[str, float]
) -> None:
    (warning,) = make_report([measures], RECEIVED).warnings
    assert warning.reason == "POOR_SOUND"
    assert warning.message.startswith("Expect more errors in the text: ")
    assert cause in warning.message
    given = {key: float(value) for key, value in warning.metadata.items()}
    assert given == pytest.approx(values, abs=0.1)


@pytest.mark.parametrize(
    ("engine", "least"), [("dnsmos", 2.2), ("distillmos", 2.7), ("another", 2.2)]
)
def test_how_low_a_score_is_poor_depends_on_the_engine(engine: str, least: float) -> None:
    def rated(score: float) -> quality.QualityReport:
        made = part(score)
        made.engine.engine = engine
        return make_report([made], RECEIVED)

    assert not rated(least + 0.01).warnings
    (warning,) = rated(least - 0.01).warnings
    assert "listeners would rate the sound" in warning.message


def test_good_sound_is_not_warned_of() -> None:
    good = part(3.2, reverberation_seconds=0.3, **levels(0.01, 0.00001))
    assert not make_report([good], RECEIVED).warnings


def test_noise_hides_how_a_room_fades() -> None:
    noisy = part(3, reverberation_seconds=1.2, **levels(0.011, 0.001))
    assert not make_report([noisy], RECEIVED).HasField("reverberation_seconds")


@pytest.mark.parametrize("count", [0, 1, MAX_WINDOWS, MAX_WINDOWS + 1, 11_520])
def test_windows_of_a_long_recording_become_few(count: int) -> None:
    windows = [window(5 * place, 1 + place % 4, channel=1 + place % 2) for place in range(count)]
    found = thinned(windows)
    assert len(found) <= MAX_WINDOWS
    assert len(found) >= min(count, MAX_WINDOWS // 3)
    if count:
        assert found[0].range.start_offset == windows[0].range.start_offset
        assert max(seconds(each.range.end_offset) for each in found) == 5 * count
    assert {each.channel for each in found} == {each.channel for each in windows}
    assert sum(each.opinion.overall for each in found) / max(len(found), 1) == pytest.approx(
        sum(each.opinion.overall for each in windows) / max(count, 1), abs=0.1
    )
