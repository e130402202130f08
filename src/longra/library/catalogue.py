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
    origin: str
    file: str | None = None
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Entry:
    """A known model. context is in tokens; origin says where the figures come from."""

    name: str
    about: str
    task: str
    languages: tuple[str, ...]
    licence: str
    architecture: str
    parameters: int
    context: int
    hub: str | None
    origin: str
    sources: tuple[CatalogueSource, ...]

    @property
    def bytes(self) -> int | None:
        """Size of the first form whose size is known, else None."""
        return next((source.bytes for source in self.sources if source.bytes is not None), None)


@cache
def _catalogue() -> tuple[str, dict[str, Entry]]:
    import tomllib  # late: most commands run an installed model and ask nothing here

    table = tomllib.loads(files("longra.library").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    return str(table["default"]), {name: _entry(name, fields) for name, fields in table["models"].items()}


def _entry(name: str, fields: dict[str, Any]) -> Entry:
    sources = tuple(CatalogueSource(**source) for source in fields["sources"])
    plain = {key: value for key, value in fields.items() if key not in ("sources", "languages", "hub")}
    return Entry(name=name, sources=sources, languages=tuple(fields["languages"]), hub=fields.get("hub"), **plain)


def default_model() -> str:
    """The name of the model that is meant when the user names none."""
    return _catalogue()[0]


def entries() -> dict[str, Entry]:
    """Every known model under its name."""
    return dict(_catalogue()[1])


def entry_of_hub(repository: str) -> Entry | None:
    """The known model that was published as this "ORG/REPO" on the Hub (case does not matter), or None."""
    wanted = repository.lower()
    return next((entry for entry in entries().values() if entry.hub and entry.hub.lower() == wanted), None)


def entry_of_source(source: str) -> Entry | None:
    """The known model that has exactly this source, or None."""
    return next((entry for entry in entries().values() if any(s.source == source for s in entry.sources)), None)
