"""What figures of a model depend on besides what it is asked, to be kept and told with them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from longra.model import Model


def conditions(model: "Model") -> dict[str, Any]:
    """The model, its weight file, and how it is run: the parts of a run that `longra.evaluate.journal` compares."""
    change = model.context_change
    scaled = change is not None and change.scaling is not None
    return {
        "model": model.name,
        "weights": f"{model.weights.format}, {model.weights.bytes:,} bytes",
        "backend": model.engine.backend.identity,
        "context": f"{model.spec.context:,}{', stretched' if scaled else ''}",
    }
