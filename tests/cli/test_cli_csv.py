# SPDX-License-Identifier: BSD-3-Clause
"""CSV as programs and people write it: a table in many dialects, and errors that name cells."""

import csv
import gzip
import io
import json
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pl = pytest.importorskip("polars")

from logreg_c._cli import tables  # noqa: E402 (needs polars)
from logreg_c._cli.errors import InputError  # noqa: E402
from logreg_c._cli.tables import delimited  # noqa: E402

RNG = np.random.default_rng(7)
X = RNG.normal(size=(60, 2)).round(2)
ROWS = [(a, b, int(a + b + e > 0)) for (a, b), e in zip(X, RNG.normal(size=60), strict=True)]
HEADER = ["a", "b", "y"]


def table(
    separator=",",
    end="\n",
    header=HEADER,
    show=str,
    pad="",
    row_end="",
    tail="",
    front="",
    index=None,
):
    lines = [header, *[[pad + show(v) + pad for v in row] for row in ROWS]]
    if index is not None:
        lines = [[first, *line] for first, line in zip(index, lines, strict=True)]
    return front + "".join(separator.join(line) + row_end + end for line in lines) + tail


def comma(value):
    return str(value).replace(".", ",")


def quoted(value):
    return f'"{value}"'


DIALECTS = {
    "blank lines at the end": table(tail="\n\n\n"),
    "blank CRLF lines at the end": table(end="\r\n", tail="\r\n\r\n"),
    "spaces and tabs at the end": table(tail="  \n\t\n \t "),
    "commas at the end": table(tail=",,\n , ,\n"),
    "CR alone": table(end="\r", tail="\r"),
    "no newline at the end": table().rstrip("\n"),
    "spaces around values": table(pad=" "),
    "names in single quotes": table("\t", header=["'a'", "'b'", "'y'"]),
    "spaces around names": table(header=[" a ", " b", "y "]),
    "tabs around values": table(pad="\t"),
    "a comma after the names": table(header=[*HEADER, ""]),
    "a comma after names and rows": table(header=[*HEADER, ""], row_end=","),
    "a comma after names, none after rows": table().replace("b,y", "b,y,"),
    "a comma after rows, none after names": table(row_end=",").replace("b,y,", "b,y"),
    "a comma after some rows": table().replace(",1\n", ",1,\n"),
    "two commas after names and rows": table(header=[*HEADER, "", ""], row_end=",,"),
    "semicolons": table(";"),
    "tabs": table("\t"),
    "pipes": table("|"),
    "decimal commas": table(";", show=comma),
    "decimal commas, tabs": table("\t", show=comma),
    "decimal commas, quoted": table(show=lambda v: quoted(comma(v))),
    "quoted": table(header=['"a"', '"b"', '"y"'], show=quoted),
    "quoted after spaces": table(", ", header=['"a"', '"b"', '"y"'], show=quoted),
    "quoted before spaces": table(show=quoted, row_end=" "),
    "a byte order mark": table(front="\ufeff"),
    "Excel's sep=": table(";", front="sep=;\n"),
    "sep= in quotation marks": table(";", front='"sep=;"\r\n', end="\r\n"),
    "DOS's end of file": table(tail="\x1a"),
    "NULs at the end": table(tail="\0" * 100),
    "spaces between values": table(" "),
    "columns aligned by spaces": table("   ", end=" \n"),
    "R's write.table": table(" ", header=['"a"', '"b"', '"y"']).replace("\n", "\n@").rstrip("@"),
    "rows drawn, with pandas' index": table(index=["", *map(str, range(180, 0, -3))]),
    "R's row names, text": table(index=["", *(f"Mazda {k}" for k in range(60))]),
    "commas at the end, read again": table(header=[*HEADER, "Unnamed: 3"], row_end=","),
    "blank lines above": table(front="\n  \n"),
    "comments above": table(front="# exported, 2024, 3\n# by us\n"),
    "NumPy's header": table(header=["# a", "b", "y"]),
    "plus signs": table(show=lambda v: f"+{v}" if v > 0 else str(v)),
    "pandas' index": table(index=["", *map(str, range(60))]),
    "R's row names": table(index=['""', *[f'"{k}"' for k in range(1, 61)]]),
    "pandas' index, read again": table(index=["Unnamed: 0", *map(str, RNG.permutation(60))]),
    "R's table": table("\t", header=HEADER).replace("\n", "\n@").rstrip("@"),
}
# a header with one name fewer than values, as written by R's write.table
for number in range(1, 61):
    for name, separator in ("R's table", "\t"), ("R's write.table", " "):
        DIALECTS[name] = DIALECTS[name].replace("@", f'"{number}"{separator}', 1)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    path = tmp_path_factory.mktemp("expected") / "t.parquet"
    pl.DataFrame(ROWS, schema=HEADER, orient="row").write_parquet(path)
    return path


