"""The question about a region as the model was trained to read it."""

from __future__ import annotations

from typing import Any

from jinja2 import TemplateError

from adapters.interface import CheckpointError


def prompt_text(name: str, processor: Any, question: str) -> str:
    """The text a processor is given beside one picture.

    With a chat template: one user's turn, the picture before the question, and the beginning of
    the answer; templates that know the switch ``enable_thinking`` have it off. Without: the
    processor's image token and the question, or the question alone where it holds that token or
    the processor has none.

    Args:
        name: the checkpoint's name, for messages.
        processor: a ``ProcessorMixin``.
        question: what the user asks.

    Raises:
        CheckpointError: the chat template cannot be used, or shows the model no picture.
    """
    template = processor.chat_template or processor.tokenizer.chat_template
    if template is None:
        token = getattr(processor, "image_token", None)
        # BLIP-2's token is no text, and its processor puts it in by itself.
        written = isinstance(token, str) and token not in question
        return f"{token}{question}" if written else question
    words = {"type": "text", "text": question}
    switches = {"enable_thinking": False} if "enable_thinking" in str(template) else {}

    def render(*content: dict[str, str]) -> str:
        turn = {"role": "user", "content": list(content)}
        text: str = processor.apply_chat_template([turn], add_generation_prompt=True, **switches)
        return text

    try:
        text, without_picture = render({"type": "image"}, words), render(words)
    except (TemplateError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{name}: its chat template takes no question with a picture ({error})"
        ) from error
    if text == without_picture:
        raise CheckpointError(
            f"{name}: its chat template leaves the picture out; it is the template of a text "
            "model, put the right chat_template.jinja into the checkpoint"
        )
    return text
