"""Tokenizers of Hugging Face folders, against transformers' own reading of the same folders."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as Core
from tokenizing import DATA

from longra.errors import FormatError
from longra.text.hf_tokenizer import read_hf_tokenizer
from longra.text.tokenizer import Tokenizer

CORPUS = [
    "The history of printing begins with seals and stamps, long before 1450.",
    "人工智能将会改变印刷的历史。印刷术在中国发明。",
    "def add(left, right):\n    return left + right  # naïve café 🎉\n",
] * 3
TEXTS = [
    *CORPUS[:3],
    "",
    " ",
    "  two spaces,\t\ttabs\r\n\r\nand 12345 １２",
    "🎉🎉 ᚠᛇᚻ 𝔘 \u200b e\u0301",
    "<|endoftext|> in <|im_end|>the middle",
    "<s>never</s> <0x41>",
]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def write(folder: Path, name: str, value: object) -> None:
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def byte_level_core() -> Core:
    core = Core(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(CORPUS, trainer)
    core.post_processor = processors.TemplateProcessing("<|endoftext|> $A", None, [("<|endoftext|>", 0)])
    return core


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("byte-level")
    core = byte_level_core()
    core.add_tokens([AddedToken("<tool>", normalized=False)])
    core.enable_truncation(4)
    core.enable_padding(length=9, pad_token="<|endoftext|>")
    core.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"}
    write(folder, "tokenizer_config.json", settings)
    return folder


@pytest.fixture(scope="module")
def sentencepiece_like(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As Llama's tokenizer.json: pieces with U+2581 for a space, bytes for unknown characters."""
    folder = tmp_path_factory.mktemp("sentencepiece")
    core = Core(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special[:3], show_progress=False)
    core.train_from_iterator(CORPUS[:1], trainer)
    model = json.loads(core.to_str())["model"]
    for name in special[3:]:
        model["vocab"][name] = len(model["vocab"])
    core.model = models.BPE(
        model["vocab"], [tuple(pair) for pair in model["merges"]], unk_token="<unk>", byte_fallback=True, fuse_unk=True
    )
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    core.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", 1)])
    core.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    write(folder, "tokenizer_config.json", settings | {"unk_token": "<unk>"})
    return folder


