"""What publishers cut, spread, number and encode in their own ways is read as what it is."""

# ruff: noqa: E501 - their lines are as long as the publishers'.

import pytest

from settlement.compliance.list_files.reading import read_list
from settlement.compliance.list_files.record import ListUnreadable, Party
from tests.compliance.list_files import files

REMARKS_MAX = 1000
OTHER_WALLET = "0x" + "Cd" * 20


def _read(content: str) -> dict[str, Party]:
    return {party.key: party for party in read_list("own", content.encode()).parties}


def _sdn(remarks: str) -> str:
    empty = "-0- ," * 7
    return f'104,"KOLVARA, Pavel","individual","TESTLAND",{empty}"{remarks}"\r\n'


def _cut(remarks: str) -> tuple[str, str]:
    """Return SDN.CSV and SDN_COMMENTS.CSV as OFAC cuts a long remark: wherever it is full."""
    return _sdn(remarks[:REMARKS_MAX]), f'104,"{remarks[REMARKS_MAX:]}"\r\n\x1a'


@pytest.mark.parametrize("before", range(940, 1001, 5))
def test_what_a_remark_has_behind_its_thousandth_character_is_read(before: int) -> None:
    remarks = "x" * (before - 2) + "; alt. Digital Currency Address - ETH " + OTHER_WALLET
    remarks += f"; DOB 21 Sep 1970; Digital Currency Address - XBT {files.XBT}; a.k.a. 'PASHA'."
    sdn, comments = _cut(remarks)

    for content in (sdn + files.ADD_CSV[-1:] + comments, comments + sdn):
        party = _read(content)["104"]
        wallets = {value for kind, value in party.identifiers if kind == "wallet"}
        assert wallets == {OTHER_WALLET.lower(), files.XBT}
        assert list(party.birth_dates) == ["1970-09-21"]
        assert party.names["PASHA"] == "weak"


def test_a_comment_on_an_entry_that_is_not_there_is_refused() -> None:
    with pytest.raises(ListUnreadable, match=r"entry 999, which SDN does not hold \(line 2\)"):
        read_list("own", (_sdn("x") + '999,"tail."\r\n').encode())


@pytest.mark.parametrize(
    ("said", "kind", "number"),
    [
        ("Unified Social Credit Code (USCC) 91440300MA5EXXXX12 (China)",
         "unified social credit code (uscc)", "91440300MA5EXXXX12"),
        ("Legal Entity Number 529900T8BM49AURSDO55 (Germany)", "lei", "529900T8BM49AURSDO55"),
        ("V.A.T. Number BE 454,419,759", "v.a.t. number", "BE454419759"),
        ("alt. Company Number 07486049 (Czech Republic)", "company number", "07486049"),
        ("Registration ID HRB 12345 (Germany)", "registration id", "HRB12345"),
        ("RFC PEX961112RA5 (Mexico)", "rfc", "PEX961112RA5"),
        ("RUC # 20601234567 (Peru)", "ruc", "20601234567"),
        ("Passport 53N0012 (Russia) issued 01 Jan 2010 expires 01 Jan 2020", "passport", "53N0012"),
        ("Commercial Registry Number 1010203040 issued 02 Feb 2012",
         "commercial registry number", "1010203040"),
    ],
)  # fmt: skip
def test_a_number_in_a_remark_is_kept_under_its_kind(said: str, kind: str, number: str) -> None:
    party = _read(_sdn(f"Website www.kolvara.test; {said}; Linked To: SOMEBODY."))["104"]

    assert list(party.identifiers) == [(kind, number)]


@pytest.mark.parametrize(
    ("form", "old", "new"),
    [
        ("ofac-csv", "DOB 21 Sep 1970", "DOB 1955 to 1970"),
        ("ofac-sdn-xml", "<dateOfBirth>21 Sep 1970", "<dateOfBirth>1955 to 1970"),
        ("un-xml", "<TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1970-09-21</DATE>",
         "<TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1955</FROM_YEAR><TO_YEAR>1970</TO_YEAR>"),
        ("eu-xml", '<birthdate birthdate="1970-09-21" year="1970"/>',
         '<birthdate yearRangeFrom="1955" yearRangeTo="1970"/>'),
        ("eu-csv", "BirthDate_BirthDate;BirthDate_Year;",
         "BirthDate_YearRangeFrom;BirthDate_YearRangeTo;"),
    ],
)  # fmt: skip
def test_a_birth_between_two_years_may_have_been_in_any_of_them(
    form: str, old: str, new: str
) -> None:
    content = files.ALL[form].replace(old, new).replace(";1970-09-21;1970;", ";1955;1970;")

    (person,) = [each for each in _read(content).values() if each.kind == "person"]

    assert list(person.birth_dates) == [str(year) for year in range(1955, 1971)]


