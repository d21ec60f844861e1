"""What an earlier release has compared is compared anew by one that may find more."""

import hashlib

import orjson

from settlement.compliance import screening
from settlement.compliance.screening import rounds
from settlement.store import transaction
from tests.builders.rail import Rail
from tests.compliance.screening.desk import listed, load

_BY_VERSIONS_ALONE = "SELECT name, id, sha256 FROM list_version ORDER BY name"


def test_who_was_compared_in_another_way_is_compared_again(rail: Rail) -> None:
    load(rail, listed("Nobody Known Here"))
    buyer = rail.companies.buyer
    with transaction(rail.engine) as session:
        screening.ensure(session, [buyer], ids=rail.ids, now=rail.now)
        again = screening.ensure(session, [buyer], ids=rail.ids, now=rail.now)
        while screening.step(session, ids=rail.ids, now=rail.now):
            pass
    rows = [list(row) for row in rail.rows(_BY_VERSIONS_ALONE)]
    before = hashlib.sha256(orjson.dumps(rows)).hexdigest()
    rail.write("UPDATE screening_subject SET lists_hash = :hash", hash=before)
    rail.write("UPDATE screening_run SET lists_hash = :hash", hash=before)

    with transaction(rail.engine) as session:
        begun = screening.step(session, ids=rail.ids, now=rail.now)
        newest, *_ = rounds.log(session)
        counts = screening.ensure(session, [buyer], ids=rail.ids, now=rail.now)

    assert again.compared == 0
    assert begun and (newest.kind, newest.state) == ("all", "running")
    assert counts.compared > 0
