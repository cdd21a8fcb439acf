"""WOW-Seg (ICLR 2026): region names from an InternVL3-1B prompted with mask tokens."""

from pathlib import Path

from adapters.interface import Task
from adapters.registry import AdapterEntry

_BUNDLED = Path(__file__).parent / "bundled"

ENTRY = AdapterEntry(
    name="wow-seg",
    summary="WOW-Seg (ICLR 2026): InternVL3-1B prompted with the tokens under each mask",
    loader="adapters.wow_seg.adapter:load",
    tasks=(Task.CATEGORY,),
    settings={
        "multi_instance": "shared-prefix (default), single or cascade: how N regions are decoded",
        "cascade": "region+output (default), region, output or none: what cascade mode separates",
        "separator": "text between two names in cascade mode: ',' (default) or ' ,'",
        "scale": "side of a region's crop relative to its mask's longer side (default 2)",
        "max_tiles": "most tiles a picture is cut into, thumbnail not counted (default 12)",
        "region_tokens": "mask2token (default), fore2token or blur2token (Table 6)",
        "category_prompt": "prompt for naming a region, with two <image> (default: as trained)",
        "phrase_prompt": "prompt for a phrase about a region; the model has none of its own",
        "description_prompt": "prompt for describing a region; the model has none of its own",
    },
    presets=("internvl3-1b", "internvl2.5-1b", "internvl2-1b", "mid"),
    hub_ids=("AAwcAA/WOW-Seg",),
    model_types=("internvl_chat",),
    inspector="adapters.wow_seg.inspection:inspect",
    certifier="adapters.wow_seg.certification:certify",
    fixtures="wow_seg",
    coster="adapters.wow_seg.cost:cost",
    cutter="adapters.wow_seg.cutting:cut",
    # Tiny checkpoints trained on generated shapes, named after their training.
    bundled={name: _BUNDLED / name for name in ("mm-cascade", "mm-causal", "sm")},
    paper="https://arxiv.org/abs/2605.16903",
    licence="Apache-2.0 (code repository; the model card was not seen)",
)
