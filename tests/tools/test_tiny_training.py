"""How the tiny checkpoints are trained: the tokenizer, the sequences, the loop."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from adapters.wow_seg.attention import Cascade
from adapters.wow_seg.checkpoint import save_official
from adapters.wow_seg.prompting import CATEGORY_PROMPT, Prompter
from suites.shapes.scenes import Split
from suites.shapes.vocabulary import NAMES
from tools.tiny.evaluation import word_accuracy
from tools.tiny.examples import Example, examples
from tools.tiny.network import fresh_model, tiny_config
from tools.tiny.sequences import collate, separately, together
from tools.tiny.tokenizer import train_tokenizer, write_published_files
from tools.tiny.training import Progress, Recipe, Trainer, Variant


@cache
def prompter() -> Prompter:
    return Prompter(train_tokenizer(NAMES))


def trainer(seed: int = 0) -> Trainer:
    return Trainer(fresh_model(tiny_config(len(prompter().tokenizer)), seed), prompter())


@cache
def scenes() -> tuple[Example, ...]:
    config = tiny_config(len(prompter().tokenizer))
    return tuple(examples(0, Split.TRAIN, range(4), config))


def test_every_word_of_prompt_and_names_is_one_token() -> None:
    for name in NAMES:
        assert len(prompter().encode(name)) == 2
        assert len(prompter().encode(f", {name}")) == 3
    words = CATEGORY_PROMPT.replace("<image>", "").replace(".", " .").replace(":", " :").split()
    assert len(prompter().encode(CATEGORY_PROMPT.split("<image>")[0].strip())) < len(words)


def test_bytes_keep_the_ids_of_the_published_tokenizer() -> None:
    vocabulary = prompter().tokenizer.get_vocab()

    assert (vocabulary["!"], vocabulary[","], vocabulary["Ċ"]) == (0, 11, 198)
    assert prompter().encode("a\n")[-1] == 198


def test_the_written_tokenizer_files_say_the_same_as_the_tokenizer(tmp_path: Path) -> None:
    tokenizer = prompter().tokenizer
    write_published_files(tokenizer, tmp_path)
    slow = AutoTokenizer.from_pretrained(tmp_path, tokenizer_type="qwen2", trust_remote_code=False)

    assert slow.encode("red circle, blue ring") == tokenizer.encode("red circle, blue ring")


def test_prompts_side_by_side_compute_what_prompts_one_by_one_compute() -> None:
    teacher = trainer()
    teacher.model.eval()
    example = scenes()[0]
    one_by_one = [
        example._replace(
            pixels=example.pixels[[0, 1 + i]], keep=example.keep[[i]], names=(example.names[i],)
        )
        for i in range(len(example.names))
    ]
    with torch.no_grad():
        packed = teacher.forward([example], None).logits
        alone = torch.cat([teacher.forward([single], None).logits for single in one_by_one])

    torch.testing.assert_close(packed, alone, atol=1e-4, rtol=0)


def test_one_region_asked_together_or_separately_is_the_same_sequence() -> None:
    names = ("red ring",)
    one = together(prompter(), 49, [5], names, Cascade.REGION_OUTPUT)
    other = separately(prompter(), 49, [5], names)

    assert (one.ids, one.labels, one.positions) == (other.ids, other.labels, other.positions)
    # Nobody attends to token 0 in the cascade mask; these sequences have none.
    assert 0 not in one.ids
    assert torch.equal(one.allowed, other.allowed)


def test_padding_is_seen_by_nobody_else() -> None:
    short = separately(prompter(), 49, [5], ("red ring",))
    long = separately(prompter(), 49, [5, 9], ("red ring", "lime cross"))
    batch = collate([short, long])
    length = len(short.ids)

    assert torch.equal(batch.allowed[0, :length, :length], short.allowed)
    assert not batch.allowed[0, :length, length:].any()
    assert torch.equal(
        batch.allowed[0, length:, length:].sum(1), torch.ones(len(long.ids) - length)
    )


def test_the_learning_rate_rises_then_falls() -> None:
    recipe = Recipe(steps=1000, warm_up=100)
    rates = [recipe.rate(step) for step in range(1000)]
    top = rates.index(max(rates))

    assert 90 <= top <= 100
    assert all(a < b for a, b in pairwise(rates[:top]))
    assert all(a > b for a, b in pairwise(rates[top:]))
    assert rates[-1] == pytest.approx(recipe.learning_rate * recipe.final_rate, rel=0.01)


@pytest.mark.parametrize("variant", list(Variant))
def test_the_same_seed_trains_the_same_weights(variant: Variant, tmp_path: Path) -> None:
    recipe = Recipe(scenes=4, batch=1, steps=3, warm_up=1)
    files = []
    for attempt in ("first", "second"):
        teacher = trainer(recipe.seed)
        list(teacher.train(scenes(), variant, recipe, every=1))
        save_official(teacher.model, prompter().tokenizer, tmp_path / attempt, torch.bfloat16)
        files.append((tmp_path / attempt / "model.safetensors").read_bytes())

    assert files[0] == files[1]


def test_training_lowers_the_loss_and_counts_what_was_shown() -> None:
    recipe = Recipe(scenes=4, batch=2, steps=12, warm_up=2)
    first, *_, last = trainer().train(scenes(), Variant.MM_CASCADE, recipe, every=4)

    assert isinstance(last, Progress)
    assert last.loss < first.loss
    assert last.regions == 6 * sum(len(example.names) for example in scenes())


def test_accuracy_is_told_for_both_ways_of_asking() -> None:
    teacher = trainer()

    assert set(word_accuracy(teacher, scenes(), None)) == {"single_colour", "single_shape"}
    both = word_accuracy(teacher, scenes(), Cascade.NONE)
    assert set(both) > {"together_colour", "together_shape"}
    assert all(0 <= value <= 1 for value in both.values())
