"""Training: the same run gives the same bytes, a run that was stopped too, and what goes wrong is said."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training import tiny

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.network.curve import read_curve
from xtalpriors.model.network.weights import load_card, load_model
from xtalpriors.model.training import lineage
from xtalpriors.model.training.checkpoint import latest
from xtalpriors.model.training.distributed import Processes
from xtalpriors.model.training.feed import DeviceBatch, Feed
from xtalpriors.model.training.journal import read_log
from xtalpriors.model.training.loop import TrainResult
from xtalpriors.model.training.train import train
from xtalpriors.model.training.trainer import Trainer, make_stream
from xtalpriors.model.training.validation import ValidationSet
from xtalpriors.priors.bundle import PriorBundle, published_bundle
from xtalpriors.progress import Advance

OUTPUTS = ("model.safetensors", "curve.csv", "metrics.json", "model-card.json", "config.yaml")
ALONE = Processes(0, 1, torch.device("cpu"))


@pytest.fixture(scope="module", autouse=True)
def commit() -> Iterator[None]:
    """One commit of the code for every run, whatever happens in the repository meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lineage, "code_commit", lambda: ("0" * 40, False))
        yield


@pytest.fixture(scope="module")
def bundle() -> PriorBundle:
    return published_bundle()


@pytest.fixture(scope="module")
def whole(bundle: PriorBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without a stop."""
    folder = tmp_path_factory.mktemp("whole")
    result = train(tiny(), bundle, folder, device="cpu")
    assert isinstance(result, TrainResult)
    return folder


def assert_same_run(left: Path, right: Path) -> None:
    for name in OUTPUTS:
        assert (left / name).read_bytes() == (right / name).read_bytes(), name
    # the optimiser's state too
    a, b = (load_file(latest(folder / "checkpoints") or Path()) for folder in (left, right))
    assert a.keys() == b.keys() and any(name.startswith("optimiser.") for name in a)
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_the_same_run_twice_gives_the_same_bytes(bundle: PriorBundle, whole: Path, tmp_path: Path) -> None:
    train(tiny(), bundle, tmp_path, device="cpu")
    assert_same_run(whole, tmp_path)
    train(tiny(seed=2), bundle, tmp_path / "other", device="cpu")
    assert (tmp_path / "other/model.safetensors").read_bytes() != (whole / "model.safetensors").read_bytes()


def test_progress_says_that_it_learns(bundle: PriorBundle, whole: Path, tmp_path: Path) -> None:
    """Loss of the first and the last window, and the last score, as the log has them; resumed too."""
    records = read_log(whole / "log.jsonl")
    losses = [f"{r['loss']:.3f}" for r in records if r["event"] == "train"]
    score = [r for r in records if r["event"] == "validation"][-1]
    told: list[tuple[int, str]] = []

    @contextmanager
    def told_to(what: str, total: int | None, unit: str) -> Iterator[Advance]:
        yield lambda n=1, note="": told.append((n, note))

    train(tiny(), bundle, tmp_path, device="cpu", stop_after_steps=3)
    train(tiny(), bundle, tmp_path, device="cpu", resume=True, progress=told_to)
    assert told[0][0] == 3 * tiny().optimiser.batch_size, "what was done before counts"
    assert sum(n for n, _ in told) == tiny().steps * tiny().optimiser.batch_size
    last = told[-1][1]
    assert len(losses) > 1 and f"loss {losses[0]} → {losses[-1]};" in last
    assert f"median r {score['median_r']:.3f}, r ≥ 0.8 for {100 * score['solved']:.1f} %" in last


def test_curve_of_a_run_is_read_again(whole: Path) -> None:
    card = load_card(whole)
    curve = read_curve(whole / "curve.csv", card)
    records = [r for r in read_log(whole / "log.jsonl") if r["event"] in ("train", "validation")]
    assert curve.missing is None and curve.sets == card.scores and len(records) > 2
    losses = {r["structures"]: r["loss"] for r in records if r["event"] == "train"}
    rows = zip(curve.columns["structures"], curve.columns["loss"], strict=True)
    assert {seen: loss for seen, loss in rows if loss is not None} == losses
    medians = [r["median_r"] for r in records if r["event"] == "validation"]
    assert [r for r in curve.columns["generated_median_r"] if r is not None] == medians


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[: text.rindex("\n", 0, -1) + 1], "of another run"),  # a row less
        (lambda text: text[:-5], "of another run"),  # the last score cut short
        (lambda text: text[: text.rindex(",")], "damaged"),
        (lambda text: text.replace("0.", "zero."), "damaged"),
        (lambda text: text + "7,8,9,10,11,12,13,14\n", "damaged"),
        (lambda text: text.replace("loss", "lost"), "has no structures, loss"),
        (lambda text: text.splitlines()[0], "has no structures, loss"),
        (lambda _: "", "has no structures, loss"),
    ],
)
def test_a_curve_that_does_not_belong_is_none(
    whole: Path, tmp_path: Path, change: Callable[[str], str], reason: str
) -> None:
    file = tmp_path / "curve.csv"
    assert "there is no curve.csv" in str(read_curve(file, load_card(whole)).missing)
    file.write_text(change((whole / "curve.csv").read_text()))
    found = read_curve(file, load_card(whole))
    assert reason in str(found.missing) and not found.columns


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(
    bundle: PriorBundle, whole: Path, tmp_path: Path, stop: int
) -> None:
    assert train(tiny(), bundle, tmp_path, device="cpu", stop_after_steps=stop) is None
    assert not (tmp_path / "model.safetensors").exists()
    train(tiny(), bundle, tmp_path, device="cpu", resume=True)
    assert_same_run(whole, tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from training import tiny
from xtalpriors.model.training import train as module
from xtalpriors.priors.bundle import published_bundle
step = module.Trainer.step
def dying(self, batch):
    step(self, batch)
    if self.steps_done == 4:
        os.kill(os.getpid(), signal.SIGKILL)
module.Trainer.step = dying
module.train(tiny(), published_bundle(), Path(sys.argv[2]), device="cpu", resume=True)
"""


def test_a_killed_process_goes_on_as_if_it_had_not_been(
    bundle: PriorBundle, whole: Path, tmp_path: Path
) -> None:
    """Kill −9 in step 4, with a checkpoint of step 2."""
    train(tiny(), bundle, tmp_path, device="cpu", stop_after_steps=2)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(Path(__file__).parent.parent), str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    assert [p.stem for p in (tmp_path / "checkpoints").iterdir()] == ["step-000000002"]
    assert not (tmp_path / "model.safetensors").exists()
    train(tiny(), bundle, tmp_path, device="cpu", resume=True)
    assert_same_run(whole, tmp_path)
    steps = [record["step"] for record in read_log(tmp_path / "log.jsonl")]
    assert steps == sorted(steps)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_finishes_the_step_and_keeps_it(
    bundle: PriorBundle, whole: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.step

    def interrupted(self: Trainer, batch: DeviceBatch) -> None:
        if self.steps_done == 2:
            os.kill(os.getpid(), number)
        step(self, batch)

    handler = signal.getsignal(number)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "step", interrupted)
        train(tiny(), bundle, tmp_path, device="cpu")
    assert signal.getsignal(number) is handler
    assert [p.stem for p in (tmp_path / "checkpoints").iterdir()] == ["step-000000003"]
    train(tiny(), bundle, tmp_path, device="cpu", resume=True)
    assert_same_run(whole, tmp_path)


def test_a_finished_run_stays_as_it_is(bundle: PriorBundle, whole: Path) -> None:
    before = {name: (whole / name).read_bytes() for name in OUTPUTS}
    result = train(tiny(), bundle, whole, device="cpu", resume=True)
    assert result is not None and result.card.structures == 48
    assert before == {name: (whole / name).read_bytes() for name in OUTPUTS}


def test_the_saved_network_is_the_average_and_the_card_says_so(whole: Path) -> None:
    model, card = load_model(whole)
    state = load_file(latest(whole / "checkpoints") or Path())
    assert card.averaged and card.scaling == "normalised-E" and card.steps == 6
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[f"average.{name}"])
    assert any(not torch.equal(v, state[f"model.{n}"]) for n, v in model.state_dict().items())
    assert card.lineage is not None
    assert card.lineage.priors_digest == published_bundle().priors_digest
    assert card.scores["generated"].n == 32
    text = (whole / "model-card.md").read_text(encoding="utf-8")
    assert card.lineage.priors_digest in text and card.lineage.generator_digest in text


