"""Items whose tolerance is stated although the paper does not give what a verdict needs."""

from __future__ import annotations

from cyldiff.papers.items import Item

__all__ = ["undecided"]


def undecided(
    item: str, printed: str, ours: list[float], low: float, high: float, *, missing: str,
    relative: float = 0.0, times: float = 1.0,
) -> Item:  # fmt: skip
    """An open item that says whether all our values are within a tolerance of the printed range.

    Parameters
    ----------
    ours : values, least and largest are shown
    low, high : the printed range
    relative, times : tolerance: the range is widened by this part, or by this factor
    """
    least, most = min(ours), max(ours)
    if relative > 0.0:
        good, said = (
            low * (1.0 - relative) <= least and most <= high * (1.0 + relative),
            f"{100.0 * relative:g} %",
        )
    else:
        good, said = low / times <= least and most <= high * times, f"factor {times:g}"
    words = f"{least:.3g}" if len(ours) == 1 else f"{least:.3g} to {most:.3g}"
    return Item(item, printed, words, f"{said}: {'met' if good else 'not met'}", "open", missing)
