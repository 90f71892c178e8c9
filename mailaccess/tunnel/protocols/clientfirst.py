"""What LDAP and PostgreSQL have in common: the client begins, so that no greeting tells what a server speaks."""


class ClientFirst:
    """The first part of a ``Spoken`` whose server is silent until it is asked."""

    speaks_first = False

    def __init__(self, name: str) -> None:
        self.name = name

    def recognises(self, greeting: bytes) -> bool:
        """Never: who greets speaks another protocol."""
        return False

    def welcomes(self, greeting: bytes) -> bool:
        """Never, for the same reason."""
        return False
