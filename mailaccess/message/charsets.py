"""Octets and the name of a charset to text. Never raises, and never yields a lone surrogate.

A name is looked up in a closed list: Python's own lookup imports modules by name and remembers each miss for ever, and
some codecs are not charsets (``rot13``), not safe (``unicode_escape``) or quadratic (``idna``, CVE-2022-45061).
"""

import re
from encodings.aliases import aliases
from typing import Final

_NOT_CHARSETS: Final = frozenset(
    ["base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "tactis", "uu_codec", "zlib_codec"]
)

_SUPERSETS: Final = {
    "ascii": "utf_8",  # programs that label as US-ASCII whatever they send
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso2022_jp": "iso2022_jp_2",
    "latin_1": "cp1252",  # Outlook's curly quotes; the WHATWG's encoding standard says so too
}
"""What is decoded in place of what is named: a superset, since senders do not keep to the small set."""

_OTHER_NAMES: Final = {
    "": "utf_8",
    "ansi_x3_4_1968": "utf_8",
    "ansi_x3_4_1986": "utf_8",
    "default": "utf_8",
    "unknown_8bit": "utf_8",
    "x_unknown": "utf_8",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "koi8_u": "koi8_u",
    "windows_31j": "cp932",
    "x_sjis": "cp932",
    "x_gbk": "gb18030",
    "utf8mb4": "utf_8",
}

_surrogate = re.compile("[\ud800-\udfff]")


def _codecs() -> dict[str, str]:
    known = {name: codec for name, codec in aliases.items() if codec not in _NOT_CHARSETS}
    known |= {codec: codec for codec in known.values()}
    return {name: _SUPERSETS.get(codec, codec) for name, codec in known.items()} | _OTHER_NAMES


_CODECS: Final = _codecs()
_separators = re.compile(rb"[^a-z0-9]+")


def decode(data: bytes, charset: bytes) -> str:
    """The text; octets that the charset does not know, or an unknown charset's, become U+FFFD or a guess.

    What is unlabelled, labelled as US-ASCII or in an unknown charset is UTF-8 if it can be, and Windows-1252 otherwise.
    """
    codec = _CODECS.get(_separators.sub(b"_", charset.strip().lower()).decode("ascii"), "utf_8")
    if codec != "utf_8":
        return _surrogate.sub("\ufffd", data.decode(codec, "replace"))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8" if is_utf8(charset) else "cp1252", "replace")


def is_utf8(charset: bytes) -> bool:
    """Whether the charset says that it is UTF-8, in whatever way it writes that."""
    return charset.strip().lower().replace(b"-", b"").replace(b"_", b"") == b"utf8"
