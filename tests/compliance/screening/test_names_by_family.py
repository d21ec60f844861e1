"""Names as one language or one office writes them, beside how another one does; both ways round."""

import pytest

from settlement.compliance.screening.index import Index, Listed
from settlement.compliance.screening.names import NameKind

PERSON, COMPANY, VESSEL = NameKind.PERSON, NameKind.ORGANIZATION, NameKind.VESSEL

SAME = {
    "Arabic letters without vowels": (
        (PERSON, "خالد يوسف القحطاني", "Khaled Youssef al-Qahtani"),
        (PERSON, "محمد اقبال چودھری", "Muhammad Iqbal Chaudhry"),
        (PERSON, "משה בן-דוד", "Moshe Ben-David"),
    ),
    "of the faith": (
        (PERSON, "Nur al-Din Bouzid", "Noureddine Bouzid"),
        (PERSON, "Nur al-Din Bouzid", "Nureddin Buzid"),
        (PERSON, "Qasim Shihab al-Din", "Kassem Chehabeddine"),
        (PERSON, "Jalal ud-Din Nadiri", "Jalaluddin Nadiri"),
        (PERSON, "نور الدين البوزيدي", "Nour Eddine al-Bouzidi"),
        (PERSON, "Siraj-ud-Deen Nadiri", "NADIRI, Siraj al Din"),
    ),
    "Greek": (
        (PERSON, "Γεώργιος Παπαδημητρίου", "George Papadimitriou"),
        (PERSON, "Ευάγγελος Τσουκαλάς", "Evangelos Tsoukalas"),
        (PERSON, "Dimitrios Ntalaras", "Dimitris Dalaras"),
        (PERSON, "Νικόλαος Μπακογιάννης", "Nikos Bakogiannis"),
        (PERSON, "Konstantinos Xydakis", "Kostas Xydakis"),
    ),
    "Belarusian and Ukrainian": (
        (PERSON, "Uladzimir Navumau", "Vladimir Naumov"),
        (PERSON, "Dzmitry Kazlouski", "Dmitry Kozlovsky"),
        (PERSON, "Yauheni Shapavalau", "Evgeny Shapovalov"),
        (PERSON, "Аляксандр Лапцёнак", "Alyaksandr Laptsionak"),
        (PERSON, "Volodymyr Hryhorovych Tkachenko", "Vladimir Grigorievich Tkachenko"),
        (PERSON, "Oleksiy Honcharenko", "Aleksei Goncharenko"),
    ),
    "Korean": (
        (PERSON, "Pak Chong Chon", "Park Jong-cheon"),
        (PERSON, "리영호", "Lee Young-ho"),
        (PERSON, "Jang Song Thaek", "Chang Sung-taek"),
    ),
    "a particle inside a word": ((PERSON, "Catherine van den Bergh", "Catherine Vandenbergh"),),
    "a number's sign": (
        (COMPANY, "Factory No. 45", "Factory 45"),
        (COMPANY, "Завод №45", "Zavod Nr. 45"),
    ),
    "Turkish": (
        (COMPANY, "Anadolu Çelik Sanayi ve Ticaret A.Ş.", "Anadolu Celik San. ve Tic. AS"),
    ),
    "kinds of ships": (
        (VESSEL, "LADY KOLVARA", "M/T Lady Kolvarra"),
        (VESSEL, "Motor Tanker Lady Kolvara", "LADY KOLVARA"),
    ),
}  # fmt: skip
OTHERS = {
    "another number": (
        (COMPANY, "Military Unit 74455", "Military Unit 74456"),
        (COMPANY, "China Aerospace 5th Academy", "China Aerospace 7th Academy"),
        (COMPANY, "First Meridian Bank", "Second Meridian Bank"),
        (VESSEL, "OCEAN PRINCE 2", "Ocean Prince III"),
    ),
    "another quarter of the world": (
        (COMPANY, "Northern Lights Shipping", "Southern Lights Shipping"),
    ),
    "another of two names that are everywhere": (
        (PERSON, "Hüseyin Öztürk", "Hasan Öztürk"),
        (PERSON, "Hossein Nadiri", "Hassan Nadiri"),
    ),
    "another of the faith": ((PERSON, "Nur al-Din Bouzid", "Shams al-Din Bouzid"),),
}  # fmt: skip


def _finds(kind: NameKind, listed: str, asked: str) -> bool:
    index = Index([Listed("x", "own", "x", kind, ((listed, "main"),))])
    return bool(index.search(asked, kind))


@pytest.mark.parametrize(
    ("kind", "one", "other"), [each for family in SAME.values() for each in family]
)
def test_one_name_written_in_two_ways_is_found_by_either(
    kind: NameKind, one: str, other: str
) -> None:
    assert _finds(kind, one, other)
    assert _finds(kind, other, one)


@pytest.mark.parametrize(
    ("kind", "one", "other"), [each for family in OTHERS.values() for each in family]
)
def test_two_names_that_differ_in_what_tells_them_apart_are_no_hit(
    kind: NameKind, one: str, other: str
) -> None:
    assert not _finds(kind, one, other)
    assert not _finds(kind, other, one)
