"""`longra inspect`: the model file, the weight file, and how they fit."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.shared import console
from longra.sizes import human_bytes

if TYPE_CHECKING:
    from longra.files.checkpoint import Checkpoint
    from longra.files.spec import ModelSpec
    from longra.files.weight_file import TensorGroup

COMMAND_OPTIONS = {"epilog": "Example:  longra inspect smollm2-135m-instruct"}
_KV_BYTES = 2


def inspect(
    model: Annotated[str, typer.Argument(help="An installed name, or a path.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, every tensor included.")] = False,
) -> None:
    """Show the model file and the weight file, and how they fit.

    The model file says what the network is; the weight file holds what it has learned. They fit when every tensor that
    the architecture needs is there with the right shape and nothing unknown is left over.
    """
    from longra.files.checkpoint import open_checkpoint
    from longra.files.weight_file import tensor_groups
    from longra.library import resolve
    from longra.models import check_fit, read_spec

    with open_checkpoint(resolve(model)) as checkpoint:
        spec = read_spec(checkpoint)
        differences = [str(difference) for difference in check_fit(checkpoint, spec)]
        about: dict[str, Any] = {
            "model": model,
            "model_file": _model_file(checkpoint, spec),
            "weight_file": _weight_file(checkpoint, spec),
            "fit": {"fits": not differences, "differences": differences},
        }
        groups = tensor_groups(checkpoint.tensors.values())
    if as_json:
        console.result_json(about)
        return
    _show("Model file", about["model_file"])
    _show("Weight file", {name: value for name, value in about["weight_file"].items() if name != "tensor_list"})
    console.result("")
    header = ("  TENSORS", "COUNT", "SHAPE", "TYPES", "SIZE")
    console.result(console.table(header, [_line(group) for group in groups], right=frozenset({1, 4})))
    console.result("")
    console.result(_title("Fit"))
    if differences:
        console.result(f"  {len(differences):,} differences:")
        for difference in differences:
            console.result(f"    {difference}")
    else:
        console.result("  every tensor is there with the right shape, and nothing is left over")


def _model_file(checkpoint: "Checkpoint", spec: "ModelSpec") -> dict[str, Any]:
    windows = [window for window in spec.windows if window is not None]
    rope = spec.rope
    return {
        "architecture": spec.architecture,
        "layers": spec.layers,
        "hidden": spec.hidden,
        "feed_forward": spec.ffn,
        "heads": spec.heads,
        "kv_heads": spec.kv_heads,
        "head_dim": spec.head_dim,
        "activation": spec.activation,
        "position_encoding": spec.position,
        "rope": None
        if rope is None
        else {
            "base": spec.rope_base,
            "channels": 2 * len(rope.frequencies),
            "layout": "interleaved" if rope.interleaved else "halves",
            "scaling": spec.rope_scaling,
        },
        "window": {"tokens": windows[0], "layers": len(windows)} if windows else None,
        "context": spec.context,
        "vocabulary": spec.vocabulary,
        "tied_embeddings": spec.tied,
        "norm_eps": spec.norm_eps,
        **_text(checkpoint),
    }


def _text(checkpoint: "Checkpoint") -> dict[str, Any]:
    """Tokenizer and chat template. A model without them, or with broken ones, is still looked into."""
    from longra.errors import LongraError
    from longra.text.chat_template import chat_template
    from longra.text.tokenizer import load_tokenizer

    about: dict[str, Any] = {}
    try:
        about["tokenizer"] = {"kind": _tokenizer_kind(checkpoint), "tokens": load_tokenizer(checkpoint).vocabulary}
    except LongraError as problem:
        about["tokenizer"] = {"problem": str(problem)}
    try:
        about["chat_template"] = chat_template(checkpoint) is not None
    except LongraError as problem:
        about["chat_template"] = {"problem": str(problem)}
    return about


def _tokenizer_kind(checkpoint: "Checkpoint") -> str:
    """GGUF's name of it, or the file that it is read from."""
    if checkpoint.format == "gguf":
        return str(checkpoint.config.get("tokenizer.ggml.model"))
    files = ("tokenizer.json", "tokenizer.model", "vocab.json")
    return next((name for name in files if (checkpoint.folder / name).exists()), "unknown")


def _weight_file(checkpoint: "Checkpoint", spec: "ModelSpec") -> dict[str, Any]:
    from longra.files.weight_file import weight_file

    stored = weight_file(checkpoint)
    return {
        "path": str(checkpoint.path),
        "format": stored.format,
        "tensors": stored.tensors,
        "stored_types": stored.kinds,
        "parameters": stored.parameters,
        "bytes": stored.bytes,
        "bits_per_weight": round(stored.bits_per_weight, 2),
        "kv_bytes_per_token": 2 * _KV_BYTES * spec.layers * spec.kv_heads * spec.head_dim,
        "tensor_list": [
            {"name": t.name, "shape": list(t.shape), "type": t.kind, "bytes": len(t.data)}
            for t in checkpoint.tensors.values()
        ],
    }


def _title(text: str) -> str:
    return console.paint(text, "1", sys.stdout)


def _show(title: str, values: dict[str, Any]) -> None:
    console.result(_title(title))
    for name, value in values.items():
        console.result(f"  {name.replace('_', ' '):20} {_shown(value)}")


def _line(group: "TensorGroup") -> tuple[str, ...]:
    return (
        f"  {_printable(group.name)}",
        f"{sum(group.kinds.values())}",
        " x ".join(f"{extent:,}" for extent in group.shape),
        ", ".join(f"{kind} {count}" for kind, count in group.kinds.items()),
        human_bytes(group.bytes),
    )


def _printable(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items())
    return str(value)
