"""Nothing that a file says is read as markup: the door itself, and that no text goes around it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.ui.markup_scan import leaks
from udacisense.plain_text import one_line
from udacisense.report.markdown import JOINER, code, escape
from udacisense.settings import PROJECT
from ui.shared.plain_text import in_chart

SOURCES = (PROJECT / "app.py", *sorted((PROJECT / "pages").glob("*.py")), *sorted((PROJECT / "ui").rglob("*.py")))
MARKUP = some.text(alphabet="`*_[]()<>!#|~$:&;\\-+=.@/1aw \n\u202e\ud800", max_size=30)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("![a](b)", r"!\[a\](b)"),
        ("<img src=x>", r"\<img src=x\>"),
        (":red[x]", r"\:red\[x\]"),
        ("$x$ and `y`", r"\$x\$ and \`y\`"),
        ("one\n\n# two", r"one \# two"),
        ("http://x www.x a@b", f"http{JOINER}://x www{JOINER}.x a@{JOINER}b"),
        (":smile: :material/home:", f":{JOINER}smile: :{JOINER}material/home:"),
        ("07:15:30 :100:", f"07:15:30 :{JOINER}100:"),
        ("a -> b", f"a -{JOINER}\\> b"),
        ("- a", r"\- a"),
        ("1. a", r"1\. a"),
        ("&lt;", r"\&lt;"),
        ("a\u202eb\ud800", "a�b�"),
        ("pipeline_03, 5.96 MB at 07:15 UTC: +0.2 (95 %)", r"pipeline\_03, 5.96 MB at 07:15 UTC: +0.2 (95 %)"),
    ],
)
def test_markup_becomes_text_and_figures_stay(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(MARKUP)
def test_what_is_escaped_reads_as_before_and_can_be_sent(text: str) -> None:
    plain, out = one_line(text), escape(text)
    assert "\n" not in out
    out.encode()
    assert "".join(out.replace(JOINER, "").split("\\")) == "".join(plain.split("\\"))


@given(MARKUP)
def test_no_sign_of_markup_is_left_bare(text: str) -> None:
    bare = escape(text).replace("\\\\", "")
    for at, sign in enumerate(bare):
        assert sign not in "`*_[]<>|#~$" or bare[at - 1 : at] == "\\"


@given(MARKUP)
def test_a_code_span_ends_where_the_text_ends(text: str) -> None:
    span = code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    assert span.endswith(fence)
    inside = span[len(fence) : len(span) - len(fence)]
    assert inside.strip(" ").replace(JOINER, "") == one_line(text)
    assert fence not in re.findall("`+", inside)


def test_plotly_reads_neither_tags_nor_places_nor_formulas() -> None:
    assert in_chart("<a href='x'>%{y}</a> $z$ &lt;") == "&lt;a href='x'&gt;&#37;{y}&lt;/a&gt; &#36;z&#36; &amp;lt;"
    assert in_chart("torchscript-lite fp32") == "torchscript-lite fp32"


def test_no_text_reaches_a_page_around_the_door() -> None:
    assert leaks(SOURCES) == []


@pytest.mark.parametrize(
    "line",
    [
        "st.markdown(record.reason)",
        "st.caption(f'made by {name}')",
        "st.metric('Size', value=record.size)",
        "st.button('x', help=record.why)",
        "st.pills('Models', found)",
        "st.pills('Models', found, format_func=lambda i: found[i].name)",
        "show = st.error",
        "text = 'a' + record.reason\n    st.info(text)",
        "for said in record.warnings:\n        st.warning(said)",
        "box(record.reason)",
        "return record.reason",
    ],
)
def test_the_scan_sees_each_way_around_it(tmp_path: Path, line: str) -> None:
    page = tmp_path / "page.py"
    page.write_text(f"def box(text: Markdown): st.info(text)\ndef draw(record, name, found) -> Markdown:\n    {line}\n")
    assert len(leaks([page])) == 1


@pytest.mark.parametrize(
    "line",
    [
        "st.markdown(escape(record.reason))",
        "st.caption(f'{len(found)} of {record.images:,}, {record.top1:.1f} %')",
        "text = f'by {code(name)}'\n    box(text)",
        "for label in ('a', 'b'):\n        st.button(label)",
        "st.pills('Models', found, format_func=escape)",
        "st.code(record.log)",
    ],
)
def test_the_scan_lets_escaped_text_and_numbers_pass(tmp_path: Path, line: str) -> None:
    page = tmp_path / "page.py"
    page.write_text(f"def box(text: Markdown): st.info(text)\ndef draw(record, name, found):\n    {line}\n")
    assert leaks([page]) == []
