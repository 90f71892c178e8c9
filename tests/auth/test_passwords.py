import math
import re

from mailaccess.auth.credentials import password_octets
from mailaccess.auth.passwords import ALPHABET, GROUP_CHARACTERS, GROUPS, generate


def test_it_can_be_read_out_and_typed() -> None:
    password = generate()
    assert re.fullmatch(r"(?:[a-hj-km-np-z2-9]{4}-){4}[a-hj-km-np-z2-9]{4}", password)
    assert password_octets(password)


def test_nobody_guesses_it() -> None:
    assert GROUPS * GROUP_CHARACTERS * math.log2(len(set(ALPHABET))) > 96
    assert len({generate() for _ in range(100)}) == 100
    assert set("".join(generate() for _ in range(100))) == {*ALPHABET, "-"}
