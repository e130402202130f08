"""Languages by code and by name."""

from dataclasses import dataclass
from difflib import get_close_matches

from longra.errors import UsageError
from longra.text.script import SHARE, scripts_of, scripts_of_language

_TABLE = """
af Afrikaans Afrikaans; ar Arabic العربية; az Azerbaijani Azərbaycanca; be Belarusian Беларуская; bg Bulgarian Български;
bn Bengali বাংলা; bs Bosnian Bosanski; ca Catalan Català; cs Czech Čeština; cy Welsh Cymraeg; da Danish Dansk;
de German Deutsch; el Greek Ελληνικά; en English English; eo Esperanto Esperanto; es Spanish Español; et Estonian Eesti;
eu Basque Euskara; fa Persian فارسی; fi Finnish Suomi; fr French Français; ga Irish Gaeilge; gl Galician Galego;
he Hebrew עברית; hi Hindi हिन्दी; hr Croatian Hrvatski; hu Hungarian Magyar; hy Armenian Հայերեն;
id Indonesian Indonesia; is Icelandic Íslenska; it Italian Italiano; ja Japanese 日本語; ka Georgian ქართული;
kk Kazakh Қазақша; ko Korean 한국어; la Latin Latina; lt Lithuanian Lietuvių; lv Latvian Latviešu; mk Macedonian Македонски;
mn Mongolian Монгол; mr Marathi मराठी; ms Malay Melayu; mt Maltese Malti; ne Nepali नेपाली; nl Dutch Nederlands;
no Norwegian Norsk; pl Polish Polski; pt Portuguese Português; ro Romanian Română; ru Russian Русский; sk Slovak Slovenčina;
sl Slovenian Slovenščina; sq Albanian Shqip; sr Serbian Српски; sv Swedish Svenska; sw Swahili Kiswahili; ta Tamil தமிழ்;
te Telugu తెలుగు; th Thai ไทย; tl Tagalog Tagalog; tr Turkish Türkçe; uk Ukrainian Українська; ur Urdu اردو;
uz Uzbek Oʻzbekcha; vi Vietnamese Việt; yue Cantonese 粵語; zh Chinese 中文; zh-Hans Simplified_Chinese 简体中文;
zh-Hant Traditional_Chinese 繁體中文; zu Zulu isiZulu
"""
_ALIASES = {
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
    "zh-tw": "zh-Hant",
    "zh-hk": "zh-Hant",
    "nb": "no",
    "nn": "no",
    "iw": "he",
    "farsi": "fa",
    "mandarin": "zh",
    "汉语": "zh",
    "漢語": "zh",
    "英语": "en",
    "英文": "en",
    "日语": "ja",
    "日文": "ja",
    "法语": "fr",
    "德语": "de",
    "俄语": "ru",
    "西班牙语": "es",
    "韩语": "ko",
}
_UNSPACED = frozenset({"zh", "yue", "ja", "th"})
_OF_SCRIPT = {
    "Hangul": "ko",
    "Greek": "el",
    "Thai": "th",
    "Georgian": "ka",
    "Armenian": "hy",
    "Hebrew": "he",
    "Bengali": "bn",
    "Tamil": "ta",
    "Telugu": "te",
    "Han": "zh",
}
"""Scripts that say what the language is; Latin, Cyrillic, Arabic and Devanagari do not."""


@dataclass(frozen=True)
class Language:
    """A language.

    Attributes:
        code: ISO 639-1, or longer ("zh-Hant").
        name: in English, as prompts say it.
        own_name: in the language itself.
    """

    code: str
    name: str
    own_name: str

    @property
    def scripts(self) -> frozenset[str]:
        """What it is written in, as `longra.text.script` names them."""
        return frozenset(scripts_of_language(self.code))

    @property
    def has_spaces(self) -> bool:
        """Whether there are spaces between sentences and words."""
        return self.code.split("-")[0] not in _UNSPACED


def _read_table() -> dict[str, Language]:
    rows = (row.split() for row in _TABLE.split(";"))
    return {code.lower(): Language(code, name.replace("_", " "), own) for code, name, own in rows}


LANGUAGES = _read_table()
"""Code in lower case -> language."""


def language(named: str) -> Language:
    """The language of a code ("zh", "pt-BR") or a name ("Chinese", "中文"), in any case.

    Raises:
        UsageError: there is no such language here; the message names the nearest.
    """
    wanted = " ".join(named.replace("_", "-").split()).lower()
    names = {name.lower(): lang.code for lang in LANGUAGES.values() for name in (lang.name, lang.own_name)} | _ALIASES
    for code in (wanted, names.get(wanted, "").lower()):
        if code in LANGUAGES:
            return LANGUAGES[code]
    main, _, region = wanted.partition("-")
    if region and main in LANGUAGES:
        known = LANGUAGES[main]
        return Language(f"{main}-{region.upper()}", f"{known.name} ({region.upper()})", known.own_name)
    near = get_close_matches(wanted, names, 1)
    hint = f"did you mean {near[0]}?" if near else "give a code such as zh, en, de, or a name such as Chinese"
    raise UsageError(f"there is no language {named!r}; {hint}")


def language_of(text: str) -> Language | None:
    """The language of a text, where its script is certain to say it; else None."""
    found = scripts_of(text)
    kana = found["Hiragana"] + found["Katakana"]
    if kana and kana + found["Han"] >= (1 - SHARE) * found.total():
        return LANGUAGES["ja"]
    script, count = found.most_common(1)[0] if found else ("", 0)
    code = _OF_SCRIPT.get(script)
    return LANGUAGES[code] if code and count >= (1 - SHARE) * found.total() else None
