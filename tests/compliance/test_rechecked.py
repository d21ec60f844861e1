"""What is on its way when lists change: judged anew, and let alone where nothing is against it."""

from tests.builders.rail import Rail
from tests.compliance.screening.desk import listed, load


def test_a_list_that_names_nobody_here_ends_no_clearance(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker()
    rail.tick(worker)
    (key,) = rail.instructed()
    rail.tick(worker)
    cleared = rail.one("SELECT clearance_id FROM settlement")

    load(rail, listed("Nobody Known Here"))
    for _ in range(3):
        rail.tick(worker)

    assert rail.state(key) == "CLEARED"
    assert rail.one("SELECT clearance_id FROM settlement") == cleared
    assert rail.one("SELECT COUNT(*) FROM clearance WHERE revoked_at IS NULL") == 1
