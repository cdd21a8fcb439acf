"""Computed costs: pinned at true sizes, and equal to what a model that really answers takes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from adapters import dam, osprey, pam, wow_seg
from adapters.costs import PhaseCosts, Way, count_flops, count_steps
from adapters.cuts import Cut
from adapters.dam import adapter as dam_adapter
from adapters.dam import cost as dam_cost
from adapters.dam.adapter import DamRecognizer
from adapters.dam.modeling import DamModel
from adapters.interface import Generation, JsonScalar, RegionQuery, RegionRecognizer, SettingError
from adapters.osprey import cost as osprey_cost
from adapters.osprey import shared_prefix as osprey_prefix
from adapters.osprey.adapter import OspreyRecognizer
from adapters.osprey.modeling import OspreyModel
from adapters.pam import adapter as pam_adapter
from adapters.pam import cost as pam_cost
from adapters.pam.adapter import PamRecognizer
from adapters.pam.modeling import PamModel
from adapters.registry import AdapterEntry
from adapters.wow_seg import cost as wow_seg_cost
from adapters.wow_seg import shared_prefix
from adapters.wow_seg.adapter import WowSegRecognizer
from adapters.wow_seg.modeling import WowSegModel
from adapters.wow_seg.preprocessing import RegionCrop
from tests.adapters import dam_goldens, osprey_goldens, pam_goldens, wow_seg_goldens

VGA = (640, 480)
META = torch.device("meta")
WAVING = (
    *(shared_prefix, wow_seg_cost, osprey_prefix, osprey_cost),
    *(pam_adapter, dam_adapter, dam_cost),
)
ENTRIES = {entry.name: entry for entry in (wow_seg.ENTRY, osprey.ENTRY, pam.ENTRY, dam.ENTRY)}


class Pinned(NamedTuple):
    """A published size's cost of one and of 32 regions, 32 new tokens each, at 640x480."""

    adapter: str
    preset: str
    settings: dict[str, JsonScalar]
    one: PhaseCosts
    many: PhaseCosts

    def cost(self, instances: int) -> PhaseCosts:
        return ENTRIES[self.adapter].cost(
            self.preset,
            instances=instances,
            tokens=32,
            size=VGA,
            way="together",
            dtype="bfloat16",
            **self.settings,
        )


PINNED = {
    "wow-seg shared-prefix": Pinned(
        "wow-seg",
        "internvl3-1b",
        {},
        PhaseCosts(10_162_363_760_640, 3_449_910_879_744, 39_786_453_504, 42_467_328),
        PhaseCosts(32_664_740_659_200, 4_683_884_040_192, 1_410_715_041_792, 67_989_504),
    ),
    "wow-seg single": Pinned(
        "wow-seg",
        "internvl3-1b",
        {"multi_instance": "single"},
        PhaseCosts(10_162_363_760_640, 3_460_405_175_808, 39_786_453_504, 42_467_328),
        PhaseCosts(325_195_640_340_480, 110_732_965_625_856, 1_273_166_512_128, 42_467_328),
    ),
    "wow-seg cascade": Pinned(
        "wow-seg",
        "internvl3-1b",
        {"multi_instance": "cascade"},
        PhaseCosts(10_162_363_760_640, 3_449_910_879_744, 41_071_263_744, 42_479_616),
        PhaseCosts(32_664_740_659_200, 4_430_434_788_864, 1_482_066_700_800, 66_097_152),
    ),
    "osprey-7b": Pinned(
        "osprey",
        "osprey-7b",
        {},
        PhaseCosts(399_890_317_312, 14_677_731_966_976, 427_549_523_968, 585_629_696),
        PhaseCosts(401_820_352_512, 19_790_708_080_640, 14_133_026_095_104, 1_284_505_600),
    ),
    "pam-1.5b": Pinned(
        "pam",
        "pam-1.5b",
        {},
        PhaseCosts(1_839_749_903_872, 3_007_660_796_928, 101_483_123_712, 31_653_888),
        PhaseCosts(2_297_834_160_128, 95_106_850_357_248, 3_247_459_958_784, 1_012_924_416),
    ),
    "pam-3b": Pinned(
        "pam",
        "pam-3b",
        {},
        PhaseCosts(1_844_644_656_640, 6_289_935_470_592, 201_234_739_200, 40_697_856),
        PhaseCosts(2_454_466_248_704, 198_867_849_314_304, 6_439_511_654_400, 1_302_331_392),
    ),
    "dam-3b": Pinned(
        "dam",
        "dam-3b",
        {},
        PhaseCosts(1_932_268_313_600, 1_234_825_707_520, 165_007_851_520, 88_801_280),
        PhaseCosts(61_804_932_837_376, 34_311_525_171_200, 5_280_251_248_640, 2_841_640_960),
    ),
}


