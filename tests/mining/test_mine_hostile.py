"""Trees and files that mean ill, or that a disk has spoilt: handled, said, nothing lost."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from mining_double import LAZY, cif

from xtalpriors.mining.database.store import open_database
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.tree import TreeSource


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_tree_with_all_that_does_not_belong_there(tmp_path: Path) -> None:
    root = tmp_path / "cod"
    (root / "1").mkdir(parents=True)
    (root / "1" / "1.cif").write_text(cif("one"))
    (root / "1" / "up").symlink_to(root)
    (root / "1" / "self.cif").symlink_to("self.cif")
    (root / "1" / ".1000002.cif.Xy12ab").write_text("half of a file that rsync is at")
    (root / "1" / "1.hkl").write_text("1 0 0 1.0 0.1")
    (root / "1" / "photo.png").write_bytes(b"\x89PNG")
    os.mkfifo(root / "1" / "pipe.cif")
    with (root / "1" / "huge.cif").open("wb") as stream:
        stream.truncate(10 * 2**30)
    report = mine([TreeSource(root)], None, tmp_path / "db", workers=1, reader=LAZY)
    assert report.n_entries == 1
    with open_database(tmp_path / "db") as connection:
        rows = connection.execute("SELECT file_id, stage, code FROM rejection ORDER BY file_id").fetchall()
    assert rows == [
        ("1/huge.cif", "read", "too-large"),
        ("1/photo.png", "parse", "no-cif"),
        ("1/pipe.cif", "read", "not-a-file"),
        ("1/self.cif", "read", "unreadable"),
    ]
    again = mine([TreeSource(root)], None, tmp_path / "db", workers=1, reader=LAZY)
    assert again.n_updated == 0 and again.digest == report.digest


def test_times_that_went_backwards_hide_no_change(tmp_path: Path) -> None:
    """A file is looked at where its times differ, not where they are later; its content decides."""
    root = tmp_path / "cod"
    root.mkdir()
    for i in range(3):
        (root / f"{i}.cif").write_text(cif(f"s{i}"))
    first = mine([TreeSource(root)], None, tmp_path / "db", workers=1, reader=LAZY)
    (root / "0.cif").write_text(cif("other"))
    for i in range(2):
        os.utime(root / f"{i}.cif", (1, 1))
    again = mine([TreeSource(root)], None, tmp_path / "db", workers=1, reader=LAZY)
    assert again.n_updated == 1 and again.digest != first.digest
    with open_database(tmp_path / "db") as connection:
        blocks = connection.execute("SELECT block FROM entry ORDER BY block").fetchall()
    assert blocks == [("other",), ("s1",), ("s2",)]


WATCH = """
import json, sys
from xtalpriors.mining.cif import extract, warm_up
text = open(sys.argv[1], "rb").read()
warm_up()
seen = []
watched = ("open", "os.listdir", "os.scandir", "exec", "compile", "import", "subprocess.Popen", "os.system",
           "os.exec", "pickle.find_class", "socket.connect", "ctypes.dlopen", "urllib.Request")
sys.addaudithook(lambda event, args: seen.append([event, str(args)[:200]]) if event in watched else None)
extract("cod", "COD", "original", [("x.cif", text)])  # loads kernels that the sample does not need
first, seen[:] = list(seen), []
found = extract("cod", "COD", "original", [("x.cif", text)])
print(json.dumps([found.entries.num_rows, first, seen]))
"""

HOSTILE = """data_x
_cell_length_a 7
_cell_length_b 8
_cell_length_c 9
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/c 1'
_chemical_formula_sum 'C4 H4 O4'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
C1 C 0.1 0.2 0.3
#hostile
_audit_conform_dict_location file:///etc/passwd
_cod_database_fobs_code ../../../../etc/passwd
_cod_data_source_file /etc/shadow
_import.get [{{'file':'/etc/passwd' 'save':'x'}}]
_publ_section_title "__import__('os').system('touch pwned')"
_journal_paper_doi '$(touch pwned)'
_shelx_hkl_file
;
{pickled}
;
_iucr_refine_instructions_details
;
+/etc/passwd
++/etc/passwd
REM `touch pwned`
;
"""


def test_a_cif_is_text_and_nothing_in_it_is_followed(tmp_path: Path) -> None:
    """No file is opened, nothing imported, executed, unpickled or asked of a network for what a CIF says."""

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("touch pwned",)

    file = tmp_path / "x.cif"
    file.write_text(
        HOSTILE.format(pickled=pickle.dumps(Bomb(), protocol=0).decode("latin-1")), encoding="latin-1"
    )
    command = [sys.executable, "-c", WATCH, str(file)]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)  # compiles what is not kept yet
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    rows, first, again = json.loads(done.stdout.splitlines()[-1])
    assert rows == 1 and again == []
    hostile = ("passwd", "shadow", "pwned", "system")
    assert [event for event in first if any(word in " ".join(event) for word in hostile)] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.cif"]
