"""Where the store is on this machine, and which folder in it serves what."""

import os
from pathlib import Path


def store_home() -> Path:
    """The folder that holds everything Longra keeps: $LONGRA_HOME, else the platform's place for a user's data."""
    home = os.environ.get("LONGRA_HOME")
    if home:
        return Path(home).expanduser().absolute()
    from platformdirs import user_data_path  # late: `import longra` does without it

    return user_data_path("longra", appauthor=False)


def models_folder() -> Path:
    """Whole, checked models: one folder each, named as the model."""
    return store_home() / "models"


def staging_folder() -> Path:
    """Unfinished installs, each under a name that the same command finds again."""
    return store_home() / "staging"


def trash_folder() -> Path:
    """What was taken out of models/ and is not deleted yet; on the same disk, so that moving there is one rename."""
    return store_home() / "trash"


def locks_folder() -> Path:
    """One lock file a model; a lock file is never deleted, or two processes could hold two of the same name."""
    return store_home() / "locks"


def templates_folder() -> Path:
    """The user's own task templates, which may not be there."""
    return store_home() / "templates"


def presets_folder() -> Path:
    """The user's own presets, which may not be there."""
    return store_home() / "presets"


def chat_log_file() -> Path:
    """What was said in `longra chat`: one database. SQLite may keep two files beside it."""
    return store_home() / "conversations.db"


def existing_path(text: str) -> Path | None:
    """The file or folder that a text from the user names, "~" expanded; None if nothing is there. Takes any text."""
    try:
        path = Path(text).expanduser()
        return path if text and path.exists() else None
    except (OSError, RuntimeError, ValueError):  # too long a name, no such user, a NUL
        return None
