"""Count what one to 32 regions of one picture cost at the models' true sizes, without weights.

Floating-point operations of the whole query, by phase, on the meta device; see adapters/costs.py.
The numbers are the same on every machine; docs/computed_cost.md holds them.

    python -m benchmarks.computed_cost            # some minutes, on one processor core
    python -m benchmarks.computed_cost --tokens 8   # shorter answers
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from adapters.costs import PhaseCosts, Way
from adapters.interface import JsonScalar
from adapters.registry import entry
from benchmarks.measuring import progress

INSTANCES = (1, 2, 4, 8, 16, 32)
VGA, SVGA = (640, 480), (800, 600)
# A 4:3 picture is cut into four tiles only when it has more than half their pixels.
GEOMETRIES = {"1": (VGA, 1), "4+1": (SVGA, 4), "6+1": (VGA, 6), "12+1": (VGA, 12)}
MODES = ("shared-prefix", "cascade", "single")


class Subject(NamedTuple):
    """A model at a published size; ``mode`` is empty where it has none."""

    name: str
    adapter: str
    preset: str
    mode: str = ""

    @property
    def label(self) -> str:
        """The name with the mode."""
        return f"{self.name}, {self.mode}" if self.mode else self.name


SUBJECTS = (
    *(Subject("WOW-Seg (InternVL3-1B)", "wow-seg", "internvl3-1b", mode) for mode in MODES),
    Subject("Osprey-7B", "osprey", "osprey-7b"),
    Subject("PAM-1.5B", "pam", "pam-1.5b"),
    Subject("PAM-3B", "pam", "pam-3b"),
    Subject("DAM-3B", "dam", "dam-3b"),
)


def parameters(subject: Subject) -> int:
    """Numbers that the weights hold."""
    return entry(subject.adapter).load(preset=subject.preset, device="meta").card.parameters


@cache
def cost(
    subject: Subject, instances: int, tokens: int, tiles: str = "12+1", way: Way = "together"
) -> PhaseCosts:
    """Cost of a picture cut into ``tiles``, if the model cuts pictures."""
    progress(f"{subject.label}, {tiles} tiles, {instances} regions {way}")
    size, max_tiles = GEOMETRIES[tiles]
    settings: dict[str, JsonScalar] = {}
    if subject.mode:
        settings = {"multi_instance": subject.mode, "max_tiles": max_tiles}
    return entry(subject.adapter).cost(
        subject.preset,
        instances=instances,
        tokens=tokens,
        size=size,
        way=way,
        dtype="bfloat16",
        **settings,
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tera(flops: int) -> str:
    """10^12 operations."""
    return f"{flops / 1e12:,.2f}"


def phases(tokens: int) -> str:
    """Where the operations of one and of 32 regions go."""
    heads = ["model", "parameters, M", "regions"]
    heads += ["vision", "prefill", "decode", "all", "KV cache, MB"]
    rows = [
        [
            subject.label,
            f"{parameters(subject) / 1e6:,.1f}",
            str(instances),
            *(tera(part) for part in (found.vision, found.prefill, found.decode, found.flops)),
            f"{found.kv_cache_bytes / 1e6:,.1f}",
        ]
        for subject in SUBJECTS
        for instances in (1, 32)
        for found in [cost(subject, instances, tokens)]
    ]
    return table(heads, rows)


def growth(tokens: int) -> str:
    """The cost of N regions relative to one."""
    rows = []
    for subject in SUBJECTS:
        one = cost(subject, 1, tokens).flops
        together = [cost(subject, n, tokens).flops / one for n in INSTANCES]
        alone = cost(subject, 32, tokens, way="alone").flops / one
        saved = alone / together[-1]
        rows.append(
            [
                subject.label,
                *(f"{ratio:.2f}" for ratio in together),
                f"{alone:.2f}",
                f"{saved:.1f}x",
            ]
        )
    heads = ["model", *map(str, INSTANCES), "32, one by one", "saved"]
    return table(heads, rows)


def geometries(tokens: int) -> str:
    """WOW-Seg's 32 regions relative to one, by how the picture is cut."""
    rows = []
    for tiles in GEOMETRIES:
        for subject in SUBJECTS[:2]:
            one, many = (cost(subject, n, tokens, tiles) for n in (1, 32))
            rows.append(
                [
                    f"{tiles}, {subject.mode}",
                    tera(one.flops),
                    tera(many.flops),
                    f"{many.flops / one.flops:.2f}",
                    f"{many.vision / one.vision:.2f}",
                    f"{(many.flops - many.vision) / (one.flops - one.vision):.2f}",
                ]
            )
    return table(["tiles", "1 region", "32 regions", "ratio", "of vision", "of language"], rows)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tokens", type=int, default=32, help="new tokens of every answer")
    tokens = parser.parse_args().tokens
    print("\n\n".join(part(tokens) for part in (phases, growth, geometries)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
