"""What a file is that is not the UTF-8 it should be: compressed, UTF-16, or in an encoding that is guessed."""

from __future__ import annotations

import codecs
import re

from eventune.errors import InvalidValueError

HEAD_BYTES = 1 << 16
"""So much of a file tells what it is."""

_COMPRESSED = {
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ": ("xz", "unxz"),
    b"PK\x03\x04": ("zip", "unzip"),
}
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_LIKELY = {
    "cp1252": "WINDOWS-1252",
    "cp1250": "WINDOWS-1250",
    "cp1251": "WINDOWS-1251",
    "cp1253": "WINDOWS-1253",
    "cp1254": "WINDOWS-1254",
    "koi8_r": "KOI8-R",
    "gb18030": "GB18030",
    "big5": "BIG5",
    "cp932": "CP932",
    "euc_jp": "EUC-JP",
    "cp949": "CP949",
}
"""Encodings that corpora come in, the commoner first, as Python calls them and as iconv does."""

_STRANGE_WORD = re.compile(r"\w{0,12}[^\x00-\x7f]\w{0,12}")


def refuse_binary(head: bytes) -> None:
    """Refuse what is no text in UTF-8 whatever its lines hold.

    Args:
        head: The beginning of a file.

    Raises:
        InvalidValueError: If it is compressed, or text in UTF-16 or UTF-32; the hint says how to make UTF-8 of it.
    """
    for magic, (name, command) in _COMPRESSED.items():
        if head.startswith(magic):
            raise InvalidValueError("file", "text in UTF-8", f"{name} data", f"unpack it first: {command} FILE")
    if head.startswith(_WIDE) or b"\0" in head:
        name = _wide_name(head)
        found = f"{name} text" if name else "binary data"
        hint = f"convert it: iconv -f {name} -t UTF-8 FILE > NEW" if name else ""
        raise InvalidValueError("file", "text in UTF-8", found, hint)


def encoding_hint(content: bytes) -> str:
    """Return how to make UTF-8 of something, with what the guessed encoding makes of its first strange word.

    Args:
        content: Bytes that are no UTF-8; the more of the file, the better the guess.

    Returns:
        The hint. Several encodings that fit alike are all named, and none where none is likely.
    """
    try:
        refuse_binary(content[:HEAD_BYTES])
    except InvalidValueError as error:
        return error.hint
    readings = _readings(content[:HEAD_BYTES])
    if not readings:
        return "convert it with: iconv -f ENCODING -t UTF-8 FILE > NEW; the encoding cannot be told from the file"
    if len(readings) == 1:
        [(name, word)] = readings.items()
        return f"as {name} it reads {word!r}; if that is right: iconv -f {name} -t UTF-8 FILE > NEW"
    listed = ", ".join(f"{word!r} as {name}" for name, word in readings.items())
    return f"choose the encoding that reads right ({listed}), then: iconv -f ENCODING -t UTF-8 FILE > NEW"


def _wide_name(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    # Without a mark: text in Latin letters and all that JSON adds has a zero in every other byte.
    for name, zeros in (("UTF-16LE", head[1::2]), ("UTF-16BE", head[0::2])):
        if zeros.count(0) > len(head) / 4 and head.count(0) == zeros.count(0):
            return name
    return ""


def _readings(content: bytes) -> dict[str, str]:
    """Return the likely encodings, the commoner first, with a strange word in each by which they can be told apart."""
    from charset_normalizer import from_bytes

    # A character that the end cuts off would speak against every encoding of several bytes a character.
    whole = content[: content.rfind(b"\n") + 1] or content
    matches = list(from_bytes(whole, cp_isolation=list(_LIKELY)))
    best = [m for m in matches if (m.chaos, m.coherence) == (matches[0].chaos, matches[0].coherence)]
    fitting = {name for match in best for name in (match.encoding, *match.could_be_from_charset)}
    words: dict[str, tuple[str, ...]] = {}
    for encoding, name in _LIKELY.items():
        if encoding in fitting:
            found = tuple(_STRANGE_WORD.findall(whole.decode(encoding, errors="replace")))
            if found not in words.values():
                words[name] = found
    telling = next((each for each in zip(*words.values(), strict=False) if len(set(each)) == len(each)), None)
    return dict(zip(words, telling or (found[0] for found in words.values() if found), strict=False))
