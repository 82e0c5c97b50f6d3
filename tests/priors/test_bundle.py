"""The file: canonical, digested, refused when it was changed, and described by a committed schema."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from scipy import stats

import xtalpriors.priors.bundle as bundle_module
from xtalpriors.canonical_json import canonical_json, digest, rounded
from xtalpriors.errors import XtalpriorsError
from xtalpriors.priors.bundle import (
    LATER_PRIORS,
    PriorBundle,
    json_schema,
    load_bundle,
    published_bundle,
    save_bundle,
)
from xtalpriors.priors.fitting.fit import fit_table
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.published.make import DOI, melgalvis_2026
from xtalpriors.priors.tell.metrics import metrics, plots, write_metrics, write_plots
from xtalpriors.priors.tell.show import show_bundle

PRIORS = Path(bundle_module.__file__).resolve().parent


@pytest.fixture(scope="module")
def fitted(table_of: Callable[..., SubsetTable]) -> PriorBundle:
    rng = np.random.default_rng(0)
    n = 80
    lengths = rng.uniform(4, 10, (n, 3))
    strings = {
        "crystal_system": ["monoclinic"] * n,
        "special_letters": ["a", ""] * (n // 2),
        "hydrogen_origin": ["none", "sites"] * (n // 2),
        "sg_hm": ["P 1 21/c 1"] * n,
    }
    table = table_of(
        n,
        strings=strings,
        sg_number=14,
        n_special_positions=[1, 0] * (n // 2),
        a_angstrom=lengths[:, 0],
        b_angstrom=lengths[:, 1],
        c_angstrom=lengths[:, 2],
        alpha_degree=90,
        beta_degree=rng.uniform(91, 120, n),
        gamma_degree=90,
        volume_angstrom3=lengths.prod(axis=1),
        h_fraction=np.where(np.arange(n) % 2, rng.beta(5, 5, n), 0.0),
        volume_per_non_h_atom_angstrom3=rng.normal(15, 2, n),
        d_min_angstrom=rng.uniform(0.7, 1, n),
    )
    return fit_table(table, bootstrap=100)


@pytest.fixture
def saved(fitted: PriorBundle, tmp_path: Path) -> Path:
    path = tmp_path / "p21c.json"
    save_bundle(fitted, path)
    return path


def test_a_bundle_survives_its_file(fitted: PriorBundle, saved: Path) -> None:
    again = load_bundle(saved)
    assert again == fitted
    first = saved.read_bytes()
    save_bundle(again, saved)
    assert saved.read_bytes() == first


def test_the_file_is_canonical(saved: Path) -> None:
    text = saved.read_text(encoding="utf-8")
    content = json.loads(text)
    assert (
        text
        == json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, separators=(",", ": ")) + "\n"
    )
    numbers: list[float] = []

    def walk(value: Any) -> None:
        if isinstance(value, float):
            numbers.append(value)
        elif isinstance(value, dict | list):
            for v in value.values() if isinstance(value, dict) else value:
                walk(v)

    walk(content)
    assert len(numbers) > 500
    assert all(float(f"{x:.8g}") == x for x in numbers)
    assert list(saved.parent.iterdir()) == [saved]


def test_the_digest_covers_schema_version_and_priors_only(fitted: PriorBundle, saved: Path) -> None:
    content = json.loads(saved.read_text(encoding="utf-8"))
    # a prior that schema 1 did not have counts only where it is there: older bundles keep their digest
    later = {name: content["priors"].pop(name) for name in LATER_PRIORS}
    assert set(later.values()) == {None}
    wanted = digest({"schema_version": 1, "priors": content["priors"]})
    assert fitted.priors_digest == wanted
    other = fitted.model_copy(update={"name": "other", "warnings": {"x": "y"}})
    save_bundle(other, saved)
    assert load_bundle(saved).priors_digest == wanted


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def set_mu(content: dict[str, Any]) -> None:
    content["priors"]["cell_volume"]["parametric"]["mu"] = {"value": 6.0, "low": 5.9, "high": 6.1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_mu, ["changed after it was made", "xtalpriors fit"]),
        (lambda c: c.update(priors_digest="0" * 32), ["changed after it was made"]),
        (lambda c: c.update(schema_version=3), ["schema 3", "Upgrade"]),
        (lambda c: c.update(schema_version=0), ["schema 0", "cannot be migrated", "xtalpriors fit"]),
        (lambda c: c.update(schema_version="1"), ["schema '1'"]),
        (lambda c: c.pop("priors"), ["not a prior bundle"]),
        (lambda c: c["priors"].update(colour=1), ["priors.colour", "xtalpriors fit"]),
        (lambda c: c["priors"]["cell_volume"].pop("unit"), ["priors.cell_volume.unit is missing"]),
    ],
)
def test_a_changed_file_is_refused_with_the_remedy(
    saved: Path, change: Callable[[dict[str, Any]], None], words: list[str]
) -> None:
    edited(saved, change)
    with pytest.raises(XtalpriorsError) as error:
        load_bundle(saved)
    assert str(saved) in str(error.value)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b'{"schema_version": 1, "priors": {"cell_', b"\xff\xfe{}", b"[1]", b"[" * 99999]
)
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(XtalpriorsError, match=r"x\.json"):
        load_bundle(path)


def test_a_missing_file_or_folder_is_named(tmp_path: Path) -> None:
    assert load_bundle("melgalvis-2026").priors_digest == published_bundle().priors_digest
    with pytest.raises(XtalpriorsError, match=r"there is no bundle .*published one: melgalvis-2026"):
        load_bundle(tmp_path / "none.json")
    with pytest.raises(XtalpriorsError, match=r"is a folder without prior bundles, .* name that file"):
        load_bundle(tmp_path)
    for name in ("one", "two"):
        save_bundle(published_bundle(), tmp_path / f"{name}.json")
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    with pytest.raises(XtalpriorsError, match=r"folder, .* name .*one\.json \(or another of the 2 there\)"):
        load_bundle(tmp_path)
    with pytest.raises(XtalpriorsError, match="no published bundle 'x'; there are: melgalvis-2026"):
        published_bundle("x")


def test_a_failed_write_leaves_the_former_file(
    fitted: PriorBundle, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(XtalpriorsError, match="No space left on device"):
        save_bundle(fitted, saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_numbers_are_rounded_once() -> None:
    assert rounded({"b": -0.0, "a": [1 / 3, 123456789.123, 2]}) == {
        "b": 0.0,
        "a": [0.33333333, 123456790.0, 2],
    }
    assert canonical_json({"b": 1, "a": "β"}) == '{"a":"β","b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": float("nan")})


def test_the_committed_schema_is_that_of_the_models_and_accepts_the_bundles(saved: Path) -> None:
    committed = (PRIORS / "schema" / "bundle-2.json").read_text(encoding="utf-8")
    assert committed == json_schema(), "write json_schema() to priors/schema/bundle-2.json"
    schema = json.loads(committed)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in (saved, *sorted((PRIORS / "published").glob("melgalvis*.json"))):
        content = json.loads(path.read_text(encoding="utf-8"))
        validator.validate(content)
        content["priors"]["cell_volume"]["parametric"]["family"] = "cauchy"
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(content)


def test_reading_a_bundle_needs_no_database_package() -> None:
    heavy = ["duckdb", "polars", "pandas", "pyarrow", "torch", "gemmi", "numba", "scipy"]
    code = (
        "import sys, xtalpriors.priors.bundle as b, xtalpriors.priors.tell.show as s;"
        "s.show_bundle(b.published_bundle());"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_published_bundle_is_the_paper() -> None:
    """Numbers of Melgalvis & Reķis (2026), doi 10.1107/S2053273325009428, each with its place in `source`."""
    priors = published_bundle().priors
    assert priors.cell_volume and priors.axis_ratio and priors.monoclinic_angle and priors.elements
    assert priors.special_positions and priors.displacement and priors.packing and priors.hydrogen
    assert priors.diffraction and priors.diffraction.d_min
    volume = priors.cell_volume.distribution()
    assert volume.cdf(1000) - volume.cdf(160) == pytest.approx(0.979, abs=5e-4)
    assert (priors.cell_volume.uniform_low_angstrom3, priors.cell_volume.uniform_high_angstrom3) == (
        160,
        1000,
    )
    assert priors.axis_ratio.ratio_max == 1.8
    assert priors.axis_ratio.middle_over_shortest is None
    assert "not with which rate" in published_bundle().unavailable["axis_ratio.middle_over_shortest"]
    skew = priors.monoclinic_angle.declared.skew.sample(20_000, rng=np.random.default_rng(0))
    beta = 90 + np.degrees(np.arctan(skew))
    assert 90 <= beta.min() < 90.1
    assert 124.9 < beta.max() <= 125
    assert stats.kstest(skew, stats.uniform(0, np.tan(np.radians(35))).cdf).pvalue > 1e-3
    assert priors.elements.general.per_site.share("C", "N", "O") == pytest.approx(0.89, abs=1e-6)
    assert priors.elements.special is not None
    assert priors.elements.special.per_site.share("C", "N", "O") == pytest.approx(0.49, abs=1e-6)
    assert priors.packing.distribution().quantile([0, 1]).tolist() == [7, 22]
    assert priors.hydrogen.distribution().quantile([0, 1]).tolist() == [0.3, 0.6]
    assert priors.displacement.mean.distribution().quantile([0, 1]).tolist() == [0.01, 0.1]
    assert priors.displacement.deviation.distribution().quantile([0, 1]).tolist() == [-0.005, 0.005]
    assert priors.diffraction.d_min.distribution().quantile(0.5) == 1.0
    for name in type(priors).model_fields:
        prior = getattr(priors, name)
        assert prior is None or DOI in (prior.source or ""), name
        assert prior is not None or name in published_bundle().unavailable


def test_five_per_cent_of_four_centres_is_the_papers_binomial() -> None:
    """81.4 / 17.2 / 1.4 % in the paper, section 3.5; by hand 0.95⁴, 4·0.05·0.95³, the rest."""
    special = published_bundle().priors.special_positions
    assert special is not None
    occupied = special.group(14).number_occupied
    by_hand = [0.95**4, 4 * 0.05 * 0.95**3]
    assert occupied.values[:2] == pytest.approx(by_hand, abs=1e-8)
    shares = [occupied.values[0], occupied.values[1], occupied.at_least(2)]
    assert np.round(100 * np.array(shares), 1).tolist() == [81.5, 17.1, 1.4]
    assert np.abs(100 * np.array(shares) - [81.4, 17.2, 1.4]).max() < 0.06
    with pytest.raises(LookupError, match="no special positions of space group 2; it has 14"):
        special.group(2)


def test_the_committed_published_bundle_is_what_its_script_makes() -> None:
    folder = PRIORS / "published"
    counts = json.loads((folder / "element-counts.json").read_text(encoding="utf-8"))
    assert melgalvis_2026(counts, counts["source"]) == published_bundle()


def test_what_a_bundle_lacks_is_named(fitted: PriorBundle) -> None:
    with pytest.raises(XtalpriorsError, match=r"no prior 'elements': the subset has no file of sites"):
        fitted.require("elements")
    assert fitted.require("cell_volume") is fitted.priors.cell_volume


def test_messages_name_the_file_that_was_given(fitted: PriorBundle, saved: Path) -> None:
    """Many files hold a bundle of one name; where it lies makes no other bundle of it."""
    read = load_bundle(saved)
    with pytest.raises(XtalpriorsError, match=rf"^bundle {re.escape(str(saved))} has no prior 'elements'"):
        read.require("elements")
    assert pickle.loads(pickle.dumps(read)).called == f"bundle {saved}", "workers say it too"
    assert read == fitted and fitted.called == f"bundle {fitted.name!r}"
    assert load_bundle("melgalvis-2026").called == "bundle 'melgalvis-2026'"


def test_text_metrics_and_plots_show_the_numbers(fitted: PriorBundle, tmp_path: Path) -> None:
    text = show_bundle(fitted)
    volume = fitted.priors.cell_volume
    assert volume is not None and volume.parametric is not None
    assert f"mu {dict(volume.parametric)['mu'].value:.5g}" in text
    assert "2a/b/c/d (point): probability 0.125" in text
    assert "elements: the subset has no file of sites" in text
    assert fitted.priors_digest in str(fitted)
    assert "no elements: the subset has no file of sites" in str(fitted)
    assert DOI in show_bundle(published_bundle())
    flat = metrics(fitted)
    assert flat["cell_volume"]["mu"] == dict(volume.parametric)["mu"].value
    assert flat["special_positions"]["p21c.none"] == pytest.approx(0.5)
    write_metrics(fitted, tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text())["hydrogen"]["share_zero"] == 0.5
    files = write_plots(fitted, tmp_path / "plots")
    assert {f.stem for f in files} == set(plots(fitted)) >= {"volume", "monoclinic_angle", "space_groups"}
    rows = np.genfromtxt(tmp_path / "plots" / "volume.csv", delimiter=",", names=True)
    width = rows["x"][1] - rows["x"][0]
    assert width * rows["values"].sum() == pytest.approx(0.995, abs=5e-3)
    assert 0.8 < width * rows["fit"].sum() <= 1
    paper = plots(published_bundle())
    assert set(paper["volume"][0]) == {"x", "fit"}, "a density that is not known has no column"
    bars = paper["elements_general"]
    assert len(bars) == 21 and bars[-1]["label"].endswith(" others"), "a chart of 58 labels cannot be read"
    assert sum(bar["share"] for bar in bars) == pytest.approx(1.0)
    shares = [bar["share"] for bar in bars[:-1]]
    assert shares == sorted(shares, reverse=True)


def test_the_published_bundle_keeps_its_digest() -> None:
    """Structure i of a seed hangs on it: a field that is added must not change what was generated before."""
    assert published_bundle().priors_digest == "188920af838e3a8a88bd527dea32e4db"
