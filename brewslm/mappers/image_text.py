"""An image and the text that goes with it, for `vision_language`."""

from typing import Any, ClassVar

from brewslm.mappers.base import Field, Mapper, Refused
from brewslm.mappers.files import file_named
from brewslm.media import MediaKind
from brewslm.rows import RowReason


class ImageText(Mapper):
    """Image and text columns → {image, text}, and {prompt} where a column asks something of the image."""

    id = "image_text"
    task_profile = "vision_language"
    meaning = "An image's path, and its caption or the answer to a question about it."
    media: ClassVar[dict[str, MediaKind]] = {"image": "image"}
    fields = {
        "image": Field(("image", "image_path", "image_url", "file_name", "img", "picture"), "Its path, or a data: address."),
        "text": Field(("text", "caption", "description", "alt_text", "answer", "label"), "What is to be said of it."),
        "prompt": Field(("prompt", "question", "instruction", "query"), "What is asked of it.", required=False),
    }

    def map(self, values: dict[str, Any]) -> dict[str, Any] | Refused:
        """The image first, then its text."""
        image = file_named(self.value(values, "image"), RowReason.MISSING_IMAGE)
        if isinstance(image, Refused):
            return image
        text = self.text(values, "text", RowReason.MISSING_TEXT, RowReason.EMPTY_TEXT)
        if isinstance(text, Refused):
            return text
        if "prompt" not in self.columns:
            return {"image": image, "text": text}
        prompt = self.text(values, "prompt", RowReason.MISSING_PROMPT, RowReason.MISSING_PROMPT)
        return prompt if isinstance(prompt, Refused) else {"image": image, "prompt": prompt, "text": text}
