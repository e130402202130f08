"""The same text made without pages, chunks, neighbours and threads: straight from the definition."""

from collections.abc import Iterator

from toy import logits_after

from longra.engine import Engine, Request, Text
from longra.sampling import GenerationConfig, Sampler

CONFIG = GenerationConfig(temperature=1.0, top_k=0, top_p=1.0, seed=5)


def texts_of(count: int, most: int) -> list[Text]:
    return [Text(i, Sampler(CONFIG, i), most) for i in range(count)]


def plain_text(
    prompt: list[int],
    index: int,
    most: int,
    ends: frozenset[int] = frozenset(),
    sampler: Sampler | None = None,
) -> list[int]:
    sampler = sampler or Sampler(CONFIG, index)
    past = [(token, "prefill") for token in prompt]
    text: list[int] = []
    while len(text) < most and not (text and text[-1] in ends):
        text.append(sampler.choose(logits_after(past)).token)
        past.append((text[-1], "decode"))
    return text


def tokens_of(text: Text) -> list[int]:
    return [choice.token for choice in text.choices]


def steps(engine: Engine, request: Request | None = None) -> Iterator[None]:
    """Run an engine step by step, in this thread, until nothing is left to do."""
    if request is not None:
        engine.scheduler.add(request)
    while not engine.scheduler.idle:
        engine.step()
        yield


def run(engine: Engine, request: Request) -> None:
    """Run a request to its end; its error is raised."""
    for _ in steps(engine, request):
        pass
    if request.error is not None:
        raise request.error
