"""A generation shown as it comes."""

from typing import TYPE_CHECKING

from longra.cli import console

if TYPE_CHECKING:
    from longra.stream import Stream


def show(stream: "Stream", live: bool = True) -> bool:
    """Run a generation to its end or to Ctrl-C, and end its line.

    Args:
        live: write the text to stdout as it comes.

    Returns:
        whether Ctrl-C ended it; `stream.result` has what there is.
    """
    shown = 0
    interrupted = False
    try:
        for piece in stream:
            if live:
                shown += len(piece)
                console.write(piece)
    except KeyboardInterrupt:
        interrupted = True
        stream.close()
    text = stream.result.text
    if live and (text or not interrupted):
        console.write(ended(text)[shown:])
    return interrupted


def ended(text: str) -> str:
    """A text with a line break at its end."""
    return text if text.endswith("\n") else text + "\n"
