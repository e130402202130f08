"""The models that Longra knows by name, read from catalogue.toml beside this file."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class CatalogueSource:
    """One place where a known model's files can be had. file, bytes and sha256 are None where only the source knows."""

    source: str
    form: str
    file: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    origin: str = "sizes and hashes are the source's own"


@dataclass(frozen=True)
class Shape:
    """What of a network its memory and speed depend on besides its parameters.

    Attributes:
        tied: the output matrix is the embedding.
        windowed: how many of the layers see the last `window` tokens alone.
    """

    layers: int
    hidden: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    windowed: int = 0
    window: int = 0


@dataclass(frozen=True)
class Reference:
    """Where figures are written, and who has measured them; date is a year and a month, such as 2025-05."""

    evaluator: str
    title: str
    url: str
    date: str


@dataclass(frozen=True)
class Figure:
    """One measured quality of a model; the figures of different evaluators, or variants, cannot be compared."""

    metric: str
    variant: str
    value: float
    reference: Reference
    note: str | None = None


@dataclass(frozen=True)
class Entry:
    """A known model. context is in tokens; origin says where the facts come from."""

    name: str
    about: str
    task: str
    languages: tuple[str, ...]
    licence: str
    architecture: str
    parameters: int
    context: int
    shape: Shape
    hub: str | None
    origin: str
    figures: tuple[Figure, ...]
    sources: tuple[CatalogueSource, ...]

    @property
    def bytes(self) -> int | None:
        """Size of the first form whose size is known, else None."""
        return next((source.bytes for source in self.sources if source.bytes is not None), None)

    @property
    def is_open(self) -> bool:
        """Whether the Open Source Initiative has approved its licence."""
        return self.licence in _catalogue().open_licences


@dataclass(frozen=True)
class _Catalogue:
    default: str
    open_licences: frozenset[str]
    entries: dict[str, Entry]


@cache
def _catalogue() -> _Catalogue:
    import tomllib  # late: most commands run an installed model and ask nothing here

    table = tomllib.loads(files("longra.library").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    references = {name: Reference(**fields) for name, fields in table["references"].items()}
    models = {name: _entry(name, fields, references) for name, fields in table["models"].items()}
    return _Catalogue(str(table["default"]), frozenset(table["open_licences"]), models)


def _entry(name: str, fields: dict[str, Any], references: dict[str, Reference]) -> Entry:
    figures = (Figure(**(figure | {"reference": references[figure["reference"]]})) for figure in fields["figures"])
    made = {
        "languages": tuple(fields["languages"]),
        "shape": Shape(**fields["shape"]),
        "hub": fields.get("hub"),
        "figures": tuple(figures),
        "sources": tuple(CatalogueSource(**source) for source in fields["sources"]),
    }
    return Entry(name=name, **(fields | made))


def default_model() -> str:
    """The name of the model that is meant when the user names none."""
    return _catalogue().default


def entries() -> dict[str, Entry]:
    """Every known model under its name."""
    return dict(_catalogue().entries)


def entry_of_hub(repository: str) -> Entry | None:
    """The known model that was published as this "ORG/REPO" on the Hub (case does not matter), or None."""
    wanted = repository.lower()
    return next((entry for entry in entries().values() if entry.hub and entry.hub.lower() == wanted), None)


def entry_of_source(source: str) -> Entry | None:
    """The known model that has exactly this source, or None."""
    return next((entry for entry in entries().values() if any(s.source == source for s in entry.sources)), None)