def test_another_run_in_the_folder_is_refused(bundle: PriorBundle, whole: Path) -> None:
    with pytest.raises(UsageError, match="holds a run already: say --resume"):
        train(tiny(), bundle, whole, device="cpu")
    with pytest.raises(UsageError, match=r"optimiser.learning_rate = 0.001, not 0.01"):
        train(tiny(optimiser__learning_rate=0.01), bundle, whole, device="cpu", resume=True)
    assert (whole / "config.yaml").read_text(encoding="utf-8").count("learning_rate: 0.001") == 1


def test_a_cut_short_checkpoint_leaves_the_one_before(
    bundle: PriorBundle, whole: Path, tmp_path: Path
) -> None:
    train(tiny(checkpoint_every_structures=8), bundle, tmp_path, device="cpu", stop_after_steps=4)
    files = sorted((tmp_path / "checkpoints").iterdir())
    assert [file.stem[-1] for file in files] == ["3", "4"]
    files[1].write_bytes(files[1].read_bytes()[:-100])
    config = tiny(checkpoint_every_structures=8)
    with pytest.raises(XtalpriorsError, match=r"cut short or damaged.*goes on from step-000000003"):
        train(config, bundle, tmp_path, device="cpu", resume=True)
    files[1].unlink()
    train(config, bundle, tmp_path, device="cpu", resume=True)
    assert (tmp_path / "curve.csv").read_bytes() == (whole / "curve.csv").read_bytes()


