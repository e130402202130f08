"""`longra params`: what each generation parameter does, and what it does to the next token of a prompt."""

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from longra.cli.chances import chart
from longra.cli.shared import console, options
from longra.cli.shared.visible import visible, visible_token
from longra.errors import UsageError

if TYPE_CHECKING:
    from longra.sampling.effect import Effect, Moment
    from longra.text.tokenizer import Tokenizer

COMMAND_OPTIONS = {
    "epilog": 'Examples:  longra params   |   longra params top-p --value 0.8 --prompt "The capital of France is"'
}

_LINE = 100
_DEFAULTS = ("temperature", "top_k", "top_p")
"""Those of the defaults that are on."""


def params(
    *,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A parameter; all of them unless given.")] = None,
    value: Annotated[str | None, typer.Option(metavar="VALUE", help="See what this value does.")] = None,
    prompt: Annotated[str | None, typer.Option(metavar="TEXT", help="What the next token is to follow.")] = None,
    chat: Annotated[bool, typer.Option("--chat/--raw", help="Answer the prompt / go on from it; goes on.")] = False,
    top: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="Show the N likeliest tokens.")] = 10,
    running: options.Running,
    as_json: options.Json = False,
) -> None:
    """Explain the generation parameters: range, default, and what each does to the chances of the next token.

    With a prompt, a model says what may follow it; without one, a worked example does. Everything but NAME is off; with
    a prompt and no NAME, the defaults are shown together.
    """
    field = None if name is None else _field(name)
    if field is None and value is not None:
        raise UsageError("--value is of one parameter; name it: longra params top-p --value 0.8")
    if field is None and prompt is None:
        _show_all(as_json)
        return
    seen = None if not _has_effect(field) else _look(field, value, _place(prompt, chat, running))
    if as_json:
        about = {} if field is None else _described(field)
        console.result_json(about | {"effect": None if seen is None else _effect_json(seen, top)})
        return
    if field is not None:
        console.result(_explained(field))
    if seen is None:
        console.note("it has no effect on the chances of a token")
        return
    console.result(f"\n{seen.title}\n\n{chart(seen.effect, top, seen.place.spell)}")


@dataclass(frozen=True)
class _Place:
    """Where the next token is chosen, and how tokens are called there."""

    moment: "Moment"
    name: str
    tokenizer: "Tokenizer | None" = None

    def spell(self, token: int) -> str:
        from longra.sampling.effect import TOWN_TOKENS

        return visible(TOWN_TOKENS[token]) if self.tokenizer is None else visible_token(token, self.tokenizer)


@dataclass(frozen=True)
class _Seen:
    """What a change does at a place."""

    place: _Place
    title: str
    effect: "Effect"


def _place(prompt: str | None, chat: bool, running: options.Running) -> _Place:
    from longra.sampling.effect import TOWN, Moment

    if prompt is None:
        return _Place(TOWN, 'the example "In this town there is", after the text " a no a one a no a"')
    from longra.sampling import GenerationConfig

    model, _ = running.load()
    tokens = model.encode(prompt, chat)
    tokenizer = model.tokenizer
    breakers = tokenizer.tokens_with(GenerationConfig().dry_breakers)
    moment = Moment(model.logits(tokens)[0], tokens, ends=tokenizer.eos_ids, breakers=breakers)
    return _Place(moment, f'{"the answer to" if chat else "the text after"} "{prompt}", {model.name}', tokenizer)


def _look(field: str | None, value: str | None, place: _Place) -> _Seen:
    """Chances with everything off, and with a parameter or the defaults."""
    from longra.sampling import GenerationConfig
    from longra.sampling.effect import effect_of

    if field is None:
        defaults = {name: getattr(GenerationConfig(), name) for name in _DEFAULTS}
        return _Seen(place, f"the defaults together: {place.name}", effect_of(defaults, place.moment))
    chosen = _value(field, value, place)
    spelt = ", ".join(f"{k}={v:g}" for k, v in chosen.items()) if isinstance(chosen, dict) else f"{chosen:g}"
    return _Seen(place, f"{_option(field)} {spelt}: {place.name}", effect_of({field: chosen}, place.moment))


