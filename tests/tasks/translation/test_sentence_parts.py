"""Placeholders, terms, checks, chatter and languages: what is looked at within one sentence."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longra.errors import LongraError, UsageError
from longra.tasks.translation import Term, language, read_glossary
from longra.tasks.translation.chatter import without_chatter
from longra.tasks.translation.checks import problems_of
from longra.tasks.translation.languages import language_of
from longra.tasks.translation.placeholders import count_of, masked, without

EN, ZH, DE = language("en"), language("zh"), language("de")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, {name}! {} {0:>10} {{ a.b }} {% if %}", ["{name}", "{}", "{0:>10}", "{{ a.b }}", "{% if %}"]),
        ("%s %(path)s %1$s %-10.2f %%, %Y-%m, 100% sure, 5%", ["%s", "%(path)s", "%1$s", "%-10.2f", "%%", "%Y", "%m"]),
        ("%1 of %2, ${HOME} $PATH $5", ["%1", "%2", "${HOME}", "$PATH"]),
        ('[a](http://b.c/d_(e) "t") ![f][g] x[^1]', ["[", '(http://b.c/d_(e) "t")', "![", "[g]", "[^1]"]),
        ("`a b` ``c ` d`` <b>x</b> <br/> &lt; a < b", ["`a b`", "``c ` d``", "<b>", "</b>", "<br/>", "&lt;"]),
        ("https://e.org/打开，then a@b.co.", ["https://e.org/打开", "a@b.co"]),
        ("$x^2$ and \\(y\\), {\\an8}", ["$x^2$", "\\(y\\)", "{\\an8}"]),
        ("{n, plural, one {# item} other {# items}} left", ["{n, plural, one {# item} other {# items}}"]),
    ],
)
def test_placeholders(text: str, found: list[str]) -> None:
    assert count_of(text) == Counter(found)


@given(
    st.lists(st.sampled_from(["{a}", "%s", "{1}", "{2}", "[x](http://y)", "<b>", " word ", "{", "`c`", "%"])).map(
        "".join
    )
)
def test_numbers_stand_for_placeholders(text: str) -> None:
    hidden = masked(text)
    assert hidden.restored(hidden.text) == text
    assert hidden.restored("{99}") == "{99}"


def test_numbers_tell_a_model_where_a_link_is() -> None:
    assert masked("Click [here](http://a.b) or <b>%d</b>").text == "Click [here]({1}) or {2}{3}{4}"
    assert without("a {b} c") == "a   c"


TERMS = [Term("heart failure", "心力衰竭"), Term("Krankheit", "disease"), Term("C++", "C++")]


@pytest.mark.parametrize(
    ("source", "target", "text", "translation", "occurs", "met"),
    [
        ("heart failure", "心力衰竭", "Heart  Failures are", "心力衰竭是", True, True),
        ("heart failure", "心力衰竭", "The heart failed", "心脏", False, False),
        ("cat", "猫", "concatenate", "猫", False, True),
        ("cat", "猫", "The cat's tail", "狗", True, False),
        ("猫", "Katze", "那只猫在睡觉", "Die Katzen schlafen", True, True),
        ("disease", "Krankheit", "Diseases", "Von Krankheiten", True, True),
        ("house", "Haus", "house", "Häuser", True, False),
        ("C++", "C++", "In C++, a class", "In c++ ist", True, True),
        ("model file", "Modelldatei", "model files", "Die Modelldateien", True, True),
        ("AI", "人工智能", "paid", "人工智能", False, True),
    ],
)
def test_terms(source: str, target: str, text: str, translation: str, occurs: bool, met: bool) -> None:
    term = Term(source, target)
    assert (term.is_in(text), term.is_met_by(translation)) == (occurs, met)


def test_a_longer_term_goes_before_its_part() -> None:
    glossary = read_glossary("heart,心脏\nheart failure,心力衰竭\n", "g.csv")
    assert [term.target for term in glossary.in_text("Heart failure")] == ["心力衰竭"]
    assert [term.target for term in glossary.in_text("The heart")] == ["心脏"]


def test_glossary_files() -> None:
    text = '\ufeffSource,Target,Note\r\n"a, b",X\r\n\r\ncat,Katze,"an ""animal""\nof two lines"\r\ncat,Katze\r\n'
    assert read_glossary(text, "g.csv").terms == (Term("a, b", "X"), Term("cat", "Katze", 'an "animal"\nof two lines'))
    assert read_glossary("", "g.csv").terms == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cat,Katze\ndog\n", "line 2: 'dog' has no translation"),
        ("\ncat,\n", "line 2: the target is empty"),
        (",Katze\n", "line 1: the source is empty"),
        ("a,b,c,d\n", "line 1: 4 fields where there may be 3"),
        ("cat,Katze\nCat,Kater\n", "line 2: 'Cat' is 'Katze' in line 1, and 'Kater' here"),
        ('a,b\n"c,d\n', "line 2 is no CSV"),
        ("a\n" * 7, "line 5: 'a' has no translation; and 2 more"),
    ],
)
def test_wrong_glossaries(text: str, message: str) -> None:
    with pytest.raises(LongraError) as caught:
        read_glossary(text, "g.csv")
    assert message in str(caught.value)
    assert str(caught.value).startswith("g.csv")


@pytest.mark.parametrize(
    ("answer", "source", "shown"),
    [
        ("Here is the translation:\n\n你好。", "Hello.", "你好。"),
        ("Sure! Here's the Chinese translation of your text:\n你好。", "Hello.", "你好。"),
        ("Translation: 你好。", "Hello.", "你好。"),
        ("以下是翻译：\n你好。", "Hello.", "你好。"),
        ("“你好。”", "Hello.", "你好。"),
        ("```\n你好。\n```", "Hello.", "你好。"),
        ("<think>\nHm: zh.\n</think>\n\n你好。", "Hello.", "你好。"),
        ("  你好。\n", "Hello.", "你好。"),
        # what may belong to the translation stays
        ("翻译：你好。", "Translation: hello.", "翻译：你好。"),
        ("“你好。”", '"Hello."', "“你好。”"),
        ("“你好”和“再见”", "Hello and goodbye", "“你好”和“再见”"),
        ("他说：“你好。”", "He said hello", "他说：“你好。”"),
        ("注意：小心。", "Beware of it.", "注意：小心。"),
        ("Translation:", "Hello.", "Translation:"),
        ("`x`", "`x`", "`x`"),
    ],
)
def test_chatter(answer: str, source: str, shown: str) -> None:
    assert without_chatter(answer, source) == shown


@pytest.mark.parametrize(
    ("source", "translation", "kinds"),
    [
        ("Hello, {name}!", "你好，{name}！", []),
        ("Hello, {name}!", "你好，{名字}！", ["placeholder", "placeholder"]),
        ("%d of %d", "共 %d", ["placeholder"]),
        ("Click [here](http://a.b).", "点击这里](http://a.b)。", ["placeholder"]),
        ("Open the file.", "Open the file.", ["untranslated"]),
        ("Open the file.", "Datei öffnen", ["untranslated"]),
        ("New York", "New York", []),
        ("A **bold** word", "**粗体字", ["emphasis"]),
        ("One line", "一行\n两行", ["lines"]),
        ("A heart failure", "心脏病", ["term"]),
        ("Open it", "", ["empty"]),
    ],
)
def test_problems(source: str, translation: str, kinds: list[str]) -> None:
    terms = [term for term in TERMS if term.is_in(source)]
    assert [problem.kind for problem in problems_of(source, translation, terms, (EN, ZH))] == kinds


def test_the_same_words_in_one_script() -> None:
    assert [problem.kind for problem in problems_of("Open the file", "open  the file", [], (EN, DE))] == [
        "untranslated"
    ]
    assert problems_of("Open the file", "Die Datei öffnen", [], (EN, DE)) == []
    assert problems_of("Open the file", "Open the file", [], (EN, EN)) == []


@pytest.mark.parametrize(
    ("named", "code", "name"),
    [
        ("zh", "zh", "Chinese"),
        ("ZH_tw", "zh-Hant", "Traditional Chinese"),
        ("pt-br", "pt-BR", "Portuguese (BR)"),
        ("german", "de", "German"),
        ("日本語", "ja", "Japanese"),
        ("simplified chinese", "zh-Hans", "Simplified Chinese"),
    ],
)
def test_languages(named: str, code: str, name: str) -> None:
    found = language(named)
    assert (found.code, found.name) == (code, name)


@pytest.mark.parametrize(("named", "hint"), [("chinse", "did you mean chinese?"), ("qq", "give a code such as zh")])
def test_no_such_language(named: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"there is no language '{named}'; {hint}"):
        language(named)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("你好，世界", "zh"),
        ("こんにちは世界", "ja"),
        ("안녕", "ko"),
        ("Γειά", "el"),
        ("Hello", None),
        ("Привет", None),
        ("", None),
    ],
)
def test_a_language_is_known_by_its_script_where_that_is_certain(text: str, code: str | None) -> None:
    found = language_of(text)
    assert (found.code if found else None) == code
