"""The tokens of the look: every colour of every page stands here, once for light and once for dark.

Colour means state, and only that. Each pair in `PAIRS` meets WCAG AA in both themes, which a test computes.
"""

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif'
LIGHT = {
    "ground": "#f6f7f9",
    "surface": "#ffffff",
    "sunken": "#eef0f3",
    "line": "#d8dce2",
    "edge": "#7d8792",
    "text": "#1b1f24",
    "muted": "#57606a",
    "accent": "#5b3fd6",
    "on-accent": "#ffffff",
    "idle": "#57606a",
    "running": "#0a5fbf",
    "done": "#176b33",
    "needs": "#845400",
    "failed": "#b8232b",
    "chart-1": "#0067a3",
    "chart-2": "#b54700",
    "chart-3": "#00705a",
    "chart-4": "#97407e",
    "chart-5": "#6f6200",
    "chart-6": "#4a4f57",
}
DARK = {
    "ground": "#0e1116",
    "surface": "#161a20",
    "sunken": "#1f242c",
    "line": "#2f363f",
    "edge": "#717b87",
    "text": "#e6e9ed",
    "muted": "#9aa4b0",
    "accent": "#b0a3ff",
    "on-accent": "#15103a",
    "idle": "#9aa4b0",
    "running": "#72b4ff",
    "done": "#53c777",
    "needs": "#e3ae45",
    "failed": "#ff8078",
    "chart-1": "#56b4e9",
    "chart-2": "#ff9f4a",
    "chart-3": "#35c9a0",
    "chart-4": "#e29ac8",
    "chart-5": "#e6d94a",
    "chart-6": "#c3c9d1",
}

_WORDS = ("text", "muted", "accent", "idle", "running", "done", "needs", "failed")
_MARKS = ("edge", "chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "chart-6")
PAIRS = [
    *((word, ground, 4.5) for word in _WORDS for ground in ("ground", "surface", "sunken")),
    ("on-accent", "accent", 4.5),
    *((mark, "surface", 3.0) for mark in _MARKS),
]
"""(foreground, background, least ratio): 4.5 for words, 3 for marks and the edges of controls (WCAG 2.2, 1.4.3 and 1.4.11)."""


def color(token: str) -> str:
    """A token as a CSS colour that follows the theme."""
    return f"var(--{token})"


def css() -> str:
    """The tokens as custom properties: the system's theme, until the person chooses one."""
    light, dark = _block(LIGHT, "light"), _block(DARK, "dark")
    system = f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {dark} }} }}"
    return f":root {{ --font: {FONT}; {light} }} {system} :root[data-theme=dark] {{ {dark} }}"


def _block(tokens: dict[str, str], scheme: str) -> str:
    return f"color-scheme: {scheme}; " + " ".join(f"--{name}: {value};" for name, value in tokens.items())
