import pytest
import torch
from torch import nn

from eventune.adapters.targets import find_targets
from eventune.errors import EventuneError


class Base(nn.Module):
    """Blocks of linear layers, an embedding before them and a linear layer after them."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(10, 4)
        block = nn.ModuleDict({"query": nn.Linear(4, 4), "key": nn.Linear(4, 4), "out": nn.Linear(4, 4)})
        self.layer = nn.ModuleList([block, nn.ModuleDict({"query": nn.Linear(4, 4), "norm": nn.LayerNorm(4)})])
        self.projection = nn.Linear(4, 4)


@pytest.fixture
def base():
    torch.manual_seed(0)
    return Base()


BLOCKS = ["layer.0.query", "layer.0.key", "layer.0.out", "layer.1.query"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("auto", BLOCKS),
        ("all-linear", [*BLOCKS, "projection"]),
        (["query"], ["layer.0.query", "layer.1.query"]),
        (["query", "projection"], ["layer.0.query", "layer.1.query", "projection"]),
        (["layer.0.query"], ["layer.0.query"]),
        (r"layer\.1\..*", ["layer.1.query"]),
        (r".*\.(key|out)", ["layer.0.key", "layer.0.out"]),
    ],
)
def test_targets_are_found(base, wanted, expected):
    assert find_targets(base, wanted) == expected


def test_auto_takes_the_linear_layers_of_a_bert_s_blocks(tiny_encoder):
    from eventune.backbones.load import load_encoder
    from eventune.backbones.resolve import resolve

    found = find_targets(load_encoder(resolve(str(tiny_encoder))).model, "auto")

    ends = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
    ends += ("intermediate.dense", "output.dense")
    assert found == [f"encoder.layer.{layer}.{end}" for layer in (0, 1) for end in ends]


def test_an_item_that_matches_nothing_is_an_error_though_others_match(base):
    with pytest.raises(
        EventuneError, match=r"'qeury' matches none of the base's 5 linear layers\n.*did you mean 'query'"
    ):
        find_targets(base, ["key", "qeury"])


def test_an_item_matches_whole_parts_of_a_name_only(base):
    with pytest.raises(EventuneError, match="'uery' matches none"):
        find_targets(base, ["uery"])


def test_an_expression_matches_whole_names_only(base):
    with pytest.raises(EventuneError, match=r"'query' matches none.*\n.*matches whole names: ") as raised:
        find_targets(base, "query")
    assert find_targets(base, raised.value.hint.rpartition(" ")[2]) == find_targets(base, ["query"])


def test_where_nothing_is_close_the_layers_are_listed(base):
    with pytest.raises(EventuneError, match="their names end in: key, out, projection, query"):
        find_targets(base, ["c_attn"])


def test_a_base_of_unknown_names_without_blocks_gets_adapters_on_all_its_linear_layers():
    assert find_targets(nn.Sequential(nn.Linear(2, 2)), "auto") == ["0"]


def test_a_base_without_linear_layers_has_no_targets():
    with pytest.raises(EventuneError, match="'auto' matches none of the base's 0 linear layers"):
        find_targets(nn.Sequential(nn.Embedding(2, 2)), "auto")
