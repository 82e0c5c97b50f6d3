"""Numbers of captions, axes and tables, by hand: which entries count, with what weight, in which unit."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from xtalpriors.errors import UsageError
from xtalpriors.generator.config import space_group_of
from xtalpriors.generator.counters import COUNTERS, GENERAL
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.params import CODE_FOLDERS, load_params
from xtalpriors.reports.generated_data import measure
from xtalpriors.reports.html import html_table, words
from xtalpriors.reports.inputs import Inputs, gather
from xtalpriors.reports.measures import entry_statistics
from xtalpriors.reports.meta import Rendered
from xtalpriors.reports.panels import Panel
from xtalpriors.reports.sections import cells, contents, gap, symmetry
from xtalpriors.reports.sections.paper import compare_with_paper
from xtalpriors.reports.subset_data import SubsetData

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ("angle", "diffraction", "displacement", "distances", "generated", "hydrogen", "lengths", "packing")


@pytest.fixture(scope="module")
def inputs(database: Path) -> Inputs:
    """The made-up database without bundles."""
    return gather(database, [], [])


def _undrawn(module: object, *args: object) -> Rendered:
    name, number, title, frame, meta, caption = args
    return Rendered(name, number, title, caption, "drawn", "", frame, meta)  # type: ignore[arg-type]


def _figures(monkeypatch: pytest.MonkeyPatch, module: ModuleType, inputs: Inputs) -> dict[str, Rendered]:
    """Figures of a section without their drawings."""
    monkeypatch.setattr(module, "render", _undrawn)
    section = getattr(module, f"{module.__name__.rsplit('.', 1)[-1]}_section")(inputs)
    return {figure.name: figure for figure in section.figures}


def _panels() -> list[Panel]:
    modules = [import_module(f"xtalpriors.reports.figures.{name}") for name in (*FIGURES, "sheet", "volume")]
    values = [value for module in modules for value in vars(module).values()]
    found = [v for v in values if isinstance(v, Panel)]
    for value in values:
        if isinstance(value, dict | tuple):
            found += [
                p for p in (value.values() if isinstance(value, dict) else value) if isinstance(p, Panel)
            ]
        found += list(getattr(value, "panels", ()))
    return found


def test_the_factor_of_an_axis_is_the_width_that_its_label_names() -> None:
    panels = _panels()
    assert len(panels) > 15
    for panel in panels:
        width = re.fullmatch(r"% per (\d[\d.]*)?.*", panel.y_label)
        assert width, panel.y_label
        # A density in 1/unit becomes per cent in so many units.
        assert panel.y_factor == pytest.approx(100 * float(width[1] or 1)), panel


def test_captions_count_the_entries_that_have_a_value(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = inputs.small.frame
    drawn = _figures(monkeypatch, contents, inputs) | _figures(monkeypatch, cells, inputs)
    assert 0 < frame["h_fraction"].notna().sum() < len(frame) < len(inputs.large.frame)
    n = {
        name: [int(x.replace(",", "")) for x in re.findall(r"N = ([\d,]+)", figure.caption)]
        for name, figure in drawn.items()
    }
    large = inputs.large.frame
    assert n["volume"] == [len(frame), len(large)]
    assert n["lengths"] == n["angle"] == [len(frame)]
    assert n["hydrogen"] == [large["h_fraction"].notna().sum(), frame["h_fraction"].notna().sum()]
    assert n["special_positions"] == [frame["n_special_positions"].notna().sum()]
    samples = {s.subset: s for s in drawn["hydrogen"].meta.samples}
    assert samples["p21c-10"].n == frame["h_fraction"].notna().sum()
    known = frame[frame["h_fraction"].notna()]
    assert samples["p21c-10"].n_clusters == known["cluster_id"].nunique() < len(known)


def test_shares_and_medians_of_captions_are_over_clusters(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = inputs.small.frame.head(4).assign(
        h_fraction=[0.0, 0.0, 0.4, None],
        volume_per_non_h_atom_angstrom3=[10.0, 12.0, 20.0, None],
        cluster_id=["a", "a", "b", "b"],
        weight=0.5,
    )
    monkeypatch.setitem(inputs.subsets, "p21c-10", SubsetData("p21c-10", {}, None, (), {}, small))
    drawn = _figures(monkeypatch, contents, inputs)
    # Of two clusters one has no hydrogen. The fourth entry is unknown: it neither counts as zero nor takes
    # half of its cluster's vote, which would leave 66.7 %.
    text = drawn["hydrogen"].caption.partition("p21c-10:")[2]
    assert "N = 3, of which 1 hold hydrogen; over clusters 50.0 % (9.5 to 90.5) hold none" in text
    assert "50.0 % (9.5 to 90.5) lie within" in text and "not known for 1 more" in text
    assert "p21c-10: N = 3, median 12.0 Å³" in drawn["packing"].caption
    rows = drawn["hydrogen"].frame
    ticks = rows[(rows["series"] == "p21c-10") & (rows["kind"] == "value")]
    assert ticks["x_low"].tolist() == [0.4], "few values are ticks, and bins are those of the many"
    assert np.isnan(entry_statistics(small)["hydrogen"]).tolist() == [False, False, False, True]


def test_space_groups_are_ranked_by_clusters_and_not_by_entries(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = inputs.large.frame.head(5).assign(
        sg_number=[14, 14, 14, 2, 2],
        sg_hm=["P 1 21/c 1"] * 3 + ["P -1"] * 2,
        weight=[1 / 3, 1 / 3, 1 / 3, 1.0, 1.0],
    )
    monkeypatch.setitem(inputs.subsets, "all-50", SubsetData("all-50", {}, None, (), {}, frame))
    caption = _figures(monkeypatch, symmetry, inputs)["space_groups"].caption
    assert "the most frequent is P-1 with 66.7 %" in caption
    # Wilson's interval of 2 of 3 clusters (Wilson 1927): 20.8 to 93.9 %.
    assert "(20.8 to 93.9)" in caption


def test_each_row_beside_the_paper_is_of_its_own_subset(inputs: Inputs) -> None:
    small = inputs.small.frame.assign(volume_angstrom3=200.0)
    large = inputs.large.frame.assign(volume_angstrom3=2000.0)
    rows = {r.label: r for r in compare_with_paper({}, {"p21c-10": small, "all-50": large})}
    assert rows["Volumes within 160–1000 Å³"].value == "100.0 %"
    assert rows["Volumes within 160–1000 Å³"].sample == f"p21c-10 ({len(small):,})"
    assert rows["C, N, O among general positions"].sample == f"all-50 ({len(large):,})"


def test_noise_of_the_gap_is_of_clusters() -> None:
    group = space_group_of("P 1 21/c 1")
    batch = StructureBatch(
        group=group,
        index=np.arange(4),
        offsets=np.arange(5),
        cell=np.tile([5.0, 6, 7, 90, 100, 90], (4, 1)),
        counters=np.zeros((4, len(COUNTERS)), np.int32),
        element=np.full(4, 6, np.uint8),
        fract=np.full((4, 3), 0.2),
        u_iso=np.full(4, 0.02, np.float32),
        multiplicity=np.full(4, 4, np.int16),
        site=np.full(4, GENERAL, np.uint8),
    )
    # Ten entries that are two structures: five redeterminations of each.
    columns = {
        "a_angstrom": 5.0, "b_angstrom": 6.0, "c_angstrom": 7.0,
        "alpha_degree": 90.0, "beta_degree": 100.0, "gamma_degree": 90.0,
        "volume_angstrom3": 210.0, "volume_per_non_h_atom_angstrom3": 50.0, "u_iso_mean_angstrom2": 0.02,
        "h_fraction": [0.0] * 5 + [None] * 5, "n_special_positions": 0, "cluster_id": ["a"] * 5 + ["b"] * 5,
    }  # fmt: skip
    frame = pd.DataFrame(columns, index=range(10))
    subset = SubsetData("p21c-10", {}, None, (), {}, frame)
    rows = gap.gap_frame(subset, None, [measure("one", batch, {})]).set_index("statistic")
    # Smirnov 1948: c(0.05) = 1.358 times √(1/n + 1/m), n = 4 generated, m = 2 clusters, 1 where H is known.
    assert rows.loc["Cell volume V", "noise"] == pytest.approx(1.358 * (1 / 4 + 1 / 2) ** 0.5)
    assert rows.loc["Mole fraction of H", "noise"] == pytest.approx(1.358 * (1 / 4 + 1) ** 0.5)


def test_values_are_escaped_in_tables_and_plain_in_sentences() -> None:
    table = html_table(pd.DataFrame({"a<b": ["x & y"], "n": ["1"]}), numeric=("n",))
    assert table == (
        '<table><thead><tr><th scope="col">a&lt;b</th><th scope="col" class="number">n</th></tr></thead>'
        '<tbody><tr><td>x &amp; y</td><td class="number">1</td></tr></tbody></table>'
    )
    named = words("symmetry", "by_group", subset="a<b & c", groups=0, shown=0)
    assert named == "a<b & c has no structure in this corpus."


@pytest.mark.parametrize("name", [*CODE_FOLDERS, "Figures", "../out", ".git"])
def test_a_corpus_is_not_called_like_a_folder_of_the_code(tmp_path: Path, name: str) -> None:
    text = (
        (ROOT / "params.yaml")
        .read_text()
        .replace("corpora:", "corpora:\n  " + name + ": {sources: [amcsd]}\n#", 1)
    )
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match="cannot be called"):
        load_params(path)


def test_the_folders_of_the_code_are_all_named() -> None:
    folders = {p.parent.name for p in (ROOT / "reports").glob("*/__init__.py")}
    assert folders == set(CODE_FOLDERS)
