"""Two names, one score: across scripts, spellings, orders and legal forms, and not too far."""

import pytest

from settlement.compliance.screening.index import Index, Listed
from settlement.compliance.screening.names import NameKind, prepared
from settlement.compliance.screening.scoring import THRESHOLD, compare

PERSON, COMPANY, VESSEL = NameKind.PERSON, NameKind.ORGANIZATION, NameKind.VESSEL

SAME = (
    (PERSON, "ORLOVSKY, Maksim Petrovich", "Maksim Orlovsky"),
    (PERSON, "Орловский Максим Петрович", "Maksim Orlovskiy"),
    (PERSON, "محمد سليم", "Muhammad Salim"),
    (PERSON, "عبد الرحمن النديري", "NADIRI, Abdul Rahman"),
    (PERSON, "عبدالرحمن النديري", "Abd-al-Rahman Nadiri"),
    (PERSON, "عبد الله النديري", "NADIRI, Abdullah"),
    (PERSON, "عمر النديري", "NADIRI, Omar"),  # In letters alone it looks like `Mr`.
    (PERSON, "أبو نادر الحداد", "AL-HADDAD, Abu Nadir"),
    (PERSON, "نادر نصر الله", "NASRALLAH, Nadir"),
    (PERSON, "نادر نصر الله", "NASR ALLAH, Nadir"),
    (PERSON, "نادر شکوری", "SHAKURI, Nadir"),
    (PERSON, "نادر الظاهري", "AL-ZAHIRI, Nadir"),
    (PERSON, "陈国华", "Chen Guo Hua"),
    (PERSON, "Γιώργος Παπαδάκης", "Giorgos Papadakis"),
    (PERSON, "דוד לוי", "Dawid Lewi"),
    (PERSON, "김철수", "Gim Cheol Su"),
    (PERSON, "Mohamed Abdelrahman", "Muhammad Abd-al-Rahman"),
    (PERSON, "NADIRI, Abdul", "Abdul Nadiri"),
    (PERSON, "NADIRI, Yusuf Abdi", "Yusuf Abdi Nadiri"),
    (PERSON, "AL-NADIR, Yusuf Abd", "Yusuf Abd al-Nadir"),
    (PERSON, "NADIR, Abd al", "Abdul Nadir"),
    (PERSON, "Dr. Karl Weissmuller", "Karl Weißmüller"),
    (PERSON, "AL-SAYED, Nadir", "Nadir El-Said"),  # A family's name here, and no title.
    (PERSON, "Mr. Nadir al-Sayed", "AL-SAYYID, Nader"),
    (PERSON, "AL-NADIRI, Hafiz", "Hafez al-Nadiri"),
    (PERSON, "AL-SHAYKH, Nadir", "نادر الشيخ"),
    (PERSON, "علیرضا حسینی", "HOSSEINI, Alireza"),
    (PERSON, "رضا نادری", "NADERI, Reza"),
    (PERSON, "K. Weissmuller", "Karl Weissmuller"),
    (PERSON, "KarlWeissmuller", "Karl Weissmuller"),
    (PERSON, "Yusef al-Haddad", "Yousuf Haddad"),
    (PERSON, "Tatiana Rybkova", "Tatyana Rybkova"),
    (COMPANY, 'ООО "Северный Причал"', "Severny Prichal LLC"),
    (COMPANY, "Obshchestvo s ogranichennoi otvetstvennostyu Prichal", "Prichal GmbH"),
    (COMPANY, "Brightwater Trading Co., Ltd.", "Brightwater Trading Limited"),
    (COMPANY, "Brightwater Trading S.A.R.L.", "BRIGHTWATER TRADING"),
    (COMPANY, "Brightwater Trading S.à r.l.", "Brightwater Trading SARL"),
    (COMPANY, "Kolvara Sp.z.o.o.", "Kolvara Sp. z o.o."),
    (COMPANY, "Kolvara spol. s r.o.", "Kolvara s.r.o."),
    (COMPANY, "Kolvara Sendirian Berhad", "Kolvara Sdn. Bhd."),
    (COMPANY, "Kolvara Anpartsselskab", "Kolvara ApS"),
    (COMPANY, "شركة كولفارا ذ.م.م", "Kolvara LLC"),
    (COMPANY, "Bright Water Trading", "Brightwater Trading Inc"),
    (COMPANY, "J.K. Brightwater", "JK Brightwater"),
    (COMPANY, "青石贸易有限公司", "青石贸易"),
    (COMPANY, "青石贸易有限责任公司", "青石貿易有限責任公司"),
    (PERSON, "陈国华", "陳國華"),
    (COMPANY, "Вrightwаtеr Тrаding", "Brightwater Trading"),  # Some letters are Cyrillic.
    (PERSON, "Κarl Wеissmυller", "Karl Weissmuller"),
    (VESSEL, "MV Golden Heron", "GOLDEN HERON"),
)  # fmt: skip
OTHERS = (
    (PERSON, "Maksim Orlovsky", "Maria Orlovskaya"),
    (PERSON, "Maksim Petrovich Orlovsky", "Maksim Sergeyevich Orlovsky"),
    (PERSON, "Hassan al-Tikriti", "Barzan al-Tikriti"),
    (PERSON, "Karl Weissmuller", "Karl Weissberg"),
    (PERSON, "Karl", "Karl Weissmuller"),
    (PERSON, "AL-SAYED, Nadir", "Nadir al-Haddad"),
    (PERSON, "陈国华", "陈国平"),
    (COMPANY, "Brightwater Shipping", "Brightwater Insurance Brokers"),
    (COMPANY, "National Bank of Estonia", "National Bank of Ethiopia"),
    (COMPANY, "Harbour Trading Ltd", "Harvest Trading Ltd"),
    (COMPANY, "General Trading Company", "Al Noor General Trading Company"),
    (COMPANY, "Meridian Europe GmbH", "Meridian Asia GmbH"),
    (VESSEL, "Golden Heron", "Golden Wolf"),
)


