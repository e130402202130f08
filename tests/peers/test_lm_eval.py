"""EleutherAI's harness on the engine: its numbers are Model.score's, and its own class's on the same checkpoint."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model
from lm_eval.evaluator import simple_evaluate
from lm_eval.tasks import TaskManager

from longra.errors import ContextError, TemplateError, UsageError
from longra.lm_eval import LongraLM, main
from support import talking

CONTEXT = 160
PAIRS = [
    ("The sky is", " blue"),
    ("The sky is", " blut"),  # differs in its last token
    ("The sky is ", "grey"),
    ("", "Alone."),
    ("今天", "下雨。"),
    ("x" * 80, "y" * 60),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talking.make(tmp_path_factory.mktemp("talking"), CONTEXT)


@pytest.fixture(scope="module")
def lm(folder: Path) -> LongraLM:
    made = get_model("longra").create_from_arg_string(
        f"pretrained={folder},weights=f32,threads=1", {"batch_size": "auto", "device": "cuda:0"}
    )
    assert isinstance(made, LongraLM)
    return made


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return get_model("hf")(pretrained=str(folder), device="cpu", dtype="float32", batch_size=2)


def requests(kind: str, arguments: list[tuple[Any, ...]]) -> list[Instance]:
    return [Instance(kind, {}, words, i) for i, words in enumerate(arguments)]


def close(found: list[Any], wanted: list[Any]) -> None:
    assert len(found) == len(wanted)
    for (log, greedy), (other, same) in zip(found, wanted, strict=True):
        assert log == pytest.approx(other, rel=1e-4, abs=1e-3)
        assert greedy == same


def test_loglikelihoods_are_those_of_the_harness_and_of_score(lm: LongraLM, theirs: Any) -> None:
    found = lm.loglikelihood(requests("loglikelihood", PAIRS), disable_tqdm=True)
    close(found, theirs.loglikelihood(requests("loglikelihood", PAIRS), disable_tqdm=True))
    for (context, continuation), (log, _) in zip(PAIRS, found, strict=True):
        before = lm.tok_encode(context.rstrip()) if context else [lm.prefix_token_id]
        tokens = before + lm.tok_encode(context + continuation)[len(before) if context else 0 :]
        scores = lm.model.score(tokens)[len(before) :]
        assert log == pytest.approx(sum(value for _, value in scores if value is not None), rel=1e-5, abs=1e-4)


def test_greedy_continuations_are_told(lm: LongraLM) -> None:
    text = lm.model.generate("The sky is", max_tokens=6, temperature=0, chat=False).token_ids
    context = lm.tok_encode("The sky is")
    wrong = [*text[:-1], (text[-1] + 1) % lm.model.spec.vocabulary]
    asked = [(None, context, list(text)), (None, context, wrong)]
    assert [same for _, same in lm._loglikelihood_tokens(asked, disable_tqdm=True)] == [True, False]


def test_rolling_loglikelihoods_of_texts_longer_than_the_context(lm: LongraLM, theirs: Any) -> None:
    texts = [("short",), ("A text that is longer than what the model holds. " * 9,), ("",)]
    found = lm.loglikelihood_rolling(requests("loglikelihood_rolling", texts), disable_tqdm=True)
    wanted = theirs.loglikelihood_rolling(requests("loglikelihood_rolling", texts[:2]), disable_tqdm=True)
    assert found == pytest.approx([*wanted, 0.0], rel=1e-4)


def test_texts_too_long_are_cut_on_the_left_and_that_is_told(
    lm: LongraLM, theirs: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asked = requests("loglikelihood", [("a" * 90 + "b" * 100, "end")])
    found = lm.loglikelihood(asked, disable_tqdm=True)
    assert "without its first 32" in caplog.text
    close(found, theirs.loglikelihood(asked, disable_tqdm=True))
    with pytest.raises(ContextError, match="continuation has 200 tokens"):
        lm.loglikelihood(requests("loglikelihood", [("a", "b" * 200)]), disable_tqdm=True)


def test_texts_end_before_a_stop_string_as_the_harness_ends_them(lm: LongraLM, theirs: Any) -> None:
    contexts = ["The sky is", "A", "x" * 120, "b" * 300]
    whole = lm.generate_until(requests("generate_until", [(c, {"max_gen_toks": 20}) for c in contexts]), True)
    stops = [next(letter for letter in text[1:] if letter.isascii()) for text in whole]
    asked = requests(
        "generate_until", [(c, {"until": [s], "max_gen_toks": 20}) for c, s in zip(contexts, stops, strict=True)]
    )
    found = lm.generate_until(asked, disable_tqdm=True)
    assert found == [text[: text.index(stop)] for text, stop in zip(whole, stops, strict=True)]
    assert found == theirs.generate_until(asked, disable_tqdm=True)


def test_sampling_follows_the_seed_of_the_harness(lm: LongraLM) -> None:
    def sampled(seed: int, **how: Any) -> list[str]:
        random.seed(seed)
        words = {"do_sample": True, "temperature": 1.5, "max_gen_toks": 12, **how}
        return lm.generate_until(requests("generate_until", [("The sky", words)] * 3), disable_tqdm=True)

    assert sampled(1) == sampled(1)
    assert sampled(1) != sampled(2)
    assert len(set(sampled(1))) > 1
    assert len(set(sampled(1, do_sample=False))) == 1
    assert len(set(sampled(1, top_k=1))) == 1
    with pytest.raises(UsageError, match="without num_beams; known: "):
        sampled(1, num_beams=4)


def test_chat_templates(lm: LongraLM, theirs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [{"role": "system", "content": "s"}, {"role": "user", "content": "Hi"}]
    assert lm.apply_chat_template(said) == theirs.apply_chat_template(said) == "s:s<|end|>u:Hi<|end|>a:"
    opened = [*said, {"role": "assistant", "content": "The answer is"}]
    prefilled = lm.apply_chat_template(opened, add_generation_prompt=False)
    assert prefilled == theirs.apply_chat_template(opened, add_generation_prompt=False)
    assert prefilled.endswith("a:The answer is")
    assert lm.chat_template(True) == talking.TEMPLATE
    assert lm.chat_template(False) is None
    with pytest.raises(UsageError, match="no chat template 'rag'"):
        lm.chat_template("rag")
    monkeypatch.setattr(lm.model, "template", None)
    with pytest.raises(TemplateError, match="leave --apply_chat_template away"):
        lm.apply_chat_template(said)


TASK = """\
task: capitals
dataset_path: json
dataset_kwargs: {data_files: {test: %s}}
test_split: test
output_type: multiple_choice
doc_to_text: "The capital of {{country}} is"
doc_to_choice: ["Paris", "Rome", "Madrid"]
doc_to_target: "{{label}}"
metric_list: [{metric: acc}]
"""


def test_a_task_runs_from_end_to_end(
    lm: LongraLM, theirs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    rows = [{"country": country, "label": label} for label, country in enumerate(("France", "Italy", "Spain"))]
    (tmp_path / "capitals.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "capitals.yaml").write_text(TASK % (tmp_path / "capitals.jsonl"))
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)

    def run(model: Any, **how: Any) -> tuple[float, list[float]]:
        results = simple_evaluate(model, tasks=["capitals"], task_manager=manager, bootstrap_iters=0, **how)
        logs = [answer[0][0] for sample in results["samples"]["capitals"] for answer in sample["resps"]]
        return results["results"]["capitals"]["acc,none"], logs

    accuracy, logs = run(lm)
    same, close_by = run(theirs)
    assert (accuracy, logs) == (same, pytest.approx(close_by, rel=1e-4))
    assert run(lm, apply_chat_template=True)[1] != logs


def test_the_command_is_the_harness_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["lm_eval", "--help"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert "usage: lm-eval" in capsys.readouterr().out


@pytest.mark.parametrize("size", ["many", 0, -1, 300, "2.5"])
def test_a_wrong_batch_size(folder: Path, size: Any) -> None:
    with pytest.raises(UsageError, match="it must be auto, or a whole number from 1 to 256"):
        LongraLM(str(folder), batch_size=size)


def test_errors_of_longra_are_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["lm_eval", "--model", "longra", "--model_args", f"pretrained={folder},beams=3", "--tasks", "arc_easy"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "error: --model_args has beams, which nothing here takes" in capsys.readouterr().err
