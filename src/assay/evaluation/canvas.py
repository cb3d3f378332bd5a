"""The paper that every plot is drawn on: one style, and PNG bytes that name no machine.

Only matplotlib's object interface is used, so that no window, global figure or back end is touched.
"""

import io
import warnings
from collections.abc import Callable
from typing import Any

from assay.evaluation.report import Points
from assay.exceptions import MissingExtra

DPI = 150
INK, MUTED, GRID = "#1f2933", "#616e7c", "#e4e7eb"
COLOURS = (
    "#2563a8",
    "#d9822b",
    "#2f855a",
    "#8f4bab",
    "#c53030",
    "#0f8b8d",
    "#805a3b",
    "#b83280",
    "#6b7280",
    "#a3a500",
)
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "text.parse_math": False,  # a label may hold dollar signs
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.titlesize": 12.0,
    "axes.titlelocation": "left",
    "axes.titlepad": 12.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.edgecolor": "white",
    "legend.framealpha": 0.9,
    "legend.fontsize": 9.0,
    "figure.facecolor": "white",
}


def render(paint: Callable[[Any], None], *, size: tuple[float, float] = (6.4, 4.8)) -> bytes:
    """Return as PNG bytes what ``paint`` puts on an empty matplotlib figure of ``size`` inches.

    Raises MissingExtra when matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("Drawing plots", package="matplotlib", extra="train") from error
    content = io.BytesIO()
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()  # a matplotlibrc of the user's would draw something else
        mpl.rcParams.update(STYLE)
        # The bundled font lacks some scripts; such a label shows as boxes here and in full in the card.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure = Figure(figsize=size, layout="constrained")
        paint(figure)
        figure.savefig(content, format="png", dpi=DPI, metadata={"Software": None})
    return content.getvalue()


def line(axes: Any, points: Points, colour: str, name: str, *, drawstyle: str = "default") -> None:
    """Draw a line through points; none where there are none."""
    if points:
        x, y = zip(*points, strict=True)
        axes.plot(x, y, color=colour, linewidth=1.8, label=name, drawstyle=drawstyle)


def note(axes: Any, text: str) -> None:
    """Write why there is nothing to see in the middle of empty axes."""
    box = {"facecolor": "white", "edgecolor": "none"}
    axes.text(0.5, 0.5, text, ha="center", va="center", color=MUTED, bbox=box, transform=axes.transAxes)


def short(text: str, most: int = 24) -> str:
    """Return a text that fits into a legend."""
    return text if len(text) <= most else text[: most - 1] + "…"
