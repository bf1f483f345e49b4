"""Right answers before the question."""

from brewslm.models.fewshot import FewShotPredictor, shown
from brewslm.models.prompt import Prompt


def asked(text):
    return Prompt(
        ({"role": "system", "content": "Classify."}, {"role": "user", "content": text}), plain=f"Text: {text}\n\nLabel:"
    )


SHOTS = [(asked("lovely"), "positive"), (asked("dull"), "negative")]


def test_each_shot_is_a_turn_after_the_prompts_own_system_message():
    found = shown(asked("great"), SHOTS)
    assert [(one["role"], one["content"]) for one in found.messages] == [
        ("system", "Classify."), ("user", "lovely"), ("assistant", "positive"), ("user", "dull"), ("assistant", "negative"),
        ("user", "great"),
    ]  # fmt: skip
    assert found.plain == "Text: lovely\n\nLabel: positive\n\nText: dull\n\nLabel: negative\n\nText: great\n\nLabel:"


def test_without_a_system_message_the_shots_come_first():
    bare = Prompt(({"role": "user", "content": "great"},), plain="great")
    assert [one["content"] for one in shown(bare, SHOTS[:1]).messages] == ["lovely", "positive", "great"]


def test_without_shots_a_prompt_is_as_it_was():
    assert shown(asked("great"), []) == asked("great")


def test_every_way_of_asking_goes_behind_the_shots():
    class Echo:
        template_sha256 = "t"

        def sent(self, prompt):
            return prompt.plain

        def label_scores(self, prompts, labels):
            return [prompt.plain for prompt in prompts]

        def generate(self, prompts, max_new_tokens, schema=None):
            return [prompt.plain for prompt in prompts]

        def log_likelihoods(self, prompts, completions):
            return [prompt.plain for prompt in prompts]

    few, behind = FewShotPredictor(Echo(), SHOTS), shown(asked("great"), SHOTS).plain
    one = [asked("great")]
    assert few.label_scores(one, ["a"]) == few.generate(one, 3) == few.log_likelihoods(one, ["x"]) == [behind]
    assert (few.sent(one[0]), few.template_sha256) == (behind, "t")
