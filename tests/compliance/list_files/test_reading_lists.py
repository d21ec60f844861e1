"""Every published form is read, with all that it says of a party; what is not whole is refused."""

import pytest

from settlement.compliance.list_files.reading import read_list
from settlement.compliance.list_files.record import ListUnreadable, Party
from tests.compliance.list_files import files


def _read(content: str | bytes) -> dict[str, Party]:
    data = content.encode() if isinstance(content, str) else content
    return {party.key: party for party in read_list("own", data).parties}


def _person(parties: dict[str, Party]) -> Party:
    (found,) = [party for party in parties.values() if party.kind == "person"]
    return found


@pytest.mark.parametrize("form", files.ALL)
def test_a_form_is_known_by_its_content(form: str) -> None:
    assert read_list("own", files.ALL[form].encode()).format == form


@pytest.mark.parametrize("form", files.ALL)
def test_a_person_has_the_same_names_day_of_birth_and_country_in_every_form(form: str) -> None:
    person = _person(_read(files.ALL[form]))

    assert any("orlovsky" in name.lower() for name in person.names)
    assert "1970-09-21" in person.birth_dates
    assert "RU" in person.countries


@pytest.mark.parametrize(
    "form", ("ofac-csv", "ofac-sdn-xml", "un-xml", "eu-xml", "uk-csv", "uk-xml",
             "opensanctions-ftm"),
)  # fmt: skip
def test_a_weak_alias_is_told_from_a_strong_one(form: str) -> None:
    names = {name.lower(): kind for name, kind in _person(_read(files.ALL[form])).names.items()}

    assert names["max"] == "weak"
    assert [kind for name, kind in names.items() if "orlovsky" in name] == ["main"]


@pytest.mark.parametrize(
    "form", ("un-xml", "eu-xml", "eu-csv", "uk-csv", "uk-xml", "opensanctions-ftm",
             "opensanctions-csv"),
)  # fmt: skip
def test_a_name_in_another_script_is_a_name(form: str) -> None:
    assert "Максим Орловский" in _person(_read(files.ALL[form])).names


def test_the_three_files_of_ofac_are_one_list() -> None:
    parties = _read(files.OFAC_CSV)

    company, person, vessel = parties["101"], parties["102"], parties["103"]
    assert list(company.names) == ["BRIGHTWATER TRADING LIMITED", "SEVERNY PRICHAL"]
    assert company.kind == "organization"
    assert ("bic", "BRTWAEADXXX") in company.identifiers
    assert ("registration id", "4711") in company.identifiers
    assert [each.other for each in company.links] == ["ORLOVSKY, Maksim"]
    assert ("1 Harbour Street, Dubai, United Arab Emirates", "AE") in company.addresses
    assert person.names["ORLOWSKI, Maxim"] == "strong"
    assert ("passport", "53N0012") in person.identifiers
    assert vessel.kind == "vessel"
    assert ("imo", "9385233") in vessel.identifiers


@pytest.mark.parametrize("form", ("ofac-csv", "ofac-sdn-xml", "uk-csv", "opensanctions-ftm"))
def test_wallets_are_kept_as_they_are_compared(form: str) -> None:
    person = _person(_read(files.ALL[form]))

    assert ("wallet", files.WALLET.lower()) in person.identifiers
    if form == "ofac-csv":
        assert ("wallet", files.XBT) in person.identifiers


@pytest.mark.parametrize("form", ("ofac-csv", "ofac-sdn-xml", "uk-csv", "opensanctions-ftm"))
def test_a_wallet_written_with_a_large_x_is_the_same_wallet(form: str) -> None:
    person = _person(_read(files.ALL[form].replace(files.WALLET, "0X" + files.WALLET[2:].upper())))

    wallets = [value for kind, value in person.identifiers if value.lower().startswith("0x")]
    assert wallets == [files.WALLET.lower()]


def test_a_wallet_with_a_large_x_on_a_line_of_its_own_is_no_name() -> None:
    (party,) = _read("0X" + files.WALLET[2:].upper() + " # theirs\n").values()

    assert (party.key, party.names) == (files.WALLET.lower(), {})
    assert list(party.identifiers) == [("wallet", files.WALLET.lower())]


@pytest.mark.parametrize("form", ("eu-xml", "eu-csv", "opensanctions-csv"))
def test_an_address_among_the_numbers_of_a_party_is_a_wallet(form: str) -> None:
    person = _person(_read(files.ALL[form].replace("53N0012", files.WALLET)))

    assert ("wallet", files.WALLET.lower()) in person.identifiers


def test_banks_and_ships_are_kept_with_their_codes() -> None:
    assert ("bic", "BRTWAEADXXX") in _read(files.EU_XML)["802"].identifiers
    assert ("bic", "BRTWAEADXXX") in _read(files.FTM)["x-2"].identifiers
    assert ("imo", "9385233") in _read(files.UK_XML)["903"].identifiers
    assert ("imo", "9385233") in _read(files.SDN_XML)["103"].identifiers