def results(run, path, tmp_path):
    model = tmp_path / "model.npz"
    code, _, err = run(
        "train", path, "--target", "y", "--solver", "gd", "--iters", "50", "-o", model
    )
    assert code == 0, err
    with np.load(model) as stored:
        trained = stored["weights"].tolist(), stored["classes"].tolist()
        assert json.loads(stored["columns"].item()) == {"a": None, "b": None}
    evaluated = json.loads(run("evaluate", model, path, "--json")[1])
    del evaluated["file"]
    return trained, run("predict", model, path)[1], evaluated


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.sampled(1)
def test_a_dialect_gives_what_parquet_gives(run, tmp_path, expected, name):
    path = tmp_path / "t.csv"
    path.write_bytes(DIALECTS[name].encode())
    assert results(run, path, tmp_path) == results(run, expected, tmp_path)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress, "zstd"])
def test_a_compressed_file(run, tmp_path, expected, compress):
    path = tmp_path / "t.csv"
    text = table(header=["a", '"b"', "y"]).encode()
    if compress == "zstd":
        pa = pytest.importorskip("pyarrow")
        with pa.OSFile(str(path), "wb") as out, pa.CompressedOutputStream(out, "zstd") as file:
            file.write(text)
    else:
        path.write_bytes(compress(text))
    assert results(run, path, tmp_path) == results(run, expected, tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    code, out, err = run("train", path, "--target", "y")
    assert (code, out) == (2, "")
    assert "cannot be decompressed" in err


def test_blank_lines_between_rows_are_skipped_with_a_warning(run, tmp_path, expected):
    path = tmp_path / "t.csv"
    lines = table().splitlines()
    path.write_text("\n".join([*lines[:4], "", "  ", *lines[4:9], ",,", *lines[9:], ""]))
    code, _, err = run("train", path, "--target", "y")
    assert code == 0
    assert "skipped 3 blank rows" in err
    assert "the first after row 3" in err
    assert results(run, path, tmp_path) == results(run, expected, tmp_path)
    path.write_text("\n".join([*lines[:4], "", *lines[4:9]]).replace(lines[5], "oops,1,1"))
    assert "(row 5: 'oops')" in run("train", path, "--target", "y")[2]


MISSING = [
    "",
    " ",
    "NA",
    "N/A",
    "nan",
    "NaN",
    "NULL",
    "null",
    "None",
    "#N/A",
    "?",
    "-",
    ".",
    "<NA>",
    "#NUM!",
    "#NAME?",
    "NaT",
    "n.a.",
    "(null)",
    "\\N",
    "..",
    "-nan(ind)",
]


@pytest.mark.parametrize("token", MISSING)
@pytest.mark.parametrize("column", [0, 2])
@pytest.mark.parametrize("one_hot", [[], ["--one-hot"]])
@pytest.mark.sampled(3)
def test_every_spelling_of_a_missing_value_is_missing(fails, tmp_path, token, column, one_hot):
    path = tmp_path / "t.csv"
    lines = [line.split(",") for line in table().splitlines()]
    for shown in (token, quoted(token), f" {token} "):
        lines[17][column] = shown
        path.write_text("\n".join(map(",".join, lines)))
        name = HEADER[column]
        fails(
            *("train", path, "--target", "y", *one_hot),
            match=f"column '{name}' has missing values, first in row 17[;:]",
        )


@pytest.mark.parametrize(
    "cell",
    ["x", "12%", "$5", "1.2.3", "0x10", "1_000", "--5", "40.0 yrs", "true", "\uff11", "1e5x"],
)
@pytest.mark.sampled(1)
def test_a_cell_that_is_not_a_number_is_named_and_never_a_category(run, tmp_path, cell):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    path.write_text(table())
    assert run("train", path, "--target", "y", "-o", model)[0] == 0
    lines = [line.split(",") for line in table().splitlines()]
    lines[23][0] = lines[40][0] = f" {cell}"
    path.write_text("\n".join(map(",".join, lines)))
    for command in (
        ["train", path, "--target", "y"],
        ["train", path, "--target", "y", "--one-hot"],
        ["predict", model, path],
        ["evaluate", model, path],
    ):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert "feature 'a'" in err
        assert f"(row 23: {cell!r}, row 40: {cell!r})" in err


@pytest.mark.parametrize("value", ["Infinity", "inf", "-INF", "+Infinity", "1e999"])
def test_an_infinity_is_named_by_its_row(fails, tmp_path, value):
    path = tmp_path / "t.csv"
    lines = [line.split(",") for line in table().splitlines()]
    lines[9][1] = value
    path.write_text("\n".join(map(",".join, lines)))
    fails("train", path, "--target", "y", match="column 'b' is infinite in row 9;")


def test_an_ambiguous_comma_is_not_a_number(fails, tmp_path):
    path = tmp_path / "t.csv"
    lines = [line.split(";") for line in table(";").splitlines()]
    lines[5][0] = "1,234"  # among decimal points
    path.write_text("\n".join(map(";".join, lines)))
    fails(
        "train",
        path,
        "--target",
        "y",
        match=r"'a' is numeric except for 1 of 60 values \(row 5: '1,234'\)",
    )
    lines = [line.split(";") for line in table(";", show=comma).splitlines()]
    lines[5][0] = "1.234"  # among decimal commas
    path.write_text("\n".join(map(";".join, lines)))
    fails(
        "train",
        path,
        "--target",
        "y",
        match=r"'a' is numeric except for 1 of 60 values \(row 5: '1.234'\)",
    )


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("1.5,2,0\n2.5,3,1\n", r"no header: its first line is numbers \('1.5', '2', '0'\)"),
        ("5.1,3.5,setosa\n4.9,3.0,other\n", "no column 'y'; .*if these are data, add a header"),
        (f"{'n,' * 600_000}m\n1,2\n", "600001 columns; at most 100000"),
        (",".join(map("c{}".format, range(100_001))) + ",y\n1,0\n", "100002 columns; at most"),
        ("\n\n", "is empty"),
        ("# only a comment\n", "is empty"),
        ("a,y\n1,0\n2,1,7\n", "row 2 has 3 values for 2 columns"),
        ('a,y\n"1\n1",0\n2,1,7\n', "row 2 has 3 values for 2 columns"),
        ('a,y\n1,0\n"2,1\n', "a quotation mark is not closed"),
        ("a:y\n1:0\n2:1\n", "its only column is 'a:y'"),
        ("a,a ,y\n1,2,0\n3,4,1\n", "2 columns named 'a'"),
        (f"{'n' * 1001},y\n1,0\n2,1\n", "column name of 1001 characters"),
        ("\x00a,y\n1,0\n", "not UTF-8"),
    ],
)
@pytest.mark.long
def test_files_that_are_not_tables(fails, tmp_path, content, match):
    path = tmp_path / "t.csv"
    path.write_text(content)
    fails("train", path, "--target", "y", match=match)


