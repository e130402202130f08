"""A generation shown as it comes."""

from typing import TYPE_CHECKING

from longra.cli.shared import console
from longra.cli.shared.prompt_reading import PromptReading
from longra.cli.shared.remaining import Remaining

if TYPE_CHECKING:
    from longra.generation.stream import Stream
    from longra.tasks.pieces import Pieces
    from longra.tasks.rounds import Writing


def show(stream: "Stream | Pieces", live: bool = True) -> bool:
    """Run a generation to its end or to Ctrl-C, and end its line.

    Args:
        live: write the text to stdout as it comes.

    Returns:
        whether Ctrl-C ended it; `stream.result` has what there is.
    """
    from longra.generation.stream import Stream

    shown = 0
    interrupted = False
    reading = PromptReading(stream) if isinstance(stream, Stream) else None
    try:
        for piece in stream:
            if reading is not None:
                reading.end()
            if live:
                shown += len(piece)
                console.write(piece)
    except KeyboardInterrupt:
        interrupted = True
        stream.close()
    finally:
        if reading is not None:
            reading.end()
    text = stream.result.text
    if live and (text or not interrupted):
        console.write(ended(text)[shown:])
    return interrupted


def follow(writing: "Writing") -> bool:
    """Run a text of a length to its end or to Ctrl-C, and tell on a terminal how far it is.

    Returns:
        whether Ctrl-C ended it; `writing.result` has what there is.
    """
    done = 0
    try:
        with Remaining(writing.goal.length) as remaining:
            for _ in writing:
                now = min(writing.written, writing.goal.length)
                if now > done:
                    remaining.advance(now - done)
                    done = now
    except KeyboardInterrupt:
        writing.close()
        return True
    return False


def ended(text: str) -> str:
    """A text with a line break at its end."""
    return text if text.endswith("\n") else text + "\n"
