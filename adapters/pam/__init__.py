"""PAM, the Perceive Anything Model (NeurIPS 2025): SAM 2 features of a box, told by a Qwen2.5."""

from adapters.interface import Task
from adapters.registry import AdapterEntry

ENTRY = AdapterEntry(
    name="pam",
    summary="PAM (NeurIPS 2025): SAM 2.1 features of a region's box, told by Qwen2.5",
    loader="adapters.pam.adapter:load",
    tasks=(Task.CATEGORY, Task.PHRASE, Task.DESCRIPTION),
    settings={
        "box": "mask (default): the mask's bounding box; annotation: the annotated box, cut to int",
        "vision_tower": "SAM 2.1 weights: a file, folder or Hub id (default: those at hand)",
        "category_prompt": "question for a region's name (default: as trained)",
        "phrase_prompt": "question for a phrase (default: the trained brief caption's)",
        "description_prompt": "question for a description (default: the trained detailed one's)",
    },
    path_settings=frozenset({"vision_tower"}),
    presets=("pam-1.5b", "pam-3b", "mid"),
    hub_ids=("Perceive-Anything/PAM-1.5B", "Perceive-Anything/PAM-3B"),
    model_types=("llava_qwen",),
    inspector="adapters.pam.inspection:inspect",
    certifier="adapters.pam.certification:certify",
    fixtures="pam",
    coster="adapters.pam.cost:cost",
    paper="https://arxiv.org/abs/2506.05302",
    licence="Apache-2.0 (code, model cards, SAM 2.1); PAM-3B's base Qwen2.5-3B: Qwen Research",
)
