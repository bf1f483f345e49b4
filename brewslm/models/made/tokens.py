"""Tokenizers of the made models, trained on the common words: any text can be written with them, byte by byte if need be."""

from collections.abc import Sequence
from typing import Any

from brewslm.models.made.words import COMMON, MARKS

END_OF_TEXT, TURN, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
IMAGE, AROUND_IMAGE, WHOLE_IMAGE = "<image>", "<fake_token_around_image>", "<global-img>"
CHAT = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}{% if message['content'] is string %}"
    "{{ message['content'] }}{% else %}{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>' }}"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LETTERS = "|'abcdefghijklmnopqrstuvwxyz"


def byte_level(words: int, special: Sequence[str]) -> Any:
    """A byte-level BPE of `tokenizers`, digits one by one.

    Args:
        words: Tokens at most, the 256 bytes and the special ones among them.
        special: Its first tokens, in this order.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=words, special_tokens=list(special), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    found = COMMON.split()
    tokenizer.train_from_iterator([" ".join(found), "\n".join(found), "\n".join(one.title() for one in found), MARKS], trainer)
    return tokenizer


def chat_with_pictures(words: int) -> Any:
    """ChatML with the marks that stand for a picture."""
    from transformers import PreTrainedTokenizerFast

    marks = [IMAGE, AROUND_IMAGE, WHOLE_IMAGE]
    return PreTrainedTokenizerFast(
        tokenizer_object=byte_level(words, (END_OF_TEXT, TURN, END, *marks, "<end_of_utterance>")), bos_token=TURN, eos_token=END,
        pad_token=END_OF_TEXT, additional_special_tokens=[*marks, "<end_of_utterance>"],
    )  # fmt: skip


def text_to_text(words: int) -> Any:
    """As T5's: every text ends with </s>."""
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    tokenizer = byte_level(words, ("<pad>", "</s>", "<unk>"))
    tokenizer.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", unk_token="<unk>")


WHISPER = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)


def whisper(words: int, folder: Any) -> Any:
    """As Whisper's of one language: a transcript stands between <|startoftranscript|><|notimestamps|> and <|endoftext|>."""
    import json

    from transformers import WhisperTokenizer

    made = json.loads(byte_level(words, WHISPER).to_str())["model"]
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in made["merges"]]
    (folder / "vocab.json").write_text(json.dumps(made["vocab"]))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    tokenizer = WhisperTokenizer.from_pretrained(
        folder, unk_token=END_OF_TEXT, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT, pad_token=END_OF_TEXT
    )
    tokenizer.add_special_tokens({"additional_special_tokens": list(WHISPER)})
    return tokenizer


def letters(folder: Any) -> Any:
    """As Wav2Vec2's: small letters, | between words, <pad> for the blank of CTC."""
    import json

    from transformers import Wav2Vec2CTCTokenizer

    file = folder / "vocab.json"
    file.write_text(json.dumps({token: place for place, token in enumerate(("<pad>", "<unk>", *LETTERS))}))
    return Wav2Vec2CTCTokenizer(
        file, pad_token="<pad>", unk_token="<unk>", bos_token=None, eos_token=None, word_delimiter_token="|"
    )
