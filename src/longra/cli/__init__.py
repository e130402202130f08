"""The command line: one module per verb, found and imported when the verb is used."""


def main(arguments: list[str] | None = None) -> int:
    """Run the `longra` command.

    Args:
        arguments: the words after `longra`; those of this process unless given.

    Returns:
        The exit code: 0 done, 1 failed, 2 usage, 130 interrupted.
    """
    try:
        from longra.cli.app import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130
