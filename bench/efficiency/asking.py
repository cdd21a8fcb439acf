"""One question of a sweep: how many regions, asked together or alone, decoded how."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.interface import Answer, Generation, RegionQuery, RegionRecognizer, Status, Task
from bench.efficiency.records import Decode, Way
from bench.efficiency.scenes import Scene


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked about every picture; ``tokens`` is the answers' limit or length."""

    way: Way
    decode: Decode
    instances: int
    tokens: int
    task: Task

    @property
    def generation(self) -> Generation:
        """How answers are decoded."""
        forced = self.tokens if self.decode == "forced" else None
        return Generation(self.tokens, forced)

    def queries(self, scene: Scene) -> list[RegionQuery]:
        """One query about all regions, or one about each."""
        every = range(self.instances)
        groups = [every] if self.way == "together" else [range(i, i + 1) for i in every]
        return [
            RegionQuery(
                image_id=scene.name,
                image=scene.image,
                image_path=None,
                masks=[scene.masks[i] for i in group],
                boxes=None,
                region_ids=[f"{scene.name}/{i}" for i in group],
                task=self.task,
            )
            for group in groups
        ]


def ask(
    recognizer: RegionRecognizer, question: Question, scene: Scene, generation: Generation
) -> list[Answer]:
    """Every region's answer, in order; each query is a call of its own."""
    return [
        answer
        for query in question.queries(scene)
        for answers in recognizer.recognize([query], generation)
        for answer in answers
    ]


def refusal(question: Question, answers: list[Answer]) -> str | None:
    """Why these answers are none to be timed, ``None`` where they are.

    A region that is missing or ends in an error would make the others look fast; so would an
    adapter that does not know forced answers.
    """
    if len(answers) != question.instances:
        return f"{len(answers)} answers came for {question.instances} regions"
    for answer in answers:
        if answer.status is Status.ERRORED:
            return answer.error or "an answer is errored"
    if question.decode == "forced":
        lengths = {len(a.token_ids) for a in answers if a.status is not Status.UNANSWERABLE}
        if lengths - {question.tokens}:
            return (
                f"answers were to be {question.tokens} tokens long, but are "
                f"{min(lengths)} to {max(lengths)}: the adapter does not force their length"
            )
    return None
