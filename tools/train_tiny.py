"""Train one of the tiny WOW-Seg checkpoints that ship with the project.

    python tools/train_tiny.py --variant mm-cascade

trains on generated shapes, on one CPU thread so that the result does not depend on how many
cores there are, and writes the checkpoint to ``adapters/wow_seg/bundled/<variant>`` and a log of
JSON lines to ``docs/training/<variant>.jsonl``. On one machine the same command gives the same
bytes. It takes 21 minutes on one core of a 2-core server, and 3 GB of memory.

The three variants differ in one thing, how a scene's regions are asked: ``mm-cascade`` asks half
of the scenes with all regions in one prompt through the Cascade Attention Mask and half with one
region a prompt, ``mm-causal`` the same with plain causal attention, ``sm`` always one region a
prompt. All see the same scenes in the same order for the same number of steps, from the same
initial weights. ``docs/training/README.md`` has the results.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from adapters.wow_seg.checkpoint import save_official  # noqa: E402
from adapters.wow_seg.prompting import Prompter  # noqa: E402
from suites.shapes.scenes import Split  # noqa: E402
from suites.shapes.vocabulary import NAMES  # noqa: E402
from tools.tiny.evaluation import word_accuracy  # noqa: E402
from tools.tiny.examples import examples  # noqa: E402
from tools.tiny.network import fresh_model, tiny_config  # noqa: E402
from tools.tiny.tokenizer import train_tokenizer, write_published_files  # noqa: E402
from tools.tiny.training import Recipe, Trainer, Variant  # noqa: E402

HELD_OUT_SCENES = 60
EVERY = 50


def main() -> None:
    """Train, log, save."""
    options = _options()
    variant = Variant(options.variant)
    recipe = Recipe(seed=options.seed, steps=options.steps, scenes=options.scenes)
    torch.set_num_threads(1)
    tokenizer = train_tokenizer(NAMES)
    config = tiny_config(len(tokenizer))
    trainer = Trainer(fresh_model(config, recipe.seed), Prompter(tokenizer))
    options.log.mkdir(parents=True, exist_ok=True)
    with (options.log / f"{variant}.jsonl").open("w", encoding="utf-8") as log:
        _write(log, {"variant": variant, **dataclasses.asdict(recipe), "torch": torch.__version__})
        scenes = examples(recipe.seed, Split.TRAIN, range(recipe.scenes), config)
        held_out = examples(recipe.seed, Split.VALIDATION, range(HELD_OUT_SCENES), config)
        for progress in trainer.train(scenes, variant, recipe, EVERY):
            accuracy = word_accuracy(trainer, held_out, variant.cascade)
            _write(log, {**progress._asdict(), **accuracy})
    folder = options.out / variant
    save_official(trainer.model, tokenizer, folder, torch.bfloat16)
    write_published_files(tokenizer, folder)


def _write(log: TextIO, record: Mapping[str, object]) -> None:
    line = json.dumps(record)
    log.write(line + "\n")
    log.flush()
    print(line, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variant", choices=list(Variant), required=True)
    parser.add_argument("--seed", type=int, default=Recipe().seed)
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--scenes", type=int, default=Recipe().scenes)
    parser.add_argument("--out", type=Path, default=ROOT / "adapters" / "wow_seg" / "bundled")
    parser.add_argument("--log", type=Path, default=ROOT / "docs" / "training")
    return parser.parse_args()


if __name__ == "__main__":
    main()
