"""What drafts save, and what they cost where there is nothing to guess: seconds with and without, in turns.

    python benchmarks/speculation.py MODEL.gguf [--tokens 400] [--rounds 2]

Two tasks: print a Python file again with one name changed, and go on with free text. Both greedy; the texts are compared.
"""

import argparse
import json
import textwrap
from pathlib import Path
from statistics import median

import longra

ASK = "Rename the variable `{old}` to `{new}` in this file and print the whole file.\n\n```python\n{source}```"
FREE = "The history of printing begins with seals pressed into wet clay, and"


def seconds(
    model: longra.Model, prompt: str, tokens: int, chat: bool, speculation: bool
) -> tuple[float, longra.Result]:
    """Time after the first token, and the result."""
    result = model.generate(prompt, max_tokens=tokens, temperature=0, chat=chat, speculation=speculation)
    later = len(result.token_ids) - 1
    return later / result.timings.decode_tokens_per_second, result


def main() -> None:
    """Measure both tasks; a JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--file", type=Path, default=Path(textwrap.__file__))
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--rename", nargs=2, default=("width", "columns"))
    parser.add_argument("--tokens", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    model = longra.load(given.model)
    source = "".join(given.file.read_text().splitlines(keepends=True)[: given.lines])
    rewrite = ASK.format(old=given.rename[0], new=given.rename[1], source=source)
    for task, prompt, chat in (("rewrite", rewrite, True), ("free text", FREE, False)):
        times: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(given.rounds):
            texts = set()
            for speculation in times:
                took, result = seconds(model, prompt, given.tokens, chat, speculation)
                times[speculation].append(took)
                texts.add(result.text)
            assert len(texts) == 1, "drafts changed the text"
        plain, drafted = median(times[False]), median(times[True])
        print(
            json.dumps(
                {
                    "task": task,
                    "tokens": len(result.token_ids),
                    "seconds_without": round(plain, 2),
                    "seconds_with": round(drafted, 2),
                    "ratio": round(plain / drafted, 2),
                    "drafted": result.speculation.drafted,
                    "accepted": result.speculation.accepted,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
