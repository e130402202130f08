"""Errors that a user can act on: each says the cause, the number that matters and what to do next."""


class LongraError(Exception):
    """Base of every error that Longra raises on purpose; the command line prints it and exits with 1."""

    exit_code = 1


class UsageError(LongraError):
    """A parameter or an argument is out of range or does not fit the others; exit code 2."""

    exit_code = 2


class FormatError(LongraError):
    """A model or weight file is cut off, corrupt, hostile or of an unknown kind."""


class FitError(LongraError):
    """The model file and the weight file do not fit each other."""


class ModelNotFoundError(LongraError):
    """No installed or known model has this name."""


class SourceError(LongraError):
    """A place that models come from refused, failed or could not be reached."""


class StoreError(LongraError):
    """The store of installed models is full, damaged or cannot be written."""


class ContextError(LongraError):
    """A prompt has more tokens than the model's context holds."""


class TemplateError(LongraError):
    """A chat template or a task's template is missing, wrong, or tried to leave its sandbox."""


class SandboxError(LongraError):
    """A program cannot be run safely on this machine, or its sandbox could not be made."""


class LogError(LongraError):
    """The log of conversations cannot be read or written, or holds no such conversation."""
