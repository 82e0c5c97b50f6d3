"""What files say of their space group, right and wrong."""

from __future__ import annotations

import json
import pickle
import sqlite3
from importlib.metadata import PackageNotFoundError, distribution

import gemmi
import pytest

from xtalpriors.crystal.symmetry.closure import NotAGroupError
from xtalpriors.crystal.symmetry.resolve import Resolution, SymmetryFailure, resolve_space_group
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError

P21C = ("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2")
HEXAGONAL, RHOMBOHEDRAL, MONOCLINIC = (90.0, 90.0, 120.0), (55.3, 55.3, 55.3), (90.0, 102.0, 90.0)


def resolved(*args: object, **kwargs: object) -> Resolution:
    answer = resolve_space_group(*args, **kwargs)  # type: ignore[arg-type]
    assert isinstance(answer, Resolution), answer
    return answer


def failed(*args: object, **kwargs: object) -> SymmetryFailure:
    answer = resolve_space_group(*args, **kwargs)  # type: ignore[arg-type]
    assert isinstance(answer, SymmetryFailure), answer
    return answer


@pytest.mark.parametrize(
    ("symbol", "meant"),
    # spellings that occur in the COD, the AMCSD, ICSD exports and SHELX files
    [
        ("P 2_1/c", "P 1 21/c 1"),
        ("P2~1~/c", "P 1 21/c 1"),
        ("P 2~1~2~1~2~1~", "P 21 21 21"),
        ("P2₁/c", "P 1 21/c 1"),
        ("P 1 2₁/n 1 (No. 14)", "P 1 21/n 1"),
        ("I4₁/amd", "I 41/a m d:2"),
        ("P2<sub>1</sub>/c", "P 1 21/c 1"),
        ("<i>P</i>2<sub>1</sub>/<i>c</i>", "P 1 21/c 1"),
        (r"Fm\bar{3}m", "F m -3 m"),
        (r"$Fm\overline{3}m$", "F m -3 m"),
        (r"P\bar 1", "P -1"),
        ("Pbar1", "P -1"),
        ("P1bar", "P -1"),
        ("Fm3barm", "F m -3 m"),
        ("F d bar3 m", "F d -3 m:2"),
        ("I 4bar 3 d", "I -4 3 d"),
        ("I4bar3d", "I -4 3 d"),
        (r"$P2_{1}/c$", "P 1 21/c 1"),
        ("F m3\u0304m", "F m -3 m"),
        ("F m3\u0305m", "F m -3 m"),
        ("P1\u0305", "P -1"),
        ("I4\u03052d", "I -4 2 d"),
        (r"P\=1", "P -1"),
        (r"R\=3c (hexagonal axes)", "R -3 c:H"),
        ("P\u00af1", "P -1"),
        ("P\u22121", "P -1"),
        ('F m <span style="text-decoration: overline">3</span> m', "F m -3 m"),
        ("P21/c", "P 1 21/c 1"),
        ("P2(1)/n", "P 1 21/n 1"),
        ("P12(1)/c1", "P 1 21/c 1"),
        ("P 1 21/n 1", "P 1 21/n 1"),
        ("'P 21/c'", "P 1 21/c 1"),
        ("P 1 2_1/c 1", "P 1 21/c 1"),
        ("p 21/c", "P 1 21/c 1"),
        ("P2(1)2(1)2(1)", "P 21 21 21"),
        ("Pmn2(1)", "P m n 21"),
        ("F4_{1}32", "F 41 3 2"),
        ("R -3 m H", "R -3 m:H"),
        ("R-3m:H", "R -3 m:H"),
        ("R -3 c (hexagonal axes)", "R -3 c:H"),
        ("R -3 2/c (hexagonal axes)", "R -3 c:H"),
        ("R 3 c {rhombohedral axes}", "R 3 c:R"),
        ("R -3 m HR", "R -3 m:H"),
        ("R -3 c R", "R -3 c:R"),
        ("F d -3 m :2", "F d -3 m:2"),
        ("F d -3 m S", "F d -3 m:1"),
        ("F d -3 m Z", "F d -3 m:2"),
        ("Fd-3mS", "F d -3 m:1"),
        ("F d -3 m {origin @ centre (-3m)}", "F d -3 m:2"),
        ("P 42/n (origin choice 2)", "P 42/n:2"),
        ("P n n n :1", "P n n n:1"),
        ("Abm2", "A b m 2"),
        ("A e m 2", "A b m 2"),
        ("C m c e", "C m c a"),
        ("P 4/m -3 2/m", "P m -3 m"),
        ("I 4/m -3 2/m", "I m -3 m"),
        ("F 4/m -3 2/c", "F m -3 c"),
        ("I 41/a -3 2/d", "I a -3 d"),
        ("P 21/n 21/m 21/a", "P n m a"),
        ("P 42/m 21/b 2/c", "P 42/m b c"),
        ("P 6/m 2/m 2/m", "P 6/m m m"),
        ("P -3 1 2/m", "P -3 1 m"),
        ("F m 3 m", "F m -3 m"),
        ("C2:b1", "C 1 2 1"),
        ("P 1 n m a 1", "P n m a"),
        ("F 1 -1 1", "F -1"),
        ("P 32", "P 32"),
        ("P 3 2 1", "P 3 2 1"),
    ],
)
def test_symbols(symbol: str, meant: str) -> None:
    found = resolved(hm=symbol)
    assert found.source == "hm"
    assert found.group.hm == meant


