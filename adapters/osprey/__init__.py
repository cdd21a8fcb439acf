"""Osprey (CVPR 2024): region understanding from a Vicuna-7B that reads mask embeddings."""

from adapters.interface import Task
from adapters.registry import AdapterEntry

ENTRY = AdapterEntry(
    name="osprey",
    summary="Osprey (CVPR 2024): Vicuna-7B that reads two embeddings of each mask",
    loader="adapters.osprey.adapter:load",
    tasks=tuple(Task),
    settings={
        "vision_tower": "file of CLIP weights, its folder or a Hub id, for what the checkpoint "
        "lacks (default: beside the checkpoint, where its config.json says, or LAION's)",
        "category_prompt": "question for naming a region, with <image> and then <mask><pos> "
        "(default: the LVIS and PACO evaluation's)",
        "phrase_prompt": "question for a short phrase (default: the segmentation evaluation's)",
        "description_prompt": "question for a description (default: the demo's)",
    },
    path_settings=frozenset({"vision_tower"}),
    presets=("osprey-7b", "mid"),
    hub_ids=("sunshine-lwt/Osprey-7b", "sunshine-lwt/Osprey-Chat-7b"),
    model_types=("osprey",),
    inspector="adapters.osprey.inspection:inspect",
    certifier="adapters.osprey.certification:certify",
    fixtures="osprey",
    coster="adapters.osprey.cost:cost",
    paper="https://arxiv.org/abs/2312.10032",
    licence="Apache-2.0 (code); the weights derive from Vicuna v1.5 (Llama 2 Community License) "
    "and LAION's CLIP (MIT)",
)
