"""What packages' metadata tells of them."""

from importlib import metadata

import pytest

from eventune.doctor.packages import Package, read_packages


@pytest.fixture
def installed(monkeypatch):
    """Puts made-up packages in place of those that are installed: name → version and requirements."""

    def install(packages):
        def read(name, number):
            if name not in packages:
                raise metadata.PackageNotFoundError(name)
            return packages[name][number]

        monkeypatch.setattr(metadata, "version", lambda name: read(name, 0))
        monkeypatch.setattr(metadata, "requires", lambda name: read(name, 1))

    return install


def test_packages_are_read_with_what_eventune_asks_for_and_nothing_of_its_development():
    found = read_packages()
    assert found["torch"].version == metadata.version("torch")
    assert (found["torch"].fits, found["torch"].optional) == (True, False)
    assert found["bitsandbytes"].optional
    assert found["vllm"].version is None or found["vllm"].required == ""
    assert {"pytest", "ruff", "mypy"}.isdisjoint(found)


def test_versions_out_of_range_do_not_fit(installed):
    asked = ["torch>=2.6", "peft>=0.18", 'ray>=2; extra == "scale"']
    installed({"eventune": ("1", asked), "torch": ("2.1.0+cu118", None), "peft": ("0.19.0.dev0", None)})
    found = read_packages()
    assert found["torch"] == Package("2.1.0+cu118", ">=2.6", fits=False, optional=False)
    assert found["peft"] == Package("0.19.0.dev0", ">=0.18", fits=True, optional=False)
    assert found["ray"] == Package(None, ">=2", fits=True, optional=True)


def test_a_package_is_read_with_what_it_asks_of_others_that_are_there_in_another_version(installed):
    asked = ["huggingface-hub<2.0,>=1.3.0", "tokenizers<=0.23.0", "regex>=2025", 'ray>=2; extra == "scale"', "tqdm"]
    others = {"huggingface-hub": ("2.4.0", None), "tokenizers": ("0.22.2", None), "ray": ("1.0", None)}
    installed({"eventune": ("1", ["transformers>=5.3"]), "transformers": ("5.0.0", asked), "tqdm": ("4", []), **others})
    assert read_packages()["transformers"].unmet == ("huggingface-hub<2.0,>=1.3.0, found 2.4.0",)
