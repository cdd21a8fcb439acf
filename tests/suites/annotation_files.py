"""Small annotation files and pictures, as the datasets' own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pycocotools.mask

WIDTH, HEIGHT = 12, 8
LVIS_V1_CATEGORIES = 1203
SQUARE = [1.0, 1.0, 6.0, 1.0, 6.0, 5.0, 1.0, 5.0]
TRIANGLE = [2.0, 2.0, 10.0, 2.0, 6.0, 7.0]
Record = dict[str, Any]


def lvis_v1(annotations: Iterable[Record], images: Iterable[int] = (139, 285)) -> Record:
    """An LVIS v1 file: pictures of even id in train2017, odd in val2017."""
    return {
        "images": [
            {
                "id": number,
                "width": WIDTH,
                "height": HEIGHT,
                "coco_url": f"http://images.cocodataset.org/{split(number)}/{number:012d}.jpg",
                "neg_category_ids": [],
                "not_exhaustive_category_ids": [],
            }
            for number in images
        ],
        "annotations": list(annotations),
        "categories": [
            {"id": 1, "name": "cat", "frequency": "f", "synonyms": ["cat", "house_cat"]},
            {"id": 2, "name": "salmon_(fish)", "frequency": "r", "synonyms": ["salmon_(fish)"]},
            {"id": 3, "name": "dog:ear", "frequency": "c", "synonyms": ["dog:ear"]},
            *(
                {"id": n, "name": f"other_{n}", "frequency": "f", "synonyms": [f"other_{n}"]}
                for n in range(1001, 1001 + LVIS_V1_CATEGORIES - 3)
            ),
        ],
    }


def split(number: int) -> str:
    """Which COCO folder the picture lies in."""
    return "val2017" if number % 2 else "train2017"


def annotation(number: int, image: int = 139, category: int = 1, **changes: Any) -> Record:
    """An annotation of one square."""
    record = {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [1.0, 1.0, 5.0, 4.0],
        "area": 20.0,
        "segmentation": [SQUARE],
    }
    return {**record, **changes}


def image_list(*images: Record) -> list[Record]:
    """The 1K subsets' form."""
    return list(images)


def listed_image(
    number: int, labels: list[Any], segmentations: list[Any], **changes: Any
) -> Record:
    """A picture of the 1K subsets' form."""
    record = {
        "id": number,
        "file_name": f"{number:012d}.jpg",
        "width": WIDTH,
        "height": HEIGHT,
        "categories": labels,
        "annotations": [{"segmentation": s} for s in segmentations],
    }
    return {**record, **changes}


def write(path: Path, content: object) -> Path:
    """Write JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_lines(path: Path, records: Iterable[Record]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def write_picture(path: Path, width: int = WIDTH, height: int = HEIGHT) -> Path:
    """Write a picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(path)
    return path


def write_lvis(root: Path, content: Record, name: str = "lvis_v1_val.json") -> Path:
    """Write an LVIS file and all its pictures."""
    for image in content["images"]:
        write_picture(root / split(image["id"]) / f"{image['id']:012d}.jpg")
    return write(root / "annotations" / name, content)


def compressed(mask: np.ndarray[Any, Any]) -> Record:
    """COCO's compressed RLE of a bool mask [height, width], as JSON holds it."""
    rle = pycocotools.mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(mask.shape), "counts": rle["counts"].decode()}


def left_half() -> np.ndarray[Any, Any]:
    """A mask of the picture's left half."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[:, : WIDTH // 2] = True
    return mask
