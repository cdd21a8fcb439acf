"""Any image-text-to-text model of transformers, shown one region at a time."""

from adapters.interface import Task
from adapters.registry import AdapterEntry

ENTRY = AdapterEntry(
    name="vlm",
    summary="any transformers image-text-to-text model, shown a crop or an outlined picture",
    loader="adapters.vlm.adapter:load",
    tasks=tuple(Task),
    settings={
        "region_prompt": "how a region is shown: crop (default) or outline",
        "crop_scale": "sides of the crop relative to its mask's box (default 1)",
        "category_prompt": "question for naming a region (default: depends on region_prompt)",
        "phrase_prompt": "question for a phrase about a region (default: the same)",
        "description_prompt": "question for describing a region (default: the same)",
    },
)
