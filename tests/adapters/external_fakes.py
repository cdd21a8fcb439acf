"""Workers that misbehave on purpose, one small program each."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import psutil
from pycocotools import mask as coco

from adapters.external.adapter import ExternalRecognizer
from adapters.interface import RLE, Box, Generation, RegionQuery, Task
from adapters.masks import BoolMask

GENERATION = Generation(max_new_tokens=8)
WIDTH, HEIGHT = 12, 8

HEAD = """\
import json, os, signal, sys, time
from pathlib import Path

HELLO = {
    "protocol": "regionbench-worker",
    "version": 1,
    "model": {"name": "fake", "version": "1"},
    "prompts": {"category": "What?"},
}
starts = Path(__file__).with_suffix(".starts")
LIFE = len(starts.read_text()) + 1 if starts.exists() else 1
starts.write_text("." * LIFE)


def say(value):
    print(value if isinstance(value, str) else json.dumps(value), flush=True)


def requests():
    for line in sys.stdin:
        yield json.loads(line)


def answers(request):
    return [{"text": region["id"]} for region in request["regions"]]


def reply(request):
    say({"id": request["id"], "answers": answers(request)})

"""

Load = Callable[..., ExternalRecognizer]


def write_worker(path: Path, body: str) -> str:
    """Write the program; returns the command that starts it."""
    path.write_text(HEAD + body, encoding="utf-8")
    return f"'{sys.executable}' -S '{path}'"


def starts(path: Path) -> int:
    """How often the program was started."""
    return len(path.with_suffix(".starts").read_text())


def alive(process: int) -> bool:
    """Whether a process runs; one that only waits for its parent to notice its end does not."""
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def gone(process: int) -> bool:
    """Whether a process ends soon."""
    deadline = time.monotonic() + 10
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(process)


def encode(mask: BoolMask) -> RLE:
    counts = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    return RLE((mask.shape[0], mask.shape[1]), counts)


def rectangle(top: int, left: int, bottom: int, right: int) -> RLE:
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return encode(mask)


def query(
    *region_ids: str,
    masks: Sequence[RLE] | None = None,
    boxes: Sequence[Box] | None = None,
    picture: Path | None = None,
    image_id: str = "cat",
    task: Task = Task.CATEGORY,
) -> RegionQuery:
    return RegionQuery(
        image_id=image_id,
        image=PIL.Image.new("RGB", (WIDTH, HEIGHT), (215, 25, 35)),
        image_path=picture,
        masks=masks or [rectangle(1, 2, 5, 6)] * len(region_ids),
        boxes=boxes,
        region_ids=region_ids,
        task=task,
    )
