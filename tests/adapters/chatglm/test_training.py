import torch

from eventune.adapters import AdapterArguments, attach, load_trained
from eventune.adapters.chatglm.conversion import convert_lora
from tests.adapters.chatglm.models import tiny_glm


def trained(model, ids, steps=5):
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=0.01)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        logits = model(ids).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_a_converted_adapter_goes_on_training_as_the_published_one_does(adapted, ids) -> None:
    source, published = adapted()
    folder = source.parent / "native"
    folder.mkdir()
    convert_lora(source, folder)
    targets = ["query_key_value"]
    arguments = AdapterArguments(lora_r=4, lora_alpha=8, lora_target_modules=targets, tie_lora_a=True)
    native = attach(tiny_glm(), arguments)
    load_trained(native, folder)
    losses = trained(native, ids)
    torch.testing.assert_close(losses, trained(published, ids), rtol=1e-4, atol=0)
    assert losses[-1] < losses[0]
    with torch.inference_mode():
        torch.testing.assert_close(native(ids).logits, published(ids).logits, rtol=0, atol=1e-3)