def test_a_log_that_was_removed_costs_no_scores(bundle: PriorBundle, whole: Path, tmp_path: Path) -> None:
    """Before the end the curve begins anew, with a warning; after it the card still has its scores."""
    train(tiny(), bundle, tmp_path, device="cpu", stop_after_steps=4)
    (tmp_path / "log.jsonl").unlink()
    (tmp_path / "checkpoints" / ".step-000000005.safetensors.ab.part").write_bytes(b"a process was killed")
    for _ in range(2):  # while it runs, and when it is done
        result = train(tiny(), bundle, tmp_path, device="cpu", resume=True)
        assert result is not None
        assert result.card.scores == load_model(whole)[1].scores
        assert read_log(tmp_path / "log.jsonl")[0]["event"] in ("warning", "validation")
        (tmp_path / "log.jsonl").unlink()
    assert (tmp_path / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("line", ["garbage", "5", "{}"])
def test_a_damaged_log_is_named(line: str, tmp_path: Path) -> None:
    good = '{"event": "train", "step": 1}'
    (tmp_path / "log.jsonl").write_text(f"{good}\n{line}\n{good}\n")
    with pytest.raises(XtalpriorsError, match=r"log.jsonl, line 2 is no record"):
        read_log(tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_text(f"{good}\n{line[:3]}")
    assert read_log(tmp_path / "log.jsonl") == [{"event": "train", "step": 1}], "cut short by a kill"


def test_training_stops_at_a_loss_that_is_no_number(bundle: PriorBundle, tmp_path: Path) -> None:
    config = tiny(optimiser__learning_rate=1e30, averaging__decay=None, schedule__kind="constant")
    with pytest.raises(XtalpriorsError, match=r"the loss of step [2-6] .* is not a finite number"):
        train(config, bundle, tmp_path, device="cpu")
    assert not (tmp_path / "model.safetensors").exists()
    assert latest(tmp_path / "checkpoints") is None


def test_every_weight_learns_whatever_the_number_of_cycles(bundle: PriorBundle) -> None:
    """Weights cast to bf16 in a cycle without gradient must not reach the cycle with one."""
    config = tiny(recycling__cycles=[3], precision="bf16", structures=8)
    trainer = Trainer(config, bundle, ALONE)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    trainer.step(next(iter(Feed(make_stream(config, bundle, ALONE), ALONE.device, 1))))
    unmoved = [name for name, value in trainer.model.named_parameters() if torch.equal(value, before[name])]
    assert before and not unmoved


@pytest.mark.parametrize(("kind", "power"), [("amplitude", 1), ("intensity", 2)])
def test_each_structure_weighs_its_own_reflections(bundle: PriorBundle, kind: str, power: int) -> None:
    """Of |F| = 1 and 3 the weights are 1/4 and 3/4 by amplitude, 1/10 and 9/10 by intensity; absences 0."""
    trainer = Trainer(tiny(loss_weights=kind, loss_weight_structures=8), bundle, ALONE)
    first, second = trainer.reflections.counted.nonzero()[0][:2].tolist()
    n = len(trainer.reflections.hkl)
    amplitudes, logits = torch.zeros((1, n)), torch.zeros((1, 2, n))
    amplitudes[0, [first, second]] = torch.tensor([1.0, 3.0])
    amplitudes[0, torch.from_numpy(trainer.reflections.absent)] = 100.0
    logits[0, 1, first], logits[0, 1, second] = 2.0, -1.0
    trainer.signs = torch.ones((1, n))  # the origin stays
    found = trainer._loss(logits, torch.ones((1, n), dtype=torch.bool), amplitudes)
    right, wrong = math.log1p(math.exp(-2)), math.log1p(math.e)
    assert float(found) == pytest.approx((right + 3**power * wrong) / (1 + 3**power), rel=1e-5)


def test_the_network_learns_more_than_the_weights_of_the_loss(bundle: PriorBundle, tmp_path: Path) -> None:
    """The loss of an untrained network is near ln 2, or below it by the choice of the origin; it falls."""
    config = tiny(
        structures=4096,
        optimiser={"batch_size": 32, "learning_rate": 3e-3},
        schedule={"kind": "cosine"},
        log_every_structures=1024,
        validation__every_structures=4096,
    )
    train(config, bundle, tmp_path, device="cpu")
    losses = [r["loss"] for r in read_log(tmp_path / "log.jsonl") if r["event"] == "train"]
    assert len(losses) == 4 and losses[-1] < 0.95 * losses[0] < 0.75


def test_where_compiling_fails_the_run_goes_on_without(
    bundle: PriorBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(torch.nn.Module):
        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("no compiler here")

    plain, compiled = tmp_path / "plain", tmp_path / "compiled"
    train(tiny(structures=16), bundle, plain, device="cpu")
    monkeypatch.setattr(torch, "compile", lambda model, **options: Broken())
    train(tiny(structures=16, compile=True), bundle, compiled, device="cpu")
    notes = [r["message"] for r in read_log(compiled / "log.jsonl") if r["event"] == "warning"]
    assert notes == ["torch.compile does not work here (RuntimeError); running without"]
    assert (plain / "curve.csv").read_bytes() == (compiled / "curve.csv").read_bytes()


def test_an_empty_or_broken_validation_set_is_refused() -> None:
    nothing = torch.zeros((0, 5))
    with pytest.raises(XtalpriorsError, match="validation set 'mine' is empty"):
        ValidationSet("mine", nothing, nothing > 0, torch.zeros((0, 6)))
    broken = torch.full((1, 5), float("nan"))
    with pytest.raises(XtalpriorsError, match="not finite"):
        ValidationSet("mine", broken, broken > 0, torch.zeros((1, 6)))


def test_a_device_that_is_not_there(bundle: PriorBundle, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no device 'quantum'"):
        train(tiny(), bundle, tmp_path, device="quantum")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="no CUDA device here"):
            train(tiny(), bundle, tmp_path, device="cuda")
    assert not list(tmp_path.iterdir())


SHARED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from training import tiny
from xtalpriors.model.training import train as module
from xtalpriors.priors.bundle import published_bundle
step = module.Trainer.step
def noting(self, batch):
    with (Path(sys.argv[2]) / f"rank{self.group.rank}.txt").open("a") as file:
        print(*batch.source.index.tolist(), file=file)
    step(self, batch)
module.Trainer.step = noting
config = tiny(recycling__initial="zero", precision="fp32")
module.train(config, published_bundle(), Path(sys.argv[2]) / "run", device="cpu")
"""


@pytest.mark.slow
def test_two_processes_share_the_stream_and_give_one_network(bundle: PriorBundle, tmp_path: Path) -> None:
    """Each step of two processes has the structures of the step of one, and so nearly the same gradient."""
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(SHARED), encoding="utf-8")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script),
         str(Path(__file__).parent.parent), str(tmp_path)],
        capture_output=True, text=True, timeout=240, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ranks = [(tmp_path / f"rank{r}.txt").read_text().splitlines() for r in (0, 1)]
    steps = [[int(i) for i in f"{a} {b}".split()] for a, b in zip(*ranks, strict=True)]
    assert steps == [list(range(8 * n, 8 * n + 8)) for n in range(6)]
    train(tiny(recycling__initial="zero", precision="fp32"), bundle, tmp_path / "alone", device="cpu")
    (one, _), (two, card) = load_model(tmp_path / "alone"), load_model(tmp_path / "run")
    assert card.structures == 48
    for (name, a), b in zip(one.state_dict().items(), two.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=2e-4, msg=name)
