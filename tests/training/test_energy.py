from eventune.training.energy import EnergyCounter


def write(folder, name, microjoules):
    path = folder / name / "energy_uj"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{microjoules}\n", encoding="ascii")


def test_packages_add_up_and_their_parts_do_not_count_twice(tmp_path):
    for name, energy in (("intel-rapl:0", 1_000_000), ("intel-rapl:1", 5_000_000), ("intel-rapl:0:0", 7)):
        write(tmp_path, name, energy)
    counter = EnergyCounter(tmp_path)
    counter.start()
    write(tmp_path, "intel-rapl:0", 3_000_000)
    write(tmp_path, "intel-rapl:1", 6_500_000)
    counter.stop()

    assert counter.joules == 3.5
    counter.start()
    write(tmp_path, "intel-rapl:0", 0)
    counter.stop()
    assert counter.joules == 3.5


def test_a_machine_that_does_not_tell_gives_nothing(tmp_path):
    counter = EnergyCounter(tmp_path)
    counter.start()
    counter.stop()

    assert counter.joules is None
