"""Files that are not the UTF-8 that they should be."""

import bz2
import json

import pytest

from eventune.corpora import read_corpus, read_ontology
from eventune.corpora.encoding import encoding_hint
from eventune.errors import EventuneError

TEXTS = {
    "WINDOWS-1252": ("cp1252", "Frau Müller traf Jörg in Köln und grüßte den Präsidenten.", "Müller"),
    "WINDOWS-1250": ("cp1250", "Żołnierze zaatakowali miasto, zginęło trzech mężczyzn w Łodzi.", "Żołnierze"),
    "WINDOWS-1251": ("cp1251", "Вчера боевики обстреляли город, погибли трое солдат.", "Вчера"),
    "GB18030": ("gb18030", "昨天，武装分子在城市北部袭击了一支军队，造成三人死亡。", "昨天"),
    "BIG5": ("big5", "昨天，武裝分子在城市北部襲擊了一支軍隊，造成三人死亡。", "昨天"),
    "CP932": ("cp932", "昨日、武装集団が街の北部で部隊を襲撃し、三人が死亡した。", "昨日"),
    "CP949": ("cp949", "어제 무장 단체가 도시 북부에서 부대를 공격해 세 명이 숨졌다.", "어제"),
}


def lines(text, count=3):
    return "".join(json.dumps({"id": f"d{n}", "text": text}, ensure_ascii=False) + "\n" for n in range(count))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("beginning", ["", lines("Nothing strange in here.", 3000)], ids=["at once", "far behind"])
def test_the_encoding_is_named_once_with_a_word_that_shows_whether_it_is_right(name, beginning, tmp_path):
    encoding, text, word = TEXTS[name]
    path = tmp_path / "corpus.jsonl"
    path.write_bytes((beginning + lines(text)).encode(encoding))

    with pytest.raises(EventuneError) as caught:
        read_corpus(path, "jsonl")

    [hinted] = [line for line in caught.value.message.split("\n") if "iconv" in line]
    assert f"iconv -f {name} -t UTF-8" in hinted
    assert f"'{word}" in hinted
    assert caught.value.message.count("encoding: expected UTF-8") == 3


def test_encodings_that_fit_alike_are_all_named_with_what_they_make_of_the_text():
    hint = encoding_hint("Vojáci zaútočili na město, tři muži byli zabiti příliš brzy.".encode("cp1250"))
    assert "'zaútoèili' as WINDOWS-1252, 'zaútočili' as WINDOWS-1250" in hint


def test_no_encoding_is_named_where_none_is_likely():
    assert "cannot be told" in encoding_hint(bytes(range(128, 256)) * 3)


@pytest.mark.parametrize(
    ("content", "found", "hint"),
    [
        (bz2.compress(lines("Müller").encode()), "bzip2 data", "bunzip2 FILE"),
        (lines("Müller").encode("utf-16"), "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
        (lines("Müller").encode("utf-16-le"), "UTF-16LE text", "iconv -f UTF-16LE -t UTF-8"),
        (lines("plain").encode("utf-16-be"), "UTF-16BE text", "iconv -f UTF-16BE -t UTF-8"),
        (lines("Müller").encode("utf-32"), "UTF-32 text", "iconv -f UTF-32 -t UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x03", "binary data", ""),
    ],
    ids=["bzip2", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "binary"],
)
def test_compressed_wide_and_binary_files_are_refused_as_what_they_are(content, found, hint, tmp_path):
    (tmp_path / "corpus.jsonl").write_bytes(content)
    with pytest.raises(EventuneError, match=rf"corpus\.jsonl: expected text in UTF-8, found {found}") as caught:
        read_corpus(tmp_path / "corpus.jsonl")
    assert hint in caught.value.hint


def test_arrays_brat_and_ontologies_say_it_too(tmp_path):
    content = f"[{lines('Frau Müller traf Jörg in Köln', 1)}]".encode("cp1252")
    (tmp_path / "array.json").write_bytes(content)
    with pytest.raises(EventuneError, match="as WINDOWS-1252 it reads 'Müller'"):
        read_corpus(tmp_path / "array.json", "jsonl")
    (tmp_path / "a.txt").write_bytes("Frau Müller traf Jörg in Köln".encode("cp1252"))
    (tmp_path / "a.ann").write_text("")
    with pytest.raises(EventuneError, match="as WINDOWS-1252 it reads 'Müller'"):
        read_corpus(tmp_path)
    (tmp_path / "ontology.yaml").write_bytes("types:\n  Größe: {roles: {Länge: {}}}\n".encode("utf-16"))
    with pytest.raises(EventuneError, match="iconv -f UTF-16 -t UTF-8"):
        read_ontology(tmp_path / "ontology.yaml")
