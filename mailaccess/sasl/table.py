"""Which mechanisms there are. More is not better: curl and Roundcube prefer whatever hashes, however weak, to PLAIN."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mailaccess.sasl.login import Login
from mailaccess.sasl.mechanism import Mechanism
from mailaccess.sasl.plain import Plain

MECHANISMS: Mapping[str, Callable[[], Mechanism]] = MappingProxyType({"PLAIN": Plain, "LOGIN": Login})
"""Each mechanism's first state by its registered name, in the order in which servers offer them."""