def test_names_that_number_the_columns_are_a_header(run, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(table(header=["0", "1", "2"]))
    assert run("train", path, "--target", "2")[0] == 0


def test_text_keeps_its_quotes_newlines_and_separators(run, tmp_path):
    path, model = tmp_path / "t.csv", tmp_path / "model.npz"
    kinds = ["two\nlines", "a;b, c", 'say ""hi""', " padded "]
    rows = [f'{k % 7},"{kinds[k % 4]}",{k % 2}' for k in range(40)]
    path.write_text("a,kind,y\n" + "\n".join(rows))
    assert run("train", path, "--target", "y", "--one-hot", "-o", model)[0] == 0
    with np.load(model) as stored:
        found = set(json.loads(stored["columns"].item())["kind"])
    assert found == {"two\nlines", "a;b, c", 'say "hi"', "padded"}
    code, _, err = run("predict", model, path)
    assert (code, err.count("\n")) == (0, 1)  # no value that did not occur in training


@pytest.mark.long
def test_a_large_file_is_read_in_parts_that_agree(run, tmp_path, monkeypatch, expected):
    monkeypatch.setattr("logreg_c._cli.tables.delimited.CHUNK", 97)
    for name in ("quoted", "CR alone", "blank CRLF lines at the end", "decimal commas, quoted"):
        path = tmp_path / "t.csv"
        path.write_bytes(DIALECTS[name].encode())
        assert results(run, path, tmp_path) == results(run, expected, tmp_path)
    # a column whose first parts are numbers, and true/false, and only then text
    codes = [f"{k % 9},{k % 3},{str(k % 2 == 0).lower()},{k % 2}" for k in range(80)]
    path.write_text("a,code,flag,y\n" + "\n".join(codes) + "\n1,x,maybe,0\n")
    err = run("train", path, "--target", "y")[2]
    assert "'code' is numeric except for" in err
    assert "(row 81: 'x')" in err
    path.write_text("a,code,flag,y\n" + "\n".join(codes) + "\n1,x,true,0\n")
    model = tmp_path / "model.npz"
    assert run("train", path, "--target", "y", "--one-hot", "-o", model)[0] == 2  # 80 of 81
    more = "".join(f"1,{'xz'[k % 2]},true,{k % 2}\n" for k in range(40))
    path.write_text("a,code,flag,y\n\n" + "\n".join(codes) + "\n" + more)
    code, _, err = run("train", path, "--target", "y", "--one-hot", "-o", model)
    assert (code, err.count("skipped 1 blank row ")) == (0, 1)  # though it is read twice
    with np.load(model) as stored:
        assert json.loads(stored["columns"].item()) == {
            "a": None,
            "code": list("012xz"),
            "flag": None,
        }


# ---- Columns that number the rows --------------------------------------------------------------


@pytest.mark.long
def test_an_index_is_left_out_with_a_notice(run, tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(ROWS, columns=HEADER)
    csv, parquet, arrow = (tmp_path / f"t.{kind}" for kind in ("csv", "parquet", "arrow"))
    shuffled = frame.sample(frac=0.8, random_state=1)
    frame.to_csv(csv)
    shuffled.to_parquet(parquet)
    shuffled.rename_axis("patient").to_parquet(tmp_path / "named.parquet")
    import pyarrow as pa

    with pa.ipc.new_file(arrow, pa.Table.from_pandas(shuffled).schema) as file:
        file.write_table(pa.Table.from_pandas(shuffled))
    for path, name in [
        (csv, ""),
        (parquet, "__index_level_0__"),
        (arrow, "__index_level_0__"),
        (tmp_path / "named.parquet", "patient"),
    ]:
        model = tmp_path / "model.npz"
        code, out, err = run("train", path, "--target", "y", "--json", "-o", model)
        assert code == 0, err
        assert err.startswith("logreg-c: left out a column that numbers the rows: ")
        assert json.loads(out)["left_out"] == [name]
        with np.load(model) as stored:
            assert json.loads(stored["columns"].item()) == {"a": None, "b": None}
        frame.to_csv(tmp_path / "without.csv", index=False)
        for other in (path, tmp_path / "without.csv"):
            assert run("predict", model, other)[0] == 0


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    "name", ["index", "row.names", "rownames", "level_0", "rowid", "row_id", "row_nr", "Row Names"]
)
def test_a_column_named_like_an_index_is_one_if_it_numbers_the_rows(run, tmp_path, name):
    path = tmp_path / "t.csv"
    path.write_text(table(index=[name, *map(str, range(1, 61))]))
    assert json.loads(run("train", path, "--target", "y", "--json")[1])["left_out"] == [name]
    path.write_text(table(index=[name, *map(str, range(1, 60)), "7"]))
    code, out, err = run("train", path, "--target", "y", "--json")
    assert (code, err, json.loads(out)["left_out"]) == (0, "", [])


def test_a_feature_that_numbers_the_rows_is_kept_with_a_warning(run, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(table(index=["day", *map(str, range(1, 61))]))
    code, out, err = run("train", path, "--target", "y", "--json")
    assert code == 0
    assert "column 'day' numbers the rows" in err
    assert "day" in [weight["column"] for weight in json.loads(out)["weights"]]


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_an_unnamed_column_that_is_not_an_index_is_an_error(fails, tmp_path, name):
    path = tmp_path / "t.csv"
    for values in (X[:, 0] + 0.5, RNG.integers(0, 5, 60), ["car"] * 60):
        path.write_text(table(index=[name, *map(str, values)]))
        fails("train", path, "--target", "y", match="does not number the rows; give it a name")


def test_an_index_that_is_the_target_is_the_target(run, tmp_path):
    pd = pytest.importorskip("pandas")
    path = tmp_path / "t.parquet"
    pd.DataFrame(ROWS, columns=HEADER).set_index("y").to_parquet(path)
    code, _, err = run("train", path, "--target", "y")
    assert (code, err) == (0, "")


# ---- Any dialect -------------------------------------------------------------------------------

CELLS = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
)
WORDS = st.text(st.sampled_from("ab ,;|\t\"\n'#é"), max_size=6).map(lambda word: f"w{word}w")


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, WORDS), min_size=2, max_size=12),
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    tail=st.sampled_from(["", "\n", "\r\n\r\n", "  \n", "\n,\n"]),
    front=st.sampled_from(["", "\ufeff", "\n", "# a comment\n"]),
    spare=st.booleans(),
    chunk=st.sampled_from([5, 64, 1 << 20]),
)
@settings(max_examples=60)
@pytest.mark.long
def test_everything_a_csv_writer_writes_is_read(
    tmp_path_factory, rows, separator, quoting, end, tail, front, spare, chunk
):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=end)
    extra = [""] if spare else []
    writer.writerow(["a", "b", "y", *extra])
    writer.writerows([*row, *extra] for row in rows)
    path = tmp_path_factory.getbasetemp() / "any.csv"
    tail = tail.replace(",", 2 * separator)
    path.write_bytes((front + file.getvalue() + tail).encode())
    with pytest.MonkeyPatch.context() as patch, tables.opened(path) as source:
        patch.setattr(delimited, "CHUNK", chunk)
        table, _ = tables.reading.read(source, tables.Choice("y"), tables.faults.Faults(source))
        parts = list(tables.batches(source, {"b": None, "y": ()}))
    assert table["a"].to_list() == [float(a) for a, _, _ in rows]
    assert table["b"].to_list() == [float(b) for _, b, _ in rows]
    assert table["y"].to_list() == [word for *_, word in rows]
    assert pl.concat([part for *_, part in parts]).equals(table.select("b", "y"))


