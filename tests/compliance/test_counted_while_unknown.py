"""A payment of which nobody knows yet whether it was made counts as if it could be."""

from settlement.chain import mandate_abi
from tests.builders.rail import Rail


def test_what_is_under_review_uses_up_the_day_of_a_mandate(rail: Rail) -> None:
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker()
    rail.tick(worker)
    caps = mandate_abi.set_mandate_calldata(
        token=rail.token(), cap_per_payment=10**12, cap_per_day=2_500_000_000, expiry=2**39
    )
    rail.on_chain(rail.sandbox.wallets[1], rail.sandbox.deployment.rail, caps)
    unknown = rail.instructed(2)  # About 1,000 units each, of 2,500 a day.
    rail.tick(worker)
    rail.write("UPDATE settlement SET state = 'NEEDS_REVIEW'")
    (key,) = rail.instructed()

    rail.tick(worker)

    assert {rail.state(each) for each in unknown} == {"NEEDS_REVIEW"}
    assert rail.state(key) == "HELD"
    assert "BASE-09" in rail.one("SELECT reason FROM settlement WHERE id = :id", id=key)
