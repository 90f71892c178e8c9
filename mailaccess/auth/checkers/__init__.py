"""Who knows the accounts: each a ``twisted.cred`` checker, plugged in by ``app`` and named by nobody else.

``passwdfile``  the users file
"""
