"""Another context than the model file's: shorter, or longer by stretching rope.

A plain rope is stretched with yarn (Peng et al. 2023), or linearly (Chen et al. 2023) or dynamically (bloc97, emozilla
2023) on request; the formulas are in files/rope.py. A model that is stretched already is stretched further by the same
formula with a larger factor, from the length that it was first trained for. llama3 and longrope are not: their
parameters were searched for the length that the model file says, and no formula gives others.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from longra.errors import UsageError
from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.spec import ModelSpec
from longra.models import described, read_described, read_spec

RopeScaling = Literal["yarn", "linear", "dynamic"]

_MOST = 10_000
_LAYERS_THAT_SEE_ALL = "full_attention"


@dataclass(frozen=True)
class ContextChange:
    """Another context than the model file's.

    Attributes:
        before, after: tokens that the model file promises, and tokens that are held now.
        scaling: how rope was stretched; None where the context became shorter.
    """

    before: int
    after: int
    scaling: str | None

    def __str__(self) -> str:
        if self.scaling is None:
            return f"context limited from {self.before:,} to {self.after:,}"
        return (
            f"context extended from {self.before:,} to {self.after:,} with {self.scaling}, factor "
            f"{self.after / self.before:.3g}: quality beyond {self.before:,} is not what the model was trained for"
        )


def scaling_of(spec: ModelSpec) -> str | None:
    """What stretches a model if nothing else is asked for; None where nothing can."""
    if spec.rope is None or spec.rope_scaling in ("llama3", "longrope"):
        return None
    return "yarn" if spec.rope_scaling == "none" else spec.rope_scaling


def read_longer(
    checkpoint: Checkpoint, context: int | None, scaling: str | None
) -> tuple[ModelSpec, ContextChange | None]:
    """A checkpoint's description for another context. One that is shorter than the model file's is left as it is.

    Args:
        context: tokens to hold; None for the model file's.
        scaling: "yarn", "linear" or "dynamic"; None for the model file's own, yarn where it has none.

    Raises:
        UsageError: the model cannot be stretched, or not so.
        FormatError: as read_spec.
    """
    spec = read_spec(checkpoint)
    if scaling is not None and scaling not in get_args(RopeScaling):
        raise UsageError(f"rope scaling {scaling!r} is unknown; choose from {', '.join(get_args(RopeScaling))}")
    if scaling is not None and (context is None or context <= spec.context):
        raise UsageError(f"--rope-scaling {scaling} stretches nothing; pass --context with more than {spec.context:,}")
    if context is None or context == spec.context:
        return spec, None
    if not 1 <= context <= _MOST * spec.context:
        raise UsageError(f"--context {context} is out of range; choose 1 to {_MOST * spec.context}")
    if context < spec.context:
        return spec, ContextChange(spec.context, context, None)
    kind = _checked(spec, context, scaling)
    longer = read_described(checkpoint, _stretched(described(checkpoint), spec, context, kind))
    return replace(longer, context=context), ContextChange(spec.context, context, kind)


def _checked(spec: ModelSpec, context: int, scaling: str | None) -> str:
    """The kind of stretching, if the model allows it."""
    kind = scaling_of(spec)
    if kind is None:
        why = "its positions are learned" if spec.rope is None else f"it is stretched with {spec.rope_scaling} already"
        raise UsageError(
            f"--context {context} is more than the {spec.context:,} tokens of the model, and {why}, which nothing can "
            f"extend; choose at most {spec.context}, or another model"
        )
    if scaling not in (None, kind) and spec.rope_scaling != "none":
        raise UsageError(
            f"the model file stretches with {kind}, and {scaling} cannot go on top; leave --rope-scaling away"
        )
    return scaling or kind


def _stretched(fields: Fields, spec: ModelSpec, context: int, kind: str) -> Fields:
    """The description with rope's parameters changed; layers with a window keep theirs."""
    values = dict(fields.values)
    if isinstance(values.get("text_config"), dict):
        inner = _stretched(Fields(values["text_config"], fields.source), spec, context, kind)
        return Fields(values | {"text_config": inner.values}, fields.source)
    name = "rope_parameters" if isinstance(values.get("rope_parameters"), dict) else "rope_scaling"
    section = dict(values.get(name) or {})
    if isinstance(section.get(_LAYERS_THAT_SEE_ALL), dict):
        own = section[_LAYERS_THAT_SEE_ALL]
        section[_LAYERS_THAT_SEE_ALL] = own | _parameters(own, values, spec, context, kind)
    else:
        section |= _parameters(section, values, spec, context, kind)
    return Fields(values | {name: section}, fields.source)


def _parameters(
    section: dict[str, Any], values: dict[str, Any], spec: ModelSpec, context: int, kind: str
) -> dict[str, Any]:
    """The factor, counted from the length that the model file's own formula starts from."""
    trained = values.get("max_position_embeddings", spec.context)
    if kind == "linear":
        return {"rope_type": kind, "factor": section.get("factor", 1.0) * context / spec.context}
    if kind == "dynamic":
        return {"rope_type": kind, "factor": context / trained}
    original = section.get("original_max_position_embeddings") or trained
    return {"rope_type": kind, "factor": context / original, "original_max_position_embeddings": original}