@pytest.fixture(scope="module")
def codegen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As Salesforce/codegen: the two files of GPT-2, and runs of white space as added tokens."""
    folder = tmp_path_factory.mktemp("codegen")
    core = byte_level_core()
    core.model.save(str(folder))
    size = core.get_vocab_size()
    write(folder, "added_tokens.json", {"    ": size, "\t\t": size + 1, "<|pad|>": size + 2})
    write(folder, "special_tokens_map.json", {"bos_token": "<|endoftext|>", "eos_token": {"content": "<|endoftext|>"}})
    write(folder, "tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer", "pad_token": "<|pad|>"})
    return folder


def both(folder: Path) -> tuple[Tokenizer, Any]:
    from transformers import AutoTokenizer

    return Tokenizer(read_hf_tokenizer(folder, {})), AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("kind", ["byte_level", "sentencepiece_like", "codegen"])
def test_as_transformers(kind: str, request: pytest.FixtureRequest) -> None:
    tokenizer, theirs = both(request.getfixturevalue(kind))
    assert tokenizer.vocabulary == len(theirs)
    assert tokenizer.bos_id == theirs.bos_token_id
    assert theirs.eos_token_id in tokenizer.eos_ids

    @settings(max_examples=100)
    @given(text=st.sampled_from(TEXTS) | ANY_TEXT, skip=st.booleans())
    def compare(text: str, skip: bool) -> None:
        ids = tokenizer.encode(text)
        assert ids == theirs.encode(text, truncation=False, padding=False)
        assert tokenizer.encode(text, add_special=False) == theirs.encode(
            text, add_special_tokens=False, truncation=False, padding=False
        )
        decoded = theirs.decode(ids, skip_special_tokens=skip, clean_up_tokenization_spaces=False)
        assert tokenizer.decode(ids, skip_special=skip) == decoded

    compare()


@pytest.mark.parametrize("kind", ["byte_level", "codegen"])
@settings(max_examples=100)
@given(text=ANY_TEXT)
def test_round_trip(kind: str, byte_level: Path, codegen: Path, text: str) -> None:
    tokenizer = Tokenizer(read_hf_tokenizer({"byte_level": byte_level, "codegen": codegen}[kind], {}))
    assert tokenizer.decode(tokenizer.encode(text, add_special=False), skip_special=False) == text
    assert tokenizer.decode(tokenizer.encode(text, special=False, add_special=False), skip_special=False) == text


def test_nothing_is_cut_or_padded(byte_level: Path) -> None:
    tokenizer = Tokenizer(read_hf_tokenizer(byte_level, {}))
    assert tokenizer.decode(tokenizer.encode("one two three four five six")) == "one two three four five six"
    assert len(tokenizer.encode("a")) == 2


def test_control_tokens_as_plain_text(codegen: Path) -> None:
    tokenizer = Tokenizer(read_hf_tokenizer(codegen, {}))
    text = "a<|pad|>    b<|endoftext|>"
    assert not set(tokenizer.encode(text, special=False)) & tokenizer.special_ids
    assert tokenizer.decode(tokenizer.encode(text, special=False)) == text
    assert tokenizer.token_id("    ") in tokenizer.encode(text, special=False)


def test_ends_come_from_every_file(byte_level: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((byte_level / name).read_bytes())
    assert read_hf_tokenizer(tmp_path, {}).eos_ids == {0, 1}  # both names are known as ends
    write(tmp_path, "generation_config.json", {"eos_token_id": [5, 6, 10**12, -1, "x", None]})
    assert read_hf_tokenizer(tmp_path, {"eos_token_id": 7}).eos_ids == {0, 1, 5, 6, 7}


def test_bos_that_the_configuration_asks_for(codegen: Path, tmp_path: Path) -> None:
    for path in codegen.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write(tmp_path, "tokenizer_config.json", {"add_bos_token": True})
    tokenizer = Tokenizer(read_hf_tokenizer(tmp_path, {}))
    assert tokenizer.encode("a")[0] == tokenizer.bos_id


def test_sentencepiece_model() -> None:
    """A small model and its encodings, both made by the sentencepiece library."""
    tokenizer = Tokenizer(read_hf_tokenizer(DATA / "sentencepiece", {"model_type": "llama"}))
    assert (tokenizer.bos_id, tokenizer.eos_ids) == (1, {2})
    for case in json.loads((DATA / "sentencepiece" / "encodings.json").read_text(encoding="utf-8")):
        assert tokenizer.encode(case["text"], special=False) == [1, *case["tokens"]], case["text"]
        assert tokenizer.decode(case["tokens"]) == case["text"].replace("▁", " ")


def test_sentencepiece_added_tokens(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes((DATA / "sentencepiece" / "tokenizer.model").read_bytes())
    write(tmp_path, "added_tokens.json", {"<|user|>": 700, "<|far|>": 900})
    write(tmp_path, "tokenizer_config.json", {"add_bos_token": False, "add_eos_token": True})
    tokenizer = Tokenizer(read_hf_tokenizer(tmp_path, {}))
    ids = tokenizer.encode("<|user|>")
    assert ids == [700, 2]


@settings(max_examples=200)
@given(data=st.data())
def test_hostile_sentencepiece_models(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    stored = bytearray((DATA / "sentencepiece" / "tokenizer.model").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        stored[data.draw(st.integers(0, len(stored) - 1))] = data.draw(st.integers(0, 255))
    stored = stored[: data.draw(st.integers(0, len(stored)))]
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "tokenizer.model").write_bytes(stored)
    try:
        tokenizer = Tokenizer(read_hf_tokenizer(folder, {}))
    except FormatError:
        return
    tokenizer.decode(tokenizer.encode("some text 中"))


@pytest.mark.parametrize(
    ("files", "cause"),
    [
        ({}, "has no tokenizer.json"),
        ({"tokenizer.json": "{"}, "cannot be read"),
        ({"tokenizer.json": "{}"}, "cannot be read"),
        ({"tokenizer.json": '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}}'}, "cannot be read"),
        ({"vocab.json": "[]", "merges.txt": ""}, "cannot be read"),
        ({"vocab.json": '{"a": 0}', "merges.txt": "x y"}, "cannot be read"),
        ({"tokenizer.model": "no protocol buffer"}, "no SentencePiece model"),
        ({"tokenizer.model": ""}, "not in BPE mode"),
        ({"tokenizer_config.json": "[]"}, "tokenizer_config.json"),
    ],
)
def test_wrong_folders(files: dict[str, str], cause: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=cause):
        read_hf_tokenizer(tmp_path, {})


def test_a_decoder_that_is_not_known(tmp_path: Path) -> None:
    core = Core(models.WordPiece({"a": 0}))
    core.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(FormatError, match="no decoder"):
        read_hf_tokenizer(tmp_path, {})
    core.decoder = decoders.WordPiece()
    core.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(FormatError, match="WordPiece"):
        read_hf_tokenizer(tmp_path, {})