def test_the_full_symbols_of_gemmi_s_table_are_all_known() -> None:
    names = {sg.hm for sg in gemmi.spacegroup_table()}
    assert len(names) > 500
    for sg in gemmi.spacegroup_table():
        assert resolved(hm=sg.xhm()).group is SpaceGroup.from_operators(
            op.triplet() for op in sg.operations()
        )


def test_axes_are_decided_by_the_cell() -> None:
    for symbol in ("R -3 c", "R -3 c H", "R -3 c:R"):
        assert resolved(hm=symbol, angles_degree=RHOMBOHEDRAL).group.hm == "R -3 c:R"
        assert resolved(hm=symbol, angles_degree=HEXAGONAL).group.hm == "R -3 c:H"
    assert resolved(hm="P 21/b", angles_degree=(90, 90, 97)).group.hm == "P 1 1 21/b"
    assert resolved(hm="P 21/n", angles_degree=(98, 90, 90)).group.hm == "P 21/n 1 1"
    assert resolved(hm="P 21/n", angles_degree=MONOCLINIC).group.hm == "P 1 21/n 1"


def test_order_of_precedence() -> None:
    hall, symbol = "-P 2ybc", "P 1 21/n 1"
    assert resolved(P21C, hall, symbol, 2).source == "operators"
    assert resolved((), hall, symbol, 2).source == "hall"
    assert resolved((), None, symbol, 2).source == "hm"
    assert resolved((), None, None, "14").source == "number"
    assert resolved((), "?", ".", " 14 ").group is SpaceGroup.from_number(14)


@pytest.mark.parametrize(
    ("hall", "symbol", "number", "agreement"),
    [
        ("-P 2ybc", "P 1 21/c 1", "14", "agree"),
        (None, "P 21/c", None, "agree"),
        (None, None, 14, "agree"),
        (None, "P 1 21/n 1", None, "setting"),
        ("-P 2yn", "P 1 21/n 1", 14, "setting"),
        (None, "P 1 21/a 1", "14", "setting"),
        (None, "P -1", "2", "disagree"),
        (None, "P 1 21/c 1", "2", "disagree"),
        ("-P 1", None, None, "disagree"),
        (None, None, None, "undeclared"),
        ("?", "nonsense", "", "undeclared"),
    ],
)
def test_agreement(hall: str | None, symbol: str | None, number: str | int | None, agreement: str) -> None:
    found = resolved(P21C, hall, symbol, number)
    assert found.group.hm == "P 1 21/c 1"
    assert found.agreement == agreement
    assert ("symbol-unknown" in found.notes) == (symbol == "nonsense")


def test_a_symbol_without_origin_agrees_with_either_origin() -> None:
    for choice in ("1", "2"):
        operators = SpaceGroup.from_hm(f"F d -3 m:{choice}").operators
        assert resolved(operators, None, "F d -3 m").agreement == "agree"
        assert resolved(operators, None, "F d -3 m:1").agreement == ("agree" if choice == "1" else "setting")


@pytest.mark.parametrize(
    "nothing",
    [
        ((), None, None, None),
        ((), "?", ".", ""),
        ((), None, "X4bm", None),
        ((), None, None, "231"),
        ((), None, None, "one"),
    ],
)
def test_no_symmetry_is_a_failure_and_never_p1(nothing: tuple[object, ...]) -> None:
    assert failed(*nothing).code == "no-symmetry"


