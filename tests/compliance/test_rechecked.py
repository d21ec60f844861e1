"""What is on its way when lists change: judged anew, and let alone where nothing is against it."""

import pytest

from settlement.compliance import policy
from settlement.compliance.policy import Policy
from tests.builders.rail import Rail
from tests.builders.soundness import assert_sound
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


def closed_to(country: str) -> Policy:
    """The policy as shipped, with one more corridor that is closed."""
    files = policy.files_of()
    baseline = files["baseline.yaml"].replace(b"[IR, KP]", f"[IR, KP, {country}]".encode())
    return policy.read({**files, "baseline.yaml": baseline})


@pytest.mark.parametrize("state", ["SUBMITTED", "BOOKED"])
def test_what_a_new_policy_refuses_is_not_sent_again_after_a_reorg(rail: Rail, state: str) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.tick(worker)
    if state == "BOOKED":
        rail.controls.mine()
        rail.tick(worker)
    assert rail.state(key) == state

    worker.policy = closed_to("AE")
    rail.tick(worker)
    if state == "BOOKED":
        rail.controls.reorg(1)
    rail.controls.drop_all()
    for _ in range(30):
        rail.controls.mine()
        rail.tick(worker)

    assert rail.state(key) == "REJECTED" and rail.paid_logs() == []
    assert_sound(rail)