class Tiny(NamedTuple):
    """A tiny network on the CPU: how it is asked about so many regions, and what that costs."""

    recognizer: RegionRecognizer
    network: nn.Module
    query: Callable[[int], RegionQuery]
    cost: Callable[[Any, int, int], PhaseCosts]

    def counted(self, instances: int, tokens: int) -> int:
        """Operations of really answering."""
        query, generation = self.query(instances), Generation(tokens, forced_tokens=tokens)
        flops, (answers,) = count_flops(lambda: self.recognizer.recognize([query], generation))
        assert [len(answer.token_ids) for answer in answers] == [tokens] * instances
        return flops


def wow_seg_tiny(mode: str) -> Tiny:
    loaded = wow_seg.ENTRY.load(
        wow_seg_goldens.CHECKPOINT, device="cpu", multi_instance=mode, max_tiles=2
    )
    assert isinstance(loaded, WowSegRecognizer)
    context, image = loaded.context, wow_seg_goldens.images()[1]
    query = wow_seg_goldens.query(image, [0])
    crop = context.crop(context.tile(query), query, 0)
    assert isinstance(crop, RegionCrop)
    kept = int(crop.keep.sum())

    def cost(model: WowSegModel, instances: int, tokens: int) -> PhaseCosts:
        moved = replace(context, model=model)
        return wow_seg_cost.cost_of_query(moved, instances, tokens, query.image.size, kept)

    return Tiny(loaded, context.model, lambda n: wow_seg_goldens.query(image, [0] * n), cost)


def osprey_tiny() -> Tiny:
    known = osprey_goldens.golden()

    def cost(model: OspreyModel, instances: int, tokens: int) -> PhaseCosts:
        moved = OspreyRecognizer(model, known.prompter, known.card)
        return osprey_cost.cost_of_query(moved, instances, tokens, VGA)

    mask = osprey_goldens.rectangle(60, 50, 90, 70)
    return Tiny(known, known.model, lambda n: osprey_goldens.asking([mask] * n), cost)


def pam_tiny() -> Tiny:
    known = pam_goldens.load()
    mask = pam_goldens.rectangle(60, 50, 90, 70)

    def cost(model: PamModel, instances: int, tokens: int) -> PhaseCosts:
        moved = PamRecognizer(model, known.prompter, known.generation, known.settings, known.card)
        return pam_cost.cost_of_query(moved, instances, tokens, VGA)

    return Tiny(known, known.model, lambda n: pam_goldens.asking([mask] * n), cost)


def dam_tiny() -> Tiny:
    known = dam_goldens.tiny()
    mask = dam_goldens.rectangle(60, 50, 90, 70)

    def cost(model: DamModel, instances: int, tokens: int) -> PhaseCosts:
        moved = DamRecognizer(model, known.prompter, known.card)
        return dam_cost.cost_of_query(moved, instances, tokens, VGA)

    return Tiny(known, known.model, lambda n: dam_goldens.asking([mask] * n), cost)


TINY: dict[str, Callable[[], Tiny]] = {
    "wow-seg shared-prefix": lambda: wow_seg_tiny("shared-prefix"),
    "wow-seg single": lambda: wow_seg_tiny("single"),
    "wow-seg cascade": lambda: wow_seg_tiny("cascade"),
    "osprey": osprey_tiny,
    "pam": pam_tiny,
    "dam": dam_tiny,
}


@pytest.fixture(scope="module", params=TINY)
def tiny(request: pytest.FixtureRequest) -> Tiny:
    return TINY[request.param]()


@pytest.fixture(scope="module")
def on_meta(tiny: Tiny) -> nn.Module:
    return copy.deepcopy(tiny.network).to(META)


@pytest.mark.parametrize("instances", [1, 3])
def test_the_cost_is_what_answering_takes(tiny: Tiny, on_meta: nn.Module, instances: int) -> None:
    assert tiny.cost(on_meta, instances, 5).flops == tiny.counted(instances, 5)


def test_the_device_changes_no_cost(tiny: Tiny, on_meta: nn.Module) -> None:
    assert tiny.cost(tiny.network, 2, 3) == tiny.cost(on_meta, 2, 3)


