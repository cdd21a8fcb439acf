"""Stored answers: one row per region and question, as Parquet."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from adapters.interface import Answer, Status
from bench.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TEXT_COLUMNS = ("region_id", "image_id", "identity", "text", "status", "finish_reason", "error")
_LAST_BYTES = b"PAR1"  # of every Parquet file
_SURROGATE = re.compile("[\ud800-\udfff]")


class AnswerRow(NamedTuple):
    """One stored answer. ``identity`` is empty where the picture could not be read."""

    region_id: str
    image_id: str
    identity: str
    text: str
    token_ids: Sequence[int]
    status: str
    finish_reason: str
    prompt_tokens: int
    error: str | None

    @classmethod
    def of(cls, region_id: str, image_id: str, identity: str, answer: Answer) -> AnswerRow:
        """The row of an answer; its texts are made storable (lone surrogates replaced)."""
        return cls(
            region_id=region_id,
            image_id=image_id,
            identity=identity,
            text=_storable(answer.text),
            token_ids=answer.token_ids,
            status=answer.status.value,
            finish_reason=answer.finish_reason.value,
            prompt_tokens=answer.prompt_tokens,
            error=None if answer.error is None else _storable(answer.error),
        )


def schema() -> pa.Schema:
    """Columns of every part, in order."""
    import pyarrow as pa

    types: Mapping[str, pa.DataType] = {
        "token_ids": pa.list_(pa.int32()),
        "prompt_tokens": pa.int32(),
        **dict.fromkeys(TEXT_COLUMNS, pa.string()),
    }
    return pa.schema([(name, types[name]) for name in AnswerRow._fields])


def encode(rows: Sequence[AnswerRow]) -> bytes:
    """Rows as the bytes of a Parquet file; equal rows give equal bytes."""
    import pyarrow as pa

    columns = {name: [row[i] for row in rows] for i, name in enumerate(AnswerRow._fields)}
    return table_bytes(pa.table(columns, schema=schema()))


def table_bytes(table: pa.Table) -> bytes:
    """An Arrow table as the bytes of a Parquet file, without metadata of the writer's session."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(None), buffer, compression="zstd")
    return buffer.getvalue()


def read_parts(parts: Iterable[Path], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Rows of all parts in the order they were written.

    Raises:
        StoreError: a part is damaged; its deletion costs only its own answers.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = schema() if columns is None else pa.schema([schema().field(c) for c in columns])
    tables = []
    for part in parts:
        try:
            table = pq.read_table(part, columns=wanted.names, partitioning=None)
        except (OSError, pa.ArrowException) as error:
            raise _damaged(part, str(error)) from error
        if not table.schema.equals(wanted):
            found = ", ".join(f"{field.name} {field.type}" for field in table.schema)
            raise _damaged(part, f"its columns are: {found}")
        tables.append(table)
    frame: pd.DataFrame = pa.concat_tables(tables or [wanted.empty_table()]).to_pandas()
    return frame


def cut_off(parts: Iterable[Path]) -> list[Path]:
    """The parts that do not end as a part does, by their last bytes alone."""
    return [part for part in parts if not _ends_well(part)]


def _ends_well(part: Path) -> bool:
    try:
        with part.open("rb") as file:
            file.seek(-len(_LAST_BYTES), os.SEEK_END)
            return file.read() == _LAST_BYTES
    except OSError:  # too short to be one, or not to be read at all
        return False


def _damaged(part: Path, problem: str) -> StoreError:
    return StoreError(f"{part} is damaged ({problem}); delete it: only its regions are asked again")


def settle(rows: pd.DataFrame) -> pd.DataFrame:
    """The last word on every region, sorted by region id."""
    last = rows.drop_duplicates("region_id", keep="last")
    return last.sort_values("region_id", ignore_index=True)


def final(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that stand: everything but errors."""
    return rows[rows["status"] != Status.ERRORED.value]


def _storable(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)
