"""Presets: generation parameters under a name, each a small YAML file that a person can read and change.

    about: for ghost stories
    temperature: 0.9
    min_p: 0.05

Keys are the fields of `GenerationConfig`; `about` and `source` are for people.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from longra.errors import LongraError, UsageError
from longra.library.names import nearest
from longra.library.paths import presets_folder
from longra.sampling.config import GenerationConfig

NAME = re.compile(r"\w[\w.-]*")
_TEXTS = ("about", "source")
LARGEST = 1 << 16
"""Bytes of a preset's file; it is meant to be read."""


@dataclass(frozen=True)
class Preset:
    """Parameters under a name.

    Attributes:
        values: field of GenerationConfig -> its value.
        about: what it is for.
        source: where its values come from.
        file: where it is kept; None for those that come with Longra.
    """

    name: str
    values: Mapping[str, Any]
    about: str = ""
    source: str = ""
    file: Path | None = None

    def as_yaml(self) -> str:
        """The text of its file."""
        import yaml

        texts = {key: getattr(self, key) for key in _TEXTS if getattr(self, key)}
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in self.values.items()}
        return yaml.safe_dump(texts | values, sort_keys=False, allow_unicode=True, width=120)


def preset_names() -> list[str]:
    """The user's own and those that come with Longra, in order."""
    return sorted({*_own_files(), *_built_in()})


def find_preset(name: str) -> Preset:
    """A preset: the user's, else the one of that name that comes with Longra.

    Raises:
        UsageError: there is none; the message names the nearest.
        LongraError: its file cannot be read, or is wrong; the message says where.
    """
    own = _own_files()
    if name in own:
        return _read(name, own[name])
    built_in = _built_in()
    if name in built_in:
        return _checked(name, built_in[name], None)
    known = sorted({*own, *built_in})
    near = nearest(name, known)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)};"
    raise UsageError(f"there is no preset {name!r}; {hint} `longra presets` lists them")


def preset_file(name: str) -> Path:
    """Where the user's preset of a name is kept.

    Raises:
        UsageError: the name would not do as a file's.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be the name of a preset; use letters, digits, -, _ and .")
    return presets_folder() / f"{name}.yaml"


def remove_preset(name: str) -> Path:
    """Delete a preset of the user's; its file.

    Raises:
        UsageError: there is none, or it comes with Longra.
    """
    file = _own_files().get(name)
    if file is None:
        find_preset(name)
        raise UsageError(f"the preset {name} comes with Longra and stays; a preset of your own takes its place")
    file.unlink()
    return file


def _own_files() -> dict[str, Path]:
    return {file.stem: file for file in sorted(presets_folder().glob("*.yaml")) if NAME.fullmatch(file.stem)}


def _built_in() -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.safe_load(files("longra.sampling").joinpath("presets.yaml").read_text("utf-8"))
    return found


def _read(name: str, file: Path) -> Preset:
    import yaml

    try:
        if file.stat().st_size > LARGEST:
            raise LongraError(f"{file} has more than {LARGEST:,} bytes; a preset is a few lines")
        return _checked(name, yaml.safe_load(file.read_text("utf-8-sig")), file)
    except OSError as error:
        raise LongraError(f"cannot read {file}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # not UTF-8, a date that is none, nested too deeply
        raise LongraError(f"{file} is not YAML: {' '.join(str(error).split())}") from None


def _checked(name: str, content: Any, file: Path | None) -> Preset:
    """A preset of a file's content, whose parameters are known and in range."""
    where = file or f"the preset {name}"
    if not isinstance(content, dict):
        raise LongraError(f"{where} must have lines such as `temperature: 0.9`")
    texts = {key: str(content.pop(key)) for key in _TEXTS if key in content}
    for key in content:
        if key not in GenerationConfig.__dataclass_fields__:
            near = nearest(str(key), GenerationConfig.__dataclass_fields__)
            hint = f"did you mean {near[0]}?" if near else "`longra params` lists them"
            raise LongraError(f"{where}: there is no parameter {str(key)!r}; {hint}")
    try:
        GenerationConfig(**content)
    except (UsageError, TypeError, AttributeError) as error:
        raise LongraError(f"{where}: {error}") from None
    return Preset(name, content, file=file, **texts)
