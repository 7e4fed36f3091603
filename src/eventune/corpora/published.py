"""Openly licensed corpora at their publishers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file at a publisher.

    Attributes:
        url: Where it is.
        sha256: Checksum of its bytes; empty where it is not known.
        size: Its size in bytes; 0 where it is not known.
        saved_as: Its name here, where it is not the last part of the URL.
    """

    url: str
    sha256: str = ""
    size: int = 0
    saved_as: str = ""

    @property
    def name(self) -> str:
        """Its name in the folder it is downloaded to."""
        return self.saved_as or self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class PublishedCorpus:
    """A corpus at its publisher.

    Attributes:
        name: Name, as `data fetch` takes it.
        summary: What it is, in a few words.
        licence: Under which terms it may be used.
        page: Where its authors describe it.
        files: Its files.
    """

    name: str
    summary: str
    licence: str
    page: str
    files: tuple[PublishedFile, ...]


_WIKIEVENTS = "https://gen-arg-data.s3.us-east-2.amazonaws.com/wikievents/data"
_GEN_ARG = "https://raw.githubusercontent.com/raspberryice/gen-arg"
_GEN_ARG_COREFERENCE = f"{_GEN_ARG}/16d8f908ecf6a9ff5d50042597ac6139157c3edb/data/wikievents/coref"
_PHEE = "https://raw.githubusercontent.com/ZhaoyueSun/PHEE/12e9311e89c3d1d2db16a1a9fc93edf83ec2d9d8/data/json"
_FEWFC = "https://raw.githubusercontent.com/TimeBurningFish/FewFC/7fb24fdac6ab785ea78ec69cfc352fc47ae1f828/rearranged"

_CORPORA = (
    PublishedCorpus(
        "rams",
        "RAMS 1.0, English news, an event in five sentences",
        "CC BY-SA 4.0",
        "https://nlp.jhu.edu/rams/",
        (PublishedFile("https://nlp.jhu.edu/rams/RAMS_1.0c.tar.gz"),),
    ),
    PublishedCorpus(
        "wikievents",
        "WikiEvents, long English documents with many events and coreference",
        "MIT",
        "https://github.com/raspberryice/gen-arg",
        (
            PublishedFile(f"{_WIKIEVENTS}/train.jsonl"),
            PublishedFile(
                f"{_WIKIEVENTS}/dev.jsonl", "74a6cbef44c44f1add6882e54f0a966f0f1a35cc260f3079de1fe4312eabe285", 946_406
            ),
            PublishedFile(f"{_WIKIEVENTS}/test.jsonl"),
            PublishedFile(f"{_GEN_ARG_COREFERENCE}/train.jsonlines", saved_as="coref_train.jsonlines"),
            PublishedFile(
                f"{_GEN_ARG_COREFERENCE}/dev.jsonlines",
                "1a1ac837ccab61d794d212e6b3b12ba6d2a608901bc6f1ecc83dcb27a8df9966",
                55_000,
                "coref_dev.jsonlines",
            ),
            PublishedFile(f"{_GEN_ARG_COREFERENCE}/test.jsonlines", saved_as="coref_test.jsonlines"),
            PublishedFile(
                f"{_GEN_ARG}/f6eba6b8952390f18a0bac160f93c49f0221eec3/event_role_KAIROS.json",
                "bdbf0996983681b5b8045610227489a027ffac3e4f3bc537b167ae82015697fb",
                40_509,
            ),
        ),
    ),
    PublishedCorpus(
        "phee",
        "PHEE v2, English drug-safety sentences with nested roles",
        "MIT",
        "https://github.com/ZhaoyueSun/PHEE",
        (
            PublishedFile(
                f"{_PHEE}/train.json", "381210851bfc8ac7e34eeba1e134bb4b9be595f29806eb687c42b7623f536ace", 2_446_411
            ),
            PublishedFile(
                f"{_PHEE}/dev.json", "3fef1a8efe87bf144c6eca2ede1e5ade5c6d77444477924483d22f955385375f", 831_579
            ),
            PublishedFile(f"{_PHEE}/test.json"),
        ),
    ),
    PublishedCorpus(
        "fewfc",
        "FewFC, Chinese financial news with several events a document",
        "CC BY-SA 4.0",
        "https://github.com/TimeBurningFish/FewFC",
        (
            PublishedFile(
                f"{_FEWFC}/train_base.json",
                "193ea748b647ca335fcf8a9d54b35c1bdd029df0b30e74e5a876618ef31829ec",
                2_207_127,
            ),
            PublishedFile(
                f"{_FEWFC}/train_trans.json",
                "e34dac84de2d0ec812106f2ffa7fbabb70060056b6a9481a597cd19858dd7c1a",
                502_625,
            ),
            PublishedFile(f"{_FEWFC}/test_base.json"),
            PublishedFile(f"{_FEWFC}/test_trans.json"),
        ),
    ),
    PublishedCorpus(
        "wlp",
        "Wet Lab Protocols, English instructions in brat's files, as an archive",
        "MIT",
        "https://github.com/chaitanya2334/WLP-Dataset",
        (
            PublishedFile(
                "https://github.com/chaitanya2334/WLP-Dataset/archive/8f69d211ae309203926bfa9023570b4b3a575ed3.tar.gz",
                saved_as="WLP-Dataset.tar.gz",
            ),
        ),
    ),
)
CORPORA = {corpus.name: corpus for corpus in _CORPORA}
"""The corpora by name. Not among them: DocEE and MAVEN-Arg, which their authors keep in cloud drives."""
