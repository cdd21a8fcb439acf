"""Results in the metadata of a model card, which keeps every other byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from bench.errors import CardError
from bench.model_index.results import HARNESS

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_KEY = "model-index"
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


def metadata(model: str, results: list[EvalResult]) -> str:
    """The ``model-index`` of a card that has none, as YAML."""
    return _dump({_KEY: _index(model, results)})


def merged(card: str, model: str, results: list[EvalResult]) -> str:
    """The card with these results in the place of ours of the same suites.

    Other entries of the ``model-index``, ours of other suites among them, keep their text. One in
    YAML's flow style, or of several models, is written anew with its values.

    Raises:
        CardError: the card's metadata cannot be read.
    """
    mark, text = ("\ufeff", card[1:]) if card.startswith("\ufeff") else ("", card)
    end = "\r\n" if "\r\n" in text else "\n"
    found = _FRONT_MATTER.match(text)
    if found is None:
        head = f"---\n{metadata(model, results)}---\n".replace("\n", end)
        return _checked(f"{mark}{head}{text}")
    front = found[1].replace("\r\n", "\n")
    new = _with_results(front, model, results).replace("\n", end)
    return _checked(f"{mark}{text[: found.start(1)]}{new}{text[found.end(1) :]}")


def _with_results(front: str, model: str, results: list[EvalResult]) -> str:
    """The front matter with the results among its lines, which end in LF."""
    root = _composed(front)
    value = None if root is None else _child(root, _KEY)
    if root is None or value is None:
        gap = "" if not front or front.endswith("\n") else "\n"
        return f"{front}{gap}{metadata(model, results)}"
    lines = front.splitlines(keepends=True)
    entries = _entries(value)
    if entries is None:
        return _written_anew(front, lines, root, model, results)
    suites = {result.dataset_type for result in results}
    items = entries.value
    starts = [item.start_mark.line for item in items]
    bounds = [*starts, _last_line(lines, entries.end_mark.line)]
    kept = [
        "".join(lines[start:stop])
        for item, start, stop in zip(items, bounds[:-1], bounds[1:], strict=True)
        if not _replaced(yaml.safe_load(yaml.serialize(item)), suites)
    ]
    (index,) = _index(model, results)
    indent = " " * (items[0].start_mark.column - 2)
    added = "".join(f"{indent}{line}\n" for line in _dump(index["results"]).splitlines())
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    return "".join([*lines[: bounds[0]], *kept, added, *lines[bounds[-1] :]])


def _written_anew(
    front: str, lines: list[str], root: yaml.MappingNode, model: str, results: list[EvalResult]
) -> str:
    """The whole ``model-index`` from its values, where its text cannot be cut into entries."""
    values = yaml.safe_load(front)[_KEY] or []
    (ours,) = _index(model, results)
    suites = {result.dataset_type for result in results}
    own = next((entry for entry in values if entry.get("results")), None)
    if own is None:
        values = [ours]
    else:
        own["results"] = [r for r in own["results"] if not _replaced(r, suites)] + ours["results"]
    key, value = next(pair for pair in root.value if pair[0].value == _KEY)
    first, last = key.start_mark.line, value.end_mark.line
    stop = _last_line(lines, max(last, first + 1) if value.end_mark.column == 0 else last + 1)
    return "".join([*lines[:first], _dump({_KEY: values}), *lines[stop:]])


def _replaced(entry: Any, suites: set[str]) -> bool:
    """Whether an entry is an earlier one of ours, of one of these suites."""
    dataset = entry.get("dataset") if isinstance(entry, dict) else None
    arguments = dataset.get("args") if isinstance(dataset, dict) else None
    ours = isinstance(arguments, dict) and arguments.get("harness") == HARNESS
    return ours and isinstance(dataset, dict) and dataset.get("type") in suites


def _entries(value: yaml.Node) -> yaml.SequenceNode | None:
    """The results of an index of one model, where each begins on a line of its own."""
    if not isinstance(value, yaml.SequenceNode) or value.flow_style or len(value.value) != 1:
        return None
    results = _child(value.value[0], "results")
    if not isinstance(results, yaml.SequenceNode) or results.flow_style or not results.value:
        return None
    return results


def _composed(front: str) -> yaml.MappingNode | None:
    try:
        root = yaml.compose(front, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise CardError(f"the card's metadata is not YAML: {error}; mend it first") from error
    if root is None:
        return None
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise CardError("the card's metadata is not a list of `key: value` lines; mend it first")
    return root


def _child(node: yaml.Node, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _last_line(lines: list[str], stop: int) -> int:
    """``stop`` without the blank and comment lines before it: they belong to what follows."""
    while stop > 0 and (not lines[stop - 1].strip() or lines[stop - 1].lstrip().startswith("#")):
        stop -= 1
    return stop


def _index(model: str, results: list[EvalResult]) -> list[dict[str, Any]]:
    from huggingface_hub.repocard_data import eval_results_to_model_index

    return eval_results_to_model_index(model, results)


def _dump(values: Any) -> str:
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=10_000)


def _checked(card: str) -> str:
    """The card, once Hugging Face's own reader has taken it."""
    from huggingface_hub import ModelCard

    try:
        ModelCard(card.removeprefix("\ufeff"))
    except (ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise CardError(
            f"huggingface_hub cannot read the card's metadata: {error}; mend its front matter first"
        ) from error
    return card
