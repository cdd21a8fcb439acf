"""DAM (Describe Anything, 2025): descriptions of a region from its focal crop in the picture."""

from adapters.interface import Task
from adapters.registry import AdapterEntry

ENTRY = AdapterEntry(
    name="dam",
    summary="DAM (2025): a Llama of 2.7B describes a region from the picture and its focal crop",
    loader="adapters.dam.adapter:load",
    tasks=(Task.DESCRIPTION,),
    settings={
        "category_prompt": "prompt for naming a region, with one <image>; the model has none",
        "phrase_prompt": "prompt for a phrase about a region, with one <image>; it has none",
        "description_prompt": "prompt for describing a region, with one <image> (default: as "
        "trained, told for DAM-3B-Video by that name)",
    },
    presets=("dam-3b", "mid"),
    hub_ids=("nvidia/DAM-3B", "nvidia/DAM-3B-Self-Contained", "nvidia/DAM-3B-Video"),
    model_types=("llava_llama",),
    inspector="adapters.dam.inspection:inspect",
    certifier="adapters.dam.certification:certify",
    fixtures="dam",
    coster="adapters.dam.cost:cost",
    paper="https://arxiv.org/abs/2504.16072",
    licence="NVIDIA Noncommercial (checkpoints), Apache-2.0 (official code)",
)
