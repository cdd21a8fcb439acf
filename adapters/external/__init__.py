"""Any model in any environment or language: a child process that speaks JSON lines."""

from adapters.interface import Task
from adapters.registry import AdapterEntry

ENTRY = AdapterEntry(
    name="external",
    summary="your own program, asked over JSON lines on its standard input and output",
    loader="adapters.external.adapter:load",
    tasks=tuple(Task),
    settings={
        "command": "how to start the program, words as in a shell (docs/external_models.md)",
        "timeout_s": "seconds a picture's regions may take (default 120)",
        "start_timeout_s": "seconds from the start to the handshake (default 600)",
        "restarts": "how often it is started again after a failure (default 3)",
    },
    licence="Apache-2.0",
)