def test_broken_lists() -> None:
    assert failed(("x,y,z", "x+1/2,y,z malformed")).code == "operators-unreadable"
    assert failed(("x,y,z", "x/2,y,z")).code == "operators-not-integer"
    assert failed(("x,y,z", "x,y,x")).code == "operators-not-a-group"
    assert failed(P21C[:3]).code == "operators-not-a-group"
    assert failed(tuple(f"x+{i}/211,y,z" for i in range(211))).code == "too-many-operators"
    assert failed(("x,y,z",) * 100_000).code == "too-many-operators"
    # a rotation of infinite order
    assert failed(("x,y,z", "x+y,y,z")).code == "operators-not-a-group"


def test_an_incomplete_list_is_completed_only_by_a_symbol_that_contains_it() -> None:
    found = resolved(P21C[:3], None, "P 1 21/c 1")
    assert found.group.order == 4
    assert (found.source, found.agreement, found.notes) == ("operators", "agree", ("operators-incomplete",))
    assert failed(P21C[:3], None, "P 1 21/n 1").code == "operators-not-a-group"
    replaced = resolved((*P21C[:3], "x,-y+1/2,z+1/2 ?"), None, "P 21/c")
    assert (replaced.source, replaced.notes) == ("hm", ("operators-unreadable",))


def test_order_of_the_list_repetitions_and_lattice_translations_do_not_matter() -> None:
    shuffled = ("-x,-y,-z", "x, 3/2-y, z-0.5", "-X,Y+1/2,-Z+.5", "x+1,y,z", "x,y,z-2", "x,y,z")
    found = resolved(shuffled, None, "P 21/c")
    assert found.group is SpaceGroup.from_number(14)
    assert found.notes == ("operators-repeated",)
    assert resolved(("-x,-y,-z",)).notes == ("identity-added",)
    assert resolved(("-x,-y,-z",)).group.number == 2


def test_groups_are_shared_and_survive_pickling() -> None:
    group = SpaceGroup.from_hm("P 1 21/n 1")
    assert pickle.loads(pickle.dumps(group)) is group
    assert group.operators[0] == "x,y,z"
    assert list(group.operators[1:]) == sorted(group.operators[1:])
    assert not group.rotations.flags.writeable


def test_properties_agree_with_gemmi() -> None:
    for sg in gemmi.spacegroup_table():
        group = SpaceGroup.from_operators(op.triplet() for op in sg.operations())
        assert (group.number, group.order) == (sg.number, len(list(sg.operations())))
        assert group.crystal_system == sg.crystal_system_str()
        assert group.laue_class == sg.laue_str()
        assert group.centrosymmetric == sg.is_centrosymmetric()
        assert group.centring == ("P" if sg.ext == "R" else sg.hm[0].replace("H", "R"))


def test_errors_name_what_was_asked() -> None:
    with pytest.raises(UsageError, match="P 99"):
        SpaceGroup.from_hm("P 99")
    with pytest.raises(UsageError, match="231"):
        SpaceGroup.from_number(231)
    with pytest.raises(UsageError, match="Hall"):
        SpaceGroup.from_hall("Not a real space group")
    with pytest.raises(NotAGroupError, match="closed"):
        SpaceGroup.from_operators(P21C[:3])


def test_the_names_and_operators_of_the_amcsd() -> None:
    try:
        database = distribution("larixite").locate_file("larixite/amcsd_cif1.db")
    except PackageNotFoundError:
        pytest.skip("needs larixite, which `make setup` installs")
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT hm_notation, symmetry_xyz FROM spacegroups").fetchall()
    answers = {hm: resolve_space_group(tuple(json.loads(xyz)), None, hm) for hm, xyz in rows}
    assert len(answers) == 471
    # its list for B 1 1 21/d lacks operators; three lists belong to another group than the name
    assert [hm for hm, a in answers.items() if isinstance(a, SymmetryFailure)] == ["B 1 1 21/d"]
    wrong = sorted(hm for hm, a in answers.items() if isinstance(a, Resolution) and a.agreement == "disagree")
    assert wrong == ["B 1 1 2/n", "B 1 1 2/n %var1%", "F 4/m m m"]
    unnamed = [a for a in answers.values() if isinstance(a, Resolution) and a.group.hm is None]
    assert len(unnamed) > 40
