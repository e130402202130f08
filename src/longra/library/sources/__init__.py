"""The sources of models, and which of them a text means."""

import re

from longra.library.paths import existing_path
from longra.library.sources.base import Source

_PREFIXES = ("hf:", "ms:", "pypi:", "https://", "http://")
_HUB_PAGE = re.compile(
    r"https://(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+?)(?:/(?:resolve|blob|raw|tree)/([^/]+)(?:/(.+?))?)?/?(?:\?.*)?"
)
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w.-]+(@[^:]+)?(:.+)?", re.ASCII)


def looks_like_source(text: str) -> bool:
    """Whether a text says where a model is, rather than what it is called."""
    return text.startswith(_PREFIXES) or looks_like_path(text) or _REPOSITORY.fullmatch(text) is not None


def looks_like_path(text: str) -> bool:
    """Whether a text is meant as a path: it starts or ends like one, or something is there."""
    starts = text.startswith((".", "~", "/", "\\")) or re.match(r"[A-Za-z]:[\\/]", text) is not None
    ends = text.endswith((".gguf", ".safetensors")) and ":" not in text
    return starts or ends or existing_path(text) is not None


def parse_source(text: str) -> Source:
    """The source that a text means: hf:, ms:, pypi:, an address, a path, or ORG/REPO of the Hub.

    Raises UsageError if it is malformed, SourceError if it is a path where nothing is."""
    if text.startswith("pypi:"):
        from longra.library.sources.pypi import parse_pypi

        return parse_pypi(text.removeprefix("pypi:"))
    if text.startswith("ms:"):
        from longra.library.sources.hf import parse_reference
        from longra.library.sources.modelscope import ModelScopeSource

        return ModelScopeSource(parse_reference(text.removeprefix("ms:"), "ms"))
    if page := _HUB_PAGE.fullmatch(text):
        text = "hf:" + page[1] + (f"@{page[2]}" if page[2] else "") + (f":{page[3]}" if page[3] else "")
    if text.startswith(("https://", "http://")):
        from longra.library.sources.url import parse_url

        return parse_url(text)
    if not text.startswith("hf:") and looks_like_path(text):
        from longra.library.sources.path import path_source

        return path_source(text)
    from longra.library.sources.hf import HfSource, parse_reference

    return HfSource(parse_reference(text.removeprefix("hf:"), "hf"))
