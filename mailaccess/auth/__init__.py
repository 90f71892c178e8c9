"""Who may log in: from a name and a password to an account.

``login``          what both protocols call: wait, ask the portal, tell the log
``credentials``    what a name and a password may be, and what a checker is handed
``penalties``      how long whoever failed waits
``apop``           the timestamp and digest of APOP
``hashing``        the threads in which passwords are checked
``schemes``        stored passwords
``passwdfile``     the format of the users file
``passwdfile_edit``  changes to it
``passwords``      makes passwords
``checkers``       who knows the accounts; plugged in by ``app``
"""
