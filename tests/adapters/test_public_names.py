import eventune.adapters


def test_every_public_name_is_there():
    for name in eventune.adapters.__all__:
        assert getattr(eventune.adapters, name).__module__.startswith("eventune.adapters.")
    assert set(eventune.adapters.__all__) == set(eventune.adapters._HOMES)
