"""Numbers as figures and widgets write them."""

from __future__ import annotations


def share_text(share: float, space: str = "") -> str:
    """Write a share of a softmax, which is never none and never all, as a percentage.

    Args:
        share: From 0 to 1.
        space: What stands before the sign.
    """
    text = "<0.1" if share < 0.001 else ">99.9" if share > 0.999 else f"{100 * share:.1f}"
    return f"{text}{space}%"
