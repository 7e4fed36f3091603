"""Which identifiers were seen."""

from eventune.corpora import identifiers
from eventune.corpora.identifiers import Identifiers


def test_each_is_new_once_however_many_there_are(monkeypatch):
    monkeypatch.setattr(identifiers, "RECENT", 7)
    seen = Identifiers()
    names = [f"d{number}" for number in range(100)]
    assert all(seen.add(name) for name in names)
    assert not any(seen.add(name) for name in names)
    assert len(seen) == 100
