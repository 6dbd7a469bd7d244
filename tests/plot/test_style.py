"""Figures can be read by colour-blind readers and without colours, and all of them are drawn in the style."""

from __future__ import annotations

import ast
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.figure import Figure

from cyldiff.plot import style
from cyldiff.plot.output import save_figure

ROOT = Path(__file__).parents[2]
#: what draws
FILES = sorted(
    path
    for folder in ("cyldiff/plot", "cyldiff/papers", "docs/scripts", "tests/verification")
    for path in (ROOT / folder).rglob("*.py")
    if "matplotlib" in path.read_text(encoding="utf-8")
)
#: Machado, Oliveira & Fernandes 2009 (IEEE Trans. Vis. Comput. Graph. 15, 1291), severity 1.0, of linear RGB
SEEN_WITH = {
    "three cones": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
#: linear RGB to XYZ, IEC 61966-2-1 (sRGB), and its white
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = TO_XYZ.sum(axis=1)
#: distance in CIE L*a*b* (1976) that is seen at once on thin lines; 2.3 is the smallest that is seen at all
CLEAR = 15.0


def linear(colour):
    """Linear RGB of "#RRGGBB"."""
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* 1976 of linear RGB."""
    t = TO_XYZ @ np.clip(rgb, 0.0, 1.0) / WHITE
    f = np.where(t > (6.0 / 29.0) ** 3, np.cbrt(t), t * (29.0 / 6.0) ** 2 / 3.0 + 4.0 / 29.0)
    return np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])


def distance(a, b, seen_with):
    return float(np.linalg.norm(np.subtract(*(lab(SEEN_WITH[seen_with] @ linear(c)) for c in (a, b)))))


class TestMeasure:
    """The measure itself."""

    def test_white_and_black(self):
        assert distance("#FFFFFF", "#000000", "three cones") == pytest.approx(100.0, abs=0.01)

    def test_red_of_srgb(self):
        np.testing.assert_allclose(lab(linear("#FF0000")), [53.24, 80.09, 67.20], atol=0.05)

    def test_grey_stays_grey(self):
        for matrix in SEEN_WITH.values():
            np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=2e-6)

    def test_red_and_green_of_the_same_brightness_are_not_told_apart(self):
        assert distance("#B05030", "#6A7030", "three cones") > 40.0
        assert distance("#B05030", "#6A7030", "deuteranopia") < CLEAR

    def test_a_brown_would_not_do(self):
        assert distance("#8C564B", style.GREEN, "deuteranopia") < CLEAR


class TestColours:
    @pytest.mark.parametrize("seen_with", SEEN_WITH)
    def test_curves_are_told_apart(self, seen_with):
        pairs = {(a, b): distance(a, b, seen_with) for a, b in combinations(style.SEQUENCE, 2)}
        worst = min(pairs, key=pairs.get)
        print(f"{seen_with}: {worst[0]} and {worst[1]} are {pairs[worst]:.1f} apart")
        assert pairs[worst] > CLEAR

    @pytest.mark.parametrize("seen_with", SEEN_WITH)
    def test_experiments_are_told_apart(self, seen_with):
        colours = {style.colour_of(name) for name in style._COLOURS}
        assert len(colours) == len(style._COLOURS)
        assert min(distance(a, b, seen_with) for a, b in combinations(colours, 2)) > CLEAR

    @pytest.mark.parametrize("colour", style.SEQUENCE)
    def test_seen_on_white(self, colour):
        # contrast of WCAG 2.1; a thin line needs 2, yellow has 1.3
        assert 1.05 / (TO_XYZ[1] @ linear(colour) + 0.05) > 2.0

    def test_images_go_from_dark_to_light(self):
        lightness = [
            lab(linear_rgb)[0] for linear_rgb in _linear(colormaps[style.SEQUENTIAL](np.linspace(0, 1, 64)))
        ]
        steps = np.diff(lightness)
        assert np.all(steps > 0.0)
        assert steps.max() < 2.0 * np.median(steps)


def _linear(rgba):
    c = rgba[:, :3]
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


class TestWithoutColour:
    def test_every_curve_has_its_own_dashes(self):
        assert len(style.LINES) == len(style.SEQUENCE) == len({str(dashes) for dashes in style.LINES})
        looks = [style.line_of(rank) for rank in range(len(style.SEQUENCE))]
        assert looks[0] == {"color": style.BLACK, "ls": "-"}
        assert len({str(look["ls"]) for look in looks}) == len(looks)

    def test_every_set_of_points_has_its_own_symbol(self):
        assert len(set(style.MARKERS)) == len(style.MARKERS)
        assert len({style.marker_of(name) for name in style._MARKERS}) == len(style._MARKERS)


def calls(tree, name):
    """Calls of a function or method of this name."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) == name or getattr(node.func, "id", None) == name)
    ]


