"""Tiny image-text-to-text models with random weights, laid out as checkpoints on the Hub are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as hf
from PIL import Image
from pycocotools import mask as coco
from skimage import data
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from adapters.interface import RLE, RegionQuery, Task
from adapters.masks import BoolMask

PHOTO = Image.fromarray(data.astronaut()).resize((200, 160))
QWEN_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
    "bos_token_id": 256,
    "eos_token_id": 257,
    "pad_token_id": 258,
}
VISION = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
SQUARE = {"height": 28, "width": 28}


def chat_template(image: str) -> str:
    """A template in which a picture is ``image``."""
    return (
        "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: "
        "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
        + image
        + "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{{ '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )


def tokenizer(*added: str, **named: str) -> Any:
    """One token a byte, then ``<bos>`` (256), ``<eos>``, ``<pad>`` and the ``added`` ones."""
    bytes_ = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(bytes_)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = ("<bos>", "<eos>", "<pad>", *added)
    backend.add_special_tokens([AddedToken(token, special=True) for token in special])
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        extra_special_tokens=named,
    )


def save_model(folder: Path, model: Any, **generation: Any) -> None:
    """Give a model weights that tell pictures apart, and write it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.2)
    model.generation_config.update(eos_token_id=257, pad_token_id=258, **generation)
    model.save_pretrained(folder)


def save_parts(
    folder: Path, image_processor: Any, words: Any, image: str, **processor: Any
) -> None:
    """Write a processor part by part: its whole cannot be made without torchvision."""
    image_processor.save_pretrained(folder)
    words.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(chat_template(image), encoding="utf-8")
    (folder / "processor_config.json").write_text(json.dumps(processor), encoding="utf-8")


def llava(folder: Path) -> None:
    """A CLIP before a Llama; every picture is one square."""
    words = tokenizer("<image>")
    config = hf.LlavaConfig(
        vision_config=hf.CLIPVisionConfig(**VISION, image_size=28, patch_size=7),
        text_config=hf.LlamaConfig(**TEXT, vocab_size=len(words)),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    save_model(folder, hf.LlavaForConditionalGeneration(config))
    hf.LlavaProcessor(
        hf.CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size=28),
        words,
        patch_size=7,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=chat_template("<image>"),
    ).save_pretrained(folder)


def paligemma(folder: Path) -> None:
    """A SigLIP before a Gemma that reads its prompt in both directions; no chat template."""
    words = tokenizer("<image>")
    image_processor = hf.SiglipImageProcessorPil(size=SQUARE)
    image_processor.image_seq_length = 16
    processor = hf.PaliGemmaProcessor(image_processor, words)  # adds its location tokens
    config = hf.PaliGemmaConfig(
        vision_config=hf.SiglipVisionConfig(
            **VISION, image_size=28, patch_size=7, projection_dim=32
        ),
        text_config=hf.GemmaConfig(**TEXT, head_dim=8, vocab_size=len(words)),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        projection_dim=32,
        hidden_size=32,
    )
    save_model(folder, hf.PaliGemmaForConditionalGeneration(config))
    processor.save_pretrained(folder)


def gemma3(folder: Path) -> None:
    """A SigLIP, pooled, before a Gemma 3 of which one layer sees a sliding window."""
    marks = {
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "image_token": "<image_soft_token>",
    }
    words = tokenizer(*marks.values(), **marks)
    start, end, image = words.convert_tokens_to_ids(list(marks.values()))
    config = hf.Gemma3Config(
        vision_config=dict(VISION, image_size=28, patch_size=7),
        text_config=hf.Gemma3TextConfig(
            **TEXT,
            head_dim=8,
            vocab_size=len(words),
            sliding_window=16,
            layer_types=["sliding_attention", "full_attention"],
        ),
        boi_token_index=start,
        eoi_token_index=end,
        image_token_index=image,
        mm_tokens_per_image=4,
    )
    save_model(folder, hf.Gemma3ForConditionalGeneration(config))
    hf.Gemma3Processor(
        hf.Gemma3ImageProcessorPil(size=SQUARE, image_seq_length=4),
        words,
        image_seq_length=4,
        chat_template=chat_template("<start_of_image>"),
    ).save_pretrained(folder)