def test_years_that_are_no_span_of_a_life_are_two_years() -> None:
    party = _read(_sdn("DOB 1855 to 1970"))["104"]

    assert list(party.birth_dates) == ["1855", "1970"]


def test_all_days_of_birth_numbers_addresses_and_ships_of_a_designation_are_read() -> None:
    parties = _read("""<Designations><Designation><UniqueID>TST1</UniqueID>
     <Names><Name><Name6>KOLVARA</Name6><NameType>Primary Name</NameType></Name></Names>
     <IndividualEntityShip>Individual</IndividualEntityShip>
     <Addresses><Address><AddressLine1>Quay 1</AddressLine1><AddressCountry>Malta</AddressCountry></Address>
      <Address><AddressLine1>Quay 2</AddressLine1><AddressCountry>Cyprus</AddressCountry></Address></Addresses>
     <IndividualDetails><Individual><DOBs><DOB>12/03/1965</DOB><DOB>dd/mm/1979</DOB></DOBs>
      <PassportDetails><Passport><PassportNumber>53N0012</PassportNumber></Passport></PassportDetails>
      <NationalIdentifierDetails><NationalIdentifier><NationalIdentifierNumber>771</NationalIdentifierNumber>
      </NationalIdentifier></NationalIdentifierDetails></Individual></IndividualDetails></Designation>
    <Designation><UniqueID>TST2</UniqueID><IndividualEntityShip>Entity</IndividualEntityShip>
     <Names><Name><Name6>NORD</Name6><NameType>Primary Name</NameType></Name></Names>
     <EntityDetails><Entity><ParentCompanies><ParentCompany>Kolvara JSC</ParentCompany></ParentCompanies>
      <BusinessRegistrationNumbers><BusinessRegistrationNumber>1027700132195</BusinessRegistrationNumber>
      </BusinessRegistrationNumbers></Entity></EntityDetails></Designation>
    <Designation><UniqueID>TST3</UniqueID><IndividualEntityShip>Ship</IndividualEntityShip>
     <Names><Name><Name6>GOLDEN HERON</Name6><NameType>Primary Name</NameType></Name></Names>
     <ShipDetails><Ship><IMONumbers><IMONumber>9385233</IMONumber></IMONumbers><CurrentOwnerOperators>
      <CurrentOwnerOperator>A Ltd</CurrentOwnerOperator><CurrentOwnerOperator>B Ltd</CurrentOwnerOperator>
      </CurrentOwnerOperators></Ship></ShipDetails></Designation></Designations>""")

    person, company, ship = parties["TST1"], parties["TST2"], parties["TST3"]
    assert list(person.birth_dates) == ["1965-03-12", "1979"]
    assert list(person.addresses) == [("Quay 1, Malta", "MT"), ("Quay 2, Cyprus", "CY")]
    assert list(person.identifiers) == [("passport", "53N0012"), ("national id", "771")]
    assert list(company.identifiers) == [("registration", "1027700132195")]
    assert [each.other for each in company.links] == ["Kolvara JSC"]
    assert list(ship.identifiers) == [("imo", "9385233")]
    assert [each.other for each in ship.links] == ["A Ltd", "B Ltd"]


def test_numbers_that_the_united_kingdom_tells_among_other_information_are_kept() -> None:
    content = files.UK_CSV.replace(
        "1 Harbour Street,Dubai,,United Arab Emirates,,",
        "1 Harbour Street,Dubai,,United Arab Emirates,(UK Sanctions List Ref):TST1."
        " (Business Reg No):1027700132195 (IMO number):9385233 (Type of ship):Tanker,",
    )

    found = _read(content)["902"].identifiers

    assert list(found) == [("imo", "9385233"), ("registration", "1027700132195")]


TARGETS = (
    "id,schema,name,aliases,birth_date,countries,identifiers\r\n"
    'Q1,Company,Kolvara,"Kolvara One;""Nord; Sons and Co""",,ru,'
    "BRTWAEADXXX;529900T8BM49AURSDO55;IMO9385233;7707083893\r\n"
)


def test_codes_among_the_identifiers_of_a_target_are_known_by_their_form() -> None:
    assert list(_read(TARGETS)["Q1"].identifiers) == [
        ("bic", "BRTWAEADXXX"), ("lei", "529900T8BM49AURSDO55"), ("imo", "9385233"),
        ("id", "7707083893"),
    ]  # fmt: skip


def test_a_target_s_alias_with_a_semicolon_is_one_name() -> None:
    assert list(_read(TARGETS)["Q1"].names) == ["Kolvara", "Kolvara One", "Nord; Sons and Co"]


def test_signs_that_a_page_would_spell_are_the_signs() -> None:
    content = files.UK_CSV.replace("Brightwater Trading,", "Kolvara &quot;Star&quot; R&amp;D AT&T,")

    assert _read(content)["902"].name == 'Kolvara "Star" R&D AT&T'
