"""Sizes and times as they are said."""


def file_size(size: int) -> str:
    """ "105 MB", "2,891 B": in units of 1,000."""
    for least, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= least:
            return f"{size / least:,.1f} {unit}" if size < 10 * least else f"{size / least:,.0f} {unit}"
    return f"{size:,} B"


def milliseconds(seconds: float | None) -> str:
    """ "135 ms", "2.1 s"; "–" where nothing was measured."""
    if seconds is None:
        return "–"
    return f"{seconds:,.1f} s" if seconds >= 10 else f"{seconds:,.2f} s" if seconds >= 1 else f"{1000 * seconds:,.0f} ms"
