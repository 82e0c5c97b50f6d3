"""The data of single figures: known numbers, hand arithmetic, and figures of little or nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from xtalpriors.arrays import ANGLES
from xtalpriors.priors.distributions.continuous import Exponential, LogNormal, Uniform
from xtalpriors.priors.distributions.estimate import Estimate, fixed
from xtalpriors.reports.figures import (
    angle,
    elements,
    hydrogen,
    lengths,
    redeterminations,
    rejections,
    space_groups,
    special_positions,
    volume,
    waterfall,
)
from xtalpriors.reports.measures import Weighted, folded_angle, length_statistics
from xtalpriors.reports.meta import FigureMeta, Sample
from xtalpriors.reports.panels import Fitted, common_edges, histogram_rows
from xtalpriors.reports.paper_cells import CellBounds, expected_cells
from xtalpriors.reports.section import drawn, render
from xtalpriors.reports.sections.paper import STATISTICS, compare_with_paper, strip
from xtalpriors.reports.style import figure_style, inline_svg, render_svg

META = FigureMeta("made", (Sample("p21c-10", 3, 2),), "declared", "0123456789abcdef")


def _cells(*rows: tuple[float, ...]) -> pd.DataFrame:
    names = [f"{n}_angstrom" for n in "abc"] + [f"{n}_degree" for n in ("alpha", "beta", "gamma")]
    frame = pd.DataFrame(rows, columns=names)
    clusters = [str(i) for i in range(len(rows))]
    return frame.assign(weight=1.0, least_oblique_beta_degree=frame["beta_degree"], cluster_id=clusters)


def test_a_histogram_integrates_to_the_share_inside_its_edges() -> None:
    rows = histogram_rows("p", "s", [1, 1, 2, 9, np.nan], [0, 1.5, 3.0], weights=[1, 1, 2, 4, 100])
    assert rows[rows["kind"] == "total"]["n"].tolist() == [4]
    rows = rows[rows["kind"] == "histogram"]
    widths = rows["x_high"] - rows["x_low"]
    assert (rows["density"] * widths).tolist() == pytest.approx([2 / 8, 2 / 8])
    assert rows["n"].tolist() == [2, 1]
    # Wilson's interval of 2 of 8 clusters (Wilson 1927): 7.1 to 59.1 %; one cluster has weight 1.
    assert (rows["low"] * widths).tolist() == pytest.approx([0.0715, 0.0715], abs=1e-4)
    assert (rows["high"] * widths).tolist() == pytest.approx([0.5907, 0.5907], abs=1e-4)


def test_panels_with_one_label_have_bins_of_one_width() -> None:
    rng = np.random.default_rng(1)
    many, few = rng.exponential(0.1, 5000) + 1, rng.exponential(0.3, 40) + 1
    samples = [Weighted(values, np.ones(len(values))) for values in (many, few)]
    edges = common_edges([(samples[0], 1, 2), (samples[1], 1, 3)], (6, 60))
    widths = [np.unique(np.round(np.diff(e), 9)) for e in edges]
    assert widths[0].tolist() == widths[1].tolist() and len(widths[0]) == 1
    assert edges[0][-1] == pytest.approx(2) and edges[1][-1] == pytest.approx(3)


def test_angle_is_folded_whatever_the_unique_axis() -> None:
    frame = _cells((5, 6, 7, 90, 104, 90), (5, 6, 7, 90, 76, 90), (5, 6, 7, 90, 90, 101.5))
    assert folded_angle(frame[list(ANGLES)].to_numpy()) == pytest.approx([104, 104, 101.5])


def test_the_density_of_the_angle_integrates_to_one() -> None:
    """|s| = tan(β − 90°) is uniform to tan 35°: β has the density π/180 · sec²(β − 90°) / tan 35°."""
    beta = np.linspace(90.0, 125.0, 20_001)[1:-1]
    density = angle.skew_density(beta, Uniform(low=0.0, high=float(np.tan(np.radians(35)))))
    assert np.trapezoid(density, beta) == pytest.approx(1.0, abs=1e-3)
    by_hand = np.pi / 180 / np.cos(np.radians(beta - 90)) ** 2 / np.tan(np.radians(35))
    np.testing.assert_allclose(density, by_hand, rtol=1e-6)


def test_lengths_are_sorted_first() -> None:
    got = length_statistics(np.array([[8.0, 4.0, 6.0]]))
    assert {k: float(v[0]) for k, v in got.items()} == {"longest": 8.0, "upper": 8 / 6, "lower": 1.5}


def test_exponential_of_the_ratio_is_drawn_normalised() -> None:
    frame = _cells((4, 5, 6, 90, 90, 90), (5, 5, 9, 90, 100, 90))
    fit = Fitted(Exponential(rate=fixed(4.0), low=1.0, high=1.8), 0.25)
    rows = lengths.data(frame, fit, fit, expected_cells(6.0, 0.4, CellBounds(4, 10), n=5000))
    curve = rows[(rows["panel"] == "upper") & (rows["kind"] == "curve")]
    x, y = curve["x_low"].to_numpy(), curve["density"].to_numpy()
    assert np.sum((y[1:] + y[:-1]) / 2 * np.diff(x)) == pytest.approx(1, abs=0.01)
    assert set(rows["series"]) == {"database", "exponential", lengths.RULE}
    assert rows[(rows["kind"] == "distance") & (rows["role"] == "fit")]["density"].tolist() == [0.25, 0.25]


def test_the_binomial_of_the_paper() -> None:
    # doi 10.1107/S2053273325009428, section 3.5: p = 0.05 and four centres; 81.451, 17.148, 1.402 % exactly.
    frame = pd.DataFrame({"n_special_positions": [0, 0, 1, 3, None], "cluster_id": list("abccc")})
    rows = special_positions.data(frame, None)
    model = rows[rows["series"] == "four centres, p = 0.05"]["share"]
    assert model.tolist() == pytest.approx([0.81450625, 0.171475, 0.01401875])
    own = rows[rows["series"] == "this corpus"]
    assert own["share"].tolist() == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert own["n"].tolist() == [2, 1, 1]
    assert "this corpus" not in set(special_positions.data(frame.iloc[:0], None)["series"])


@pytest.mark.parametrize(
    ("hm", "printed"),
    [
        ("P 1 21/c 1", "P2₁/c"),
        ("P 1 21/n 1", "P2₁/n"),
        ("P 1 1 21/b", "P112₁/b"),
        ("P 42/m n m", "P4₂/mnm"),
        ("P 21 21 21", "P2₁2₁2₁"),
        ("F d -3 m:2", "Fd-3m:2"),
        ("P 63/m m c", "P6₃/mmc"),
        ("C 2 2 21", "C222₁"),
        ("P 4 3 2", "P432"),
        ("R -3 m:H", "R-3m:H"),
    ],
)
def test_printed_symbols(hm: str, printed: str) -> None:
    assert space_groups.short_symbol(hm) == printed


def test_settings_are_ranked_within_their_group() -> None:
    frame = pd.DataFrame(
        {"sg_number": [14, 14, 14, 2, 14], "sg_hm": ["P 1 21/n 1", "P 1 21/n 1", "P 1 21/c 1", "P -1", None]}
    ).assign(weight=[1.0, 1.0, 1.0, 1.0, 0.5])
    rows = space_groups.data(frame)
    assert rows["setting"].tolist() == ["P2₁/n", "P2₁/c", "a setting without a name", "P-1"]
    assert rows["group_share"].tolist() == pytest.approx([3.5 / 4.5] * 3 + [1 / 4.5])
    assert rows["place"].tolist() == [1, 2, 3, 1]


def test_losses_of_the_waterfall() -> None:
    rows = waterfall.data([("files", 10), ("readable files", 9), ("blocks", 12), ("structures", 11)])
    assert rows["lost"].tolist()[1::2] == [1, 1]
    assert rows["lost"].isna().tolist() == [True, False, True, False]


def test_clusters_are_grouped_by_size() -> None:
    rows = redeterminations.data(pd.DataFrame({"cluster_size": [1, 7, 25], "clusters": [100, 3, 1]}))
    by_size = rows.set_index("size")
    assert by_size.loc["5–9"].tolist() == [3, 21]
    assert by_size.loc["≥ 20"].tolist() == [1, 25]
    assert int(by_size["entries"].sum()) == 146


def test_figures_draw_with_little() -> None:
    frame = _cells((4, 5, 6, 90, 95, 90)).assign(
        volume_angstrom3=119.5, h_fraction=0.0, n_special_positions=1
    )
    frame = frame.assign(sg_number=14, sg_hm="P 1 21/c 1")
    fit = Fitted(LogNormal(mu=fixed(6.0), sigma=fixed(0.4)))
    reasons = pd.DataFrame({"stage": ["cell"], "code": ["no-cell"], "n": [1], "example": ["x"]})
    drawn = {
        "volume": volume.draw(volume.data(dict.fromkeys(volume.PANELS, frame), {"small": fit}, None), META),
        "lengths": lengths.draw(lengths.data(frame, None, None, None), META),
        "angle": angle.draw(angle.data(frame, {}, None), META),
        "hydrogen": hydrogen.draw(hydrogen.data({"all-50": frame}, None), META),
        "special": special_positions.draw(special_positions.data(frame, None), META),
        "groups": space_groups.draw(space_groups.data(frame), META),
        "rejections": rejections.draw(rejections.data(reasons), META),
        "waterfall": waterfall.draw(waterfall.data([("files", len(frame))]), META),
    }
    for name, figure in drawn.items():
        with figure_style(name):
            svg = render_svg(figure, META.footer(130))
        assert "p21c-10: N = 3 in 2 clusters" in svg and "0123456789ab" in svg, name


def test_nothing_is_not_drawn_but_said() -> None:
    """No empty panel: a figure without values of the corpus gives its caption to the section."""
    none = _cells((4, 5, 6, 90, 95, 90)).iloc[:0].assign(h_fraction=0.0, n_special_positions=0)
    frames = {
        "angle": (angle, angle.data(none, {}, None)),
        "lengths": (lengths, lengths.data(none, None, None, None)),
        "hydrogen": (hydrogen, hydrogen.data({"all-50": none}, Uniform(low=0.3, high=0.6))),
        "elements": (elements, elements.data(None)),
        "special": (special_positions, special_positions.data(none, 0.1)),
    }
    figures = [render(m, name, "", "", f, META, f"No {name} here.") for name, (m, f) in frames.items()]
    shown, said = drawn(figures)
    assert shown == [] and said.startswith("No angle here. No lengths here.")


def test_a_panel_without_values_is_left_out_of_its_figure() -> None:
    frame = _cells((4, 5, 6, 90, 95, 90)).assign(volume_angstrom3=119.5)
    rows = volume.data({"small": frame, "all": frame.iloc[:0]}, {}, None)
    assert set(rows["panel"]) == {"small"}
    assert len(volume.draw(rows, META).axes) == 1


def test_an_inlined_figure_follows_the_readers_colours() -> None:
    with figure_style("x"):
        figure = waterfall.draw(waterfall.data([("files", 3), ("structures", 2)]), META)
        inline = inline_svg(render_svg(figure, META.footer(130)), "x", 'a "label" & more')
    assert "var(--data)" in inline and "var(--moved)" in inline and "var(--ink)" in inline
    assert "#0072b2" not in inline.lower()
    assert 'aria-label="a &quot;label&quot; &amp; more"' in inline
    assert "width=" not in inline.split(">", 1)[0]


def test_the_footer_wraps_and_pins_the_input() -> None:
    long = FigureMeta(
        "c", (Sample("s", 1),), "no cell", "d" * 32, {"s": "e" * 32}, tuple("x" * 30 for _ in range(9))
    )
    lines = long.footer(130).split("\n")
    assert all(len(line) <= 130 for line in lines) and len(lines) > 3
    assert "dddddddddddd" in long.footer(130) and "eeeeeeeeeeee" in long.footer(130)


def test_statistics_of_the_paper_are_the_papers() -> None:
    # doi 10.1107/S2053273325009428: headers of Table 1, section 3.5.
    assert [s.paper for s in STATISTICS if s.paper] == [6.04, 0.394, 0.979, 0.735, 0.201, 0.064, 0.89, 0.49]
    law = LogNormal(mu=fixed(6.04), sigma=fixed(0.394))
    assert float(law.cdf(1000) - law.cdf(160)) == pytest.approx(0.979, abs=5e-4)


def test_a_strip_widens_to_what_it_shows() -> None:
    drawn = str(strip(Estimate(value=9.0, low=8.0, high=12.0), 6.04, (5, 7.5)))
    assert 'x2="142.0"' in drawn
    assert "nan" not in drawn


def test_shares_beside_the_papers_are_counted_over_clusters() -> None:
    entries = pd.DataFrame(
        {
            "volume_angstrom3": [150.0, 200, 300, 400],
            "n_special_positions": [0, 1, 5, None],
            "cluster_id": [1, 2, 3, 3],
            "volume_per_non_h_atom_angstrom3": [6.0, 10, 15, 20],
            "h_fraction": [0.0, 0.4, None, None],
            "u_iso_mean_angstrom2": [None, None, None, None],
        }
    ).astype("float64")
    rows = {r.label: r for r in compare_with_paper({}, {"p21c-10": entries, "all-50": entries})}
    assert len(rows) == len(STATISTICS)
    assert rows["Volumes within 160–1000 Å³"].value == "66.7 %"
    # The other entry of its cluster is unknown, and leaves it the whole vote: one of three.
    assert rows["Structures with two or more occupied"].value == "33.3 %"
    assert rows["Structures with no special position occupied"].verdict == "within interval"
    assert rows["H mole fraction within 0.3–0.6"].value == "50.0 %"
    assert rows["H mole fraction within 0.3–0.6"].verdict == "50.0 % outside"
    assert rows["Mean Uᵢₛₒ within 0.01–0.1 Å²"].verdict == "no structure"
    assert rows["Cell volume: σ, s.d. of ln V"].verdict == "no bundle of this subset"
    nothing = compare_with_paper({}, {"p21c-10": entries.iloc[:0], "all-50": entries})
    assert {r.verdict for r in nothing} == {"no bundle of this subset", "no structure"}
