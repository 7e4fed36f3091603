"""What an extraction keeps beside its target, and when it is whole."""

import pytest

from eventune.errors import EventuneError
from eventune.inference.partial_files import Kept, extracting, unreadable_file


@pytest.fixture(params=["out", "文" * 81], ids=["short", "long"])
def target(tmp_path, request):
    return tmp_path / f"{request.param}.jsonl"


def complete(target, *, unread=()):
    """Keep a pool of two documents, and say that there are no more."""
    kept = Kept(target, "key")
    with kept.opened():
        kept.counts.add({"documents": 2})
        kept.append("pool", ["{}", "{}"], unread)
        kept.complete()
    return kept


def test_what_is_complete_is_only_put_in_place(target):
    complete(target)
    again = Kept(target, "key")
    with again.opened():
        assert (again.is_complete, again.pools, again.counts["documents"]) == (True, ["pool"], 2)
    assert again.partial.read_text() == "{}\n{}\n"


def test_what_was_moved_and_removed_since_is_begun_anew(target):
    kept = complete(target)
    kept.partial.replace(target)
    target.unlink()

    again = Kept(target, "key")
    with again.opened():
        assert (again.is_complete, again.pools, again.counts["documents"]) == (False, [], 0)
    assert list(target.parent.iterdir()) == []


def test_documents_whose_list_of_the_unreadable_is_in_place_already_are_complete(target):
    kept = complete(target, unread=[{"place": "in:3", "reason": "broken", "hint": ""}])
    kept.put_unread_in_place()

    again = Kept(target, "key")
    with again.opened():
        assert again.is_complete
    again.put_unread_in_place()
    assert "in:3" in unreadable_file(target).read_text()


def test_what_is_left_of_a_target_that_is_in_place_is_removed(target):
    complete(target).partial.replace(target)
    with pytest.raises(EventuneError, match="exists already"), extracting(target):
        raise AssertionError("entered")
    assert list(target.parent.iterdir()) == [target]
