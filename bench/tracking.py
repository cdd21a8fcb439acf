"""MLflow: every run logged, to a local database or any server; never in the way of a run."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.config import MlflowSpec
from bench.manifest import Manifest
from bench.output import warn
from bench.store import StoredRun
from suites.base import Scores

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAG = "regionbench.run"
# A server that does not answer must cost seconds: MLflow's own defaults add up to hours.
_PATIENCE = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "60",
}
_NOT_IN_A_NAME = re.compile(r"[^\w./ :-]")


class Tracker:
    """Logs runs; after the first failure it warns once and leaves the server alone."""

    def __init__(self, spec: MlflowSpec, say: Callable[[str], None]) -> None:
        self._spec = spec
        self._say = say
        self._client: MlflowClient | None = None
        self._experiment = ""
        self._failed = not spec.enabled
        self.uri = os.environ.get("MLFLOW_TRACKING_URI") or spec.uri or _local_database()

    @classmethod
    def of(cls, spec: MlflowSpec, *, enabled: bool) -> Tracker:
        """The tracker a verb uses; ``enabled`` is false with ``--no-mlflow``."""
        return cls(spec if enabled else spec.model_copy(update={"enabled": False}), warn)

    def log(self, run: StoredRun, manifest: Manifest, scores: Scores) -> None:
        """Log a run's parameters, metrics and files; a resumed run updates its earlier record."""
        self._attempt(lambda client: self._log(client, run, manifest, scores))

    def log_board(self, runs: list[StoredRun], site: Path) -> None:
        """Add the board's page and data to the record of every run."""
        self._attempt(lambda client: self._log_board(client, runs, site))

    def _attempt(self, action: Callable[[MlflowClient], None]) -> None:
        if self._failed:
            return
        try:
            action(self._connected())
        except Exception as error:
            self._failed = True
            self._say(
                f"MLflow at {self.uri} could not be used ({type(error).__name__}: "
                f"{_first_line(error)}); the run is stored all the same. "
                "--no-mlflow, or `mlflow: {enabled: false}` in bench.yaml, turns logging off."
            )

    def _connected(self) -> MlflowClient:
        if self._client is None:
            for name, value in _PATIENCE.items():
                os.environ.setdefault(name, value)
            from mlflow import MlflowClient

            for name in ("mlflow", "alembic"):  # after the import, which sets its own levels
                logging.getLogger(name).setLevel(logging.ERROR)
            client = MlflowClient(tracking_uri=self.uri)
            self._experiment = _experiment(client, self._spec.experiment, self.uri)
            self._client = client
        return self._client

    def _log(
        self, client: MlflowClient, run: StoredRun, manifest: Manifest, scores: Scores
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        record = self._record(client, run)
        time = int(record.info.start_time)
        known = record.data.params
        client.log_batch(
            record.info.run_id,
            metrics=[Metric(n, v, time, 0) for n, v in _metrics(scores).items()],
            params=[Param(n, v) for n, v in _parameters(manifest).items() if n not in known],
            tags=[RunTag(n, v) for n, v in _tags(manifest, scores).items()],
        )
        client.log_artifact(record.info.run_id, str(run.manifest_path))
        if run.scores_folder.is_dir():
            client.log_artifacts(record.info.run_id, str(run.scores_folder), "scores")
        client.set_terminated(
            record.info.run_id, "FINISHED" if scores.counts.complete else "FAILED"
        )

    def _log_board(self, client: MlflowClient, runs: list[StoredRun], site: Path) -> None:
        for run in runs:
            record = self._record(client, run)
            for path in sorted(site.iterdir()):
                if path.is_file():
                    client.log_artifact(record.info.run_id, str(path), "board")

    def _record(self, client: MlflowClient, run: StoredRun) -> Any:
        found = client.search_runs(
            [self._experiment], f"tags.`{TAG}` = '{run.name}'", max_results=1
        )
        if found:
            return found[0]
        suite, model, _ = run.folder.parts[-3:]
        return client.create_run(
            self._experiment, tags={TAG: run.name}, run_name=f"{model} on {suite}"
        )


def _local_database() -> str:
    return f"sqlite:///{Path.cwd() / 'mlflow.db'}"


def _experiment(client: MlflowClient, name: str, uri: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        place = None
        if uri.startswith("sqlite:///"):
            place = (
                Path(uri.removeprefix("sqlite:///")).absolute().parent / "mlartifacts"
            ).as_uri()
        with suppress(Exception):  # another process may just have made it
            return str(client.create_experiment(name, artifact_location=place))
        found = client.get_experiment_by_name(name)
    return str(found.experiment_id)


def _parameters(manifest: Manifest) -> dict[str, str]:
    """What never changes in a run; MLflow refuses to change a parameter."""
    model, suite = manifest.model, manifest.suite
    values = {
        "model": model.name,
        "adapter": model.adapter,
        "adapter_revision": model.revision,
        "checkpoint": model.checkpoint,
        "checkpoint_digest": model.checkpoint_digest,
        "dtype": model.dtype,
        "parameters": model.parameters,
        "suite": suite.name,
        "suite_version": suite.version,
        "suite_digest": suite.digest,
        "protocol": suite.protocol,
        "max_new_tokens": manifest.max_new_tokens,
        **{f"settings.{name}": value for name, value in model.settings.items()},
    }
    return {name: str(value) for name, value in values.items()}


def _metrics(scores: Scores) -> dict[str, float]:
    values: dict[str, float | int | None] = {
        f"regions/{name}": getattr(scores.counts, name)
        for name in ("expected", "answered", "empty", "unanswerable", "errored", "missing")
    }
    if scores.counts.complete:
        for score in scores.table:
            name = _NOT_IN_A_NAME.sub("_", f"{score.metric}/{score.protocol}")
            values |= {name: score.value, f"{name}/low": score.low, f"{name}/high": score.high}
    return {name: float(value) for name, value in values.items() if value is not None}


def _tags(manifest: Manifest, scores: Scores) -> dict[str, str]:
    return {
        "regionbench.complete": str(scores.counts.complete).lower(),
        "regionbench.images": f"{manifest.selection.images} of {manifest.suite.images}",
        "regionbench.encoder_digest": scores.encoder_digest,
        "regionbench.command": manifest.command,
    }


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")[:300]