def test_owners_are_kept_where_a_list_has_them() -> None:
    (owner,) = _read(files.FTM)["x-2"].links
    (ship,) = _read(files.UK_XML)["903"].links

    assert (owner.relation, owner.other, owner.share_bp) == ("owned_by", "x-1", 5010)
    assert (ship.relation, ship.other) == ("owned_by", "Brightwater Trading")


def test_who_is_only_mentioned_by_a_list_is_not_listed() -> None:
    assert set(_read(files.FTM)) == {"x-1", "x-2"}


def test_the_newer_form_of_the_united_kingdom_is_read_too() -> None:
    person = _person(_read(files.UK_DESIGNATIONS_XML))

    assert person.key == "TST0001"
    assert person.names == {
        "Maksim Orlovsky": "main", "Max": "weak", "Максим Орловский": "strong",
    }  # fmt: skip


@pytest.mark.parametrize("form", files.ALL)
@pytest.mark.parametrize("share", (40, 75, 97))
def test_a_file_that_breaks_off_is_refused_or_its_loss_shows(form: str, share: int) -> None:
    content = files.ALL[form].rstrip("\x1a\r\n ")
    cut = content[: len(content) * share // 100]

    try:
        found = _read(cut)
    except ListUnreadable:
        return

    # A table cut between two rows is one: only the comparison with what is in force shows it.
    assert form in ("ofac-csv", "eu-csv", "uk-csv", "opensanctions-ftm", "opensanctions-csv")
    assert cut.endswith(("\n", '"', ";")) or len(found) < len(_read(content))


FAULTS = (
    ("broken quotes", files.SDN_CSV.replace('"GOLDEN HERON"', '"GOLDEN HERON'), "line"),
    ("row too short", files.SDN_CSV.replace(',"9HAB2","Tanker"', ""), "columns"),
    ("alias of nobody", files.OFAC_CSV.replace("102,12,", "999,12,"), "999"),
    ("entry twice", files.SDN_CSV + files.SDN_CSV.splitlines()[0] + "\r\n", "twice"),
    ("count wrong", files.SDN_XML.replace("Count>2<", "Count>3<"), "says that it holds 3"),
    ("other root", "<html><body>404</body></html>", "'html'"),
    ("no name", files.UN_XML.replace("BRIGHTWATER TRADING", "").replace("SEVERNY PRICHAL", ""),
     "no name"),
    ("entity twice", files.EU_XML.replace('"802"', '"801"'), "twice"),
    ("no group", files.UK_CSV.replace(",TEST,902", ",TEST,"), "no group"),
    ("no entity", files.FTM + '{"id": "x-9"}\n', "no entity"),
    ("half a line", files.FTM + '{"id": "x-9", "schema', "no JSON"),
    ("target twice", files.TARGETS_CSV.replace('"x-2"', '"x-1"'), "twice"),
    ("nothing", "", "no entry"),
    ("a header alone", files.TARGETS_CSV.splitlines()[0] + "\n", "no entry"),
)  # fmt: skip


@pytest.mark.parametrize(("content", "words"), [fault[1:] for fault in FAULTS],
                         ids=[fault[0] for fault in FAULTS])  # fmt: skip
def test_what_is_not_whole_is_refused_with_what_to_do(content: str, words: str) -> None:
    with pytest.raises(ListUnreadable) as refused:
        _read(content)

    assert words in str(refused.value)
    assert refused.value.repair


@pytest.mark.parametrize("count", ("²", "9" * 5000, "two"))
def test_a_count_that_is_no_number_is_none(count: str) -> None:
    assert len(_read(files.SDN_XML.replace("Count>2<", f"Count>{count}<"))) == 2


def test_a_fault_names_its_line() -> None:
    with pytest.raises(ListUnreadable, match=r"line 4"):
        _read(files.FTM.replace('{"id":"x-4"', '{"id:"x-4"'))
    with pytest.raises(ListUnreadable, match=r"line \d"):
        _read(files.EU_XML.replace("</sanctionEntity>\n</export>", "</sanctionEntit>\n</export>"))


def test_other_encodings_are_refused_and_not_guessed() -> None:
    for content in (files.UN_XML.encode("utf-16"), files.EU_CSV.encode("utf-16"),
                    files.UK_CSV.encode("cp1251", "replace"), files.EU_XML.encode("cp1251"),
                    files.FTM.encode("cp1251")):  # fmt: skip
        with pytest.raises(ListUnreadable):
            _read(content)


def test_xml_that_wants_entities_or_other_files_is_refused() -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;">]>'
        "<sdnList><sdnEntry><uid>1</uid><lastName>&b;</lastName></sdnEntry></sdnList>"
    )
    outside = '<?xml version="1.0"?><!DOCTYPE l SYSTEM "file:///etc/passwd"><sdnList/>'

    for content in (bomb, outside):
        with pytest.raises(ListUnreadable, match="document type"):
            _read(content)


def test_the_order_of_a_file_and_spaces_are_no_change() -> None:
    first = _read(files.EU_CSV)
    turned = _read("\r\n".join([files.EU_CSV.splitlines()[0], *files.EU_CSV.splitlines()[:0:-1]]))

    assert first["801"].content_hash == turned["801"].content_hash or (
        first["801"].name != turned["801"].name
    )
    assert first["802"].content_hash == turned["802"].content_hash
