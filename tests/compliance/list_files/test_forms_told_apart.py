"""What begins oddly is known all the same; a table or a page is never taken for lines of names."""

import pytest

from settlement.compliance.list_files.reading import read_list
from settlement.compliance.list_files.record import ListUnreadable
from tests.compliance.list_files import files

BOM = b"\xef\xbb\xbf"
NAMES = (
    "ORLOVSKY, Maksim Petrovich",
    "Brightwater Trading Co., Ltd., The",
    "Smith,John,Jr",
    'DOE, John "Jack", Jr.',
    '"Quoted & Sons',
    "AT&T / Sons (Pty) Ltd; Dubai",
    "O'Neill-Łęcki",
    f"{files.WALLET} # theirs, as the court has it; see 12,3",
)
_HEADER = "ent_num,SDN_Name,SDN_Type,Program,Title,Call_Sign\r\n"
TABLES = {
    "header of SDN": _HEADER + files.SDN_CSV,
    "SDN with semicolons": files.SDN_CSV.replace(",", ";"),
    "SDN with tabs": files.SDN_CSV.replace(",", "\t"),
    "bars": "id|name|reason\n1|A Name|a reason\n",
    "SDN with one column more": files.SDN_CSV.replace("\r\n", ',"x"\r\n'),
    "EU with commas": files.EU_CSV.replace(";", ","),
    "UK with tabs": files.UK_CSV.replace(",", "\t"),
    "targets with semicolons": files.TARGETS_CSV.replace(",", ";"),
    "two columns": '"A Name","a reason"\n"B Name","another"\n',
    "page without its head": "Access denied\n<p>Too many requests</p>\n",
}


@pytest.mark.parametrize("form", files.ALL)
@pytest.mark.parametrize("before", (b"\r\n", b"\n" * 7, BOM, BOM + b"\r\n \n", b"\n" + BOM))
def test_empty_lines_and_a_byte_order_mark_hide_no_form(form: str, before: bytes) -> None:
    found = read_list("own", before + files.ALL[form].encode())

    assert found == read_list("own", files.ALL[form].encode())


def test_lines_are_counted_from_the_first_one_though_it_is_empty() -> None:
    broken = files.FTM.replace('{"id":"x-4"', '{"id:"x-4"')

    with pytest.raises(ListUnreadable, match="line 6"):
        read_list("own", b"\n\n" + broken.encode())


@pytest.mark.parametrize("line", NAMES)
def test_a_line_with_a_name_or_an_address_is_read(line: str) -> None:
    found = read_list("own", f"Another Name\n{line}\n".encode())

    assert (found.format, len(found.parties)) == ("plain", 2)


@pytest.mark.parametrize("table", TABLES)
def test_a_row_of_a_table_or_a_page_is_no_name(table: str) -> None:
    with pytest.raises(ListUnreadable, match=r"\(line [12]\)") as refused:
        read_list("own", TABLES[table].encode())

    assert "a name or an address a line and nothing else" in refused.value.repair


def test_a_row_that_is_no_name_is_said() -> None:
    with pytest.raises(ListUnreadable, match=r'"B Name","a reason".*\(line 3\)'):
        read_list("own", b'A Name\n\n"B Name","a reason","2026"\n')
