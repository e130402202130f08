"""Scripts of texts, and what a model's languages say about them."""

import pytest

from longra.text.script import SAMPLE, languages_of, scripts_of, unsupported_script


def test_letters_are_counted_by_script() -> None:
    text = "Ab é, 中文！ かな カナ 한글 Привет مرحبا हिन्दी ไทย שלום 12 🎉"
    assert scripts_of(text) == {
        "Latin": 3, "Han": 2, "Hiragana": 2, "Katakana": 2, "Hangul": 2,
        "Cyrillic": 6, "Arabic": 5, "Devanagari": 6, "Thai": 3, "Hebrew": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "languages", "script"),
    [
        ("人工智能将会", ["en"], "Han"),
        ("人工智能将会", ["en", "zh"], None),
        ("人工智能将会", ["zh-Hans"], None),
        ("translate 人工智能将会改变", ["en"], "Han"),
        ("the word 人 means person, and the word 大 means big", ["en"], None),
        ("Привет, мир", ["en", "zh"], "Cyrillic"),
        ("Привет, мир", ["ru"], None),
        ("こんにちは世界", ["zh"], "Hiragana"),
        ("こんにちは世界", ["ja"], None),
        ("Bonjour", ["zh"], None),  # every model reads Latin letters
        ("12 + 7 = ? 🎉", ["en"], None),
        ("", ["en"], None),
        ("人工智能", [], None),  # nothing is known
        ("人工智能", ["en", "tlh"], None),
    ],
)
def test_scripts_that_a_model_does_not_read(prompt: str, languages: list[str], script: str | None) -> None:
    assert unsupported_script(prompt, languages) == script


def test_languages_that_use_a_script() -> None:
    assert {"zh", "ja"} <= set(languages_of("Han"))
    assert languages_of("Thai") == ("th",)


def test_only_a_sample_is_counted() -> None:
    assert scripts_of("a" * (SAMPLE + 5)).total() == SAMPLE
