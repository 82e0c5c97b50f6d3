"""The dual-space network: geometry by brute force, inputs by sums, symmetry, loss by hand, resume."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from xtalpriors.crystal.symmetry.origins import permissible_origins
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.charge_flipping.flipping import random_start, settings_for
from xtalpriors.model.charge_flipping.known_crystals import artificial_crystals
from xtalpriors.model.charge_flipping.map_correlation import aligned, map_correlation
from xtalpriors.model.charge_flipping.trials import phase_by_charge_flipping
from xtalpriors.model.dual_space.config import CrystalConfig, DualSpaceConfig, load_config
from xtalpriors.model.dual_space.convolution import _ByNeighbours, averaged_kernel, symmetric_convolution
from xtalpriors.model.dual_space.crystals import CrystalPools, pool
from xtalpriors.model.dual_space.geometry import DualGrid, dual_grid
from xtalpriors.model.dual_space.inputs import Known, known_of
from xtalpriors.model.dual_space.loss import negative_log_likelihood, weighted_loss
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.network_size import DualSpaceSize
from xtalpriors.model.dual_space.phasing import (
    grid_of_crystal,
    listed,
    phase_by_network,
    phase_with_network,
    places_of,
)
from xtalpriors.model.dual_space.states import flipping_state, noisy_state, origin_fixing, start_state
from xtalpriors.model.dual_space.training import Trainer, train_dual_space
from xtalpriors.model.dual_space.transform import transform_of
from xtalpriors.model.dual_space.weights import DualSpaceCard, load_network, save_network, shipped_network
from xtalpriors.priors.bundle import published_bundle

CPU = torch.device("cpu")
GROUPS = (
    "P 1",
    "P -1",
    "P 1 21/c 1",
    "P 1 21/n 1",
    "C 1 2/c 1",
    "P 21 21 21",
    "P n m a",
    "P 41 21 2",
    "P a -3",
)


def grid_for(symbol: str) -> DualGrid:
    group = SpaceGroup.from_hm(symbol)
    return dual_grid(group, (4, 4, 4) if group.crystal_system in ("cubic", "tetragonal") else (3, 5, 4))


def cell_for(grid: DualGrid) -> tuple[float, ...]:
    a, b, c = (n / 2.0 * 1.4 for n in grid.shape)
    return (a, b, c, 90.0, 97.0 if grid.group.crystal_system == "monoclinic" else 90.0, 90.0)


def data(grid: DualGrid, n: int = 2) -> tuple[Known, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(5)
    u = len(grid.reflections.hkl)
    amplitudes = torch.from_numpy(rng.rayleigh(1.0, (n, u)) * (rng.random((n, u)) < 0.9)).float()
    cells = np.array([cell_for(grid)] * n)
    logits = random_start(grid.reflections, torch.ones(u), n, rng) * amplitudes
    return known_of(grid, cells, amplitudes), amplitudes, logits


def network(width: int = 6, seed: int = 0) -> DualSpaceNetwork:
    torch.manual_seed(seed)
    return DualSpaceNetwork(DualSpaceSize(width=width, convolutions=2))


@pytest.mark.parametrize("symbol", GROUPS)
def test_box_holds_an_image_of_every_point(symbol: str) -> None:
    """No point is special, the box has one of each orbit, or more where it cannot be smaller."""
    grid = grid_for(symbol)
    if grid.group.crystal_system != "cubic":  # the threefold axes of cubic groups meet points
        assert all(len(set(column)) == grid.group.order for column in grid.images.T)
    assert set(grid.images[:, grid.inside].ravel()) == set(range(grid.images.shape[1]))
    assert len(grid.inside) * grid.group.order <= (4 if symbol == "P a -3" else 1) * grid.images.shape[1]
    orbit = grid.images.min(axis=0)
    np.testing.assert_array_equal(orbit[grid.inside[grid.from_box]], orbit)


@pytest.mark.parametrize("symbol", GROUPS)
def test_convolution_in_the_box_is_one_of_the_whole_cell(symbol: str) -> None:
    """Against circular padding of the symmetric density, both ways of computing it, with their gradients."""
    grid = grid_for(symbol)
    transform = transform_of(grid, CPU)
    rng = np.random.default_rng(1)
    x = torch.from_numpy(rng.normal(size=(2, len(grid.inside), 3)))
    if not transform.exact:  # points that the box has twice must agree
        x = x[:, transform.from_box][:, transform.inside]
    x.requires_grad_()
    kernel = averaged_kernel(torch.from_numpy(rng.normal(size=(4, 3, 27))), transform)
    whole = x[:, transform.from_box].reshape(2, *grid.shape, 3).permute(0, 4, 1, 2, 3)
    padded = torch.nn.functional.pad(whole, (1, 1, 1, 1, 1, 1), mode="circular")
    weight = kernel.reshape(3, 3, 3, 3, 4).permute(4, 3, 0, 1, 2)
    brute = torch.nn.functional.conv3d(padded, weight).permute(0, 2, 3, 4, 1).reshape(2, -1, 4)
    ours = symmetric_convolution(x, kernel, transform)
    torch.testing.assert_close(ours, brute[:, transform.inside])
    torch.testing.assert_close(ours[:, transform.from_box], brute, msg="the result is symmetric")
    if transform.exact:
        kernel = kernel.detach().requires_grad_()
        gathered = _ByNeighbours.apply(x, kernel, transform.neighbours)
        torch.testing.assert_close(gathered, ours)
        up = torch.from_numpy(rng.normal(size=tuple(ours.shape)))
        again = symmetric_convolution(x, kernel, transform)
        for a, b in zip(
            torch.autograd.grad(gathered, (x, kernel), up),
            torch.autograd.grad(again, (x, kernel), up),
            strict=True,
        ):
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize("symbol", GROUPS)
def test_transforms_against_direct_sums(symbol: str) -> None:
    grid = grid_for(symbol)
    transform = transform_of(grid, CPU)
    _, _, f = data(grid)
    density = transform.to_box(f)
    n = np.array(grid.shape)
    point = 7 % len(grid.inside)
    x = (np.array(np.unravel_index(grid.inside[point], grid.shape)) + 0.5) / n
    total = 0.0
    for h, value in zip(grid.reflections.hkl, f[0].numpy(), strict=True):
        images = {}
        for rotation, shift in zip(grid.group.rotations, grid.group.translations, strict=True):
            moved = value * np.exp(-2j * np.pi * (h @ shift))
            images[tuple(h @ rotation)] = moved
            images[tuple(-(h @ rotation))] = np.conj(moved)
        total += sum((v * np.exp(-2j * np.pi * (np.array(k) @ x))).real for k, v in images.items())
    assert float(density[0, point]) == pytest.approx(total / np.sqrt(n.prod()), abs=2e-3)
    torch.testing.assert_close(transform.to_reflections(density), f, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("symbol", ["P -1", "P 1 21/c 1", "P n m a", "P 41 21 2"])
def test_harker_features_against_direct_sums(symbol: str) -> None:
    """Patterson maps at x − Sx, summed over the whole sphere one reflection at a time."""
    grid = grid_for(symbol)
    known, _, _ = data(grid, 1)
    e, f = known.e[0].double().numpy(), known.f[0].double().numpy()
    everything = [
        (key, i)
        for i, h in enumerate(grid.reflections.hkl)
        for key in {tuple(s * (h @ r)) for r in grid.group.rotations for s in (1, -1)}
    ]
    hkl, source = np.array([k for k, _ in everything]), np.array([i for _, i in everything])
    values = {"sharp": ((e**2 - 1) * (f > 0))[source], "plain": (f**2)[source]}
    points = np.stack(np.meshgrid(*(np.arange(n) / n for n in grid.shape), indexing="ij"), -1).reshape(-1, 3)
    for point in (0, 11 % len(grid.inside)):
        x = (np.array(np.unravel_index(grid.inside[point], grid.shape)) + 0.5) / grid.shape
        expected = []
        for name in ("sharp", "plain"):
            spread = (np.cos(2 * np.pi * points @ hkl.T) @ values[name]).std(ddof=1)
            at = [
                (values[name] * np.cos(2 * np.pi * (hkl @ (x - r @ x - t)))).sum() / spread
                for r, t in zip(grid.group.rotations, grid.group.translations, strict=True)
                if not np.array_equal(r, np.eye(3))
            ]
            expected += [min(at), np.mean(at), max(at)]
        np.testing.assert_allclose(known.point[0, point].numpy(), expected[:5], atol=3e-3)


@pytest.mark.parametrize("symbol", GROUPS)
def test_origin_shifts_move_nothing_but_phases(symbol: str) -> None:
    """Logits described from another permissible origin: after three steps the same, described from there."""
    grid = grid_for(symbol)
    known, _, logits = data(grid)
    model = network()
    with torch.no_grad():
        plain = model(logits, known, 3)[-1].logits
        for shift in permissible_origins(grid.group).shifts:
            if not np.allclose(shift * grid.shape, np.rint(shift * grid.shape)):
                continue  # this origin lies between the points of the grid
            turn = torch.from_numpy(np.exp(-2j * np.pi * (grid.reflections.hkl @ shift))).to(torch.complex64)
            moved = model(logits * turn, known, 3)[-1].logits
            torch.testing.assert_close(moved, plain * turn, atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("symbol", ["P 1 21 1", "P 21 21 21", "P 1"])
def test_the_mirror_image_is_phased_as_its_mirror_image(symbol: str) -> None:
    """Where the kernels are symmetric under inversion, complex conjugates in give complex conjugates out."""
    grid = grid_for(symbol)
    known, _, logits = data(grid)
    model = network()
    with torch.no_grad():
        for kernel in model.kernels:
            kernel.copy_((kernel + kernel.flip(2)) / 2)
        a, b = model(logits, known, 2)[-1].logits, model(logits.conj(), known, 2)[-1].logits
    torch.testing.assert_close(b, a.conj(), atol=2e-3, rtol=2e-3)


def test_centric_phases_stay_where_symmetry_allows() -> None:
    grid = grid_for("P 21 21 21")
    known, _, logits = data(grid)
    with torch.no_grad():
        after = network()(logits, known, 2)[-1].logits
    allowed = torch.from_numpy(grid.reflections.allowed)
    across = (after * allowed.conj()).imag[:, allowed != 0]
    assert float(across.abs().max()) < 1e-4
    assert float(after[:, allowed == 0].imag.abs().max()) > 1e-2
    assert (after[known.f == 0] == 0).all(), "what was not measured stays unknown"


def test_loss_by_hand() -> None:
    """−log σ(2·1.5) for a centric phase that is right, log I₀(2) − 2cos 60° for one that is 60° off."""
    logits = torch.tensor([[1.5 + 0j, 2.0 + 0j]])
    true = torch.tensor([[1.0 + 0j, complex(np.cos(np.pi / 3), np.sin(np.pi / 3))]])
    centric = torch.tensor([True, False])
    found = negative_log_likelihood(logits, true, centric)[0]
    assert float(found[0]) == pytest.approx(np.log1p(np.exp(-3.0)), abs=1e-5)
    i0 = np.exp(2.0 * np.cos(np.linspace(0, 2 * np.pi, 100_000, endpoint=False))).mean()
    assert float(found[1]) == pytest.approx(np.log(i0) - 1.0, abs=1e-4)
    f = torch.tensor([[3.0, 1.0]])
    one = 0.75 * float(found[0]) + 0.25 * float(found[1])
    zero = 0.75 * np.log(2.0)  # knowing nothing
    steps = [torch.zeros_like(logits), logits]
    assert float(weighted_loss(steps, true, centric, f)) == pytest.approx((zero / 4 + one) / 1.25, abs=1e-4)


@pytest.mark.parametrize("symbol", ["P 1 21/c 1", "P 21 21 21", "P 1 21 1", "P 1"])
def test_starts_fix_the_origin(symbol: str) -> None:
    """No permissible origin but the first leaves the phases of the chosen reflections as they are."""
    grid = grid_for(symbol)
    known, _, _ = data(grid, 3)
    chosen = origin_fixing(grid, known.e.numpy())
    origins = permissible_origins(grid.group)
    assert (chosen.sum(axis=1) >= 3).all()
    for row in chosen:
        hkl = grid.reflections.hkl[row]
        for shift in origins.shifts[1:]:
            assert not np.allclose(hkl @ shift, np.rint(hkl @ shift))
        for direction in origins.directions:
            assert (hkl @ direction != 0).any()
    state = start_state(
        grid, known, torch.ones_like(known.e, dtype=torch.complex64), np.random.default_rng(0)
    )
    assert 3 <= int((state != 0).sum(dim=1).max()) <= 10


@pytest.mark.parametrize("symbol", ["P 1 21/c 1", "P 21 21 21", "P 1 21 1", "P 1"])
def test_true_phases_are_given_from_the_origin_of_the_state(symbol: str) -> None:
    """Truth moved to another origin and hand is found there again."""
    grid = grid_for(symbol)
    _, amplitudes, f = data(grid)
    shift = permissible_origins(grid.group).shifts[-1].copy()
    for direction in permissible_origins(grid.group).directions:
        shift = shift + 0.125 * direction
    turn = torch.from_numpy(np.exp(-2j * np.pi * (grid.reflections.hkl @ shift))).to(torch.complex64)
    moved = (f if grid.group.centrosymmetric else f.conj()) * turn
    found = aligned(grid.reflections, moved, f, amplitudes.square())
    assert (found.r > 0.995).all()
    agree = (found.true.conj() * moved / moved.abs().clamp(min=1e-9)).real[amplitudes > 0]
    assert float(agree.min()) > 0.95


TINY = DualSpaceConfig(
    size=DualSpaceSize(width=6, convolutions=1),
    crystals=CrystalConfig(
        space_groups=("P 1 21/c 1", "P 1 21 1"),
        pool=6,
        d_min_angstrom=(1.8, 2.0),
        volumes_angstrom3=(150.0, 250.0),
    ),
    structures=12,
    streams=2,
    validation_crystals=2,
    log_every_batches=4,
    in_half=False,
)


def test_pools_are_true_crystals() -> None:
    """|F| of noise-free complete data is |F_true|; what is left out is 0; a pool is the same each time."""
    config = TINY.crystals.model_copy(update={"noisy_share": 0.0})
    batches = pool(published_bundle(), config, 3, 0)
    assert sum(len(b) for b in batches) == 6
    for batch in batches:
        there = batch.amplitudes > 0
        torch.testing.assert_close(batch.amplitudes[there], batch.true.abs()[there])
        assert 0.6 < float(there.sum() / (batch.true.abs() > 0).sum()) <= 1.0
    again = pool(published_bundle(), config, 3, 0)
    assert all(torch.equal(a.amplitudes, b.amplitudes) for a, b in zip(batches, again, strict=True))
    other = pool(published_bundle(), config, 4, 0)
    assert not np.array_equal(other[0].cells[0], batches[0].cells[0])
    assert not torch.equal(
        other[0].cells if False else torch.from_numpy(other[0].cells), torch.from_numpy(batches[0].cells)
    )


def test_pools_continue_where_they_were() -> None:
    def first(n: int, **where: object) -> list[tuple[int, int]]:
        pools = CrystalPools(published_bundle(), TINY.crystals, 0, streams=2, **where)  # type: ignore[arg-type]
        return [batch.position for batch in itertools.islice(pools, n)]

    whole = first(9)
    last = {position[0] % 2: position for position in whole[:5]}
    assert first(4, used=5, last=last) == whole[5:]
    assert {position[0] % 2 for position in whole} == {0, 1}


@pytest.mark.slow
def test_resume_is_bit_for_bit(tmp_path: Path) -> None:
    """Three steps, a checkpoint, three more; and six at once: weights, average and optimiser are equal."""

    def run(trainer: Trainer, steps: int) -> None:
        for batch in itertools.islice(trainer.feed(), steps):
            trainer.step(batch)

    whole = Trainer(TINY, published_bundle(), CPU)
    run(whole, 6)
    first = Trainer(TINY, published_bundle(), CPU)
    run(first, 3)
    first.save(tmp_path)
    second = Trainer(TINY, published_bundle(), CPU)
    assert second.load(tmp_path)
    run(second, 3)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name
    for name, value in whole.average.state_dict().items():
        assert torch.equal(value, second.average.state_dict()[name]), name
    assert (whole.batches, whole.crystals, whole.last) == (second.batches, second.crystals, second.last)
    other = Trainer(TINY.model_copy(update={"seed": 1}), published_bundle(), CPU)
    with pytest.raises(UsageError, match="run with another seed"):
        other.load(tmp_path)


@pytest.mark.slow
def test_training_writes_weights_that_are_read_again(tmp_path: Path) -> None:
    scores = train_dual_space(TINY, published_bundle(), tmp_path, name="tiny")
    assert set(scores) >= {"network_r_mean", "flipping_r_mean", "validated"}
    assert (tmp_path / "log.jsonl").read_text(encoding="utf-8").count("\n") >= 2
    model, card = load_network(tmp_path)
    assert card.name == "tiny" and card.structures >= 12 and card.scores == pytest.approx(scores)
    assert train_dual_space(TINY, published_bundle(), tmp_path, name="tiny") == scores, "it was finished"
    grid = grid_for("P 1 21/c 1")
    known, _, logits = data(grid)
    assert torch.isfinite(model(logits, known, 2)[-1].logits.abs()).all()


@pytest.mark.slow
def test_learns_something() -> None:
    """Forty steps on one batch from noisy truth: the loss falls well below that of the start."""
    config = TINY.model_copy(update={"crystals": TINY.crystals.model_copy(update={"pool": 12})})
    batch = max(pool(published_bundle(), config.crystals, 0, 0), key=len)
    known = known_of(batch.grid, batch.cells, batch.amplitudes)
    true = batch.true / batch.true.abs().clamp(min=1e-9)
    logits = noisy_state(batch.grid, known, true, np.random.default_rng(0))
    model = network(8)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    centric = known.transform.allowed != 0
    losses = []
    for _ in range(40):
        loss = weighted_loss([s.logits for s in model(logits, known, 2)], true, centric, known.f)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_flipping_states_agree_with_their_truth() -> None:
    batch = max(pool(published_bundle(), TINY.crystals, 0, 0), key=len)
    known = known_of(batch.grid, batch.cells, batch.amplitudes)
    rng = np.random.default_rng(0)
    state = flipping_state(batch.grid, known, batch.amplitudes, batch.true, 20, 4, rng)
    weight = known.f.square()
    phasor = state.logits / state.logits.abs().clamp(min=1e-9)
    r = (weight * (phasor.conj() * state.true).real).sum(1) / weight.sum(1)
    direct = aligned(batch.grid.reflections, state.logits, batch.true, batch.amplitudes.square()).r
    torch.testing.assert_close(r, direct, atol=1e-3, rtol=1e-3)
    assert (state.logits.abs() <= 2.0 + 1e-5).all() and state.agreement is not None


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="operators that mix axes"):
        _ = dual_grid(SpaceGroup.from_hm("P 31 2 1"), (4, 4, 4)).images
    with pytest.raises(UsageError, match="charge flipping alone or rhombohedral axes"):
        _ = dual_grid(SpaceGroup.from_hm("R 3 :H"), (4, 4, 4)).images
    with pytest.raises(UsageError, match=r"index of 40 needs a grid of 82 points along axis c.*larger d_min"):
        dual_grid(SpaceGroup.from_hm("P -1"), (4, 4, 40))
    with pytest.raises(XtalpriorsError, match="There is no dual-space network"):
        load_network(tmp_path / "none.safetensors")
    card = DualSpaceCard(name="x", config=TINY, parameters=1, structures=1)
    save_network(tmp_path / "wide.safetensors", network(8), card)
    with pytest.raises(XtalpriorsError, match=r"what their card states: read\.weight is \(8, 7\), not \(6,"):
        load_network(tmp_path / "wide.safetensors")
    broken = DualSpaceNetwork(TINY.size)
    with torch.no_grad():
        next(broken.parameters()).view(-1)[0] = torch.nan
    save_network(tmp_path / "broken.safetensors", broken, card)
    with pytest.raises(XtalpriorsError, match="holds values that are not finite numbers"):
        load_network(tmp_path / "broken.safetensors")
    with pytest.raises(
        UsageError, match=r"no preset 'tpu' of dual-space networks; there are: cpu, gpu, smoke"
    ):
        load_config("tpu")
    with pytest.raises(UsageError, match=r"learning_rte.*learning_rate"):
        load_config("smoke", {"learning_rte": 1})
    assert load_config("gpu", {"size.width": 32}).size.width == 32


def test_phases_of_a_crystal_and_doubts() -> None:
    """Untrained: the interface, the order of reflections, and honest doubts about data of other kinds."""
    model = network()
    rng = np.random.default_rng(0)
    made = next(artificial_crystals("P 1 21/c 1", 1, 1.6, (200.0, 300.0), seed=3))
    grid = grid_of_crystal(made.grid.group, made.cell, 1.6)
    amplitudes = listed(grid, made.grid.hkl, made.amplitudes)
    at = places_of(grid, made.grid.hkl)
    torch.testing.assert_close(amplitudes[torch.from_numpy(at)], made.amplitudes)
    images = made.grid.hkl @ made.grid.group.rotations[1]
    np.testing.assert_array_equal(places_of(grid, -images), at, "equivalents stand in the same place")
    trained = CrystalConfig()
    found = phase_with_network(
        model, grid, made.cell, amplitudes, trained=trained, trials=5, improved=3, steps=2, rng=rng
    )
    assert found.f.shape == (3, len(amplitudes)) and found.doubt is None
    assert ((found.expected_r > 0) & (found.expected_r < 1)).all()
    assert found.best == int(found.score.argmax())
    finer = next(artificial_crystals("P 1 21/c 1", 1, 1.2, (150.0, 200.0), seed=3))
    fine_grid = grid_of_crystal(finer.grid.group, finer.cell, 1.2)
    of_finer = listed(fine_grid, finer.grid.hkl, finer.amplitudes)
    one = phase_with_network(model, fine_grid, finer.cell, of_finer, trained=trained, trials=5, rng=rng)
    assert len(one.f) == 1, "below 1.3 Å the best trial alone is improved"
    assert (found.f.abs() <= 1.0 + 1e-6).all()
    alone = phase_by_network(model, grid, made.cell, amplitudes, trained=trained, starts=2, steps=3, rng=rng)
    assert alone.f.shape == (2, len(amplitudes))

    def doubt(values: torch.Tensor, **other: object) -> str:
        found = phase_by_network(
            model,
            grid,
            made.cell,
            values,
            trained=trained.model_copy(update=other),
            starts=1,
            steps=1,
            rng=rng,
        )
        return str(found.doubt)

    assert "data end at 1.6" in doubt(amplitudes, d_min_angstrom=(0.8, 1.2))
    assert "not trained in P 1 21/c 1" in doubt(amplitudes, space_groups=("P -1", "P n m a"))
    assert doubt(amplitudes, space_groups=("P 1 21/n 1",)) == "None", "the same group in another setting"
    assert "nearly equal" in doubt((amplitudes > 0).float())
    s2 = known_of(grid, np.array([made.cell]), amplitudes[None]).reflection[0, :, 2]
    inner = torch.nonzero((s2 < 0.15) & (amplitudes > 0))[:, 0]
    innermost = s2.where(amplitudes > 0, torch.inf).argsort()
    few = amplitudes.clone()
    few[innermost[40:]] = 0.0
    assert "40 amplitudes are too few" in doubt(few, d_min_angstrom=(1.0, 9.0))
    without = amplitudes.clone()
    without[inner[len(inner) // 3 :]] = 0.0
    assert "low resolution" in doubt(without)
    with pytest.raises(XtalpriorsError, match="Every amplitude is 0"):
        phase_by_network(model, grid, made.cell, amplitudes * 0, trained=trained, rng=rng)
    with pytest.raises(UsageError, match=r"needs a grid of 76 points along axis a"):
        grid_of_crystal(made.grid.group, (60.0, 5.0, 5.0, 90.0, 95.0, 90.0), 1.6)
    with pytest.raises(UsageError, match=r"reflection \[90, 0, 0\] does not fit a grid"):
        places_of(grid, np.array([[90, 0, 0]]))


def test_the_network_gets_the_best_trials() -> None:
    """A network that changes nothing, since it keeps every logit: its candidates are the best trials."""
    model = network()
    with torch.no_grad():
        for layer in (model.write, model.weigh[-1]):
            for weights in layer.parameters():
                weights.zero_()
        model.keep.fill_(1.0)
    made = next(artificial_crystals("P 1 21/c 1", 1, 1.6, (200.0, 300.0), seed=3))
    grid = grid_of_crystal(made.grid.group, made.cell, 1.6)
    amplitudes = listed(grid, made.grid.hkl, made.amplitudes)
    place = torch.from_numpy(places_of(grid, made.grid.hkl))
    few = settings_for(1.6, cycles=5)  # so few cycles that the trials differ
    trials = phase_by_charge_flipping(
        made.grid, made.amplitudes, made.cell, trials=6, rng=np.random.default_rng(5), settings=few
    )
    best = trials.strict_agreement.argsort(descending=True)[:2]
    assert trials.best == int(best[0])
    found = phase_with_network(
        model,
        grid,
        made.cell,
        amplitudes,
        trained=CrystalConfig(),
        trials=6,
        improved=2,
        rng=np.random.default_rng(5),
        settings=few,
    )
    for candidate, trial in zip(found.f[:, place], trials.f[best], strict=True):
        r = map_correlation(made.grid, trials.f, candidate, made.amplitudes)
        assert float(map_correlation(made.grid, trial[None], candidate, made.amplitudes)) == float(r.max())


@pytest.mark.slow
def test_the_shipped_network_improves_what_charge_flipping_gives() -> None:
    """One trial of forty cycles, incomplete and noisy data, crystals it has not seen: r rises by far."""
    shipped, card = shipped_network()
    assert card.structures > 100_000 and card.parameters == sum(p.numel() for p in shipped.parameters())
    config = card.config.crystals.model_copy(
        update={"pool": 24, "least_filled": 0.0, "d_min_angstrom": (1.3, 2.0)}
    )
    rises = []
    for number in (0, 4):  # P-1 and P2₁2₁2₁
        for batch in pool(published_bundle(), config, 999, number):
            known = known_of(batch.grid, batch.cells, batch.amplitudes)
            rng = np.random.default_rng(0)
            with torch.no_grad():
                state = flipping_state(batch.grid, known, batch.amplitudes, batch.true, 40, 8, rng)
                after = shipped(state.logits, known, 4)[-1].logits
            reflections = batch.grid.reflections
            before = map_correlation(reflections, state.logits, batch.true, batch.amplitudes)
            rises += (map_correlation(reflections, after, batch.true, batch.amplitudes) - before).tolist()
    assert np.mean(rises) > 0.05