def test_regions_beyond_a_wave_cost_what_answering_takes(
    tiny: Tiny, on_meta: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiny.cost(on_meta, 3, 2)
    for module in WAVING:
        monkeypatch.setattr(module, "WAVE", 2)
    waves = tiny.cost(on_meta, 3, 2)
    assert waves.flops == tiny.counted(3, 2)
    assert waves.kv_cache_bytes <= whole.kv_cache_bytes


def test_more_regions_and_longer_answers_cost_more(tiny: Tiny, on_meta: nn.Module) -> None:
    by_regions = [tiny.cost(on_meta, n, 3) for n in (1, 2, 4)]
    by_tokens = [tiny.cost(on_meta, 2, t) for t in (1, 2, 3, 5)]
    for costs in (by_regions, by_tokens):
        for less, more in pairwise(costs):
            assert less.flops < more.flops
    assert len({(cost.vision, cost.prefill) for cost in by_tokens}) == 1
    assert [cost.decode > 0 for cost in by_tokens] == sorted(cost.decode > 0 for cost in by_tokens)


@pytest.mark.parametrize("name", PINNED)
def test_a_published_size_costs_what_is_pinned(name: str) -> None:
    pinned = PINNED[name]
    assert pinned.cost(1) == pinned.one
    assert pinned.cost(32) == pinned.many


@pytest.mark.parametrize("name", ENTRIES)
def test_regions_asked_alone_cost_so_many_times_one(name: str) -> None:
    def cost(instances: int, way: Way) -> PhaseCosts:
        return ENTRIES[name].cost("mid", instances=instances, tokens=3, size=VGA, way=way)

    one, alone = cost(1, "together"), cost(5, "alone")
    assert cost(1, "alone") == one
    phases = ("vision", "prefill", "decode")
    assert [getattr(alone, p) for p in phases] == [5 * getattr(one, p) for p in phases]
    # Each query gives its keys and values up before the next.
    assert alone.kv_cache_bytes == one.kv_cache_bytes
    assert cost(5, "together").flops < alone.flops


def test_wow_segs_32_regions_cost_less_than_four_times_one() -> None:
    one, many = PINNED["wow-seg shared-prefix"].one, PINNED["wow-seg shared-prefix"].many
    assert many.flops < 4 * one.flops


def test_steps_are_added_up_from_the_first_two() -> None:
    def step(number: int) -> torch.Tensor:
        return torch.zeros(1, 10 + number) @ torch.zeros(10 + number, 3)

    each = [2 * 3 * (10 + number) for number in range(6)]
    assert [count_steps(step, steps) for steps in range(7)] == [sum(each[:n]) for n in range(7)]


def test_keys_and_values_take_the_room_of_their_type() -> None:
    cost = {
        dtype: wow_seg.ENTRY.cost(
            "mid", instances=2, tokens=2, size=VGA, way="together", dtype=dtype, max_tiles=1
        ).kv_cache_bytes
        for dtype in ("bfloat16", "float32")
    }
    assert cost["float32"] == 2 * cost["bfloat16"]


@pytest.mark.parametrize("name", ["osprey", "dam"])
def test_answers_beyond_the_context_are_not_counted(name: str) -> None:
    with pytest.raises(SettingError, match="exceed the model's context of 4096"):
        ENTRIES[name].cost("mid", instances=1, tokens=4096, size=VGA, way="together")


def test_nothing_is_not_counted() -> None:
    with pytest.raises(SettingError, match="nothing to count: 0 regions"):
        dam.ENTRY.cost("mid", instances=0, tokens=1, size=VGA, way="together")


@pytest.mark.parametrize(
    ("size", "settings", "cut"),
    [
        (VGA, {}, Cut("12+1", 27)),
        (VGA, {"max_tiles": 6}, Cut("6+1", 27)),
        ((800, 600), {"max_tiles": 4}, Cut("4+1", 27)),
        (VGA, {"max_tiles": 1, "region_tokens": "fore2token"}, Cut("1", 256)),
    ],
)
def test_wow_seg_says_how_it_cuts_a_picture(
    size: tuple[int, int], settings: dict[str, JsonScalar], cut: Cut
) -> None:
    assert wow_seg.ENTRY.cut(size, **settings) == cut


def test_a_model_that_cuts_nothing_need_not_say_so() -> None:
    assert osprey.ENTRY.cut(VGA) == Cut(tiles="", region_tokens=None)
    with pytest.raises(SettingError, match="adapter 'osprey' has no setting 'max_tiles'"):
        osprey.ENTRY.cut(VGA, max_tiles=1)


def test_an_adapter_without_a_network_has_no_cost() -> None:
    entry = AdapterEntry("majority", "", "", ())
    with pytest.raises(SettingError, match="cannot compute its cost"):
        entry.cost("any", instances=1, tokens=1, size=VGA, way="together")


@pytest.mark.parametrize("name", PINNED)
def test_the_documentation_holds_what_is_pinned(name: str) -> None:
    pinned = PINNED[name]
    told = (Path(__file__).parents[2] / "docs" / "computed_cost.md").read_text(encoding="utf-8")
    for regions, cost in ((1, pinned.one), (32, pinned.many)):
        phases = (cost.vision, cost.prefill, cost.decode, cost.flops)
        flops = " | ".join(f"{phase / 1e12:,.2f}" for phase in phases)
        assert f"| {regions} | {flops} | {cost.kv_cache_bytes / 1e6:,.1f} |" in told
    assert f" | {pinned.many.flops / pinned.one.flops:.2f} | 32.00 | " in told
