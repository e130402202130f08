"""The bench on a real model: its figures fit together, streams have caches of their own, the drawing shows each point."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import longra
from longra.backends.native import NativeBackend
from longra.errors import UsageError
from longra.evaluate.speed.measure import DECODED, Bench, Speed
from longra.evaluate.speed.plot import decode_plot
from longra.evaluate.speed.run import Job, jobs, measure, work

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def bench(smollm2: Path) -> Bench:
    model = longra.load(str(smollm2))
    backend = model.engine.backend
    assert isinstance(backend, NativeBackend)
    return Bench(backend, backend, model.spec, model.engine.pool.take)


def test_figures_fit_together(bench: Bench) -> None:
    todo, speeds, done = jobs([70], [8, 100], [1, 3], 8192), [], 0

    def advance(amount: int) -> None:
        nonlocal done
        done += amount

    bench.advance = advance
    assert measure(bench, todo, speeds.append)
    assert done == work(todo)
    assert [(s.kind, s.context, s.streams) for s in speeds] == [
        ("prefill", 70, 1),
        *(("decode", context, streams) for context in (8, 100) for streams in (1, 3)),
    ]
    assert speeds[0].seconds_to_first_token == pytest.approx(70 / speeds[0].tokens_per_second)
    for s in speeds[1:]:
        assert s.seconds_to_first_token is None
        assert s.tokens_per_second_per_stream * s.streams == pytest.approx(s.tokens_per_second)
        assert s.share_of_bandwidth == pytest.approx(s.bytes_per_second / bench.read_rate)
        assert s.tokens_per_second == pytest.approx(s.share_of_bandwidth * bench.limit(s.context, s.streams))
    assert speeds[-1].peak_memory_bytes >= bench.ceilings.product_bytes
    cache = bench.backend.page_bytes / 64
    assert bench.moved(100, 3) - bench.moved(100, 1) == pytest.approx(2 * (100 + DECODED / 2) * cache)


def test_quantised_products_are_counted_against_the_unit_that_multiplies_them(bench: Bench) -> None:
    speeds: list[Speed] = []
    measure(bench, jobs([512], [], [1], 8192), speeds.append)
    assert 0.1 < speeds[0].share_of_matrix_peak < 1.2  # one unit for another is three times as much or more


def test_streams_decode_the_same_text_from_pages_of_their_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    step, pages = bench.backend.step, set()

    def watched(chunks, arithmetic):  # type: ignore[no-untyped-def]
        logits = step(chunks, arithmetic)
        if arithmetic == "decode":
            assert (logits == logits[0]).all()
            pages.update(tuple(chunk.pages.tolist()) for chunk in chunks)
        return logits

    monkeypatch.setattr(bench.backend, "step", watched)
    bench.decode(150, 4)
    assert len(pages) == 4
    assert len({page for numbers in pages for page in numbers}) == sum(map(len, pages))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (([], [8161], [1]), "--decode-at 8,161 cannot be measured; choose 1 to 8,160: the model holds 8,192 tokens"),
        (([8193], [], [1]), "--prefill 8,193"),
        (([], [8], [0]), "--streams 0 cannot be measured; choose 1 or more"),
    ],
)
def test_what_does_not_fit_is_told_before_the_first_measurement(
    asked: tuple[list[int], list[int], list[int]], says: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        jobs(*asked, 8192)


def test_interrupted_work_is_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    step, speeds = bench.backend.step, []

    def interrupted(chunks, arithmetic):  # type: ignore[no-untyped-def]
        if len(speeds) == 1:
            raise KeyboardInterrupt
        return step(chunks, arithmetic)

    monkeypatch.setattr(bench.backend, "step", interrupted)
    assert not measure(bench, [Job(8, 1), Job(16, 1)], speeds.append)
    assert [speed.context for speed in speeds] == [8]


def _speed(context: int, value: float, streams: int = 1) -> Speed:
    return Speed("decode", context, streams, value, value / streams, None, 0, 0, 0, 0, 0)


def test_plot_shows_each_point_below_the_limit() -> None:
    speeds = [_speed(32, 90.5), _speed(32, 400, 4), _speed(8000, 40), _speed(32_000, 21)]
    drawing = ElementTree.fromstring(decode_plot(speeds, lambda context, _: 3e6 / (30_000 + context), "a<b", "here"))
    heights = [float(dot.attrib["cy"]) for dot in drawing.iter(f"{SVG}circle")]
    assert len(heights) == 3  # the four streams are left out
    assert heights == sorted(heights)  # slower is lower
    texts = [text.text for text in drawing.iter(f"{SVG}text")]
    assert {"a<b: decode speed of one text", "here", "90.5", "40.0", "21.0", "32", "8,000", "32,000"} <= set(texts)
    limit, curve = ([*map(_pair, line.attrib["points"].split())] for line in drawing.iter(f"{SVG}polyline"))
    assert limit[0][0] == curve[0][0]
    assert limit[-1][0] == curve[-1][0]
    assert [y for _, y in (limit[0], limit[-1])] < [y for _, y in (curve[0], curve[-1])]


def test_plot_of_one_point() -> None:
    drawing = ElementTree.fromstring(decode_plot([_speed(512, 7)], lambda *_: 9.0, "m", ""))
    assert len(list(drawing.iter(f"{SVG}circle"))) == 1


def _pair(point: str) -> tuple[float, ...]:
    return tuple(map(float, point.split(",")))
