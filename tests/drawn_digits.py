"""Sixty digits as pen strokes, drawn by rule: the exam of the network behind the drawing pad.

Every digit comes in six variants. They mix two ways of writing it (open and closed 4, plain and
barred 7, plain and looped 2, ...) with slant, pen, place and size. They were fixed before the
network was trained and are not used in training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw

Point = tuple[float, float]
Stroke = list[Point]

# Corner points of each stroke in a box of 1 × 1 (x to the right, y down); a smooth curve goes
# through them. A stroke whose first word is "line" is drawn with straight segments.
ROUND_0 = [[(0.5, 0), (0.15, 0.2), (0.08, 0.55), (0.25, 0.9), (0.55, 1), (0.85, 0.8), (0.92, 0.45),
            (0.78, 0.1), (0.5, 0)]]  # fmt: skip
OPEN_0 = [[(0.62, 0.03), (0.25, 0.15), (0.1, 0.5), (0.22, 0.88), (0.5, 1), (0.8, 0.82), (0.9, 0.45),
           (0.74, 0.12), (0.46, 0.02)]]  # fmt: skip
PLAIN_1 = [["line", (0.5, 0), (0.5, 1)]]
FLAG_1 = [["line", (0.25, 0.25), (0.55, 0), (0.55, 1)]]
PLAIN_2 = [
    [(0.1, 0.25), (0.3, 0.03), (0.65, 0.02), (0.85, 0.25), (0.7, 0.52), (0.35, 0.8), (0.08, 0.98)],
    ["line", (0.08, 0.98), (0.92, 0.98)],
]
LOOPED_2 = [[(0.12, 0.22), (0.35, 0.02), (0.7, 0.04), (0.84, 0.28), (0.66, 0.6), (0.3, 0.92),
             (0.1, 0.93), (0.12, 0.78), (0.3, 0.78), (0.55, 0.93), (0.78, 0.98),
             (0.95, 0.86)]]  # fmt: skip
ROUND_3 = [[(0.12, 0.15), (0.4, 0), (0.75, 0.08), (0.8, 0.3), (0.6, 0.46), (0.4, 0.48), (0.7, 0.54),
            (0.88, 0.75), (0.7, 0.96), (0.35, 1), (0.1, 0.86)]]  # fmt: skip
FLAT_3 = [
    ["line", (0.12, 0.02), (0.82, 0.02), (0.42, 0.4)],
    [(0.42, 0.4), (0.72, 0.44), (0.88, 0.68), (0.72, 0.94), (0.38, 1), (0.1, 0.88)],
]
OPEN_4 = [
    ["line", (0.2, 0), (0.12, 0.55), (0.9, 0.55)],
    ["line", (0.72, 0.05), (0.7, 1)],
]
CLOSED_4 = [["line", (0.95, 0.66), (0.05, 0.66), (0.68, 0), (0.68, 1)]]
PLAIN_5 = [
    ["line", (0.85, 0.02), (0.25, 0.02), (0.18, 0.42)],
    [(0.18, 0.42), (0.5, 0.36), (0.82, 0.5), (0.88, 0.75), (0.65, 0.97), (0.3, 0.99), (0.08, 0.86)],
]
ROUND_5 = [
    [(0.3, 0.03), (0.24, 0.22), (0.2, 0.44), (0.48, 0.38), (0.8, 0.52), (0.84, 0.78), (0.6, 0.98),
     (0.28, 0.98), (0.08, 0.84)],
    ["line", (0.3, 0.03), (0.92, 0.0)],
]  # fmt: skip
CURVED_6 = [[(0.75, 0.02), (0.42, 0.16), (0.18, 0.45), (0.14, 0.78), (0.4, 1), (0.75, 0.94),
             (0.86, 0.72), (0.68, 0.54), (0.4, 0.56), (0.16, 0.74)]]  # fmt: skip
STRAIGHT_6 = [[(0.55, 0), (0.32, 0.3), (0.17, 0.66), (0.26, 0.94), (0.55, 1), (0.8, 0.84),
               (0.74, 0.6), (0.48, 0.52), (0.24, 0.66)]]  # fmt: skip
PLAIN_7 = [["line", (0.08, 0.04), (0.9, 0.04), (0.38, 1)]]
BARRED_7 = [["line", (0.08, 0.04), (0.9, 0.04), (0.38, 1)], ["line", (0.3, 0.5), (0.85, 0.5)]]
EIGHT = [[(0.78, 0.14), (0.5, 0.01), (0.24, 0.12), (0.26, 0.34), (0.52, 0.49), (0.82, 0.66),
          (0.84, 0.9), (0.5, 1), (0.16, 0.9), (0.18, 0.66), (0.5, 0.47), (0.76, 0.33),
          (0.78, 0.14)]]  # fmt: skip
TWO_LOOPS_8 = [
    [(0.5, 0), (0.24, 0.1), (0.22, 0.34), (0.5, 0.46), (0.78, 0.34), (0.76, 0.1), (0.5, 0)],
    [(0.5, 0.46), (0.18, 0.6), (0.16, 0.88), (0.5, 1), (0.84, 0.88), (0.82, 0.6), (0.5, 0.46)],
]
STRAIGHT_9 = [
    [(0.8, 0.22), (0.55, 0.01), (0.22, 0.1), (0.16, 0.36), (0.4, 0.52), (0.7, 0.42), (0.8, 0.22)],
    ["line", (0.8, 0.22), (0.72, 1)],
]
CURVED_9 = [[(0.82, 0.2), (0.55, 0.01), (0.24, 0.1), (0.18, 0.34), (0.42, 0.5), (0.72, 0.4),
             (0.82, 0.2), (0.82, 0.55), (0.7, 0.88), (0.42, 1), (0.18, 0.92)]]  # fmt: skip

FORMS = {
    0: {"round": ROUND_0, "open": OPEN_0},
    1: {"plain": PLAIN_1, "flagged": FLAG_1},
    2: {"plain": PLAIN_2, "looped": LOOPED_2},
    3: {"round": ROUND_3, "flat-topped": FLAT_3},
    4: {"open": OPEN_4, "closed": CLOSED_4},
    5: {"cornered": PLAIN_5, "round": ROUND_5},
    6: {"curved": CURVED_6, "straight": STRAIGHT_6},
    7: {"plain": PLAIN_7, "barred": BARRED_7},
    8: {"one stroke": EIGHT, "two loops": TWO_LOOPS_8},
    9: {"straight": STRAIGHT_9, "curved": CURVED_9},
}


@dataclass(frozen=True)
class Manner:
    """How a form is put on the pad, in shares of the pad's side."""

    name: str
    form: int  # the first or the second way of writing
    size: float = 0.62  # height
    width: float = 0.66  # share of the height
    centre: Point = (0.5, 0.5)
    slant: float = 0.0  # sideways shift from bottom to top, in heights
    turn: float = 0.0  # degrees clockwise
    pen: float = 0.07