def _value(field: str, value: str | None, place: _Place) -> Any:
    """The value to show: the one given, else the default where that is on and there is a prompt, else a telling one."""
    from longra.sampling import GenerationConfig
    from longra.sampling.effect import OFF
    from longra.sampling.parameters import PARAMETERS

    number, shown = PARAMETERS[field].number, PARAMETERS[field].shown
    assert number is not None
    if field == "logit_bias":
        return _biases(value, place)
    if value is None:
        default = getattr(GenerationConfig(), field)
        return default if place.tokenizer is not None and default != getattr(OFF, field) else shown
    try:
        return int(value) if number.whole else float(value)
    except ValueError:
        raise UsageError(f"--value is {value!r}; {_option(field)} takes a number, {number}") from None


def _biases(value: str | None, place: _Place) -> dict[int, float]:
    """Of ID=BIAS; without one, of the likeliest token."""
    from longra.cli.shared.logit_bias import parse_biases, token_biases
    from longra.sampling.parameters import PARAMETERS

    shown = PARAMETERS["logit_bias"].shown
    if value is None and shown is not None:
        return {int(place.moment.logits.argmax()): shown}
    biases = parse_biases([value or ""])
    if place.tokenizer is not None:
        return token_biases(biases, place.tokenizer)
    if not all(token.isdecimal() and int(token) < len(place.moment.logits) for token, _ in biases):
        raise UsageError("without --prompt the tokens are those of the example, 0 to 4: --value 0=-1.5")
    return {int(token): bias for token, bias in biases}


def _field(name: str) -> str:
    """The parameter that is meant: top-p, top_p and --top-p all do."""
    from longra.library.names import nearest
    from longra.sampling.parameters import PARAMETERS

    field = name.lstrip("-").replace("-", "_").lower()
    if field not in PARAMETERS:
        near = nearest(field, PARAMETERS)
        hint = f"did you mean {_option(near[0])}?" if near else "`longra params` lists them"
        raise UsageError(f"there is no parameter {name!r}; {hint}")
    return field


def _option(field: str) -> str:
    return field.replace("_", "-")


def _has_effect(field: str | None) -> bool:
    from longra.sampling.parameters import PARAMETERS

    return field is None or PARAMETERS[field].shown is not None


def _described(field: str) -> dict[str, Any]:
    from longra.sampling import GenerationConfig
    from longra.sampling.parameters import PARAMETERS

    about = PARAMETERS[field]
    default = getattr(GenerationConfig(), field)
    return {
        "parameter": field,
        "option": about.option or None,
        "default": list(default) if isinstance(default, tuple) else default,
        "range": None if about.number is None else str(about.number),
        "off": about.off,
        "does": about.does,
        "source": about.source or None,
    }


def _effect_json(seen: _Seen, top: int) -> dict[str, Any]:
    from longra.sampling.effect import entropy_bits

    sides = seen.effect._asdict()
    return {
        "title": seen.title,
        "tokens": [
            {"token": token, "text": seen.place.spell(token)} | {key: float(side[token]) for key, side in sides.items()}
            for token in seen.effect.likeliest(top)
        ],
        "may_be_drawn": {key: int((side > 0).sum()) for key, side in sides.items()},
        "entropy_bits": {key: entropy_bits(side) for key, side in sides.items()},
    }


def _default(field: str) -> str:
    value = _described(field)["default"]
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return " ".join(map(visible, value)) or "none"
    return "none" if value in (None, "", {}) else f"{value:g}"


def _show_all(as_json: bool) -> None:
    from longra.sampling.parameters import PARAMETERS

    if as_json:
        console.result_json({"parameters": [_described(field) for field in PARAMETERS]})
        return
    rows = [
        (
            _option(field),
            _default(field),
            "" if about.number is None else str(about.number),
            "" if about.off is None else f"{about.off:g}",
            about.does.partition(". ")[0].rstrip("."),
        )
        for field, about in PARAMETERS.items()
    ]
    console.result(console.table(("PARAMETER", "DEFAULT", "RANGE", "OFF AT", "WHAT IT DOES"), rows))
    console.note("`longra params NAME` explains one and shows its effect; --prompt shows it on your own text")


def _explained(field: str) -> str:
    from longra.sampling.parameters import PARAMETERS

    about = PARAMETERS[field]
    facts = [about.option or "in Python and presets", f"default {_default(field)}"]
    if about.number is not None:
        facts.append(f"range {about.number}")
    if about.off is not None:
        facts.append(f"{about.off:g} is off")
    source = f" ({about.source})" if about.source else ""
    return f"{_option(field)}: {', '.join(facts)}\n\n{textwrap.fill(about.does + source, _LINE)}"