@pytest.mark.parametrize(("kind", "one", "other"), SAME)
def test_one_name_in_two_spellings_reaches_the_threshold(
    kind: NameKind, one: str, other: str
) -> None:
    assert compare(one, other, kind).points >= THRESHOLD
    assert compare(other, one, kind).points >= THRESHOLD


@pytest.mark.parametrize(("kind", "one", "other"), OTHERS)
def test_names_of_two_parties_stay_below_the_threshold(
    kind: NameKind, one: str, other: str
) -> None:
    assert compare(one, other, kind).points < THRESHOLD
    assert compare(other, one, kind).points < THRESHOLD


@pytest.mark.parametrize(("kind", "one", "other"), SAME)
def test_what_reaches_the_threshold_is_found_among_many(
    kind: NameKind, one: str, other: str
) -> None:
    crowd = [
        Listed(f"p{n}", "own", str(n), each, ((name, "main"),))
        for n, (each, name, _) in enumerate(SAME + OTHERS)
        if name != one
    ]

    found = Index([*crowd, Listed("x", "own", "x", kind, ((other, "main"),))]).search(one, kind)

    assert "x" in [each.listed.entry_key for each in found]


def test_a_score_says_what_it_is_made_of() -> None:
    found = compare("Maksim Petrovich Orlovski", "ORLOVSKY, Maksim", PERSON)

    assert [(pair.one, pair.other) for pair in found.pairs] == [
        ("maksim", "maksim"), ("orlovski", "orlovsky"),
    ]  # fmt: skip
    assert found.left == ("petrovich",)
    assert found.right == ()


def test_another_legal_form_and_another_kind_cost_points_and_are_said() -> None:
    assert compare("Brightwater AG", "Brightwater Inc", COMPANY).points == 100
    other_form = compare("Brightwater AG", "Brightwater GmbH", COMPANY)

    assert other_form.points == 94
    assert other_form.notes == ("legal forms differ: joint_stock, private",)


def test_a_score_is_the_same_both_ways_and_every_time() -> None:
    for kind, one, other in SAME + OTHERS:
        first, turned = compare(one, other, kind), compare(other, one, kind)
        prepared.cache_clear()

        assert compare(one, other, kind) == first
        assert abs(first.points - turned.points) <= 1


def test_one_word_of_several_names_nobody() -> None:
    index = Index([Listed("x", "own", "x", PERSON, (("Karl Weissmuller", "main"),))])

    assert index.search("Karl", PERSON) == []
    assert index.search("Weissmuller", PERSON) == []
