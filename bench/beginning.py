"""The manifest a run begins with."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from adapters.interface import AdapterCard
from bench.choices import ModelChoice, SuiteChoice
from bench.identity import MASK_SOURCE
from bench.manifest import Manifest, ModelRecord, SelectionRecord, SuiteRecord
from bench.store import StoredRun
from suites.base import Selection, Suite


def selection_record(suite: Suite, selection: Selection) -> SelectionRecord:
    """The selection's entry in a manifest."""
    return SelectionRecord(
        limit=selection.limit,
        images=selection.count(len(suite)),
        regions=len(suite.references(selection)),
    )


def new_manifest(
    run: StoredRun,
    command: Sequence[str],
    model: ModelChoice,
    card: AdapterCard,
    suite_choice: SuiteChoice,
    suite: Suite,
    selected: SelectionRecord,
) -> Manifest:
    """The manifest of a run that begins with ``command``."""
    return Manifest(
        run=run.name,
        command=shlex.join(command),
        suite=_suite_record(suite_choice, suite),
        model=ModelRecord(
            name=model.name,
            adapter=card.name,
            revision=card.revision,
            checkpoint=card.checkpoint,
            checkpoint_digest=card.checkpoint_digest,
            parameters=card.parameters,
            dtype=card.dtype,
            prompt=card.prompts[suite.card.task],
            settings=dict(card.settings),
            base_model=card.base_model,
            licence=card.licence,
            context_dependent=card.context_dependent,
            declared=model.declared(),
        ),
        max_new_tokens=suite.generation.max_new_tokens,
        mask_source=MASK_SOURCE,
        selection=selected,
    )


def _suite_record(choice: SuiteChoice, suite: Suite) -> SuiteRecord:
    card = suite.card
    return SuiteRecord(
        name=card.name,
        called=choice.name,
        version=card.version,
        digest=suite.digest,
        kind=choice.kind,
        options=dict(choice.options),
        task=card.task,
        protocol=card.protocol,
        main_metric=card.main_metric,
        licence=card.licence,
        source=card.source,
        images=len(suite),
    )
