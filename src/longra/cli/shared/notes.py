"""What `generate` and `chat` tell on stderr: what went into a text, how fast it came, and what cut it."""

from typing import TYPE_CHECKING

from longra.cli.shared import console
from longra.memory import peak_memory
from longra.sizes import counted, human_bytes

if TYPE_CHECKING:
    from longra.generation.result import Continuation, Result
    from longra.model import Model
    from longra.sampling import GenerationConfig
    from longra.tasks.goal import Goal


def summary(result: "Result", config: "GenerationConfig", threads: int) -> str:
    """One line: model, load time, prompt, new tokens, speeds, settings, peak memory, seed."""
    times = result.timings
    chosen = "greedy" if config.greedy else f"temperature {config.temperature:g}, {_cuts(config)}"
    parts = [
        f"{result.model}: loaded in {times.load_seconds:.2f} s",
        f"prompt {result.prompt_tokens:,} tokens, {result.cached_tokens:,} from the cache",
        f"read at {times.prefill_tokens_per_second:,.1f} tokens/s",
        f"new {result.completion_tokens:,} tokens at {times.decode_tokens_per_second:,.1f} tokens/s",
        f"guessed {result.speculation.drafted:,}, {result.speculation.accepted:,} right",
        f"first after {times.time_to_first_token_seconds:.2f} s",
        f"{chosen}, {_extent(result, config)}",
        f"{threads} thread{'s' if threads > 1 else ''}",
        f"peak memory {human_bytes(peak_memory())}",
        f"seed {result.seed}",
    ]
    return "; ".join(parts)


def _extent(result: "Result", config: "GenerationConfig") -> str:
    length = result.extra.get("length")
    if length is None:
        return f"at most {config.max_tokens:,} tokens"
    return f"{length['reached']:,} {length['unit']} of {length['target']:,} in {counted(length['rounds'], 'round')}"


def _cuts(config: "GenerationConfig") -> str:
    return ", ".join(
        f"{name.replace('_', '-')} {getattr(config, name):g}"
        for name, off in (("top_k", 0), ("top_p", 1), ("min_p", 0), ("typical_p", 1))
        if getattr(config, name) != off
    )


def context_note(result: "Result", config: "GenerationConfig") -> str | None:
    """A line where the end of the context ended a text before max_tokens did, else None."""
    if result.context_left >= config.max_tokens:
        return None
    if all(len(sequence.token_ids) < result.context_left for sequence in result.sequences):
        return None
    held = result.prompt_tokens + result.context_left
    return (
        f"{result.model} holds {held:,} tokens: the prompt has {result.prompt_tokens:,}, so the text had to end after "
        f"{result.context_left:,} of {config.max_tokens:,}; shorten the prompt, or extend with --context"
    )


def cut_note(result: "Result", config: "GenerationConfig") -> str | None:
    """A line where a text ended at max_tokens, else None: for a limit that the user has not set."""
    if all(sequence.finish_reason != "length" for sequence in result.sequences):
        return None
    return f"the text ended at {config.max_tokens:,} tokens, the limit unless -n gives another"


_CIRCLES = 0.4
"""Share of runs of four words that came before; between the texts of docs/generate.md that do and that do not."""
_LEAST_OF_CIRCLES = 100  # words or characters, below which a refrain is enough


def circles_note(text: str, config: "GenerationConfig") -> str | None:
    """A line where a text goes in circles and nothing was set against that, else None."""
    if config.repetition_penalty != 1 or config.dry_multiplier or config.no_repeat_ngram:
        return None
    from longra.evaluate.document.repetition import rep
    from longra.text.units import units_of

    words = [unit.key for unit in units_of(text)]
    share = rep(words, 4)
    if len(words) < _LEAST_OF_CIRCLES or share < _CIRCLES:
        return None
    return (
        f"the text goes in circles: {share:.0%} of its runs of four words came before; try --repetition-penalty 1.1, "
        "or what the model's authors recommend (`longra presets`)"
    )


_MISSED_BECAUSE = {
    "reached": "no sentence ends nearer to it",
    "stop": "a stop string ended it",
    "repetition": "the model only repeats itself; try another --seed, or a larger model",
    "context": "the model's context is full; extend it with --context, or ask for less",
}


def length_note(result: "Result", text: str, goal: "Goal") -> str | None:
    """A line where a text is not as long as was asked for, else None."""
    report, written = goal.report(text), result.extra["length"]
    if report["met"]:
        return None
    if written["end"] == "interrupted":
        missing = goal.length - report["reached"]
        return (
            f"interrupted: {report['reached']:,} of {goal.length:,} {goal.unit}; put into a file, the text goes on with "
            f"`longra generate -f FILE --raw --length {missing}`"
        )
    reason = "tidying shortened it; --no-tidy leaves it" if written["met"] else _MISSED_BECAUSE[written["end"]]
    return f"the text has {report['reached']:,} {goal.unit}, not {goal.length:,}: {reason}"


def script_note(prompt: str, name: str) -> str | None:
    """A line where a prompt's script is not among the languages of a known model, else None.

    Args:
        name: what the user calls the model.
    """
    if prompt.isascii():
        return None
    from longra.library import catalogue, find_installed
    from longra.text.script import languages_of, unsupported_script

    known = catalogue.entries()
    installed = find_installed(name)
    entry = None if installed is None else known.get(installed.name) or catalogue.entry_of_hub(installed.hub or "")
    if entry is None or (script := unsupported_script(prompt, entry.languages)) is None:
        return None
    reading = [other.name for other in known.values() if set(languages_of(script)) & set(other.languages)]
    hint = f"; {reading[0]} reads it: -m {reading[0]}" if reading else ""
    return f"{entry.name} was made for {', '.join(entry.languages)} and the prompt is in {script} script{hint}"


def probabilities(sequence: "Continuation", model: "Model") -> str:
    """A table: each token, its logarithm, and the likeliest at its place."""
    spell = model.tokenizer.token_bytes

    def shown(token: int) -> str:
        return repr(spell(token).decode("utf-8", "replace")) if spell(token) else model.tokenizer.token_text(token)

    rows = [
        (
            shown(choice.token),
            f"{choice.logprob:.3f}",
            "  ".join(f"{shown(token)} {value:.3f}" for token, value in choice.alternatives),
        )
        for choice in sequence.logprobs or ()
        if choice.logprob is not None
    ]
    return console.table(("TOKEN", "LOGPROB", "LIKELIEST"), rows, right=frozenset({1}))
