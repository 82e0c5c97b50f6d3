"""Networks as files: what is saved is what is loaded, and a wrong file is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.carded_weights import METADATA_KEY, weights_digest
from xtalpriors.model.network.phai import SIZES, NetworkSize, PhAI
from xtalpriors.model.network.weights import (
    load_model,
    load_published_weights,
    published_names,
    save_model,
)

SMALL = NetworkSize(
    box=(5, 3, 3),
    n_reflections=20,
    filters=4,
    residual_blocks=2,
    token_width=6,
    channel_hidden=8,
    token_hidden=5,
    mixer_blocks=3,
)


@pytest.fixture
def model() -> PhAI:
    torch.manual_seed(3)
    return PhAI(SMALL).eval()


@pytest.fixture
def card(model: PhAI) -> ModelCard:
    return ModelCard(
        name="small",
        size=SMALL,
        parameters=model.count_parameters(),
        space_group="P 1 21/c 1",
        max_index=2,
        scaling="rms",
    )


def test_saved_and_loaded(model: PhAI, card: ModelCard, tmp_path: Path) -> None:
    file = save_model(tmp_path / "run", model, card)
    assert file == tmp_path / "run" / "model.safetensors" and len(list(file.parent.iterdir())) == 1
    amplitudes, phases = torch.rand(2, 5, 3, 3), torch.zeros(2, 5, 3, 3)
    for path in (file, file.parent):
        loaded, its_card = load_model(path)
        assert its_card == card.model_copy(update={"weights_digest": its_card.weights_digest})
        assert len(its_card.weights_digest or "") == 32 and not loaded.training
        assert torch.equal(loaded(amplitudes, phases), model(amplitudes, phases))


def test_half_the_size_in_bf16(model: PhAI, card: ModelCard, tmp_path: Path) -> None:
    file = save_model(tmp_path / "half.safetensors", model, card, dtype=torch.bfloat16)
    assert all(tensor.dtype == torch.bfloat16 for tensor in load_file(file).values())
    loaded, _ = load_model(file)
    for name, value in loaded.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, model.state_dict()[name], rtol=2**-8, atol=0)


def test_files_that_are_no_model(model: PhAI, card: ModelCard, tmp_path: Path) -> None:
    file = save_model(tmp_path / "model.safetensors", model, card)
    whole = file.read_bytes()

    def refused(match: str) -> None:
        with pytest.raises(XtalpriorsError, match=match):
            load_model(file)

    for cut in (0, 5, 200, len(whole) - 1):
        file.write_bytes(whole[:cut])
        refused("is no safetensors file, or was cut short")
    save_file(model.state_dict(), file)
    refused("without an xtalpriors card")
    digest = weights_digest({k: v + 1 for k, v in model.state_dict().items()})
    wrong = card.model_copy(update={"weights_digest": digest}).model_dump(mode="json")
    save_file(model.state_dict(), file, metadata={METADATA_KEY: json.dumps(wrong)})
    refused(f"the weights are not those of their card .*, not {digest}")
    newer = card.model_dump(mode="json") | {"card_version": 2}
    save_file(model.state_dict(), file, metadata={METADATA_KEY: json.dumps(newer)})
    refused("card of version 2; this xtalpriors reads 1")
    save_file(model.state_dict(), file, metadata={METADATA_KEY: "{}"})
    refused("has no card of a model")
    other = card.model_copy(update={"size": SMALL.model_copy(update={"filters": 5})})
    file.unlink()  # which holds no network of xtalpriors by now
    save_model(file, model, other)
    refused(r"not what their card states: amplitudes.0.weight is \(4, 1, 3, 3, 3\), not \(5,")
    for value in (float("nan"), float("inf")):
        broken = model.state_dict() | {"head.bias": torch.full_like(model.head.bias, value)}
        save_file(broken, file, metadata={METADATA_KEY: json.dumps(card.model_dump(mode="json"))})
        refused("head.bias holds values that are not finite numbers")
    for index in (0, 10**5):
        wrong = card.model_dump(mode="json") | {"max_index": index}
        save_file(model.state_dict(), file, metadata={METADATA_KEY: json.dumps(wrong)})
        refused("has no card of a model")
    file.unlink()
    refused("There is no model")


def test_a_folder_that_cannot_be_written_is_left_alone(model: PhAI, card: ModelCard, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("here first")
    with pytest.raises(XtalpriorsError, match="cannot be written"):
        save_model(blocked / "model.safetensors", model, card)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def published_state(size: NetworkSize, device: str = "cpu") -> dict[str, torch.Tensor]:
    """A state dict with the names and shapes of the published archives, written down by hand."""
    f, w, t, c, n = size.filters, size.token_width, size.token_hidden, size.channel_hidden, size.n_reflections
    h, k, l = size.box
    shapes: dict[str, tuple[int, ...]] = {}
    for branch in ("net_a", "net_p"):
        shapes |= {f"{branch}.1.weight": (f, 1, 3, 3, 3), f"{branch}.1.bias": (f,)}
        shapes |= {f"{branch}.3.weight": (f,), f"{branch}.3.bias": (f,)}
    for i in range(size.residual_blocks):
        block = f"net_convolution_layers.{i}.0"
        for j in (1, 2):
            shapes |= {f"{block}.conv{j}.weight": (f, f, 3, 3, 3), f"{block}.conv{j}.bias": (f,)}
            shapes |= {f"{block}.norm{j}.weight": (f,), f"{block}.norm{j}.bias": (f,)}
    shapes |= {"net_projection_layer.1.weight": (w, h * k * l), "net_projection_layer.1.bias": (w,)}
    for i in range(size.mixer_blocks):
        token, channel = f"net_mixer_layers.{i}.0", f"net_mixer_layers.{i}.1"
        for part in (token, channel):
            shapes |= {f"{part}.norm1.weight": (f,), f"{part}.norm1.bias": (f,)}
        shapes |= {f"{token}.layer1.weight": (t, f, 1), f"{token}.layer1.bias": (t,)}
        shapes |= {f"{token}.layer2.weight": (f, t, 1), f"{token}.layer2.bias": (f,)}
        shapes |= {f"{channel}.layer1.weight": (c, w), f"{channel}.layer1.bias": (c,)}
        shapes |= {f"{channel}.layer2.weight": (w, c), f"{channel}.layer2.bias": (w,)}
    last = f"net_mixer_layers.{size.mixer_blocks}"
    shapes |= {f"{last}.weight": (w,), f"{last}.bias": (w,)}
    shapes |= {"net_output.3.weight": (2 * n, w), "net_output.3.bias": (2 * n,)}
    generator = torch.Generator().manual_seed(1)
    if device == "meta":
        return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    return {name: torch.rand(shape, generator=generator) for name, shape in shapes.items()}


def test_published_names_and_shapes_at_the_published_size() -> None:
    state, names = published_state(SIZES["phai"], "meta"), published_names()
    with torch.device("meta"):
        ours = PhAI().state_dict()
    assert sum(value.numel() for value in state.values()) == 42_443_882
    assert set(names) == set(ours) and sorted(names.values()) == sorted(state)
    for name, value in ours.items():
        assert value.shape == state[names[name]].shape, name


@pytest.mark.parametrize("wrapping", ["", "module.", "_orig_mod."])
@pytest.mark.parametrize("key", [None, "state_dict"])
def test_published_weights_are_read(tmp_path: Path, wrapping: str, key: str | None) -> None:
    state = published_state(SMALL)
    wrapped = {f"{wrapping}{name}": value for name, value in state.items()}
    file = tmp_path / "PhAI_model.pth"
    torch.save(wrapped if key is None else {key: wrapped}, file)
    model = load_published_weights(file, SMALL)
    assert torch.equal(model.residual[1].conv2.weight, state["net_convolution_layers.1.0.conv2.weight"])
    assert torch.equal(model.head.bias, state["net_output.3.bias"])
    assert torch.equal(model.mixer[2][0].layer1.weight, state["net_mixer_layers.2.0.layer1.weight"])
    assert not model.training


def test_the_head_of_the_published_network_has_the_class_first(tmp_path: Path) -> None:
    """Of its 2 N outputs the first N are the logits of −180°, the others those of 0°."""
    state = published_state(SMALL)
    state["net_output.3.weight"].zero_()
    state["net_output.3.bias"] = torch.arange(40.0)
    torch.save(state, tmp_path / "weights.pt")
    logits = load_published_weights(tmp_path / "weights.pt", SMALL)(*torch.zeros(2, 1, 5, 3, 3))
    assert logits[0, 0].tolist() == list(range(20)) and logits[0, 1].tolist() == list(range(20, 40))


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code in a pickle was run",)


def test_files_that_are_no_published_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "weights.pth"

    def refused(match: str) -> None:
        with pytest.raises(XtalpriorsError, match=match):
            load_published_weights(file, SMALL)

    refused("there are no weights")
    state = published_state(SMALL)
    torch.save(state, file)
    with pytest.raises(XtalpriorsError, match=r"42,443,882 parameters: net_a.1.weight is \(4, .*not \(96, 1"):
        load_published_weights(file)
    whole = file.read_bytes()
    for cut in (0, 3, 100, len(whole) // 2):
        file.write_bytes(whole[:cut])
        refused("cut short")
    torch.save({"a": Harm()}, file)
    refused("more than tensors")
    assert not capsys.readouterr().out
    torch.save(torch.zeros(3), file)
    refused("holds Tensor, not a state dict")
    torch.save({name: v for name, v in state.items() if name != "net_p.3.bias"}, file)
    refused("net_p.3.bias is missing")
    torch.save(state | {"net_output.3.bias": torch.full((40,), float("nan"))}, file)
    refused("published network of .* parameters: net_output.3.bias holds values that are not finite numbers")
    torch.save(state | {"net_extra.weight": torch.zeros(1)}, file)
    refused("net_extra.weight is unknown")
