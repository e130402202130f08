"""Model files: each describes one architecture as a graph; here a checkpoint becomes a spec and a graph."""

from longra.errors import FitError, FormatError
from longra.files.checkpoint import Checkpoint
from longra.files.fields import Fields
from longra.files.gguf_config import config_of_gguf
from longra.files.spec import ModelSpec
from longra.graph import Graph
from longra.models.registry import Architecture, architecture
from longra.models.weights import Difference, Weights

__all__ = ["Difference", "build_graph", "check_fit", "described", "read_described", "read_spec"]

_SHOWN = 8


def read_spec(checkpoint: Checkpoint) -> ModelSpec:
    """The description of a checkpoint's network.

    Raises:
        FormatError: the architecture is unknown, or the description is incomplete or absurd.
    """
    return read_described(checkpoint, described(checkpoint))


def described(checkpoint: Checkpoint) -> Fields:
    """A checkpoint's own description, under the names of config.json."""
    gguf = checkpoint.format == "gguf"
    return Fields(config_of_gguf(checkpoint) if gguf else checkpoint.config, str(checkpoint.path))


def read_described(checkpoint: Checkpoint, fields: Fields) -> ModelSpec:
    """As read_spec, of a description that may differ from the checkpoint's own."""
    gguf = checkpoint.format == "gguf"
    name = Fields(checkpoint.config, fields.source).text("general.architecture" if gguf else "model_type")
    reader = architecture(name).read
    if not gguf and checkpoint.config.get("quantization_config") is not None:
        raise FormatError(
            f"{fields.source}: weights quantised by other libraries cannot be read; take a float or GGUF copy"
        )
    return reader(fields, checkpoint)


def build_graph(checkpoint: Checkpoint, spec: ModelSpec) -> Graph:
    """The forward pass over a checkpoint's tensors.

    Raises:
        FitError: tensors are missing, misshapen or left over; each is named.
    """
    weights, parts = _weights(checkpoint, spec)
    differences = weights.check()
    if differences:
        listed = "\n  ".join(str(difference) for difference in differences[:_SHOWN])
        more = f"\n  and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise FitError(
            f"model file and weight file do not fit, in {len(differences)} places:\n  {listed}{more}\n"
            "see all with `longra inspect`"
        )
    graph = Graph()
    graph.output = parts.build(graph, spec, weights)
    return graph


def check_fit(checkpoint: Checkpoint, spec: ModelSpec) -> list[Difference]:
    """Every difference between what the architecture needs and what the weight file holds; empty where they fit."""
    return _weights(checkpoint, spec)[0].check()


def _weights(checkpoint: Checkpoint, spec: ModelSpec) -> tuple[Weights, Architecture]:
    parts = architecture(spec.architecture)
    return Weights(checkpoint, spec, parts.parts), parts
