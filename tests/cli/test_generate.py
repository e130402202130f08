"""`longra generate` as a process: what it reads, what it writes where, and how it ends."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from running import COMMAND, Live, longra, process

pytestmark = pytest.mark.usefixtures("default_installed")

GREEDY = ("-t", "0", "-n", "12", "--raw")
PROMPT = "The history of printing begins"
TEXT = " with the invention of the first typewriter"
KEYS = {
    "text",
    "token_ids",
    "finish_reason",
    "seed",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "logprobs",
    "timings",
    "speculation",
    "model",
}


@pytest.fixture(scope="module")
def text(default_store: Path) -> str:
    """What the greedy options write for PROMPT."""
    ran = process("generate", PROMPT, *GREEDY, LONGRA_HOME=str(default_store))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(" ")
    return ran.out


def test_the_bare_case_needs_no_option() -> None:
    ran = process("generate", "Name three colours.", "-n", "5")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.strip()
    assert ran.out.endswith("\n")


def test_the_prompt_comes_from_standard_input_or_a_file_without_its_last_line_break(text: str, tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("\ufeff" + PROMPT + "\r\n", encoding="utf-8")
    assert process("generate", *GREEDY, stdin=PROMPT + "\n").out == text
    assert longra("generate", *GREEDY, "--file", str(file)).out == text
    assert longra("generate", *GREEDY, "--file", "-", stdin=PROMPT).out == text


def test_standard_input_joins_the_prompt() -> None:
    joined = longra("generate", *GREEDY, "In short:", stdin="A long story.\n")
    assert joined.out == longra("generate", *GREEDY, "A long story.\n\nIn short:").out


def test_at_a_terminal_nothing_waits_for_standard_input() -> None:
    with Live("generate", terminal=True) as run:
        assert run.end() == 2
    assert "there is no prompt" in run.output
    with Live("generate", PROMPT, *GREEDY, terminal=True) as run:
        assert run.end() == 0
    assert run.output.startswith(" ")


def test_at_a_terminal_a_long_prompt_shows_how_far_it_is_read(tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text(" ".join(f"entry {i}" for i in range(1000)))
    with Live("generate", "-f", str(long), *GREEDY, "--cache-dir", "none", terminal=True) as run:
        assert run.end() == 0
    lines, text = run.output.rsplit("\r\x1b[K", 1)
    told = re.findall(r"\rread ([\d,]+) of ([\d,]+) tokens(?:, about \d+ (?:s|min) left)?\x1b\[K", lines)
    assert told
    counts = [int(read.replace(",", "")) for read, _ in told]
    assert counts == sorted(counts)
    assert {total for _, total in told} == {told[0][1]}
    assert re.match(r"\W*\w", text)  # only the text is left


def test_json_is_one_object_with_the_promised_keys(text: str) -> None:
    ran = longra("generate", PROMPT, *GREEDY, "--json", "--logprobs", "2", "--seed", "5")
    result = json.loads(ran.out)
    assert set(result) == KEYS
    assert ran.out.count("\n") == 1
    assert result["text"] + "\n" == text
    assert (result["finish_reason"], result["seed"], result["completion_tokens"]) == ("length", 5, 12)
    assert len(result["token_ids"]) == len(result["logprobs"]) == 12
    assert [len(entry["top"]) for entry in result["logprobs"]] == [2] * 12
    assert set(result["timings"]) == {
        "load_seconds",
        "time_to_first_token_seconds",
        "prefill_tokens_per_second",
        "decode_tokens_per_second",
    }
    assert result["model"] == "smollm2-135m-instruct"


def test_several_sequences_in_text_and_json() -> None:
    options = ("--num-sequences", "3", "--seed", "1", "-t", "1", "-n", "8", "--raw")
    result = json.loads(longra("generate", PROMPT, *options, "--json").out)
    texts = [sequence["text"] for sequence in result["sequences"]]
    assert len(set(texts)) == 3
    assert result["text"] == texts[0]
    assert result["completion_tokens"] == sum(len(sequence["token_ids"]) for sequence in result["sequences"])
    shown = longra("generate", PROMPT, *options).out
    assert shown == "".join(
        f"--- {i} of 3 ---\n{text}{'' if text.endswith(chr(10)) else chr(10)}" for i, text in enumerate(texts, 1)
    )


def test_seeds_repeat_a_text_and_are_told() -> None:
    options = ("generate", PROMPT, "-t", "1", "-n", "10", "--json")
    first = json.loads(longra(*options).out)
    again = json.loads(longra(*options, "--seed", str(first["seed"])).out)
    assert again["token_ids"] == first["token_ids"]


def test_every_option_reaches_the_model(text: str) -> None:
    """Each one alone changes the greedy or the sampled text, and all are accepted together."""
    together = longra(
        *("generate", PROMPT, "-m", "smollm2", "-n", "9", "--min-tokens", "9", "-t", "0.9", "--top-k", "30"),
        *("--top-p", "0.9", "--min-p", "0.01", "--typical-p", "0.95", "--repetition-penalty", "1.1"),
        *("--presence-penalty", "0.1", "--frequency-penalty", "0.1", "--no-repeat-ngram", "3"),
        *("--dry-multiplier", "0.8", "--seed", "1", "--stop", "zzz", "--stop", "yyy", "--logit-bias", "260=-1"),
        *("--logit-bias", " the=-100", "--logprobs", "1", "--num-sequences", "2", "--system", "Be brief.", "--chat"),
        *("--threads", "1", "--weights", "q8", "--json", "--tidy=whitespace", "--verbose"),
    )
    assert together.code == 0
    assert [len(s["token_ids"]) for s in json.loads(together.out)["sequences"]] == [9, 9]
    first = text.split()[0]
    assert not longra("generate", PROMPT, *GREEDY, "--logit-bias", f" {first}=-100").out.startswith(f" {first} ")
    assert (
        longra("generate", PROMPT, *GREEDY, "--stop", f" {text.split()[2]}").out == f" {' '.join(text.split()[:2])}\n"
    )


def test_chat_and_raw_and_system_make_different_prompts() -> None:
    def tokens(*options: str) -> int:
        return int(json.loads(longra("generate", "Hi", "-n", "1", "--json", *options).out)["prompt_tokens"])

    assert tokens("--raw") < tokens() == tokens("--chat") != tokens("--system", "You are a bird that sings.")


def test_tidy_takes_its_steps_after_the_equals_sign_alone(text: str) -> None:
    ran = longra("generate", "--tidy", PROMPT, *GREEDY, "--json")  # PROMPT is not a step
    result = json.loads(ran.out)
    assert result["tidy"]["before"] + "\n" == text
    assert {change["step"] for change in result["tidy"]["changes"]} <= {"whitespace", "sentence"}
    assert longra("generate", f"--tidy={'whitespace'}", PROMPT, *GREEDY).out == text.strip() + "\n"


def test_what_tidying_takes_away_is_told() -> None:
    told = "removed: 1 unfinished sentence; --no-tidy leaves the text as the model wrote it\n"
    assert told in longra("generate", "Write a tale.", "-n", "100", "-t", "0", "--tidy").err


def test_verbose_is_one_line_with_what_matters() -> None:
    ran = process("generate", PROMPT, *GREEDY, "--verbose", "--seed", "77")  # peak memory is a process's
    assert ran.err.count("\n") == 1
    for part in ("smollm2-135m-instruct", "loaded in", "prompt 5 tokens", "new 12 tokens", "tokens/s", "MB", "seed 77"):
        assert part in ran.err


def test_logprobs_without_json_are_a_table_on_stderr(text: str) -> None:
    ran = longra("generate", PROMPT, *GREEDY, "--logprobs", "2")
    assert ran.out == text
    assert ran.err.splitlines()[0].split() == ["TOKEN", "LOGPROB", "LIKELIEST"]
    assert len(ran.err.splitlines()) == 13


def test_a_script_that_the_model_does_not_read_is_told() -> None:
    ran = longra("generate", "人工智能将会改变世界", "-n", "2")
    assert ran.code == 0
    assert "Han script" in ran.err
    assert "qwen" in ran.err
    assert ran.err.count("\n") == 1


def test_text_that_is_not_ascii_comes_whole_under_any_locale() -> None:
    for locale in ("C", "C.UTF-8"):
        ran = process("generate", "你好，请重复：中文", "-n", "20", "-t", "0", LC_ALL=locale)
        assert ran.code == 0
        assert "\ufffd" not in ran.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-t", "-1"], "temperature is -1"),
        (["--top-p", "2"], "top_p is 2"),
        (["--min-tokens", "9", "-n", "3"], "min_tokens is 9"),
        (["--top-k", "many"], "--top-k"),
        (["--weights", "q3"], "'q8'"),
        (["--cache", "q4"], "'q8'"),
        (["--threads", "0"], "--threads"),
        (["--logit-bias", "17"], "ID=BIAS"),
        (["--logit-bias", "=1"], "ID=BIAS"),
        (["--logit-bias", "17=200"], "-100 to 100"),
        (["--logit-bias", "several words=1"], "2 tokens"),
        (["--logit-bias", "49152=1"], "0 to 49,151"),
        (["--tidy=everything"], "everything"),
        (["--raw", "--system", "s"], "--system needs a chat"),
        (["--temprature", "1"], "--temprature"),
        (["second"], "needs quotes"),
        (["--preset", "zzz"], "smollm2; `longra presets`"),
        (["--seed", "18446744073709551616"], "seed is"),
    ],
)
def test_usage_errors_are_a_line_on_stderr_and_exit_code_2(words: list[str], message: str) -> None:
    ran = longra("generate", PROMPT, *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert message in ran.err


@pytest.mark.parametrize(
    ("words", "stdin", "code", "message"),
    [
        (["--raw"], b"", 2, "the prompt is empty"),
        (["　 "], b"\n\n", 2, "only blanks"),
        ([], b"abc\xff\xfe", 2, "not UTF-8 (byte 0xff at 3)"),
        ([], b"\xff\xfeabc", 2, "not UTF-16, as its first bytes say (byte 0x63 at 4)"),
        ([], "从前有一座山".encode("gb18030"), 2, "iconv -f GB18030"),
        ([], "Le café était fermé.".encode("cp1252"), 2, "iconv -f WINDOWS-1252"),
        (["--file", "no/such/file"], b"", 1, "no/such/file"),
        (["x", "-m", "smollm3"], b"", 1, "smollm2-135m-instruct"),
        (["x", "-m", "./nothing.gguf"], b"", 1, "nothing.gguf"),
        (["--raw"], b"word " * 9000, 1, " tokens and smollm2-135m-instruct holds 8,192"),
    ],
)
def test_other_errors(words: list[str], stdin: bytes, code: int, message: str) -> None:
    ran = longra("generate", *words, stdin=stdin)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ")
    assert message in ran.err


def test_a_prompt_in_marked_utf16_is_read() -> None:
    plain, wide = (longra("generate", *GREEDY, stdin=PROMPT.encode(encoding)) for encoding in ("utf-8", "utf-16"))
    assert (wide.code, wide.out) == (0, plain.out)


def test_ctrl_c_keeps_the_text_and_exits_with_130() -> None:
    with Live("generate", "Tell a long story about a river.", "-n", "4000", "--min-tokens", "4000", "--verbose") as run:
        run.until(r".{40}")
        run.interrupt()
        assert run.end() == 130
        text, summary = run.output.rsplit("\n", 2)[:2]
        assert len(text) >= 40
        assert "seed" in summary
        assert "Traceback" not in run.output


def test_ctrl_c_with_json_prints_the_object() -> None:
    output = next(
        filter(None, map(json_interrupted_after, (1.5, 3, 6, 12, 24)))
    )  # nothing shows that the text has begun
    result = json.loads(output.splitlines()[0])
    assert result["finish_reason"] == "interrupted"
    assert len(result["text"]) > 0
    assert result["completion_tokens"] == len(result["token_ids"])


def json_interrupted_after(seconds: float) -> str:
    """What is printed, or nothing where it was too early."""
    with Live("generate", "Tell a long story.", "-n", "8000", "--min-tokens", "8000", "--json") as run:
        time.sleep(seconds)
        run.interrupt()
        code = run.end()
    early = not run.output.strip() or '"token_ids": []' in run.output
    assert early or code == 130
    return "" if early else run.output


def test_ctrl_c_while_the_prompt_is_read_ends_at_once() -> None:
    with Live("generate", "-m", "smollm2", "--raw", "--json", types=True) as run:
        run.send("A long manuscript goes on and on. " * 900)
        run.close_input()
        time.sleep(2.5)
        run.interrupt()
        start = time.monotonic()
        assert run.end() == 130
        assert time.monotonic() - start < 5
    assert "Traceback" not in run.output


def test_a_reader_that_leaves_is_no_error() -> None:
    command = " ".join(f"'{word}'" for word in [*COMMAND, "generate", "Tell a story.", "-n", "200", "-t", "0"])
    done = subprocess.run(
        ["bash", "-c", f"{command} </dev/null | head -c 10; echo; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == b""
    assert done.stdout.splitlines()[-1] == b"0"
    assert len(done.stdout.splitlines()[0]) == 10


def test_a_full_disk_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "generate", PROMPT, *GREEDY],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=120,
        )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == ["error: No space left on device"]


def test_the_text_streams_piece_by_piece() -> None:
    with Live("generate", "Tell a long story.", "-n", "2000", "--min-tokens", "2000") as run:
        early = run.until(r".{5}")
        assert len(early) < 1000
        run.interrupt()
        assert run.end() == 130


def test_the_help_tells_the_defaults_that_hold() -> None:
    from longra.sampling import GenerationConfig

    shown = " ".join(longra("generate", "--help").out.split())
    usual = GenerationConfig()
    for value in (usual.max_tokens, usual.temperature, usual.top_k, usual.top_p, usual.num_sequences):
        assert f"{value} unless said" in shown