class TestEveryDrawing:
    def test_files_are_found(self):
        names = {path.name for path in FILES}
        assert {"fit.py", "gamma_figure.py", "corner.py", "response.py", "lepton_sky.py"} <= names
        assert len(FILES) > 20

    @pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
    def test_colours_are_those_of_the_style(self, path):
        if path == ROOT / "cyldiff/plot/style.py":
            return
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {"red", "green", "blue", "orange", "brown", "cyan", "magenta", "yellow", "purple", "pink"}
        wrong = [
            f"line {node.lineno}: {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (re.fullmatch(r"#[0-9A-Fa-f]{3,8}|C\d|tab:\w+", node.value) or node.value in named)
        ]
        wrong += [
            f"line {keyword.value.lineno}: colour map {keyword.value.value}"
            for call in ast.walk(tree)
            if isinstance(call, ast.Call)
            for keyword in call.keywords
            if keyword.arg == "cmap" and isinstance(keyword.value, ast.Constant)
        ]
        assert wrong == []

    @pytest.mark.parametrize(
        "path", [p for p in FILES if p.parts[-2] != "verification"], ids=lambda p: str(p.relative_to(ROOT))
    )
    def test_what_is_written_has_the_style(self, path):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and calls(function, "savefig"):
                contexts = [ast.unparse(call.args[0]) for call in calls(function, "rc_context")]
                assert contexts, f"{path}: {function.name} writes a figure outside of the style"
                assert set(contexts) <= {"RC", "style.RC"}

    @pytest.mark.parametrize(
        "path", [p for p in FILES if p.parts[-2] != "verification"], ids=lambda p: str(p.relative_to(ROOT))
    )
    def test_pyplot_is_not_used(self, path):
        # its figures would have the settings of whoever imports us
        assert "pyplot" not in path.read_text(encoding="utf-8")

    def test_the_style_is_on_while_a_figure_is_built(self, tmp_path):
        from matplotlib import rcParams

        before = dict(rcParams)
        seen = {}

        def build():
            seen.update({key: rcParams[key] for key in style.RC})
            return Figure()

        save_figure(build, tmp_path / "f.png")
        for key, value in style.RC.items():
            assert seen[key] == value, key
        assert {key: rcParams[key] for key in style.RC} == {key: before[key] for key in style.RC}


class TestTexts:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (1e6, "1 PeV"),
            (3.5e6, "3.5 PeV"),
            (1e3, "1 TeV"),
            (999.9999, "1 TeV"),
            (10.0, "10 GeV"),
            (0.03, "30 MeV"),
        ],
    )
    def test_energies(self, value, text):
        assert style.energy_text(value) == text

    def test_ticks_of_a_short_logarithmic_axis(self):
        figure = Figure()
        axes = figure.subplots()
        axes.set(yscale="log", ylim=(0.04, 0.4))
        style.plain_ticks(axes.yaxis)
        figure.canvas.draw()
        shown = [label.get_text() for label in axes.get_yticklabels()]
        assert {"0.05", "0.1", "0.2", "0.3"} <= set(shown)
        assert not any("10" in text for text in shown)
