import re
from pathlib import Path

import pytest

import brewslm.web
from brewslm.web import theme

FOLDER = Path(brewslm.web.__file__).parent


def luminance(hex_color: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(hex_color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_of_contrast_is_that_of_the_standard():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", ["LIGHT", "DARK"])
def test_every_pair_of_tokens_can_be_read(name):
    tokens = getattr(theme, name)
    poor = {
        (word, ground): round(contrast(tokens[word], tokens[ground]), 2)
        for word, ground, least in theme.PAIRS
        if contrast(tokens[word], tokens[ground]) < least
    }
    assert poor == {}


def test_both_themes_have_the_same_tokens_and_the_choice_of_a_person_goes_before_the_system():
    assert theme.LIGHT.keys() == theme.DARK.keys()
    css = theme.css()
    dark = f"--ground: {theme.DARK['ground']}"
    system, chosen = css.split(":root[data-theme=dark]")
    assert dark in chosen and dark in system.split("@media (prefers-color-scheme: dark) { :root:not([data-theme=light])")[1]


def test_no_color_stands_outside_the_theme_and_every_token_that_is_used_exists():
    sheet = (FOLDER / "static" / "brewslm.css").read_text()
    plain = re.sub(r"url\(\"data:[^\"]*\"\)", "", sheet)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", plain) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", plain)) <= {*theme.LIGHT, "font", "shape"}
    for module in FOLDER.glob("*.py"):
        used = set(re.findall(r'color\("([\w-]+)"\)', module.read_text()))
        assert used <= theme.LIGHT.keys(), module.name


def test_motion_ends_when_the_system_asks_for_none_and_nothing_comes_from_elsewhere():
    sheet = (FOLDER / "static" / "brewslm.css").read_text()
    assert "@media (prefers-reduced-motion: reduce)" in sheet
    for path in FOLDER.glob("static/*"):
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", path.read_text()), path.name


def test_a_class_is_styled_in_one_file_so_that_no_page_takes_another_ones_look():
    found: dict[str, set[str]] = {}
    for path in FOLDER.glob("static/*.css"):
        sheet = re.sub(r"/\*.*?\*/|@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", path.read_text(), flags=re.DOTALL)
        for selectors in re.findall(r"([^{}]+)\{", sheet):
            for selector in re.findall(r"(?:^|,)\s*(\.[\w-]+|kbd)\s*(?=,|$)", selectors):
                found.setdefault(selector, set()).add(path.name)
    assert {name: files for name, files in found.items() if len(files) > 1} == {}
