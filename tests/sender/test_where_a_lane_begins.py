"""A lane whose signer had a life before it: where its nonces begin is no gap."""

from tests.builders.rail import Rail


def test_the_nonces_before_a_lanes_first_are_not_filled(rail: Rail) -> None:
    rail.write("UPDATE lane SET next_nonce = 5000")

    rail.tick(rail.worker())

    assert rail.one("SELECT COUNT(*) FROM chain_tx") == 0
    assert (rail.lane().next_nonce, rail.lane().state) == (5000, "active")


def test_a_nonce_that_belongs_to_nothing_between_two_that_do_is_filled(rail: Rail) -> None:
    rail.instructed(1)
    first = rail.worker("first")
    rail.tick(first)
    first.stop()
    rail.write("UPDATE lane SET next_nonce = next_nonce + 2")

    rail.tick(rail.worker("second"))

    filled = rail.rows("SELECT nonce, kind FROM chain_tx ORDER BY nonce")
    assert [tuple(row) for row in filled] == [(0, "pay"), (1, "noop"), (2, "noop")]
