"""What the harness raises on purpose; every message says what to change."""

from __future__ import annotations

import errno

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Of an ``OSError``: the disk, quota or file size limit is reached."""


class BenchError(Exception):
    """Base of the harness's own errors."""


class ConfigError(BenchError):
    """A configuration file, or an option that names something in it, cannot be used."""


class StoreError(BenchError):
    """The run store cannot be read or written."""


class RunLocked(StoreError):
    """Another process is writing the same run."""


class StoreFull(StoreError):
    """The disk filled up while answers were written; what was stored before is whole."""


class ImportFileError(BenchError):
    """A file of answers made elsewhere cannot be matched to the suite's regions."""


class CertificateError(BenchError):
    """A certificate cannot be read, or an adapter cannot be certified."""


class PublishError(BenchError):
    """The site cannot be published as asked for."""


class CardError(BenchError):
    """A model card cannot take a model's scores."""