MANNERS = [
    Manner("plain", 0),
    Manner("slanted right, thin pen", 1, slant=0.3, pen=0.035),
    Manner("slanted left, thick pen", 0, slant=-0.15, pen=0.11),
    Manner("small, top left", 1, size=0.34, centre=(0.27, 0.25), pen=0.045),
    Manner("large, low on the right", 0, size=0.8, centre=(0.56, 0.56), turn=4, pen=0.08),
    Manner("narrow and turned", 1, width=0.5, turn=-9, pen=0.06),
]


@dataclass(frozen=True)
class DrawnDigit:
    """One digit of the exam: its strokes as points in shares of the pad's side."""

    digit: int
    name: str
    strokes: list[Stroke]
    pen: float


def smooth(points: list[Point], per_segment: int = 8) -> Stroke:
    """Return a Catmull-Rom curve through the points."""
    padded = [points[0], *points, points[-1]]
    curve = [points[0]]
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for step in range(1, per_segment + 1):
            t = step / per_segment
            weights = (
                (-t + 2 * t**2 - t**3) / 2,
                (2 - 5 * t**2 + 3 * t**3) / 2,
                (t + 4 * t**2 - 3 * t**3) / 2,
                (t**3 - t**2) / 2,
            )
            x, y = (
                sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True))
                for axis in (0, 1)
            )
            curve.append((x, y))
    return curve


def straight(points: list[Point], per_segment: int = 8) -> Stroke:
    """Return points along straight segments."""
    line = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        for step in range(1, per_segment + 1):
            t = step / per_segment
            line.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
    return line


def placed(point: Point, manner: Manner) -> Point:
    """Move a point of the unit box to its place on the pad."""
    x = (point[0] - 0.5) * manner.width + (0.5 - point[1]) * manner.slant
    y = point[1] - 0.5
    angle = math.radians(manner.turn)
    x, y = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
    return manner.centre[0] + manner.size * x, manner.centre[1] + manner.size * y


def drawn_digits() -> list[DrawnDigit]:
    """Return the sixty digits, ten times six."""
    drawn = []
    for digit, forms in FORMS.items():
        for manner in MANNERS:
            form = list(forms)[manner.form]
            strokes = [
                straight(points[1:]) if points[0] == "line" else smooth(points)
                for points in forms[form]
            ]
            placed_strokes = [[placed(point, manner) for point in stroke] for stroke in strokes]
            drawn.append(DrawnDigit(digit, f"{form}, {manner.name}", placed_strokes, manner.pen))
    return drawn


def as_picture(
    drawn: DrawnDigit,
    size: int,
    ground: tuple[int, int, int] = (255, 255, 255),
    ink: tuple[int, int, int] = (0, 0, 0),
) -> Image.Image:
    """Draw a digit on a square RGB picture with round pens; soft edges matter in small ones."""
    large = 4 * size if size <= 400 else size
    picture = Image.new("RGB", (large, large), ground)
    draw = ImageDraw.Draw(picture)
    radius = drawn.pen * large / 2
    for stroke in drawn.strokes:
        points = [(x * large, y * large) for x, y in stroke]
        draw.line(points, fill=ink, width=round(2 * radius))
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    return picture.resize((size, size), Image.Resampling.BOX)
