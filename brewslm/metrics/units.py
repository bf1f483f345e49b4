"""How a metric's figures are said: shares as per cent, their differences as points, others as they are."""

PLAIN = frozenset({
    "perplexity", "bits_per_byte", "log_prob_margin", "log_prob_margin_per_token", "chosen_log_prob", "rejected_log_prob",
    "reward_margin", "chosen_log_prob_gain", "brier_score",
})  # fmt: skip
"""Metrics that are no shares: bits, nats, a perplexity, a squared error."""


def said(metric_id: str, value: float) -> str:
    """Such as "88.0 %" or "12.41"."""
    return f"{value:,.2f}" if metric_id in PLAIN else f"{100 * value:.1f} %"


def said_gap(metric_id: str, gap: float) -> str:
    """Such as "+16.8 points" or "-0.31"."""
    return f"{gap:+,.2f}" if metric_id in PLAIN else f"{100 * gap:+.1f} points"
