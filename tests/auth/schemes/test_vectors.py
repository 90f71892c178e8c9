"""Stored passwords that others made: Dovecot's ``doveadm pw`` where nothing else is said."""

import pytest

from mailaccess.auth.schemes import SCHEMES, verify

PASSWORD = "grüße $1"

VECTORS = [
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$V8cwa2kcgp5jt5KSFrN0DA$fQnq0nPNopfxek2UT+gkACrj/IbdZH+ppRzNn14GAWA",
    "{ARGON2ID.B64}JGFyZ29uMmlkJHY9MTkkbT02NTUzNix0PTMscD0xJGhIZk50UDcyK0hYWFpZR3U5bmJUZ1EkM1QzL0dxaytGbEdQVmlPUjYxTXczaEFiSjlValEvRSs0R05ONWhTTHVYVQ==",
    "{ARGON2ID.HEX}246172676f6e32696424763d3139246d3d36353533362c743d332c703d3124796d523341316567316832416e6268333162342f2b77244869526839794f384d73485a56536c375065356652304d516d313643656f5749504e665866522f4d434e41",
    "{BLF-CRYPT}$2y$05$aP7RIXHDlozLBdtsq1lkv.ItoFlSwKQgNdbIo6KxNafk08psGnMQe",
    "{SHA512-CRYPT}$6$vnxbzJfPGKRAE.Fy$yQ8WU/4befA.LvYjV4Anx5ppTBj36WVJ3OujSBSjtC/UKnasrfMxDOzgP3IP6LUzbp7deSgLL80.rIA57d3nd.",
    "{SHA256-CRYPT}$5$uSVRaNUywf5/S62o$sZJMzsZGRwDL63TzozPH84PoFsGWxOT6Vgjh.YuB/h2",
    "{MD5-CRYPT}$1$AJvG3joI$gCs9.DusCoTbUSgUtG86V.",
    "{CRYPT}$2y$05$b6mNAnCj8FM/7Eh2RaZnQulS7HkXRAItj37/Se22G2CzQMwgMlnZC",
    "{CRYPT.B64}JDJ5JDA1JHpOYmpXUzhWYVJ5czRUUUpQUnJSay5UYk9NM0hnN1VoSnRLLlNaaDJ3dC5Kb0JNWDNqZVFD",
    "{PBKDF2}$1$72jwo57a89prWt3z$5000$3663f40693abd4fc9c091bddee76260f6b849aaa",
    "{PBKDF2.HEX}2431244663755933477451397a4c625952677824353030302466656536643631633266326565636539613434353932666537303634616565383563303635616637",
    "{SSHA}bwotDVgfMWgQPt/F93wMtjB/bHKHN2jb",
    "{SSHA.HEX}fdafa61aeeb7ccbb1f234fa7547125d187ee422c6c223a3f",
    "{SSHA256}1LHkE2Kt12b46bOT+eo3mZfpB8dFzH90xJut67BguI7W3srR",
    "{SSHA512}nUriSzp+dRMqjVBCM6XFV5QRCd0eyjMtJxqN00cLEYKHPdxb77/suLfwO2cmyN1+CQ7fg1QfqFTKLzdxXWG6VYvgR3E=",
    "{SSHA512.B64}4L3I6MSrdFdm+9ExpDYYKXWiLf8/sTHhsUpqZvRL/qrBXRNYntDV9Ch+b/NzOS2WMqSAOdbUO/oNz/hpLiZd7osaBqw=",
    "{SHA}SirLh1UgpCPICO8LjzVPWKzjNGc=",
    "{SHA1}SirLh1UgpCPICO8LjzVPWKzjNGc=",
    "{SHA1.HEX}4a2acb875520a423c808ef0b8f354f58ace33467",
    "{SHA256}a2us+3IXbjg6OL58GTAhc5nUfj8EVUSchHvhhO4zdqw=",
    "{SHA256.BASE64}a2us+3IXbjg6OL58GTAhc5nUfj8EVUSchHvhhO4zdqw=",
    "{SHA512}5Gp0KVwy0F5kMcKw4svviqRjjqYgWOpE4PcYNgYYM79sIu5oMinTWQ7XCAvfvRTqMQUhKhDfCnX5xVC29SSqug==",
    "{SHA512.HEX}e46a74295c32d05e6431c2b0e2cbef8aa4638ea62058ea44e0f71836061833bf6c22ee683229d3590ed7080bdfbd14ea3105212a10df0a75f9c550b6f524aaba",
    "{PLAIN}grüße $1",
    "{PLAIN.B64}Z3LDvMOfZSAkMQ==",
    "{CLEAR}grüße $1",
    "{CLEARTEXT}grüße $1",
    "{CLEARTEXT.HEX}6772c3bcc39f65202431",
    "{SHA256}6b6bacfb72176e383a38be7c1930217399d47e3f0455449c847be184ee3376ac",  # hex, which its length shows
    "{CRYPT}$y$j9T$abcdefghijklmnop$jK1b0ifPP1L92CU5Fy565epTHaKIr0BFT1Gt0VxGJ0/",  # crypt(3)
    # crypt(3)
    "{CRYPT}$6$rounds=1000$abcdefgh$NsmUR8CuK7fzgyEDO3QWgIOgXYqVTh2cb47pLefeSWfCVI9BPBybBxkjLjc4fUo2v.tToNFh7a1gAr25pvza90",
    "{CRYPT}$2b$04$wOI879BKAZVyiw3TphN68O.FE2u6FXo.pYorb5dpC4p4QavMej7HC",  # crypt(3)
    "{CRYPT}$2a$04$wOI879BKAZVyiw3TphN68O.FE2u6FXo.pYorb5dpC4p4QavMej7HC",  # crypt(3)
]

ELSEWHERE = [
    # the SHA-crypt specification's own tests (Drepper, 2008)
    (
        "Hello world!",
        "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    ("Hello world!", "{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    ("This is just a test", "{CRYPT}$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5"),
    # OpenBSD's and the reference implementation's
    ("U*U", "{BLF-CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("password", "{ARGON2ID}$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
    ("abc", "{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0="),  # FIPS 180-2
]


@pytest.mark.parametrize("stored", VECTORS)
def test_dovecot_made_it(stored: str) -> None:
    assert verify(PASSWORD.encode(), stored)
    assert not verify(PASSWORD.encode() + b"x", stored)
    assert not verify(b"", stored)
    assert not verify(PASSWORD.encode() + b"\0x", stored)


@pytest.mark.parametrize("stored", VECTORS)
def test_scheme_and_encoding_have_no_case(stored: str) -> None:
    scheme, brace, secret = stored.partition("}")
    assert verify(PASSWORD.encode(), scheme.swapcase() + brace + secret)


@pytest.mark.parametrize(("password", "stored"), ELSEWHERE)
def test_others_made_it(password: str, stored: str) -> None:
    assert verify(password.encode(), stored)
    assert not verify(password.encode()[1:], stored)


def test_every_scheme_has_a_vector() -> None:
    names = {stored[1:].partition("}")[0].partition(".")[0] for stored in VECTORS}
    assert names == set(SCHEMES)