def idefics3(folder: Path) -> None:
    """A SigLIP before a Llama; a picture is split into as many squares as its shape asks for."""
    rows = (f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5))
    words = tokenizer(
        "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *rows
    )
    config = hf.Idefics3Config(
        vision_config=dict(VISION, image_size=32, patch_size=8),
        text_config=hf.LlamaConfig(**TEXT, vocab_size=len(words)),
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=258,
    )
    save_model(folder, hf.Idefics3ForConditionalGeneration(config))
    hf.Idefics3Processor(
        hf.Idefics3ImageProcessorPil(
            size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
        ),
        words,
        image_seq_len=4,
        chat_template=chat_template("<image>"),
    ).save_pretrained(folder)


def qwen2_5_vl(folder: Path) -> None:
    """A windowed tower of any resolution, and a generation_config.json that samples."""
    words = tokenizer(*QWEN_TOKENS)
    start, end, image, video = words.convert_tokens_to_ids(list(QWEN_TOKENS))
    patches = {"patch_size": 4, "temporal_patch_size": 2}
    config = hf.Qwen2_5_VLConfig(
        vision_config=dict(
            patches,
            depth=2,
            hidden_size=16,
            intermediate_size=24,
            num_heads=2,
            out_hidden_size=32,
            spatial_merge_size=2,
            window_size=16,
            fullatt_block_indexes=[1],
        ),
        text_config=dict(
            TEXT,
            vocab_size=len(words),
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 1e4,
                "mrope_section": [1, 1, 2],
            },
        ),
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    save_model(
        folder,
        hf.Qwen2_5_VLForConditionalGeneration(config),
        do_sample=True,
        temperature=0.1,
        top_k=1,
        repetition_penalty=1.3,
    )
    sizes = {"shortest_edge": 16 * 16, "longest_edge": 64 * 64}
    save_parts(
        folder,
        hf.Qwen2VLImageProcessorPil(**patches, merge_size=2, size=sizes),
        words,
        "<|vision_start|><|image_pad|><|vision_end|>",
        processor_class="Qwen2_5_VLProcessor",
    )


def internvl(folder: Path) -> None:
    """An InternViT before a Qwen2; a picture is cut into one to four tiles and a thumbnail."""
    marks = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    words = tokenizer(*marks.values(), **marks)
    config = hf.InternVLConfig(
        vision_config=dict(VISION, image_size=[28, 28], patch_size=[7, 7]),
        text_config=hf.Qwen2Config(**TEXT, vocab_size=len(words)),
        image_token_id=words.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    save_model(folder, hf.InternVLForConditionalGeneration(config))
    save_parts(
        folder,
        hf.GotOcr2ImageProcessorPil(size=SQUARE, crop_to_patches=True, max_patches=4),
        words,
        "<IMG_CONTEXT>",
        processor_class="InternVLProcessor",
        image_seq_length=4,
    )


def blip2(folder: Path) -> None:
    """A Q-Former before an OPT; no chat template, and an image token only its processor writes."""
    words = tokenizer("<image>")
    text = dict(TEXT, ffn_dim=48, word_embed_proj_dim=32, vocab_size=len(words))
    config = hf.Blip2Config(
        vision_config=dict(VISION, image_size=28, patch_size=7),
        qformer_config=dict(VISION, encoder_hidden_size=16, vocab_size=50),
        text_config=hf.OPTConfig(**text),
        num_query_tokens=4,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )
    save_model(folder, hf.Blip2ForConditionalGeneration(config))
    image_processor = hf.BlipImageProcessorPil(size=SQUARE)
    hf.Blip2Processor(image_processor, words, num_query_tokens=4).save_pretrained(folder)


FAMILIES: Mapping[str, Callable[[Path], None]] = {
    build.__name__: build
    for build in (llava, paligemma, blip2, gemma3, idefics3, qwen2_5_vl, internvl)
}


def encode(mask: BoolMask) -> RLE:
    counts = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    return RLE((mask.shape[0], mask.shape[1]), counts)


def rectangle(top: int, left: int, bottom: int, right: int) -> RLE:
    """A mask of the photo's size."""
    mask = np.zeros((PHOTO.height, PHOTO.width), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return encode(mask)


def asking(masks: Sequence[RLE], task: Task = Task.CATEGORY) -> RegionQuery:
    """A query about regions of the photo."""
    ids = [f"region {i}" for i in range(len(masks))]
    return RegionQuery("astronaut", PHOTO, None, masks, None, ids, task)
