"""What a judge found, and how far it is to be trusted, in one line."""

from brewslm.handlers.base import Metric
from brewslm.observe.figures import counted
from brewslm.stages.evaluate.judging import JudgeReport


def judge_words(judge: JudgeReport, figure: Metric | None) -> str:
    """ "judge m at host: judge_score 0.61 (0.52 to 0.70) on 100 rows; kappa 0.71 (0.60 to 0.80) with people on 80".

    Args:
        figure: Of the tuned model; None where there is none.
    """
    name = f"judge {judge.model} at {judge.host}"
    if judge.problem:
        return f"{name}: no figure, {judge.problem}"
    said = f"{judge.metric} {figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})" if figure else "no figure"
    kappa = judge.agreement
    agrees = "agreement unknown" if kappa is None or kappa.value is None else (
        f"kappa {kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f}) with {judge.agreement_with} on {kappa.n}"
    )  # fmt: skip
    return f"{name}: {said} on {counted(judge.judged, 'row')}; {agrees}"
