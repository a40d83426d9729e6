"""Labels by a table: columns, delimiters, encodings, and what a table and a folder say differently."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.conftest import Save, noise
from udacisense.data.folder import folder_classes, read_folder
from udacisense.data.health import check_health
from udacisense.data.sources import fingerprint, load_dataset
from udacisense.errors import DataError


@pytest.fixture
def flat(folder: Path, save: Save) -> Path:
    """Four images without class folders."""
    for i in range(4):
        save(f"images/{i}.png", noise(i))
    return folder


ROWS = [("0.png", "bed"), ("1.png", "bed"), ("2.png", "lamp"), ("3.png", "lamp")]


def table(header: str = "filename,label", rows: list[tuple[str, str]] = ROWS, delimiter: str = ",") -> str:
    return "\n".join([header.replace(",", delimiter), *(delimiter.join(row) for row in rows)])


@pytest.mark.parametrize("header", ["filename,label", "image,class", "path,label", "Image Path,Category", "FILE,Class Name"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_and_delimiters_in_common_use(flat: Path, header: str, delimiter: str) -> None:
    (flat / "labels.csv").write_text(table(header, delimiter=delimiter))
    counts = check_health().counts
    assert [counts["train"][name] + counts["test"][name] for name in ("bed", "lamp")] == [2, 2]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_spreadsheets_write_before_the_text_is_no_part_of_a_name(flat: Path, encoding: str) -> None:
    (flat / "labels.csv").write_bytes(table().encode(encoding))
    assert len(read_folder(flat).images) == 4


def test_a_table_beside_the_folder_is_found(flat: Path) -> None:
    flat.with_suffix(".csv").write_text(table())
    assert len(read_folder(flat).images) == 4


@pytest.mark.parametrize("told", ["images/{}.png", "./images/{}.png", "images\\{}.png", "{}.png", "{}"])
def test_images_are_called_by_path_by_name_or_without_their_ending(flat: Path, told: str) -> None:
    (flat / "labels.csv").write_text(table(rows=[(told.format(i), "bed") for i in range(4)]))
    assert len(read_folder(flat).images) == 4


def test_nothing_outside_of_the_folder_can_be_named(flat: Path, save: Save, tmp_path: Path) -> None:
    outside = flat.parent / "secret.png"
    outside.write_bytes((flat / "images/0.png").read_bytes())
    (flat / "labels.csv").write_text(table(rows=[("../secret.png", "bed"), (str(outside), "bed"), ("0.png", "bed")]))
    pool = read_folder(flat)
    assert [Path(p.place).name for p in pool.images] == ["0.png"]
    assert [s.path for s in pool.skipped if s.kind == "not there"] == ["../secret.png", str(outside)]


def test_what_has_no_label_or_two_or_is_not_there_is_told(flat: Path, save: Save) -> None:
    rows = [("0.png", "bed"), ("1.png", "bed"), ("1.png", "lamp"), ("2.png", ""), ("gone.png", "bed")]
    (flat / "labels.csv").write_text(table(rows=rows))
    found = {Path(s.path).name: (s.kind, s.reason) for s in read_folder(flat).skipped}
    assert found["gone.png"] == ("not there", "labels.csv names it in line 6, and it is not there.")
    assert "2 different labels: bed, lamp" in found["1.png"][1]
    assert found["2.png"] == ("without a label", "Its label is empty. Write one.")
    assert found["3.png"] == ("without a label", "labels.csv does not name it.")


def test_other_columns_are_told_with_what_is_needed(flat: Path) -> None:
    (flat / "labels.csv").write_text("picture;bed;lamp\n0.png;1;0\n")
    with pytest.raises(DataError, match=r"labels.csv has the columns picture, bed, lamp. It needs one for the image"):
        load_dataset("test")


def test_text_of_another_encoding_is_told(flat: Path) -> None:
    (flat / "labels.csv").write_bytes("filename,label\n0.png,Stühle\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"no text in UTF-8.*Save it as CSV in UTF-8"):
        load_dataset("test")


def test_tables_of_parts_a_column_of_parts_and_folders_of_parts_make_the_split(flat: Path, save: Save) -> None:
    (flat / "train.csv").write_text(table(rows=ROWS[:3]))
    (flat / "test.csv").write_text(table(rows=ROWS[3:]))
    assert (len(load_dataset("train")), len(load_dataset("test"))) == (3, 1)
    (flat / "train.csv").unlink()
    (flat / "test.csv").unlink()
    (flat / "labels.csv").write_text("filename,label,split\n0.png,bed,train\n1.png,bed,valid\n2.png,bed,test\n")
    assert (len(load_dataset("train")), len(load_dataset("test"))) == (1, 1)
    assert [s.path for s in load_dataset("train").skipped if s.kind == "of a third part"] == ["images/1.png"]


def test_folders_of_classes_come_before_a_table(folder: Path, save: Save) -> None:
    save("test/bed/a.png", noise(1))
    (folder / "test/_classes.csv").write_text("filename,label\na.png,lamp\n")
    assert load_dataset("test").counts()["bed"] == 1


def test_classes_of_another_model_are_those_of_the_table(flat: Path) -> None:
    (flat / "labels.csv").write_text(table(rows=[("0.png", "rose"), ("1.png", "tulip")]))
    assert folder_classes(flat) == ("rose", "tulip")
    assert check_health().counts["test"]["rose"] == 1


def test_a_changed_table_is_seen(flat: Path) -> None:
    (flat / "labels.csv").write_text(table())
    before = fingerprint()
    (flat / "labels.csv").write_text(table(rows=[(name, "bed") for name, _ in ROWS]))
    assert fingerprint() != before
