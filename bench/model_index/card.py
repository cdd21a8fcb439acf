"""Results in the metadata of a model card, which keeps every other byte."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import yaml

from bench.errors import CardError
from bench.model_index.results import HARNESS
from bench.yaml_file import parse_yaml

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
    values, root = _read(front)
    value = None if root is None else _child(root, _KEY)
    if root is None or value is None:
        gap = "" if not front or front.endswith("\n") else "\n"
        return f"{front}{gap}{metadata(model, results)}"
    lines = front.splitlines(keepends=True)
    index = _models(values.get(_KEY))
    entries = _entries(value)
    if entries is None:
        return _written_anew(index, lines, root, model, results)
    suites = {result.dataset_type for result in results}
    items = entries.value
    starts = [item.start_mark.line for item in items]
    bounds = [*starts, _last_line(lines, entries.end_mark.line)]
    kept = [
        "".join(lines[start:stop])
        for item, start, stop in zip(index[0]["results"], bounds[:-1], bounds[1:], strict=True)
        if not _replaced(item, suites)
    ]
    (ours,) = _index(model, results)
    indent = " " * (items[0].start_mark.column - 2)
    added = "".join(f"{indent}{line}\n" for line in _dump(ours["results"]).splitlines())
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += "\n"
    return "".join([*lines[: bounds[0]], *kept, added, *lines[bounds[-1] :]])


def _written_anew(
    index: list[dict[str, Any]],
    lines: list[str],
    root: yaml.MappingNode,
    model: str,
    results: list[EvalResult],
) -> str:
    """The whole ``model-index`` from its values, where its text cannot be cut into entries."""
    (ours,) = _index(model, results)
    suites = {result.dataset_type for result in results}
    own = next((entry for entry in index if entry.get("results")), None)
    if own is None:
        index = [ours]
    else:
        own["results"] = [r for r in own["results"] if not _replaced(r, suites)] + ours["results"]
    key, value = next(pair for pair in root.value if pair[0].value == _KEY)
    if value.start_mark.index < key.start_mark.index:
        raise CardError("the card's `model-index` is an alias (`*name`); write it out first")
    first, last = key.start_mark.line, value.end_mark.line
    stop = _last_line(lines, max(last, first + 1) if value.end_mark.column == 0 else last + 1)
    return "".join([*lines[:first], _dump({_KEY: index}), *lines[stop:]])


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
    # An alias has the place of what it means.
    starts = [value.start_mark.line - 1, *(item.start_mark.line for item in results.value)]
    return results if all(before < after for before, after in pairwise(starts)) else None


def _read(front: str) -> tuple[dict[Any, Any], yaml.MappingNode | None]:
    """The front matter's values, and its nodes, which tell where in the text they stand."""
    try:
        values, root = parse_yaml(front)
    except ValueError as error:
        raise CardError(f"the card's metadata {error}; mend it first") from error
    if root is None:
        return {}, None
    if not isinstance(values, dict) or not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise CardError("the card's metadata is not a list of `key: value` lines; mend it first")
    return values, root


def _models(index: Any) -> list[dict[str, Any]]:
    """The models of a ``model-index``, each with a list of results or with none."""
    models = [] if index is None else index
    if not isinstance(models, list) or not all(
        isinstance(model, dict) and isinstance(model.get("results") or [], list) for model in models
    ):
        raise CardError(
            "the card's `model-index` is not a list of models, each with a `name` and a list of "
            "`results`; mend it first, or remove it"
        )
    return models


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
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise CardError(
            f"huggingface_hub cannot read the card's metadata: {error}; mend its front matter first"
        ) from error
    return card
