"""What the torch modules promise besides agreement."""

import pytest
import torch
from cells import FAMILIES, LSTM, Family

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


@every_family
def test_the_generator_alone_decides_the_weights(family: Family) -> None:
    a, b, c = (family.ours(3, 4, generator=torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(a.weight_hh_l0, c.weight_hh_l0)


@every_family
def test_weights_start_within_one_over_root_h(family: Family) -> None:
    module = family.ours(3, 16)
    assert module.weight_ih_l0.abs().max() <= 16**-0.5
    assert module.weight_hh_l0.abs().max() > 0.9 * 16**-0.5


@pytest.mark.parametrize("bias", [None, 0.0, 5.0])
def test_the_two_biases_of_the_forget_gate_add_up_to_the_one_asked_for(bias: float | None) -> None:
    module = LSTM.ours(3, 2) if bias is None else LSTM.ours(3, 2, forget_bias=bias)
    total = (module.bias_ih_l0 + module.bias_hh_l0)[2:4]
    assert total.tolist() == [1.0 if bias is None else bias] * 2


@every_family
def test_dtype_and_device_are_those_asked_for(family: Family) -> None:
    module = family.ours(3, 4, dtype=torch.float64, device="meta")
    assert {(p.dtype, p.device.type) for p in module.parameters()} == {(torch.float64, "meta")}


@every_family
def test_the_printed_module_says_its_sizes(family: Family) -> None:
    assert repr(family.ours(3, 4)) == f"{family.name.upper()}(D=3, H=4)"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_family
def test_on_a_gpu_values_and_gradients_agree_with_the_cpu(family: Family) -> None:
    cpu = family.ours(3, 8, dtype=torch.float64)
    gpu = family.ours(3, 8, dtype=torch.float64, device="cuda")
    gpu.load_state_dict(cpu.state_dict())
    x = torch.randn(20, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    results = []
    for module in (cpu, gpu):
        output, _ = module(x.to(module.weight_hh_l0.device))
        output.square().sum().backward()
        results.append([output, *(p.grad for p in module.parameters())])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(b.cpu(), a, rtol=1e-10, atol=1e-12)


@torch.no_grad()
@every_family
def test_the_last_state_does_not_change_with_the_output(family: Family) -> None:
    output, last = family.ours(3, 4)(torch.ones(5, 2, 3))
    h = last[0] if family is LSTM else last
    before = h.clone()
    output.zero_()
    assert torch.equal(h, before)