class ByPolars(delimited.Delimited):
    """Leaves rows of many columns to polars, too."""

    def _short(self, buffer):  # noqa: ARG002
        return None


CELLS = st.sampled_from(
    [
        "",
        " ",
        "0",
        "-1.5",
        " 2 ",
        "1e5",
        "inf",
        "NA",
        "x",
        "\u00e9",
        "a b",
        "\x0b",
        "'",
        '"q"',
        "\r",
    ]
)


@pytest.mark.long
@settings(max_examples=30)
@given(st.lists(st.lists(CELLS, min_size=6, max_size=7), min_size=1, max_size=5), st.data())
def test_rows_of_many_columns_are_read_as_by_polars(tmp_path_factory, rows, data):
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    whole = data.draw(st.booleans())
    lines = [[f"c{j}" for j in range(7)], *([*row, "", ""][: 7 if whole else 9] for row in rows)]
    path = tmp_path_factory.mktemp("wide") / "wide.csv"
    text = end.join(map(",".join, lines)) + end * data.draw(st.integers(0, 2))
    path.write_bytes(text.encode(data.draw(st.sampled_from(["utf-8", "latin-1"]))))
    found = []
    with tables.opened(path) as source:
        for read in delimited.Delimited, ByPolars:
            try:
                found.append(pl.concat(read(source).frames()).to_dict(as_series=False))
            except InputError as error:
                found.append(str(error))
    assert found[0] == found[1]
