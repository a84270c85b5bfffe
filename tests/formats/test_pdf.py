"""A PDF has what Markdown has, in any alphabet, with the fonts that it needs."""

from __future__ import annotations

from collections.abc import Callable

import pypdfium2
import pytest
from hypothesis import given, settings
from pypdfium2.raw import FPDFFont_GetIsEmbedded, FPDFTextObj_GetFont

from maie.job.v1 import job_pb2 as job
from maie_formats.document import document
from maie_formats.fonts import families
from maie_formats.letters import missing_letters
from maie_formats.writers import Finished, written
from tests.formats.test_formats import results

pytestmark = pytest.mark.unit
# An Egyptian hieroglyph and a cuneiform sign.
IN_NO_FONT = "𓀀𒀀"


def content_of(made: job.JobResults, name: str = "talk") -> bytes:
    return written(Finished(job=job.Job(results=made), name=name), "pdf")


def pages_of(content: bytes) -> list[str]:
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(content)]


def text_of(made: job.JobResults, name: str = "talk") -> str:
    """What a reader finds on the first page, without its number."""
    return " ".join(pages_of(content_of(made, name))[0].split()[:-3])


def letters(text: str) -> list[str]:
    return sorted("".join(text.split()))


def kinds(text: str) -> list[str]:
    return sorted(set(text))


def in_order(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize(
    ("language", "text", "seen"),
    [
        ("de", "Große Übung: „Straße“, naïve café, Łódź, İstanbul, Đà Nẵng.", in_order),
        ("el", "Καλημέρα σε όλους, ξεκινάμε τη συνάντηση.", in_order),
        ("ru", "Добрый день, начнём совещание. Привіт, ґрунт, ћирилица.", in_order),
        ("he", "שלום לכולם, הפגישה תתחיל בעשר", in_order),
        ("ja", "会議を始めます。今日は「二つ」のことを決めます。", in_order),
        ("ko", "안녕하세요, 회의를 시작하겠습니다.", in_order),
        ("zh-CN", "会议从十点开始,直骨令。", in_order),
        ("zh-TW", "會議從十點開始,直骨令。", in_order),
        ("am", "ሰላም ለሁላችሁ", in_order),
        ("ka", "გამარჯობა, დავიწყოთ შეხვედრა", in_order),
        ("hy", "Բարև ձեզ, սկսենք հանդիպումը", in_order),
        # Shaping writes several letters as one glyph, or one above another; this reader puts them
        # in an order of its own, or repeats them.
        ("ar", "الاجتماع يبدأ في العاشرة صباحا، والموضوع هو الميزانية", letters),
        ("fa", "جلسه ساعت ده شروع می‌شود", letters),
        ("th", "การประชุมเริ่มเวลาสิบโมง", kinds),
        ("hi", "नमक लाओ और घर चल", letters),
        ("en", "✓ 🎉 → ½ €", in_order),
    ],
)
def test_text_of_each_alphabet_is_found_again(
    language: str, text: str, seen: Callable[[str], list[str]]
) -> None:
    found = text_of(job.JobResults(raw_transcript=text, language_code=language))
    assert seen(found) == seen(f"talk Transcript {text}")
    assert missing_letters(text) == []


@pytest.mark.parametrize(
    "text", ["क्षत्रिय हिन्दी", "สวัสดีชาวโลก", "مُحَمَّدٌ رَسُولُ", "မြန်မာ ဘာသာ", "தமிழ் మాట ಕನ್ನಡ"]
)
def test_letters_that_are_shaped_together_have_glyphs(text: str) -> None:
    assert missing_letters(text) == []
    assert "\ufffd" not in text_of(job.JobResults(raw_transcript=text))


def test_letters_that_no_font_has_are_named_in_a_warning() -> None:
    found = text_of(job.JobResults(raw_transcript=f"Old {IN_NO_FONT} letters"))
    assert "Warnings" in found
    assert "(U+12000)" in found
    assert "(U+13000), which are boxes in it; other formats have them." in found
    assert found.endswith("letters")
    many = "".join(map(chr, range(0x13000, 0x13030)))
    assert "and 28 more, which are boxes" in text_of(job.JobResults(raw_transcript=many))


def test_text_is_never_read_as_markup() -> None:
    text = '#panic("x") = A - b *c* _d_ $e$ @f <g> `h` \\ // i /* j https://k.test ~ -- "l" [m]'
    assert text_of(job.JobResults(raw_transcript=text), text) == f"{text} Transcript {text}"


def test_all_fonts_are_in_the_file() -> None:
    made = job.JobResults(raw_transcript=f"Latin 会議 الاجتماع हिन्दी ไทย {IN_NO_FONT}")
    (page,) = pypdfium2.PdfDocument(content_of(made))
    fonts = [FPDFTextObj_GetFont(each.raw) for each in page.get_objects()]
    assert len(fonts) > 5
    assert all(FPDFFont_GetIsEmbedded(font) == 1 for font in fonts)


def test_a_long_transcript_has_pages_and_a_small_file() -> None:
    made = job.JobResults()
    for number in range(400):
        segment = made.segments.add(text=f"Sentence {number} of a talk about 会議.")
        segment.start_offset.FromSeconds(5 * number)
        segment.end_offset.FromSeconds(5 * number + 1)
    content = content_of(made)
    pages = pages_of(content)
    assert len(pages) > 5
    assert pages[-1].split()[-3:] == [str(len(pages)), "/", str(len(pages))]
    assert all(f"Sentence {number} " in " ".join(pages).replace("\r\n", " ") for number in (0, 399))
    assert len(content) < 500_000


@settings(max_examples=25, deadline=None)
@given(results())
def test_any_results_have_all_their_letters(made: job.JobResults) -> None:
    content = content_of(made)
    assert content_of(made) == content
    found = pypdfium2.PdfDocument(content)
    assert found.get_metadata_dict()["Title"] == "talk"
    expected = {letter for block in document(made, "talk") for letter in block.text}
    seen = set("".join(pages_of(content)))
    shown = {letter for letter in expected if letter.isascii() and letter.isalnum()}
    assert shown <= seen


@pytest.mark.parametrize(
    ("language", "font"),
    [
        ("ja", "Noto Sans CJK JP"),
        ("ko-KR", "Noto Sans CJK KR"),
        ("zh", "Noto Sans CJK SC"),
        ("zh-Hant-TW", "Noto Sans CJK TC"),
        ("yue", "Noto Sans CJK HK"),
        ("", "Noto Sans CJK SC"),
        ("x-unknown", "Noto Sans CJK SC"),
    ],
)
def test_han_characters_look_as_the_language_writes_them(language: str, font: str) -> None:
    assert families(language)[-1] == font
