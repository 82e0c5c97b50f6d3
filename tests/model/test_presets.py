"""The presets are what they say, and a wrong option is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from xtalpriors.errors import UsageError
from xtalpriors.generator.config import CELL_STRATEGIES, FILLINGS
from xtalpriors.model.training.presets import load_preset, preset_folder, preset_names

FILLED = ("molecules", "random", "equal")
PAPER = [f"{filling}-{cell}" for filling in FILLED for cell in ("lognormal", "uniform", "lengths")]


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_read_and_opens_with_what_it_reproduces(name: str) -> None:
    config = load_preset(name)
    assert config.name == name
    head = (preset_folder() / f"{name}.yaml").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in head)
    text = " ".join(head)
    for word in ("Reproduces", f"xtalpriors train --preset {name}", "Expected time", "Expected score"):
        assert word in text, word


def test_the_recipe_of_2026() -> None:
    """Melgalvis & Reķis (2026), doi 10.1107/S2053273325009428, section 2 and Tables 1 and 2."""
    strategies = set()
    for name in PAPER:
        config = load_preset(name)
        assert config.optimiser.name == "adamw" and config.optimiser.batch_size == 64
        assert config.optimiser.weight_decay == 1e-6 and config.structures == 100_000_000
        rates = [config.optimiser.learning_rate * level for level in config.schedule.levels]
        assert rates == pytest.approx([5e-4, 5e-5, 1e-5]) and config.schedule.kind == "plateau"
        assert config.recycling.cycles == (3,) and config.recycling.initial == "random"
        assert config.data.d_min_angstrom == 1.0 and config.data.completeness == 1.0
        assert config.scaling == "maximum"
        reflections = config.reflections()
        assert config.network_size(reflections).n_reflections == 1205
        strategies.add((config.data.generator.cell, config.data.generator.filling))
    assert strategies == {
        (c, f)
        for c in CELL_STRATEGIES
        if c not in ("volume-empirical", "fitted")
        for f in FILLINGS
        if f not in ("fitted", "packed")
    }


def test_the_recipe_of_2024() -> None:
    """Larsen et al. (2024), doi 10.1126/science.adn2777: 1–3 cycles, 1–2 Å, up to 15 % left out."""
    config = load_preset("phai-2024")
    assert config.optimiser.name == "rmsprop" and config.optimiser.batch_size == 212
    assert config.recycling.cycles == (1, 2, 3) and config.recycling.initial == "zero"
    assert config.data.d_min_angstrom == (1.0, 2.0) and config.data.completeness == (0.85, 1.0)
    generator = config.data.generator
    assert generator.filling == "packed" and generator.packed_u_iso_angstrom2 == (0.005, 0.06)


def test_the_demonstrator_is_the_issues() -> None:
    for name in ("demonstrator", "demonstrator-plain"):
        config = load_preset(name)
        size = config.network_size(config.reflections())
        assert size.n_reflections == 171 and config.structures == 381_000
        generator = config.data.generator
        assert (generator.volume_min_angstrom3, generator.volume_max_angstrom3) == (120, 260)
        assert config.threads == 2 and config.validation.seed != config.data.seed
    assert load_preset("smoke").structures < 100_000


def test_a_file_of_ones_own_extends_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: demonstrator\noptimiser:\n  batch_size: 32\n", encoding="utf-8")
    mine, base = load_preset(file, {"data.seed": 9}), load_preset("demonstrator")
    assert mine.name == "mine" and mine.optimiser.batch_size == 32 and mine.data.seed == 9
    assert mine.optimiser.learning_rate == base.optimiser.learning_rate
    assert mine.digest != base.digest == load_preset("demonstrator").digest


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("optimizer: {}", "`optimizer` is no option; did you mean `optimiser`"),
        (
            "optimiser: {learning_rte: 1}",
            "`optimiser.learning_rte` is no option; did you mean `optimiser.learning_rate`",
        ),
        ("learning_rate: 1", "`learning_rate` is no option; did you mean `optimiser.learning_rate`"),
        ("structures: 0", "`structures` must be at least 1"),
        ("size: huge", "there is no size 'huge'; there are: phai, medium"),
        ("network: {box: 3}", "network: unknown box"),
        ("recycling: {cycles: [0]}", "asked at least once"),
        ("data: {seed: 20260101}", "validation.seed: it is that of the training data"),
        ("[1, 2]", "no table of options"),
        ("a: [", "cannot be read as YAML"),
        ("extends: mine", "extends itself"),
        ("extends: nothing", "There is no preset 'nothing'; there are: demonstrator"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, match: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=match):
        load_preset(file)


def test_a_preset_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no preset 'demo'; there are: demonstrator"):
        load_preset("demo")
    with pytest.raises(UsageError, match="There is no preset file"):
        load_preset(tmp_path / "none.yaml")
